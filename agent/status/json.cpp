#include "agent/status/json.hpp"

#include "agent/aws/time_text.hpp"
#include "agent/status/text.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>
#include <optional>

namespace vipd::status {

namespace json = boost::json;

namespace {

// Microseconds are as fine as anything here is measured, and they keep the text short.
double seconds(duration d)
{
    return std::round(to_seconds(d) * 1e6) / 1e6;
}

json::value seconds(const std::optional<duration>& d)
{
    return d ? json::value(seconds(*d)) : json::value(nullptr);
}

json::string text(std::string_view s)
{
    return json::string(valid_utf8(s));
}

json::value address(const std::optional<ip_address>& a)
{
    return a ? json::value(a->to_string()) : json::value(nullptr);
}

json::object reasons_json(const std::array<std::uint64_t, vrrp::discard_reason_count>& counts)
{
    json::object out;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        out.emplace(vrrp::to_string(static_cast<vrrp::discard_reason>(i)), counts[i]);
    }
    return out;
}

json::object interface_json(const aws::instance_interface& i)
{
    json::array addresses;
    for (const auto& a : i.addresses) {
        addresses.emplace_back(a.to_string());
    }
    return {{"id", text(i.id.str())},
            {"mac", text(i.mac)},
            {"vpc", text(i.vpc.str())},
            {"subnet", text(i.subnet)},
            {"addresses", std::move(addresses)}};
}

json::object aws_json(const aws::session_snapshot& s, wall_time now)
{
    json::object out{{"ready", s.ready}, {"region", text(s.region)}, {"endpoint", text(s.endpoint)}};
    json::array interfaces;
    if (s.identity) {
        for (const auto& i : s.identity->interfaces) {
            interfaces.emplace_back(interface_json(i));
        }
        out.emplace("instance_id", text(s.identity->instance.str()));
        out.emplace("availability_zone", text(s.identity->availability_zone));
        out.emplace("account", text(s.identity->account));
        out.emplace("identity_source", aws::to_string(s.identity_from));
    } else {
        out.emplace("instance_id", nullptr);
        out.emplace("availability_zone", nullptr);
        out.emplace("account", nullptr);
        out.emplace("identity_source", nullptr);
    }
    out.emplace("interfaces", std::move(interfaces));
    out.emplace("credential_source", aws::to_string(s.source));
    out.emplace("role_arn", text(s.role_arn));
    out.emplace("access_key_id", text(s.access_key_id));
    out.emplace("credentials_remaining_seconds",
                s.credentials_expire ? json::value(seconds(*s.credentials_expire - now)) : json::value(nullptr));
    out.emplace("clock_skew_seconds", seconds(s.clock_skew));
    out.emplace("calls_queued", s.calls_queued);
    out.emplace("calls_under_way", s.calls_under_way);
    out.emplace("last_error", text(s.last_error));
    return out;
}

json::object process_json(const process& p)
{
    return {{"realtime_wanted", p.realtime_wanted},
            {"realtime_scheduling", p.realtime_scheduling},
            {"memory_locked", p.memory_locked},
            {"loop_lateness_max_seconds", seconds(p.loop_lateness_max)},
            {"http_requests", p.http_requests},
            {"http_connections", p.http_connections},
            {"log_lines_dropped", p.log_lines_dropped},
            {"datagrams_received", p.datagrams_received},
            {"datagrams_broken", p.datagrams_broken},
            {"resident_bytes", p.resident_bytes},
            {"open_files", p.open_files}};
}

json::object adverts_json(const router& r)
{
    return {{"sent", r.adverts_sent},
            {"send_errors", r.adverts_send_errors},
            {"received", r.received.accepted},
            {"discarded", reasons_json(r.received.discarded)},
            {"checksum_rfc5798", r.received.checksum_rfc5798},
            {"checksum_rfc9568", r.received.checksum_rfc9568},
            {"address_list_differs", r.received.address_list_differs},
            {"interval_differs", r.received.interval_differs},
            {"with_signature", r.received.with_signature},
            {"without_signature", r.received.without_signature}};
}

// Which kind of authentication there is, if any, and of it what is no secret.
json::value auth_json(const router& r)
{
    if (!r.signatures) {
        return r.has_password ? json::value(json::object{{"kind", "password"}}) : json::value(nullptr);
    }
    const auto& h = *r.signatures;
    json::array keys;
    for (const auto id : h.keys) {
        keys.emplace_back(id);
    }
    return json::object{{"kind", "hmac"},
                        {"mode", to_string(h.mode)},
                        {"anti_replay", to_string(h.against_replay)},
                        {"window_seconds", seconds(h.window)},
                        {"active_key", h.active_key},
                        {"keys", std::move(keys)}};
}

json::object election_json(const vrrp::election_counters& c)
{
    return {{"became_active", c.became_active},
            {"became_backup", c.became_backup},
            {"priority_zero_sent", c.priority_zero_sent},
            {"priority_zero_received", c.priority_zero_received},
            {"lower_priority_heard_while_active", c.lower_priority_heard_while_active},
            {"adverts_skipped", c.adverts_skipped},
            {"owner_conflicts", c.owner_conflicts}};
}

void append_object(std::string& out, const json::object& object)
{
    out += '{';
    bool first = true;
    for (const auto& item : object) {
        if (!first) {
            out += ',';
        }
        first = false;
        // Every key is a word of this program: none needs an escape.
        out += '"';
        out += std::string_view(item.key().data(), item.key().size());
        out += "\":";
        append_json(out, item.value());
    }
    out += '}';
}

void append_array(std::string& out, const json::array& array)
{
    out += '[';
    bool first = true;
    for (const auto& item : array) {
        if (!first) {
            out += ',';
        }
        first = false;
        append_json(out, item);
    }
    out += ']';
}

// An object without its closing brace, so that more can follow.
void append_open(std::string& out, const json::object& object)
{
    append_object(out, object);
    out.pop_back();
}

json::object notice_json(const aws::notice& n)
{
    return {{"kind", text(aws::to_string(n.kind))},
            {"what", text(n.what)},
            {"at", n.at ? json::value(text(aws::format_iso8601(*n.at))) : json::value(nullptr)}};
}

json::object hook_run_json(const hook_run& run)
{
    return {{"outcome", to_string(run.outcome)},
            {"problem", text(run.problem)},
            {"epoch", run.epoch},
            {"took_seconds", seconds(run.took)},
            {"age_seconds", seconds(run.age)}};
}

json::object tracker_json(const tracker& t)
{
    json::object checks;
    for (std::size_t i = 0; i < t.checks.size(); ++i) {
        checks.emplace(to_string(static_cast<check_result>(i)), t.checks[i]);
    }
    json::object out{{"name", text(t.name)},
                     {"kind", to_string(t.kind)},
                     {"what", text(t.what)},
                     {"weight", t.weight ? json::value(*t.weight) : json::value(nullptr)},
                     {"state", to_string(t.state)},
                     {"reason", text(t.reason)},
                     {"age_seconds", seconds(t.age)},
                     {"took_seconds", seconds(t.took)},
                     {"next_in_seconds", seconds(t.next_in)},
                     {"contribution", t.contribution}};
    out.emplace("number", t.number ? json::value(*t.number) : json::value(nullptr));
    out.emplace("checks", std::move(checks));
    return out;
}

json::array hooks_json(const router& r)
{
    json::array all;
    for (const auto& h : r.hooks) {
        json::object runs;
        for (std::size_t i = 0; i < h.runs.size(); ++i) {
            runs.emplace(to_string(static_cast<hook_outcome>(i)), h.runs[i]);
        }
        all.emplace_back(json::object{{"hook", h.key()},
                                      {"event", to_string(h.event)},
                                      {"command", text(h.command)},
                                      {"running_seconds", seconds(h.running)},
                                      {"waiting", h.waiting},
                                      {"last", h.last ? json::value(hook_run_json(*h.last)) : json::value(nullptr)},
                                      {"runs", std::move(runs)},
                                      {"superseded", h.superseded},
                                      {"lines_dropped", h.lines_dropped}});
    }
    return all;
}

}  // namespace

json::object node_json(const node& n, const process& p, wall_time now)
{
    json::object out{{"version", text(n.version)},
                     {"uptime_seconds", seconds(n.uptime)},
                     {"ready", n.ready},
                     {"maintenance", n.maintenance},
                     {"uses_aws", n.uses_aws},
                     {"router_count", n.router_count},
                     {"configuration_reloads", n.configuration_reloads},
                     {"configuration_refusals", n.configuration_refusals}};
    out.emplace("notice", n.notice ? json::value(notice_json(*n.notice)) : json::value(nullptr));
    out.emplace("aws", n.aws ? json::value(aws_json(*n.aws, now)) : json::value(nullptr));
    out.emplace("ec2_path", n.ec2_path ? json::value(json::object{{"works", n.ec2_path->works},
                                                                  {"trouble", text(n.ec2_path->trouble)},
                                                                  {"age_seconds", seconds(n.ec2_path->age)}})
                                       : json::value(nullptr));
    json::array calls;
    for (const auto& c : n.ec2_calls) {
        calls.emplace_back(json::object{{"action", text(c.action)}, {"code", text(c.code)}, {"count", c.count}});
    }
    out.emplace("ec2_calls", std::move(calls));
    json::array policies;
    for (const auto& policy : n.policies) {
        policies.emplace_back(resource_json(policy));
    }
    out.emplace("policies", std::move(policies));
    out.emplace("adverts_discarded", reasons_json(n.discarded_before_router));
    out.emplace("process", process_json(p));
    return out;
}

json::object router_head_json(const router& r)
{
    json::object out{{"name", text(r.name)},
                     {"vrid", r.vrid},
                     {"version", r.version},
                     {"interface", text(r.interface)},
                     {"source", address(r.source)},
                     {"state", vrrp::to_string(r.state)},
                     {"state_reason", text(r.state_reason)},
                     {"state_age_seconds", seconds(r.state_age)},
                     {"sync_group", r.sync_group.empty() ? json::value(nullptr) : json::value(text(r.sync_group))},
                     {"epoch", r.epoch},
                     {"priority", r.priority},
                     {"runtime_priority", r.runtime_priority ? json::value(*r.runtime_priority) : json::value(nullptr)},
                     {"effective_priority", r.effective_priority},
                     {"priority_total", r.priority_total},
                     {"priority_reason", text(r.priority_reason)},
                     {"preempt", r.preempt},
                     {"advert_interval_seconds", seconds(r.advert_interval)},
                     {"active_advert_interval_seconds", seconds(r.active_advert_interval)},
                     {"active_down_interval_seconds", seconds(r.active_down_interval)},
                     {"active_address", address(r.active_address)}};
    out.emplace("active_priority", r.active_address ? json::value(r.active_priority) : json::value(nullptr));
    out.emplace("auth", auth_json(r));
    out.emplace("adverts", adverts_json(r));
    out.emplace("announcements_sent", r.announcements_sent);
    out.emplace("election", election_json(r.election));
    out.emplace("last_takeover_seconds", seconds(r.last_takeover));
    out.emplace("hooks", hooks_json(r));
    return out;
}

json::object peer_json(const peer& p)
{
    json::object out{{"address", p.address.to_string()}, {"last_heard_age_seconds", seconds(p.last_heard_age)}};
    out.emplace("last_priority", p.last_heard_age ? json::value(p.last_priority) : json::value(nullptr));
    out.emplace("inbound_blocked", p.inbound_blocked);
    return out;
}

json::object resource_json(const resource& r)
{
    json::object out{{"kind", to_string(r.kind)},
                     {"name", text(r.name)},
                     {"table", text(r.table)},
                     {"destination", text(r.destination)},
                     {"state", to_string(r.state)},
                     {"owned", r.state == resource_state::here},
                     {"owner", text(r.owner)},
                     {"confirmed_age_seconds", seconds(r.confirmed_age)},
                     {"mutating_calls", r.mutating_calls},
                     {"repairs", r.repairs},
                     {"failures", r.failures},
                     {"last_error", text(r.last_error)},
                     {"retry_in_seconds", seconds(r.retry_in)},
                     {"duel", to_string(r.duel)}};
    if (r.parts) {
        out.emplace("rules", r.parts->rules);
        out.emplace("rules_here", r.parts->rules_here);
        out.emplace("routes", r.parts->routes);
        out.emplace("routes_here", r.parts->routes_here);
    }
    return out;
}

json::object event_json(const event& e)
{
    return {{"number", e.number},
            {"at", format_utc(e.at)},
            {"router", text(e.router)},
            {"kind", text(e.kind)},
            {"text", text(e.text)}};
}

json::object plan_json(const router& r, const std::vector<std::string>& changes)
{
    json::array lines;
    for (const auto& change : changes) {
        lines.emplace_back(text(change));
    }
    return {{"name", text(r.name)}, {"state", vrrp::to_string(r.state)}, {"changes", std::move(lines)}};
}

void append_json(std::string& out, const json::value& value)
{
    switch (value.kind()) {
        case json::kind::null:
            out += "null";
            return;
        case json::kind::bool_:
            out += value.get_bool() ? "true" : "false";
            return;
        case json::kind::int64:
            fmt::format_to(std::back_inserter(out), "{}", value.get_int64());
            return;
        case json::kind::uint64:
            fmt::format_to(std::back_inserter(out), "{}", value.get_uint64());
            return;
        case json::kind::double_:
            if (std::isfinite(value.get_double())) {
                fmt::format_to(std::back_inserter(out), "{}", value.get_double());
            } else {
                out += "null";
            }
            return;
        case json::kind::string:
            out += json::serialize(value.get_string());
            return;
        case json::kind::array:
            append_array(out, value.get_array());
            return;
        case json::kind::object:
            append_object(out, value.get_object());
            return;
    }
}

std::string json_text(const json::value& value)
{
    std::string out;
    append_json(out, value);
    return out;
}

bool router_json::append_next(std::string& out)
{
    if (stage_ == stage::head) {
        append_open(out, router_head_json(router_));
        out += ",\"trackers\":[";
        stage_ = stage::trackers;
    }
    std::size_t written = 0;
    // False: the piece is full.
    const auto put = [&](const auto& items, auto&& to_json) {
        for (; item_ < items.size(); ++item_, ++written) {
            if (written == slice_items) {
                return false;
            }
            out += item_ == 0 ? "" : ",";
            append_object(out, to_json(items[item_]));
        }
        item_ = 0;
        return true;
    };
    if (stage_ == stage::trackers) {
        if (!put(router_.trackers, tracker_json)) {
            return true;
        }
        out += "],\"peers\":[";
        stage_ = stage::peers;
    }
    if (stage_ == stage::peers) {
        if (!put(router_.peers, peer_json)) {
            return true;
        }
        out += "],\"resources\":[";
        stage_ = stage::resources;
    }
    if (!put(router_.resources, resource_json)) {
        return true;
    }
    out += "]}";
    return false;
}

}  // namespace vipd::status
