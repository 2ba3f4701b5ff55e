#include "agent/status/json.hpp"

#include "tests/support/fake_node.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

namespace vipd::status::test {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

json::value parsed(const std::string& text)
{
    boost::system::error_code failure;
    auto value = json::parse(text, failure);
    EXPECT_FALSE(failure) << failure.message() << " in " << text;
    return value;
}

json::object router_object(const router& r)
{
    auto body = router_body(r);
    return parsed(draw(*body, at({})).text).as_object();
}

std::vector<std::string> keys(const json::object& object)
{
    std::vector<std::string> out;
    for (const auto& item : object) {
        out.emplace_back(item.key());
    }
    return out;
}

TEST(json, numbers_are_written_as_people_write_them)
{
    EXPECT_EQ(json_text(json::object{{"a", 0.361}, {"b", 86400.123}, {"c", 7U}, {"d", -3}, {"e", 0.0}}),
              R"({"a":0.361,"b":86400.123,"c":7,"d":-3,"e":0})");
}

TEST(json, what_json_cannot_hold_becomes_null)
{
    EXPECT_EQ(json_text(json::array{std::nan(""), std::numeric_limits<double>::infinity(), nullptr, true, false}),
              "[null,null,null,true,false]");
}

TEST(json, router_has_every_name_of_the_documented_shape_in_order)
{
    EXPECT_EQ(keys(router_object(sample_router("haproxy"))), (std::vector<std::string>{"name",
                                                                                       "vrid",
                                                                                       "version",
                                                                                       "interface",
                                                                                       "source",
                                                                                       "state",
                                                                                       "state_reason",
                                                                                       "state_age_seconds",
                                                                                       "sync_group",
                                                                                       "epoch",
                                                                                       "priority",
                                                                                       "runtime_priority",
                                                                                       "effective_priority",
                                                                                       "priority_total",
                                                                                       "priority_reason",
                                                                                       "preempt",
                                                                                       "advert_interval_seconds",
                                                                                       "active_advert_interval_seconds",
                                                                                       "active_down_interval_seconds",
                                                                                       "active_address",
                                                                                       "active_priority",
                                                                                       "auth",
                                                                                       "adverts",
                                                                                       "announcements_sent",
                                                                                       "election",
                                                                                       "last_takeover_seconds",
                                                                                       "hooks",
                                                                                       "trackers",
                                                                                       "peers",
                                                                                       "resources"}));
}

TEST(json, router_says_what_the_snapshot_says)
{
    const auto r = router_object(sample_router("haproxy"));
    EXPECT_EQ(r.at("name"), json::value("haproxy"));
    EXPECT_EQ(r.at("source"), json::value("10.0.1.10"));
    EXPECT_EQ(r.at("state"), json::value("Active"));
    EXPECT_DOUBLE_EQ(r.at("state_age_seconds").as_double(), 3605.214);
    EXPECT_DOUBLE_EQ(r.at("active_down_interval_seconds").as_double(), 0.682813);
    EXPECT_DOUBLE_EQ(r.at("last_takeover_seconds").as_double(), 1.412);
    EXPECT_EQ(r.at("active_priority").to_number<int>(), 150);
    EXPECT_EQ(r.at("announcements_sent").to_number<int>(), 20);
    const auto& heard = r.at("peers").at(0).as_object();
    EXPECT_EQ(heard.at("address"), json::value("10.0.2.10"));
    EXPECT_EQ(heard.at("last_priority").to_number<int>(), 200);
    const auto& route = r.at("resources").at(0).as_object();
    EXPECT_EQ(keys(route), (std::vector<std::string>{"kind", "name", "table", "destination", "state", "owned", "owner",
                                                     "confirmed_age_seconds", "mutating_calls", "repairs", "failures",
                                                     "last_error", "retry_in_seconds", "duel"}));
    EXPECT_EQ(route.at("kind"), json::value("route"));
    EXPECT_EQ(route.at("state"), json::value("here"));
    EXPECT_EQ(route.at("owned"), json::value(true));
    EXPECT_DOUBLE_EQ(route.at("confirmed_age_seconds").as_double(), 4.2);
    EXPECT_TRUE(route.at("retry_in_seconds").is_null());
    EXPECT_EQ(route.at("duel"), json::value("none"));
    EXPECT_EQ(r.at("adverts").at("discarded").at("checksum").to_number<int>(), 2);
    EXPECT_EQ(r.at("adverts").at("discarded").as_object().size(), vrrp::discard_reason_count);
    EXPECT_EQ(r.at("election").at("became_active").to_number<int>(), 4);
}

TEST(json, a_priority_that_was_set_stands_beside_the_configured_one)
{
    auto r = sample_router("haproxy");
    r.runtime_priority = 180;
    const auto o = router_object(r);
    EXPECT_EQ(o.at("priority").to_number<int>(), 150);
    EXPECT_EQ(o.at("runtime_priority").to_number<int>(), 180);
}

TEST(json, what_is_not_known_is_null_and_its_name_is_there)
{
    router r;
    r.name = "new";
    r.peers.resize(1);
    r.resources.resize(1);
    const auto o = router_object(r);
    for (const auto* name : {"source", "runtime_priority", "active_address", "active_priority", "last_takeover_seconds"}) {
        EXPECT_TRUE(o.at(name).is_null()) << name;
    }
    EXPECT_TRUE(o.at("peers").at(0).at("last_heard_age_seconds").is_null());
    EXPECT_TRUE(o.at("peers").at(0).at("last_priority").is_null());
    EXPECT_TRUE(o.at("resources").at(0).at("confirmed_age_seconds").is_null());
    EXPECT_EQ(o.at("resources").at(0).at("owned"), json::value(false));
}

TEST(json, authentication_is_its_mode_and_the_ids_of_its_keys)
{
    auto r = sample_router("haproxy");
    EXPECT_TRUE(router_object(r).at("auth").is_null());
    r.has_password = true;
    EXPECT_EQ(router_object(r).at("auth"), json::parse(R"({"kind": "password"})"));
    r.has_password = false;
    r.signatures = hmac{vrrp::hmac_mode::receive_only, vrrp::anti_replay::time, 7s, 4, {3, 4}};
    r.received.with_signature = 5;
    r.received.without_signature = 6;
    const auto o = router_object(r);
    EXPECT_EQ(o.at("auth"), json::parse(R"({"kind": "hmac", "mode": "receive-only", "anti_replay": "time",
                                            "window_seconds": 7, "active_key": 4, "keys": [3, 4]})"));
    EXPECT_EQ(o.at("adverts").at("with_signature").to_number<int>(), 5);
    EXPECT_EQ(o.at("adverts").at("without_signature").to_number<int>(), 6);
}

TEST(json, tracker_says_what_it_looks_at_and_what_came_of_it)
{
    auto r = sample_router("haproxy");
    EXPECT_EQ(router_object(r).at("trackers").at(0), json::parse(R"({
        "name": "backend", "kind": "tcp", "what": "127.0.0.1:8080", "weight": -60, "state": "well", "reason": "",
        "age_seconds": 3600, "took_seconds": 0.003, "next_in_seconds": 0.4, "contribution": 0, "number": null,
        "checks": {"passed": 3600, "failed": 2, "timed_out": 1}})"));
    EXPECT_EQ(router_object(r).at("trackers").at(1).at("number").to_number<int>(), 0);
    r.trackers[0].weight.reset();
    r.trackers[0].state = tracker_state::failing;
    r.trackers[0].reason = "the answer is 503; well are 200-399";
    const auto t = router_object(r).at("trackers").at(0).as_object();
    EXPECT_TRUE(t.at("weight").is_null());
    EXPECT_EQ(t.at("state"), json::value("failing"));
    EXPECT_EQ(t.at("reason"), json::value("the answer is 503; well are 200-399"));
}

TEST(json, hook_says_what_it_does_and_how_its_last_run_ended)
{
    auto r = sample_router("haproxy");
    EXPECT_EQ(router_object(r).at("hooks").at(0), json::parse(R"({
        "hook": "active", "event": "active", "command": "/usr/local/sbin/promote --fast", "running_seconds": null,
        "waiting": false,
        "last": {"outcome": "succeeded", "problem": "", "epoch": 4, "took_seconds": 0.312, "age_seconds": 3604},
        "runs": {"succeeded": 4, "failed": 0, "signalled": 0, "timed_out": 0, "not_started": 0, "abandoned": 0},
        "superseded": 0, "lines_dropped": 0})"));
    r.hooks[0].is_notify = true;
    r.hooks[0].last.reset();
    r.hooks[0].running = 2s;
    const auto h = router_object(r).at("hooks").at(0).as_object();
    EXPECT_EQ(h.at("hook"), json::value("notify"));
    EXPECT_EQ(h.at("event"), json::value("active"));
    EXPECT_TRUE(h.at("last").is_null());
    EXPECT_EQ(h.at("running_seconds").to_number<int>(), 2);
}

TEST(json, only_what_was_read_back_counts_as_owned)
{
    for (const auto state :
         {resource_state::unknown, resource_state::elsewhere, resource_state::taking, resource_state::accepted}) {
        resource r;
        r.state = state;
        EXPECT_EQ(resource_json(r).at("owned"), false) << to_string(state);
    }
}

TEST(json, hostile_text_comes_back_as_it_was_except_for_bytes_that_are_no_text)
{
    router r = sample_router(std::string(hostile));
    r.state_reason = hostile;
    r.interface = hostile;
    r.resources[0].last_error = hostile;
    const auto o = router_object(r);
    const std::string expected = "</td><script>alert(\"1\")</script>'&\\\n\x01\xEF\xBF\xBD\xe2\x80\xae}";
    EXPECT_EQ(o.at("name"), json::value(expected));
    EXPECT_EQ(o.at("state_reason"), json::value(expected));
    EXPECT_EQ(o.at("resources").at(0).at("last_error"), json::value(expected));
}

TEST(json, node_says_what_the_snapshot_says)
{
    const auto o = node_json(sample_node(), sample_process(), at({}).wall);
    EXPECT_EQ(o.at("uptime_seconds"), json::value(86400.123));
    EXPECT_EQ(o.at("aws").at("instance_id"), json::value("i-0123456789abcdef0"));
    EXPECT_EQ(o.at("aws").at("identity_source"), json::value("imds"));
    EXPECT_EQ(o.at("aws").at("credential_source"), json::value("instance_role"));
    EXPECT_EQ(o.at("aws").at("credentials_remaining_seconds"), json::value(21600.0));
    EXPECT_EQ(o.at("aws").at("clock_skew_seconds"), json::value(-0.012));
    EXPECT_EQ(o.at("aws").at("interfaces").at(0).at("addresses").at(0), json::value("10.0.1.10"));
    EXPECT_EQ(o.at("ec2_calls").at(2).at("code"), json::value("RequestLimitExceeded"));
    EXPECT_EQ(o.at("adverts_discarded").at("unknown_peer").to_number<int>(), 4);
    EXPECT_EQ(o.at("process").at("open_files").to_number<int>(), 17);
}

TEST(json, path_to_ec2_is_there_when_aws_is_used)
{
    auto n = sample_node();
    n.ec2_path = ec2_path_state{.works = false, .trouble = "timeout", .age = 3s};
    auto o = node_json(n, {}, {});
    EXPECT_EQ(o.at("ec2_path").at("works"), json::value(false));
    EXPECT_EQ(o.at("ec2_path").at("trouble"), json::value("timeout"));
    EXPECT_EQ(o.at("ec2_path").at("age_seconds"), json::value(3.0));
    n.ec2_path.reset();
    EXPECT_TRUE(node_json(n, {}, {}).at("ec2_path").is_null());
}

TEST(json, peer_says_whether_it_is_kept_out)
{
    auto r = sample_router("web");
    EXPECT_EQ(peer_json(r.peers[0]).at("inbound_blocked"), json::value(false));
    r.peers[0].inbound_blocked = true;
    EXPECT_EQ(peer_json(r.peers[0]).at("inbound_blocked"), json::value(true));
}

TEST(json, an_identity_of_the_cache_is_told_from_one_of_imds)
{
    auto n = sample_node();
    n.aws->identity_from = aws::identity_source::cache;
    EXPECT_EQ(node_json(n, {}, {}).at("aws").at("identity_source"), json::value("cache"));
}

TEST(json, node_without_aws_and_without_an_identity_says_null)
{
    auto n = sample_node();
    n.aws->identity.reset();
    n.aws->credentials_expire.reset();
    auto o = node_json(n, {}, {});
    EXPECT_TRUE(o.at("aws").at("instance_id").is_null());
    EXPECT_TRUE(o.at("aws").at("identity_source").is_null());
    EXPECT_TRUE(o.at("aws").at("credentials_remaining_seconds").is_null());
    EXPECT_TRUE(o.at("aws").at("interfaces").as_array().empty());
    n.aws.reset();
    o = node_json(n, {}, {});
    EXPECT_TRUE(o.at("aws").is_null());
}

TEST(json, credentials_that_have_ended_have_a_negative_rest)
{
    EXPECT_EQ(node_json(sample_node(), {}, at(7h).wall).at("aws").at("credentials_remaining_seconds"), json::value(-3600.0));
}

TEST(json, status_holds_the_node_and_then_every_router_each_in_a_slice_of_its_own)
{
    fake_node node;
    for (int i = 0; i < 50; ++i) {
        node.routers.push_back(sample_router("r" + std::to_string(i)));
    }
    auto body = status_body(node);
    const auto got = draw(*body, at({}));
    EXPECT_TRUE(got.ended);
    EXPECT_EQ(got.chunks.size(), 52U);
    const auto o = parsed(got.text).as_object();
    EXPECT_EQ(keys(o).back(), "routers");
    ASSERT_EQ(o.at("routers").as_array().size(), 50U);
    EXPECT_EQ(o.at("routers").at(49).at("name"), json::value("r49"));
    EXPECT_EQ(o.at("version"), json::value("0.1.0"));
}

TEST(json, status_without_a_router_is_whole)
{
    fake_node node;
    auto body = status_body(node);
    EXPECT_TRUE(parsed(draw(*body, at({})).text).at("routers").as_array().empty());
}

TEST(json, router_with_hundreds_of_tables_is_cut_into_slices)
{
    router r = sample_router("wide");
    r.resources.assign(500, r.resources[0]);
    r.peers.assign(70, r.peers[0]);
    const auto one = draw(*router_body(r), at({}));
    EXPECT_GE(one.chunks.size(), 570 / router_json::slice_items);
    for (const auto& chunk : one.chunks) {
        EXPECT_LE(chunk.size(), 20'000U);
    }
    const auto o = parsed(one.text).as_object();
    EXPECT_EQ(o.at("resources").as_array().size(), 500U);
    EXPECT_EQ(o.at("peers").as_array().size(), 70U);
}

TEST(json, status_stays_whole_when_routers_come_and_go_between_its_slices)
{
    for (std::size_t when = 0; when < 8; ++when) {
        fake_node node;
        node.routers = {sample_router("a"), sample_router("b"), sample_router("c")};
        auto body = status_body(node);
        std::string text;
        for (std::size_t i = 0;; ++i) {
            if (i == when) {
                node.erase_router(0);
                node.insert_router(0, sample_router("new"));
            }
            auto chunk = body->next(at({}));
            if (std::holds_alternative<finished>(chunk)) {
                break;
            }
            if (const auto* piece = std::get_if<std::string>(&chunk)) {
                text += *piece;
            }
        }
        std::multiset<std::string> names;
        const auto value = parsed(text);
        for (const auto& r : value.at("routers").as_array()) {
            names.emplace(r.at("name").as_string());
        }
        EXPECT_EQ(names.count("b"), 1U) << when;
        EXPECT_EQ(names.count("c"), 1U) << when;
        EXPECT_LE(names.count("a"), 1U) << when;
        EXPECT_LE(names.count("new"), 1U) << when;
    }
}

TEST(json, plan_names_each_router_and_its_changes)
{
    fake_node node;
    node.routers = {sample_router("a"), sample_backup("b")};
    const auto o = parsed(draw(*plan_body(node), at({})).text);
    EXPECT_TRUE(o.at("routers").at(0).at("changes").as_array().empty());
    EXPECT_EQ(o.at("routers").at(1).at("state"), json::value("Backup"));
    EXPECT_EQ(o.at("routers").at(1).at("changes").at(0),
              json::value("172.16.1.100/32 in rtb-0a1b2c3d4e5f60718: eni-0f9e8d7c6b5a41302 -> eni-0a1b2c3d4e5f60718"));
}

TEST(json, event_list_is_whole_however_long)
{
    for (const std::size_t count : {0U, 1U, 64U, 65U, 1000U}) {
        std::vector<event> events;
        for (std::size_t i = 1; i <= count; ++i) {
            events.push_back(sample_event(i, "Backup -> Active"));
        }
        const auto got = draw(*events_body(events, 77), at({}));
        const auto o = parsed(got.text);
        EXPECT_EQ(o.at("events").as_array().size(), count);
        EXPECT_EQ(o.at("last").to_number<int>(), 77);
    }
    const auto o = event_json(sample_event(1, "x"));
    EXPECT_EQ(json_text(o),
              R"({"number":1,"at":"2026-11-21T03:11:16.500000Z","router":"haproxy","kind":"transition","text":"x"})");
}

TEST(json, policy_counts_its_parts_and_other_resources_have_none)
{
    const auto policy = resource_json(sample_policy());
    EXPECT_EQ(policy.at("kind").as_string(), "policy");
    EXPECT_EQ(policy.at("rules").as_uint64(), 1U);
    EXPECT_EQ(policy.at("routes_here").as_uint64(), 2U);
    EXPECT_EQ(policy.at("owned").as_bool(), true);
    EXPECT_FALSE(resource_json(sample_router("a").resources[0]).contains("rules"));
}

}  // namespace
}  // namespace vipd::status::test
