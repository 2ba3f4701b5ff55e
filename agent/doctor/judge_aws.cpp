#include "agent/aws/time_text.hpp"
#include "agent/doctor/judgements.hpp"
#include "agent/doctor/questions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

namespace vipd::doctor {

namespace {

using namespace std::chrono_literals;

// Below this nothing suffers; above clock_wrong EC2 refuses signatures (5 to 15 minutes, by the call).
constexpr duration clock_doubtful = 30s;
constexpr duration clock_wrong = 5min;

void judge_metadata(const evidence& known, section& out)
{
    constexpr const char* check = "metadata service";
    if (const auto* const who = known.identity()) {
        const auto type = who->instance_type.empty() ? std::string{} : fmt::format(" ({})", who->instance_type);
        out.ok(check, fmt::format("{}{} in {}, account {}, {} interface{}", who->instance.str(), type, who->availability_zone,
                                  who->account, who->interfaces.size(), who->interfaces.size() == 1 ? "" : "s"));
        return;
    }
    const auto& problem = known.session.last_error;
    const auto found = fmt::format("it has not said who this instance is{}{}", problem.empty() ? "" : ": ", problem);
    constexpr const char* remedy =
        "on EC2: HttpEndpoint enabled, HttpTokens optional or required, and in a container a hop limit of 2 (`aws ec2 "
        "modify-instance-metadata-options --http-put-response-hop-limit 2`); elsewhere name interface_id and table ids";
    if (node::needs_identity(*known.configuration)) {
        out.fail(check, found, remedy);
    } else {
        out.warn(check, found, "this configuration names all ids itself and runs without it");
    }
}

void judge_credentials(const evidence& known, section& out)
{
    constexpr const char* check = "credentials";
    const auto& s = known.session;
    if (s.access_key_id.empty()) {
        out.fail(check, fmt::format("there are none{}{}", s.last_error.empty() ? "" : ": ", s.last_error),
                 "give the instance a role (an instance profile), or see Credentials in the README");
        return;
    }
    auto text = fmt::format("{} from {}", s.access_key_id, aws::to_string(s.source));
    if (!s.role_arn.empty()) {
        text += " as " + s.role_arn;
    }
    if (s.credentials_expire) {
        text += ", until " + aws::format_iso8601(*s.credentials_expire);
    }
    if (!s.last_error.empty() && known.identity() != nullptr) {
        out.warn(check, text + "; " + s.last_error, "vipd goes on with these until a renewal succeeds");
    } else {
        out.ok(check, std::move(text));
    }
}

// Of all answers: whether one came, the fastest, and why the others did not.
struct endpoint_account {
    bool reached = false;
    std::optional<duration> fastest;
    std::string problem;
};

endpoint_account account_of(const answer_book& answers)
{
    endpoint_account account;
    for (const auto& [form, asked] : answers.all()) {
        if (!asked.reply) {
            continue;
        }
        const auto* const failure = std::get_if<aws::ec2_error>(&asked.reply->value);
        const bool has_answer = failure == nullptr || !asked.reply->request.empty() || asked.reply->server_date;
        if (has_answer) {
            account.reached = true;
            if (asked.round_trip) {
                account.fastest = std::min(account.fastest.value_or(*asked.round_trip), *asked.round_trip);
            }
        } else {
            account.problem = fmt::format("{}: {}", failure->code, failure->message);
        }
    }
    return account;
}

void judge_endpoint(const evidence& known, section& out)
{
    constexpr const char* check = "EC2 endpoint";
    const auto& where = known.session.endpoint;
    if (where.empty()) {
        out.fail(check, "the region is not known, and without it no endpoint",
                 "set region in [aws], or AWS_REGION, or let the metadata service answer");
        return;
    }
    const auto account = account_of(known.answers);
    if (account.reached) {
        out.ok(check, account.fastest ? fmt::format("{}, certificate verified, fastest answer {:.1f} ms", where,
                                                    to_milliseconds(*account.fastest))
                                      : where);
    } else if (known.answers.all().empty()) {
        out.skip(check, fmt::format("{} was not asked: {}", where,
                                    known.session.access_key_id.empty() ? "there are no credentials"
                                                                        : "nothing could be asked without the identity"));
    } else {
        out.fail(check,
                 fmt::format("{} did not answer: {}", where, account.problem.empty() ? "no answer in time" : account.problem),
                 "let TCP 443 out (security group, network ACL, NAT or a VPC endpoint), or put right endpoint or ca_bundle in "
                 "[aws]");
    }
}

// An address that vipd puts on the node, or of an interface that it attaches.
bool is_moved(const evidence& known, const ip_address& address)
{
    if (known.moving_addresses().contains(address)) {
        return true;
    }
    const auto is_of = [&](const takeover::wanted_resource& wanted) {
        const auto* const floating = std::get_if<takeover::floating_interface>(&wanted.what);
        const auto found = floating == nullptr ? std::nullopt : std::optional{floating_interface(*floating, known)};
        return found && *found && std::ranges::find((*found)->addresses, address) != (*found)->addresses.end();
    };
    return std::ranges::any_of(known.configuration->routers, [&](const config::router& router) {
        return std::ranges::any_of(known.resolve(router).wanted.others, is_of);
    });
}

// The address that moves must not be the one that the calls which move it come from.
void judge_path(const evidence& known, section& out)
{
    constexpr const char* check = "path to EC2";
    if (!known.path) {
        return;
    }
    if (!*known.path) {
        out.fail(check, known.path->error().text, "look at /etc/resolv.conf, and at the routes of this node");
        return;
    }
    const auto& path = **known.path;
    const auto from = path.local.to_string();
    const auto where = fmt::format("from {} to {}", from, path.addresses.front().to_string());
    if (is_moved(known, path.local)) {
        out.fail(check, fmt::format("{}: {} is an address that vipd moves, and a Backup has not got it", where, from),
                 "make an address of the node's own the source of its default route (`ip route change default ... src ...`)");
    } else {
        out.ok(check, where + ", which does not move");
    }
}

bool has_clock_check(const config::configuration& c)
{
    return std::ranges::any_of(c.routers, [](const config::router& r) {
        return r.auth.hmac && r.auth.hmac->against_replay == vrrp::anti_replay::time;
    });
}

void judge_clock(const evidence& known, section& out)
{
    constexpr const char* check = "clock";
    const bool measured = std::ranges::any_of(
        known.answers.all(), [](const auto& entry) { return entry.second.reply && entry.second.reply->server_date; });
    if (!measured) {
        out.skip(check, "nobody has said what time it is: EC2 did not answer");
        return;
    }
    const auto skew = known.session.clock_skew;
    const auto size = std::chrono::abs(skew);
    // A Date header has whole seconds.
    if (size < 2s) {
        out.ok(check, "as EC2's");
        return;
    }
    const auto text = fmt::format("{:.0f} s {} EC2's", to_seconds(size), skew > duration::zero() ? "behind" : "ahead of");
    auto remedy = std::string("run chrony with the Amazon Time Sync Service (169.254.169.123)");
    if (has_clock_check(*known.configuration)) {
        remedy += "; signed adverts with anti_replay = \"time\" are refused by peers when it differs by more than window";
    }
    if (size > clock_wrong) {
        // vipd itself signs by EC2's clock once it has heard it, and goes on working.
        out.fail(check, text + ", which refuses signatures of such a clock", remedy);
    } else if (size > clock_doubtful) {
        out.warn(check, text, remedy);
    } else {
        out.ok(check, text);
    }
}

}  // namespace

section judge_aws(const evidence& known)
{
    section out{"AWS", {}};
    judge_metadata(known, out);
    judge_credentials(known, out);
    judge_endpoint(known, out);
    judge_path(known, out);
    judge_clock(known, out);
    if (account_of(known.answers).reached) {
        judge_permissions(known, out);
    }
    if (known.answers.all().size() >= questions_max) {
        out.skip("questions", fmt::format("only the first {} were asked: throttling is for the whole account", questions_max),
                 "examine a configuration with fewer routers; they differ in little");
    }
    return out;
}

}  // namespace vipd::doctor
