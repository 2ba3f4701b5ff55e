#include "tests/support/fake_node.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace vipd::status::test {

using namespace std::chrono_literals;

namespace {

// 2026-11-21 03:12:45.5 UTC
constexpr wall_time began{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}.time_since_epoch() + 3h + 12min + 45s +
                          500ms};

}  // namespace

instant at(duration since_start)
{
    return {time_point{} + 1h + since_start, began + since_start};
}

resource sample_policy()
{
    resource x;
    x.kind = resource_kind::policy;
    x.name = "table 110";
    x.state = resource_state::here;
    x.owner = "this node: 1 of 1 rules, 2 of 2 routes here";
    x.mutating_calls = 3;
    x.parts = policy_parts{1, 1, 2, 2};
    return x;
}

node sample_node()
{
    node n;
    n.version = "0.1.0";
    n.uptime = 24h + 123ms;
    n.ready = true;
    n.uses_aws = true;
    n.router_count = 1;
    n.configuration_reloads = 2;
    aws::session_snapshot s;
    s.region = "eu-west-1";
    s.endpoint = "https://ec2.eu-west-1.amazonaws.com";
    s.source = aws::credential_source::instance_role;
    s.access_key_id = "ASIAEXAMPLE";
    s.credentials_expire = began + 6h;
    s.clock_skew = -12ms;
    s.ready = true;
    aws::instance_identity identity;
    identity.instance = aws::instance_id{"i-0123456789abcdef0"};
    identity.region = "eu-west-1";
    identity.availability_zone = "eu-west-1a";
    identity.account = "123456789012";
    aws::instance_interface interface;
    interface.id = aws::network_interface_id{"eni-0a1b2c3d4e5f60718"};
    interface.mac = "06:00:00:00:00:01";
    interface.subnet = "subnet-0a1b2c3d";
    interface.addresses = {ip_address::v4(10, 0, 1, 10)};
    identity.interfaces.push_back(std::move(interface));
    s.identity = std::move(identity);
    n.aws = std::move(s);
    n.policies = {sample_policy()};
    n.discarded_before_router[static_cast<std::size_t>(vrrp::discard_reason::unknown_peer)] = 4;
    n.ec2_path = ec2_path_state{.works = true, .trouble = "", .age = std::nullopt};
    n.ec2_calls = {{"DescribeRouteTables", "ok", 412}, {"ReplaceRoute", "ok", 3}, {"ReplaceRoute", "RequestLimitExceeded", 1}};
    return n;
}

process sample_process()
{
    process p;
    p.realtime_wanted = true;
    p.realtime_scheduling = true;
    p.memory_locked = true;
    p.loop_lateness_max = 120us;
    p.loop_lateness.observe(80us);
    p.loop_lateness.observe(4ms);
    p.http_requests = 120;
    p.http_connections = 7;
    p.datagrams_received = 432'000;
    p.resident_bytes = 11'534'336;
    p.open_files = 17;
    return p;
}

hook sample_hook()
{
    hook h;
    h.event = config::hook_event::active;
    h.command = "/usr/local/sbin/promote --fast";
    h.last = hook_run{4, hook_outcome::succeeded, "", 312ms, 3604s};
    h.runs[static_cast<std::size_t>(hook_outcome::succeeded)] = 4;
    return h;
}

tracker sample_server()
{
    tracker t;
    t.name = "backend";
    t.kind = config::track_kind::tcp;
    t.what = "127.0.0.1:8080";
    t.weight = -60;
    t.state = tracker_state::well;
    t.age = 3600s;
    t.took = 3ms;
    t.next_in = 400ms;
    t.checks = {3600, 2, 1};
    return t;
}

tracker sample_file()
{
    tracker t;
    t.name = "weight";
    t.kind = config::track_kind::file;
    t.what = "/run/vipd/weight";
    t.weight = 1;
    t.state = tracker_state::well;
    t.age = 3600s;
    t.number = 0;
    return t;
}

router sample_router(std::string name)
{
    router r;
    r.name = std::move(name);
    r.vrid = 51;
    r.interface = "ens5";
    r.source = ip_address::v4(10, 0, 1, 10);
    r.state = vrrp::state::active;
    r.state_reason = "no advert for 722 ms";
    r.state_age = 3605214ms;
    r.epoch = 4;
    r.priority = 150;
    r.effective_priority = 150;
    r.advert_interval = 200ms;
    r.active_advert_interval = 200ms;
    r.active_down_interval = 682813us;
    r.active_address = r.source;
    r.active_priority = 150;
    r.peers = {{ip_address::v4(10, 0, 2, 10), 3605937ms, 200}, {ip_address::v4(10, 0, 3, 10), std::nullopt, 0}};
    resource route;
    route.kind = resource_kind::route;
    route.name = "172.16.1.100/32 in rtb-0a1b2c3d4e5f60718";
    route.table = "rtb-0a1b2c3d4e5f60718";
    route.destination = "172.16.1.100/32";
    route.state = resource_state::here;
    route.owner = "eni-0a1b2c3d4e5f60718";
    route.confirmed_age = 4200ms;
    route.mutating_calls = 3;
    resource address;
    address.kind = resource_kind::address;
    address.name = "172.16.1.100/32 on lo";
    address.destination = "172.16.1.100/32";
    address.state = resource_state::here;
    address.owner = "this node";
    address.confirmed_age = 3605s;
    address.mutating_calls = 1;
    r.resources = {route, address};
    r.hooks = {sample_hook()};
    r.trackers = {sample_server(), sample_file()};
    r.received.accepted = 432;
    r.received.checksum_rfc5798 = 432;
    r.received.discarded[static_cast<std::size_t>(vrrp::discard_reason::checksum)] = 2;
    r.election.became_active = 4;
    r.election.became_backup = 4;
    r.election.priority_zero_received = 2;
    r.adverts_sent = 18'026;
    r.announcements_sent = 20;
    r.takeovers.first_request.observe(600us);
    r.takeovers.all_accepted.observe(180ms);
    r.takeovers.all_confirmed.observe(1412ms);
    r.last_takeover = 1412ms;
    return r;
}

router sample_backup(std::string name)
{
    router r = sample_router(std::move(name));
    r.vrid = 52;
    r.state = vrrp::state::backup;
    r.state_reason = "10.0.2.10 has priority 200";
    r.state_age = 52h;
    r.active_address = ip_address::v4(10, 0, 2, 10);
    r.active_priority = 200;
    r.peers[0] = {ip_address::v4(10, 0, 2, 10), 121ms, 200};
    for (auto& x : r.resources) {
        x.state = resource_state::elsewhere;
        x.owner = x.kind == resource_kind::route ? "eni-0f9e8d7c6b5a41302" : "none";
    }
    return r;
}

router sample_in_trouble(std::string name)
{
    router r = sample_router(std::move(name));
    r.vrid = 53;
    r.state_age = 12s;
    r.effective_priority = 100;
    r.signatures = hmac{vrrp::hmac_mode::enforce, vrrp::anti_replay::time, 5s, 2, {1, 2}};
    auto& x = r.resources[0];
    x.state = resource_state::taking;
    x.owner = "eni-0f9e8d7c6b5a41302 (blackhole)";
    x.failures = 7;
    x.last_error =
        "ReplaceRoute was refused with UnauthorizedOperation: the role of this node lacks ec2:ReplaceRoute for "
        "rtb-0a1b2c3d4e5f60718; \"vipd iam-policy\" prints the policy that is needed";
    x.retry_in = 3200ms;
    return r;
}

event sample_event(std::uint64_t number, std::string text)
{
    return {number, began - 90s + std::chrono::seconds{number}, "haproxy", "transition", std::move(text)};
}

std::optional<std::uint32_t> fake_node::find_router(std::string_view name) const
{
    const auto found = std::find_if(routers.begin(), routers.end(), [&](const auto& r) { return r.name == name; });
    return found == routers.end() ? std::nullopt : std::optional{static_cast<std::uint32_t>(found - routers.begin())};
}

status::router fake_node::router_snapshot(instant, std::uint32_t router) const
{
    ++snapshots;
    return routers.at(router);
}

std::vector<event> fake_node::events_after(std::uint64_t number) const
{
    std::vector<event> out;
    std::copy_if(events.begin(), events.end(), std::back_inserter(out), [&](const event& e) { return e.number > number; });
    return out;
}

std::vector<std::string> fake_node::plan(instant, std::uint32_t router) const
{
    std::vector<std::string> out;
    for (const auto& x : routers.at(router).resources) {
        if (x.state != resource_state::here) {
            out.push_back(x.name + ": " + x.owner + " -> eni-0a1b2c3d4e5f60718");
        }
    }
    return out;
}

void fake_node::erase_router(std::size_t index)
{
    routers.erase(routers.begin() + static_cast<std::ptrdiff_t>(index));
    ++the_generation;
}

void fake_node::insert_router(std::size_t index, router what)
{
    routers.insert(routers.begin() + static_cast<std::ptrdiff_t>(index), std::move(what));
    ++the_generation;
}

drawn draw(body_source& body, instant now, std::size_t calls_max)
{
    drawn out;
    while (out.calls < calls_max && !out.ended) {
        ++out.calls;
        auto chunk = body.next(now);
        if (auto* text = std::get_if<std::string>(&chunk)) {
            out.text += *text;
            out.chunks.push_back(std::move(*text));
        } else if (std::holds_alternative<finished>(chunk)) {
            out.ended = true;
        }
    }
    return out;
}

drawn draw(http_reply& reply, instant now)
{
    if (auto* text = std::get_if<std::string>(&reply.body)) {
        return {*text, {*text}, 0, true};
    }
    return draw(*std::get<std::unique_ptr<body_source>>(reply.body), now);
}

std::string text_of(http_reply& reply, instant now)
{
    return draw(reply, now).text;
}

}  // namespace vipd::status::test
