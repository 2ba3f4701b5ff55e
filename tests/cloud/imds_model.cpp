#include "tests/cloud/imds_model.hpp"

#include "tests/cloud/wire_time.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace vipd::cloud {

namespace {

constexpr std::string_view ttl_header = "x-aws-ec2-metadata-token-ttl-seconds";
constexpr std::string_view token_header = "x-aws-ec2-metadata-token";
constexpr std::size_t tokens_max = 10'000;

aws::http_response reply(unsigned status, std::string body)
{
    return {status, {{"Content-Type", "text/plain"}, {"Server", "EC2ws"}}, std::move(body)};
}

aws::http_response refusal(unsigned status, std::string_view title)
{
    const auto line = std::to_string(status) + " - " + std::string(title);
    return {status,
            {{"Content-Type", "text/html"}, {"Server", "EC2ws"}},
            "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>" +
                line + "</title></head><body><h1>" + line + "</h1></body></html>\n"};
}

template <class T>
std::string lines(const std::vector<T>& items)
{
    std::string out;
    for (const auto& item : items) {
        out += (out.empty() ? "" : "\n") + item.to_string();
    }
    return out;
}

template <class Id>
std::string id_lines(const std::vector<Id>& ids)
{
    std::string out;
    for (const auto& id : ids) {
        out += (out.empty() ? "" : "\n") + id.str();
    }
    return out;
}

std::string domain_of(std::string_view region)
{
    return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

std::vector<ip_prefix> of_family(const std::vector<ip_prefix>& prefixes, ip_family family)
{
    std::vector<ip_prefix> out;
    std::ranges::copy_if(prefixes, std::back_inserter(out), [&](const ip_prefix& prefix) { return prefix.family() == family; });
    return out;
}

}  // namespace

// Most requests are for one fact: only what is asked for, or lies below a directory that is, is worked out.
class imds_model::wanted_facts {
public:
    explicit wanted_facts(std::string_view wanted) : wanted_(wanted) {}

    [[nodiscard]] bool concerns(std::string_view subtree) const
    {
        return wanted_.starts_with(subtree) || subtree.starts_with(wanted_);
    }
    // `value()` is text. What has none is absent, not empty: IMDS answers 404.
    template <class Value>
    void put(std::string path, const Value& value)
    {
        if (!concerns(path)) {
            return;
        }
        if (std::string text = value(); !text.empty()) {
            facts_[std::move(path)] = std::move(text);
        }
    }
    [[nodiscard]] tree take() { return std::move(facts_); }

private:
    std::string_view wanted_;
    tree facts_;
};

aws::http_response imds_model::answer(const instant& now, const aws::http_request& request, const instance_id& who)
{
    const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
    if (request.method == "PUT") {
        return path == "/latest/api/token" ? put_token(now, request, who) : refusal(403, "Forbidden");
    }
    if (request.method != "GET" && request.method != "HEAD") {
        return refusal(405, "Method Not Allowed");
    }
    const auto token = aws::find_header(request.headers, token_header);
    const auto held = token ? tokens_.find(*token) : tokens_.end();
    if (held == tokens_.end() || held->second.instance != who || held->second.expires <= now.steady) {
        return refusal(401, "Unauthorized");
    }
    auto out = get(now, path, who);
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(held->second.expires - now.steady).count();
    out.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", std::to_string(left)});
    if (request.method == "HEAD") {
        out.body.clear();
    }
    return out;
}

aws::http_response imds_model::put_token(const instant& now, const aws::http_request& request, const instance_id& who)
{
    if (aws::find_header(request.headers, "x-forwarded-for")) {
        return refusal(403, "Forbidden");
    }
    const auto text = aws::find_header(request.headers, ttl_header).value_or("");
    int seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failure != std::errc{} || end != text.data() + text.size() || seconds < 1 || seconds > 21600) {
        return refusal(400, "Bad Request");
    }
    if (token_order_.size() >= tokens_max) {
        tokens_.erase(token_order_.front());
        token_order_.pop_front();
    }
    auto token = random_text(random_, 54) + "==";
    tokens_[token] = {who, now.steady + std::chrono::seconds{seconds}};
    token_order_.push_back(token);
    auto out = reply(200, std::move(token));
    out.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", std::to_string(seconds)});
    return out;
}

aws::http_response imds_model::get(const instant& now, std::string_view path, const instance_id& who)
{
    const auto* machine = ec2_.primary().machine(who);
    if (machine == nullptr || !path.starts_with("/latest/")) {
        return refusal(404, "Not Found");
    }
    path.remove_prefix(std::string_view("/latest/").size());
    const auto known = facts(now, *machine, ec2_.as_of(lag_ == duration::zero() ? never : now.steady - lag_), path);
    if (const auto found = known.find(path); found != known.end()) {
        return reply(200, found->second);
    }
    // A directory: each name once, those with something below them marked by a slash.
    const auto prefix = std::string(path) + (path.empty() || path.ends_with('/') ? "" : "/");
    std::string listing;
    std::string_view last;
    for (auto entry = known.lower_bound(prefix); entry != known.end() && entry->first.starts_with(prefix); ++entry) {
        const auto rest = std::string_view(entry->first).substr(prefix.size());
        const auto name =
            rest.substr(0, std::min(rest.size(), rest.find('/') + (rest.find('/') == std::string_view::npos ? 0 : 1)));
        if (name != last) {
            listing += (listing.empty() ? "" : "\n") + std::string(name);
            last = name;
        }
    }
    return listing.empty() ? refusal(404, "Not Found") : reply(200, listing);
}

void imds_model::add_role(wanted_facts& out, const instance& machine, const access_key& key) const
{
    out.put("meta-data/iam/security-credentials/" + machine.role, [&] {
        return boost::json::serialize(boost::json::value{{"Code", "Success"},
                                                         {"LastUpdated", iso_time(*key.expires - credential_lifetime_)},
                                                         {"Type", "AWS-HMAC"},
                                                         {"AccessKeyId", key.id},
                                                         {"SecretAccessKey", key.secret},
                                                         {"Token", key.token},
                                                         {"Expiration", iso_time(*key.expires)}});
    });
    out.put("meta-data/iam/info", [&] {
        const auto& state = ec2_.state();
        return boost::json::serialize(boost::json::value{
            {"Code", "Success"},
            {"InstanceProfileArn",
             "arn:" + std::string(state.partition()) + ":iam::" + state.account + ":instance-profile/" + machine.role}});
    });
}

void imds_model::add_identity(wanted_facts& out, const instance& machine, std::string_view zone, std::string_view address) const
{
    out.put("dynamic/instance-identity/document", [&] {
        const auto& state = ec2_.state();
        return boost::json::serialize(boost::json::value{{"accountId", state.account},
                                                         {"architecture", "x86_64"},
                                                         {"availabilityZone", zone},
                                                         {"instanceId", machine.id.str()},
                                                         {"instanceType", machine.type.str()},
                                                         {"pendingTime", "2026-01-01T00:00:00Z"},
                                                         {"privateIp", address},
                                                         {"region", state.region},
                                                         {"version", "2017-09-30"}});
    });
}

imds_model::tree imds_model::facts(const instant& now, const instance& machine, const replica& from, std::string_view wanted)
{
    const auto& state = ec2_.state();
    const auto interfaces = from.interfaces_of(machine.id);
    const auto* where = state.find_subnet(machine.subnet);
    const std::string zone = where == nullptr ? "" : where->zone;
    const std::string address =
        interfaces.empty() || interfaces.front()->addresses.empty() ? "" : interfaces.front()->addresses.front().to_string();
    wanted_facts out(wanted);
    out.put("meta-data/instance-id", [&] { return machine.id.str(); });
    out.put("meta-data/instance-type", [&] { return machine.type.str(); });
    out.put("meta-data/instance-life-cycle", [&] { return machine.spot ? "spot" : "on-demand"; });
    out.put("meta-data/local-ipv4", [&] { return address; });
    out.put("meta-data/placement/region", [&] { return state.region; });
    out.put("meta-data/placement/availability-zone", [&] { return zone; });
    out.put("meta-data/placement/availability-zone-id", [&] { return zone_id(state.region, zone); });
    out.put("meta-data/services/domain", [&] { return domain_of(state.region); });
    out.put("meta-data/services/partition", [&] { return std::string(state.partition()); });
    out.put("meta-data/events/maintenance/scheduled", [] { return "[]"; });
    out.put("meta-data/events/maintenance/history", [] { return "[]"; });
    add_interfaces(out, machine, from);
    if (!machine.role.empty()) {
        // Replaced when it is old, whatever is asked for.
        add_role(out, machine, credentials(now.wall, machine));
    }
    add_identity(out, machine, zone, address);
    if (const auto extra = items_.find(machine.id); extra != items_.end()) {
        for (const auto& item : extra->second) {
            out.put("meta-data/" + item.first, [&] { return item.second; });
        }
    }
    return out.take();
}

void imds_model::add_interfaces(wanted_facts& out, const instance& machine, const replica& from)
{
    for (const auto* interface : from.interfaces_of(machine.id)) {
        if (!interface->attached->plugged) {
            continue;
        }
        if (interface->attached->device_index == 0) {
            out.put("meta-data/mac", [&] { return interface->mac; });
        }
        add_interface(out, *interface, from);
    }
}

void imds_model::add_interface(wanted_facts& out, const network_interface& interface, const replica& from)
{
    const auto base = "meta-data/network/interfaces/macs/" + interface.mac + "/";
    if (!out.concerns(base)) {
        return;
    }
    const auto& state = from.state;
    const auto* where = state.find_subnet(interface.subnet);
    const auto vpc = state.vpc_of(interface);
    const auto& vpc_cidrs = state.vpcs.at(vpc).cidrs;
    out.put(base + "device-number", [&] { return std::to_string(interface.attached->device_index); });
    out.put(base + "network-card-index", [&] { return std::to_string(interface.attached->network_card_index); });
    out.put(base + "interface-id", [&] { return interface.id.str(); });
    out.put(base + "mac", [&] { return interface.mac; });
    out.put(base + "owner-id", [&] { return state.account; });
    out.put(base + "subnet-id", [&] { return interface.subnet.str(); });
    out.put(base + "vpc-id", [&] { return vpc.str(); });
    out.put(base + "local-ipv4s", [&] { return lines(interface.addresses); });
    out.put(base + "ipv6s", [&] { return lines(interface.addresses6); });
    out.put(base + "security-group-ids", [&] { return id_lines(interface.groups); });
    out.put(base + "subnet-ipv4-cidr-block", [&] { return lines(of_family(where->cidrs, ip_family::v4)); });
    out.put(base + "subnet-ipv6-cidr-blocks", [&] { return lines(of_family(where->cidrs, ip_family::v6)); });
    out.put(base + "vpc-ipv4-cidr-blocks", [&] { return lines(of_family(vpc_cidrs, ip_family::v4)); });
    out.put(base + "vpc-ipv6-cidr-blocks", [&] { return lines(of_family(vpc_cidrs, ip_family::v6)); });
    out.put(base + "vpc-ipv4-cidr-block", [&] {
        const auto v4 = of_family(vpc_cidrs, ip_family::v4);
        return v4.empty() ? "" : v4.front().to_string();
    });
    std::vector<ip_address> public_addresses;
    for (const auto& address : interface.addresses) {
        if (const auto* elastic = from.associated_with(interface.id, address)) {
            public_addresses.push_back(elastic->public_address);
            out.put(base + "ipv4-associations/" + elastic->public_address.to_string(), [&] { return address.to_string(); });
        }
    }
    out.put(base + "public-ipv4s", [&] { return lines(public_addresses); });
}

const access_key& imds_model::credentials(wall_time now, const instance& machine)
{
    if (const auto current = current_key_.find(machine.id); current != current_key_.end()) {
        const auto key = keys_.find(current->second);
        if (key != keys_.end() && *key->second.expires - now > credential_lifetime_ / 4) {
            return key->second;
        }
    }
    auto key = make_session_key(random_, machine.role, now + credential_lifetime_);
    key.issued_to = machine.id;
    key.session = machine.id.str();
    current_key_[machine.id] = key.id;
    return keys_.insert_or_assign(key.id, key).first->second;
}

void imds_model::rotate_credentials(const instance_id& who, bool revoke)
{
    const auto current = current_key_.find(who);
    if (current == current_key_.end()) {
        return;
    }
    if (revoke) {
        keys_.erase(current->second);
    }
    current_key_.erase(current);
}

void imds_model::set_item(const instance_id& who, const std::string& path, std::string value)
{
    if (value.empty()) {
        items_[who].erase(path);
    } else {
        items_[who][path] = std::move(value);
    }
}

}  // namespace vipd::cloud
