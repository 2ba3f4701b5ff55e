#include "agent/aws/cloud_session.hpp"

#include "agent/aws/call_queue.hpp"
#include "agent/aws/clock_skew.hpp"
#include "agent/aws/credential_keeper.hpp"
#include "agent/aws/ec2_error.hpp"
#include "agent/aws/identity_probe.hpp"
#include "agent/aws/imds.hpp"
#include "agent/aws/session_plan.hpp"
#include "agent/aws/text.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <utility>

namespace vipd::aws {

std::string_view to_string(credential_source source)
{
    switch (source) {
        case credential_source::none:
            return "none";
        case credential_source::environment:
            return "environment";
        case credential_source::profile:
            return "profile";
        case credential_source::container:
            return "container";
        case credential_source::instance_role:
            return "instance_role";
        case credential_source::web_identity:
            return "web_identity";
    }
    return "unknown";
}

// The wiring. What is decided about identity, credentials, IMDS and the order of calls is decided by the machines that it owns;
// here their questions become outputs, and answers find the one who asked.
class cloud_session::impl {
public:
    impl(const session_settings& settings, const environment& variables, std::uint64_t seed, log_sink& log) :
        settings_(settings),
        variables_(variables),
        log_(log),
        random_(seed),
        profile_backoff_(profile_retry),
        keeper_(random_.next(), log),
        probe_(random_.next()),
        calls_(std::clamp(settings.connections, 1U, 256U))
    {}

    void start(instant now)
    {
        read_profile_files(now);
        advance(now);
    }

    void handle_http(instant now, http_exchange_id id, http_result&& result);
    void handle_file(instant now, file_read_id id, result<std::string>&& content);
    void handle_timeout(instant now);
    [[nodiscard]] wakeup next_wakeup() const;
    std::optional<session_output> poll_output();

    ec2_call_id call(instant now, const ec2_call& what, duration wait_max);
    void cancel(ec2_call_id id);
    [[nodiscard]] std::optional<ec2_call_id> call_of(http_exchange_id id) const { return calls_.call_of(id); }
    void refresh_interfaces(instant now);

    [[nodiscard]] bool ready() const { return endpoint_.has_value() && keeper_.current().has_value(); }
    [[nodiscard]] const std::optional<instance_identity>& identity() const { return probe_.identity(); }
    [[nodiscard]] session_snapshot snapshot() const;

private:
    static constexpr backoff::limits profile_retry = {.base = std::chrono::seconds{5}, .cap = std::chrono::seconds{60}};

    // One of the two shared files while they are being read.
    struct profile_file {
        std::string path;
        bool named = false;  // by a variable: then it has to be there
        std::optional<file_read_id> reading;
        result<std::string> content = std::string{};
    };

    void read_profile_files(instant now);
    void read_profile_file(profile_file& file);
    bool take_profile_file(file_read_id id, result<std::string>& content);
    result<profile_settings> profile_from_files() const;
    void follow_plan(instant now);
    void start_keeper(instant now);
    void find_endpoint();

    void advance(instant now);
    bool pass_imds_answers(instant now);
    bool pass_questions(instant now);
    void ask_for_credentials(credential_question&& question);
    void send_calls(instant now);
    void finish_call(instant now, sent_call&& sent, http_result&& result);
    void give_up_calls(instant now);
    void log_imds_problem();
    void set_problem(std::string& which, std::string_view event, std::string text);
    [[nodiscard]] std::string last_error() const;
    [[nodiscard]] instant server_time(instant now) const { return {now.steady, now.wall + skew_}; }
    http_exchange_id put(http_exchange exchange);

    session_settings settings_;
    environment variables_;
    log_sink& log_;
    random_source random_;

    backoff profile_backoff_;
    time_point profile_retry_at_ = never;
    profile_file credentials_file_;
    profile_file config_file_;
    std::optional<session_plan> plan_;

    credential_keeper keeper_;
    bool keeper_started_ = false;
    identity_probe probe_;
    std::optional<imds_client> imds_;
    bool probe_started_ = false;

    std::string region_;
    std::optional<http_origin> endpoint_;
    std::string plan_problem_;
    std::string logged_imds_problem_;

    // Who awaits what.
    std::optional<http_exchange_id> imds_exchange_;
    std::optional<http_exchange_id> credentials_exchange_;
    std::optional<file_read_id> credentials_read_;
    std::optional<imds_ticket> credentials_ticket_;
    std::optional<imds_ticket> probe_ticket_;

    call_queue calls_;
    signer signer_;
    duration skew_{};
    time_point last_now_{};

    std::deque<session_output> outputs_;
    id_source<http_exchange_id> exchange_ids_;
    id_source<file_read_id> read_ids_;
    id_source<ec2_call_id> call_ids_;
};

// --- the shared files, and what follows from them ---

void cloud_session::impl::read_profile_files(instant now)
{
    const auto files = shared_files_of(variables_);
    credentials_file_.path = files.credentials;
    credentials_file_.named = variables_.get("AWS_SHARED_CREDENTIALS_FILE").has_value();
    config_file_.path = files.config;
    config_file_.named = variables_.get("AWS_CONFIG_FILE").has_value();
    profile_retry_at_ = never;
    read_profile_file(credentials_file_);
    read_profile_file(config_file_);
    if (!credentials_file_.reading && !config_file_.reading) {
        follow_plan(now);
    }
}

void cloud_session::impl::read_profile_file(profile_file& file)
{
    if (!file.path.empty()) {
        file.reading = read_ids_.next();
        outputs_.emplace_back(read_file{*file.reading, file.path});
    }
}

bool cloud_session::impl::take_profile_file(file_read_id id, result<std::string>& content)
{
    for (auto* file : {&credentials_file_, &config_file_}) {
        if (file->reading == id) {
            file->reading.reset();
            file->content = std::move(content);
            return true;
        }
    }
    return false;
}

// A file that nobody named need not be there, and one that this process may not read counts as absent.
result<profile_settings> cloud_session::impl::profile_from_files() const
{
    ini_file files[2];
    const profile_file* read[2] = {&credentials_file_, &config_file_};
    for (std::size_t i = 0; i < 2; ++i) {
        const auto& content = read[i]->content;
        if (!content && content.error().kind != error_class::not_found && read[i]->named) {
            return content.error();
        }
        auto parsed = parse_ini(content ? std::string_view{*content} : std::string_view{}, read[i]->path);
        if (!parsed) {
            return parsed.error();
        }
        files[i] = std::move(*parsed);
    }
    return read_profile(files[0], files[1], choose_profile(settings_.profile, variables_).name);
}

void cloud_session::impl::follow_plan(instant now)
{
    plan_ = plan_session(settings_, variables_, profile_from_files());
    if (region_.empty()) {
        region_ = plan_->region;
    }
    std::string problem;
    if (!plan_->credentials) {
        problem = plan_->credentials.error().text;
    } else if (!plan_->imds) {
        problem = plan_->imds.error().text;
    }
    const bool wants_imds = settings_.needs_identity || region_.empty();
    if (plan_->imds && *plan_->imds && !imds_) {
        imds_.emplace(**plan_->imds);
    }
    if (imds_ && wants_imds && !probe_started_) {
        probe_started_ = true;
        probe_.start(now.steady);
    }
    if (problem.empty() && wants_imds && !imds_) {
        problem = region_.empty()
                      ? "no region: set region in [aws] or AWS_REGION, since AWS_EC2_METADATA_DISABLED forbids asking IMDS"
                      : "no identity: AWS_EC2_METADATA_DISABLED forbids asking IMDS, so name the interface_id of each "
                        "route";
    }
    set_problem(plan_problem_, "aws_settings", problem);
    // A person mends the files; nothing else about a plan that cannot be followed changes while this process runs.
    profile_retry_at_ = problem.empty() ? never : now.steady + profile_backoff_.next(random_);
}

void cloud_session::impl::start_keeper(instant now)
{
    if (keeper_started_ || !plan_ || !plan_->credentials) {
        return;
    }
    const auto& plan = *plan_->credentials;
    if (std::holds_alternative<from_instance_role>(plan) && !imds_) {
        return;
    }
    std::optional<http_origin> sts;
    if (std::holds_alternative<web_identity_source>(plan)) {
        if (region_.empty()) {
            return;
        }
        auto choice = plan_->sts;
        choice.region = region_;
        auto origin = resolve_endpoint(choice);
        if (!origin) {
            set_problem(plan_problem_, "aws_settings", "STS: " + origin.error().text);
            return;
        }
        sts = std::move(*origin);
    }
    keeper_started_ = true;
    keeper_.start(server_time(now), plan, std::move(sts));
}

void cloud_session::impl::find_endpoint()
{
    if (region_.empty() && probe_.identity()) {
        region_ = probe_.identity()->region;
    }
    if (endpoint_ || region_.empty() || !plan_) {
        return;
    }
    auto choice = plan_->ec2;
    choice.region = region_;
    auto origin = resolve_endpoint(choice);
    if (!origin) {
        set_problem(plan_problem_, "aws_settings", origin.error().text);
        if (profile_retry_at_ == never) {
            profile_retry_at_ = last_now_ + profile_backoff_.next(random_);
        }
        return;
    }
    endpoint_ = std::move(*origin);
    outputs_.emplace_back(keep_warm{*endpoint_, settings_.warm_connections});
}

void cloud_session::impl::set_problem(std::string& which, std::string_view event, std::string text)
{
    if (which == text) {
        return;
    }
    which = std::move(text);
    if (!which.empty()) {
        log_.warning(event, {{"problem", which}});
    }
}

// --- the pump ---

http_exchange_id cloud_session::impl::put(http_exchange exchange)
{
    exchange.id = exchange_ids_.next();
    const auto id = exchange.id;
    outputs_.emplace_back(std::move(exchange));
    return id;
}

// Until nothing moves: an answer leads to the next question. It ends because each question goes out and waits for the shell.
void cloud_session::impl::advance(instant now)
{
    last_now_ = now.steady;
    bool moved = true;
    while (moved) {
        find_endpoint();
        start_keeper(now);
        moved = pass_imds_answers(now);
        moved = pass_questions(now) || moved;
    }
    log_imds_problem();
    if (probe_.take_changed()) {
        outputs_.emplace_back(identity_changed{});
    }
    send_calls(now);
    give_up_calls(now);
}

bool cloud_session::impl::pass_imds_answers(instant now)
{
    bool moved = false;
    while (imds_) {
        auto answer = imds_->poll_answer();
        if (!answer) {
            break;
        }
        moved = true;
        if (answer->ticket == probe_ticket_) {
            probe_ticket_.reset();
            probe_.handle(now.steady, std::move(answer->body));
        } else if (answer->ticket == credentials_ticket_) {
            credentials_ticket_.reset();
            keeper_.handle(server_time(now), std::move(answer->body));
        }
    }
    return moved;
}

bool cloud_session::impl::pass_questions(instant now)
{
    bool moved = false;
    if (keeper_started_) {
        if (auto question = keeper_.poll_question(server_time(now))) {
            ask_for_credentials(std::move(*question));
            moved = true;
        }
    }
    if (!imds_) {
        return moved;
    }
    if (auto path = probe_.poll_path(now.steady)) {
        probe_ticket_ = imds_->get(std::move(*path));
        moved = true;
    }
    if (auto exchange = imds_->poll_request(now.steady)) {
        imds_exchange_ = put(std::move(*exchange));
        moved = true;
    }
    return moved;
}

void cloud_session::impl::ask_for_credentials(credential_question&& question)
{
    std::visit(overloaded{
                   [&](ask_imds&& ask) { credentials_ticket_ = imds_->get(std::move(ask.path)); },
                   [&](ask_file&& ask) {
                       credentials_read_ = read_ids_.next();
                       outputs_.emplace_back(read_file{*credentials_read_, std::move(ask.path)});
                   },
                   [&](http_exchange&& exchange) { credentials_exchange_ = put(std::move(exchange)); },
               },
               std::move(question));
}

void cloud_session::impl::log_imds_problem()
{
    const auto& problem = probe_.problem();
    if (problem == logged_imds_problem_) {
        return;
    }
    logged_imds_problem_ = problem;
    if (problem.empty()) {
        log_.info("imds", {{"state", "answers"}});
    } else {
        log_.warning("imds", {{"state", "failing"}, {"problem", problem}, {"identity_known", probe_.identity().has_value()}});
    }
}

void cloud_session::impl::handle_http(instant now, http_exchange_id id, http_result&& result)
{
    if (id == imds_exchange_) {
        imds_exchange_.reset();
        imds_->handle(now.steady, std::move(result));
    } else if (id == credentials_exchange_) {
        credentials_exchange_.reset();
        keeper_.handle(server_time(now), std::move(result));
    } else if (auto sent = calls_.finish(id)) {
        finish_call(now, std::move(*sent), std::move(result));
    }
    // Anything else was cancelled: nobody waits for it.
    advance(now);
}

void cloud_session::impl::handle_file(instant now, file_read_id id, result<std::string>&& content)
{
    if (id == credentials_read_) {
        credentials_read_.reset();
        keeper_.handle(server_time(now), std::move(content));
    } else if (take_profile_file(id, content) && !credentials_file_.reading && !config_file_.reading) {
        follow_plan(now);
    }
    advance(now);
}

void cloud_session::impl::handle_timeout(instant now)
{
    if (profile_retry_at_ <= now.steady) {
        read_profile_files(now);
    }
    advance(now);
}

void cloud_session::impl::refresh_interfaces(instant now)
{
    if (probe_started_) {
        probe_.refresh(now.steady);
        advance(now);
    }
}

// --- calls ---

ec2_call_id cloud_session::impl::call(instant now, const ec2_call& what, duration wait_max)
{
    const auto id = call_ids_.next();
    calls_.add({id, what, now.steady, saturating_add(now.steady, wait_max)});
    advance(now);
    return id;
}

void cloud_session::impl::send_calls(instant now)
{
    while (ready() && calls_.can_send()) {
        auto call = *calls_.next();
        http_exchange exchange;
        exchange.origin = *endpoint_;
        exchange.mutating = is_mutating(call.what);
        exchange.request.method = "POST";
        exchange.request.headers = {{"Host", host_header(*endpoint_)},
                                    {"User-Agent", "vipd/" VIPD_VERSION},
                                    {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
        exchange.request.body = encode_form(call.what);
        signer_.sign(exchange.request, {region_, "ec2"}, *keeper_.current(), server_time(now).wall);
        const auto id = put(std::move(exchange));
        calls_.mark_sent(id, {std::move(call), keeper_.generation(), skew_});
    }
}

void cloud_session::impl::finish_call(instant now, sent_call&& sent, http_result&& result)
{
    call_done done{.id = sent.call.id,
                   .reply = decode_reply(sent.call.what, result),
                   .issued = sent.call.issued,
                   .first_byte = result.first_byte,
                   .finished = result.finished};
    const auto skew = measure_skew(done.reply.server_date, result.first_byte, result.finished, now);
    if (skew) {
        skew_ = *skew;
    }
    auto* failure = std::get_if<ec2_error>(&done.reply.value);
    if (failure != nullptr && may_blame_clock(failure->code) && skew &&
        std::chrono::abs(*skew - sent.skew) > clock_skew_blamed) {
        failure->kind = ec2_error_class::clock;
        log_.warning("clock", {{"skew_ms", *skew}, {"code", failure->code}});
    } else if (failure != nullptr && failure->kind == ec2_error_class::credentials) {
        keeper_.refused(server_time(now), sent.keys_generation);
    }
    outputs_.emplace_back(std::move(done));
}

void cloud_session::impl::give_up_calls(instant now)
{
    if (ready()) {
        return;
    }
    for (auto& call : calls_.take_expired(now.steady)) {
        const auto cause = last_error();
        const auto* missing = !endpoint_ ? "the region or endpoint of EC2 is not known" : "there are no credentials";
        ec2_reply reply;
        reply.value = ec2_error{ec2_error_class::not_sent,
                                "not_ready",
                                clean_text(fmt::format("{} yet{}{}", missing, cause.empty() ? "" : ": ", cause), 300),
                                {}};
        outputs_.emplace_back(
            call_done{.id = call.id, .reply = std::move(reply), .issued = call.issued, .finished = now.steady});
    }
}

void cloud_session::impl::cancel(ec2_call_id id)
{
    const auto removed = calls_.remove(id);
    if (removed.was_waiting) {
        return;
    }
    const auto not_taken_yet = [&](const session_output& output) {
        const auto* const exchange = std::get_if<http_exchange>(&output);
        const auto* const finished = std::get_if<call_done>(&output);
        return (exchange != nullptr && exchange->id == removed.exchange) || (finished != nullptr && finished->id == id);
    };
    const bool was_queued = std::erase_if(outputs_, not_taken_yet) > 0;
    if (removed.exchange && !was_queued) {
        outputs_.emplace_back(cancel_http{*removed.exchange});
    }
}

// --- what others see ---

wakeup cloud_session::impl::next_wakeup() const
{
    if (ready() && calls_.can_send()) {
        // A cancelled call made room, and signing needs to be told the time.
        return {last_now_, "waiting EC2 calls"};
    }
    wakeup next{profile_retry_at_, "AWS settings"};
    if (!ready()) {
        next = earliest(next, {calls_.first_expiry(), "EC2 calls that cannot be signed"});
    }
    if (probe_started_) {
        next = earliest(next, probe_.next_wakeup());
    }
    return earliest(next, keeper_.next_wakeup());
}

std::optional<session_output> cloud_session::impl::poll_output()
{
    if (outputs_.empty()) {
        return std::nullopt;
    }
    auto output = std::move(outputs_.front());
    outputs_.pop_front();
    return output;
}

std::string cloud_session::impl::last_error() const
{
    for (const auto* problem : {&plan_problem_, &keeper_.problem(), &probe_.problem()}) {
        if (!problem->empty()) {
            return *problem;
        }
    }
    return {};
}

session_snapshot cloud_session::impl::snapshot() const
{
    session_snapshot s;
    s.region = region_;
    s.endpoint = endpoint_ ? to_string(*endpoint_) : std::string{};
    s.identity = probe_.identity();
    s.source = keeper_.source();
    if (const auto& keys = keeper_.current()) {
        s.access_key_id = keys->access_key_id;
        s.credentials_expire = keys->expiration;
    }
    s.clock_skew = skew_;
    s.last_error = last_error();
    s.calls_queued = calls_.waiting();
    s.calls_under_way = calls_.under_way();
    s.ready = ready();
    return s;
}

// --- the interface ---

cloud_session::cloud_session(const session_settings& settings, const environment& variables, std::uint64_t seed,
                             log_sink& log) :
    impl_(std::make_unique<impl>(settings, variables, seed, log))
{}

cloud_session::~cloud_session() = default;

void cloud_session::start(instant now)
{
    impl_->start(now);
}

void cloud_session::handle_http(instant now, http_exchange_id id, http_result&& result)
{
    impl_->handle_http(now, id, std::move(result));
}

void cloud_session::handle_file(instant now, file_read_id id, result<std::string>&& content)
{
    impl_->handle_file(now, id, std::move(content));
}

void cloud_session::handle_timeout(instant now)
{
    impl_->handle_timeout(now);
}

wakeup cloud_session::next_wakeup() const
{
    return impl_->next_wakeup();
}

std::optional<session_output> cloud_session::poll_output()
{
    return impl_->poll_output();
}

ec2_call_id cloud_session::call(instant now, const ec2_call& what, duration wait_max)
{
    return impl_->call(now, what, wait_max);
}

void cloud_session::cancel(ec2_call_id id)
{
    impl_->cancel(id);
}

std::optional<ec2_call_id> cloud_session::call_of(http_exchange_id id) const
{
    return impl_->call_of(id);
}

void cloud_session::refresh_interfaces(instant now)
{
    impl_->refresh_interfaces(now);
}

bool cloud_session::ready() const
{
    return impl_->ready();
}

const std::optional<instance_identity>& cloud_session::identity() const
{
    return impl_->identity();
}

session_snapshot cloud_session::snapshot(instant) const
{
    return impl_->snapshot();
}

}  // namespace vipd::aws
