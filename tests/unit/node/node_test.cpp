#include "agent/node/node.hpp"

#include "tests/support/node_harness.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

using namespace std::chrono_literals;
using test::node_harness;
using kind = status::resource_kind;
using vrrp::state;

constexpr auto me = "eni-0000000000000000a";
constexpr auto other = "eni-0000000000000000b";
constexpr auto vip = "172.16.1.100/32";

class node_test : public testing::Test {
protected:
    void start_as_backup()
    {
        h.start();
        h.hear(200);
        ASSERT_EQ(h.state(), state::backup);
    }

    // Nobody is heard until the down timer has run out, and the first answers have come.
    void start_as_active()
    {
        h.start();
        h.advance(361ms + 100ms);
        ASSERT_EQ(h.state(), state::active);
    }

    // The peer speaks every 100 ms.
    void advance_with_peer(duration d, std::uint8_t priority)
    {
        for (duration passed{}; passed < d; passed += 100ms) {
            h.hear(priority);
            h.advance(100ms);
        }
    }

    std::shared_ptr<config::configuration> changed(const std::function<void(config::configuration&)>& edit)
    {
        auto next = std::make_shared<config::configuration>(*configuration);
        edit(*next);
        return next;
    }

    std::shared_ptr<config::configuration> configuration = node_harness::one_router();
    node_harness h{configuration};
};

TEST_F(node_test, nothing_happens_before_the_kernel_has_been_read)
{
    h.node->start(h.now);
    h.advance(10s);
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_TRUE(h.adverts.empty());
    EXPECT_FALSE(h.is_ready);
}

TEST_F(node_test, it_is_ready_when_every_router_has_been_considered)
{
    h.start();
    EXPECT_TRUE(h.is_ready);
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.filter, std::vector{ip_address::v4(10, 0, 2, 10)});
}

TEST_F(node_test, when_the_active_falls_silent_the_route_moves_here_and_is_confirmed)
{
    start_as_backup();
    advance_with_peer(1s, 200);
    const auto last_heard = h.now.steady - 100ms;
    h.advance(1s);
    EXPECT_EQ(h.state(), state::active);
    // 3 * 100 ms + 100 ms * (256 - 100) / 256
    EXPECT_EQ(h.adverts.front().at - last_heard, 360937500ns);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_TRUE(h.has_local(vip));
    h.advance(2s);
    EXPECT_EQ(h.resource(kind::route).state, status::resource_state::here);
    EXPECT_EQ(h.calls("ReplaceRoute"), 1u);
    EXPECT_EQ(h.calls("CreateRoute"), 0u);
    ASSERT_TRUE(h.router().last_takeover);
}

TEST_F(node_test, becoming_active_adds_the_address_before_it_calls_ec2_in_the_same_turn)
{
    start_as_backup();
    h.advance(359ms);
    h.order.clear();
    h.advance(2ms);
    ASSERT_GE(h.order.size(), 3u);
    EXPECT_EQ(h.order[0], "kernel");
    EXPECT_EQ(h.order[1], "advert");
    EXPECT_EQ(h.order[2], "http");
    EXPECT_EQ(h.seen_calls.back().action, "ReplaceRoute");
    EXPECT_EQ(h.seen_calls.back().at, h.adverts.back().at);
}

TEST_F(node_test, a_backup_reads_the_tables_once_a_period_and_changes_nothing)
{
    start_as_backup();
    advance_with_peer(60s, 200);
    EXPECT_GE(h.calls("DescribeRouteTables"), 6u);
    EXPECT_LE(h.calls("DescribeRouteTables"), 8u);
    EXPECT_EQ(h.calls("ReplaceRoute"), 0u);
    EXPECT_EQ(h.cloud.targets["rtb-1"], other);
    EXPECT_TRUE(h.adverts.empty());
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(node_test, a_missing_route_is_created)
{
    h.cloud.targets["rtb-1"] = "";
    start_as_active();
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_EQ(h.calls("CreateRoute"), 1u);
}

TEST_F(node_test, a_route_moved_by_hand_is_repaired_within_a_period)
{
    start_as_active();
    h.advance(20s);
    h.cloud.targets["rtb-1"] = other;
    h.advance(11s + 300ms + 20ms);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_EQ(h.log.count({"event=repair", "found=eni-0000000000000000b"}), 1u);
    EXPECT_EQ(h.resource(kind::route).repairs, 1u);
}

TEST_F(node_test, a_lower_priority_advert_makes_it_look_and_repair_at_once)
{
    start_as_active();
    h.advance(20s);
    h.cloud.targets["rtb-1"] = other;
    h.hear(50);
    h.advance(300ms);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(node_test, demotion_cancels_what_is_under_way_in_the_same_turn_and_starts_nothing)
{
    h.latency = 1s;
    start_as_backup();
    h.advance(400ms);
    ASSERT_EQ(h.state(), state::active);
    ASSERT_EQ(h.calls("ReplaceRoute"), 1u);
    h.hear(200);
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.cancelled.size(), 1u);
    advance_with_peer(30s, 200);
    EXPECT_EQ(h.calls("ReplaceRoute"), 1u);
    EXPECT_EQ(h.cloud.targets["rtb-1"], other);
}

TEST_F(node_test, a_permit_ends_with_the_epoch_it_was_asked_in)
{
    std::vector<aws::http_exchange_id> mutating;
    h.latency = 10s;
    h.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        if (e.mutating) {
            mutating.push_back(e.id);
        }
        return std::nullopt;
    };
    start_as_backup();
    h.advance(400ms);
    ASSERT_EQ(mutating.size(), 1u);
    EXPECT_TRUE(h.node->permit(h.now, mutating[0]));
    h.hear(200);
    EXPECT_FALSE(h.node->permit(h.now, mutating[0]));
    h.advance(400ms);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_FALSE(h.node->permit(h.now, mutating[0])) << "the call of the first epoch stays without one in the second";
    EXPECT_FALSE(h.node->permit(h.now, aws::http_exchange_id{999999}));
}

TEST_F(node_test, leaving_drains_local_addresses_for_the_configured_time)
{
    start_as_active();
    ASSERT_TRUE(h.has_local(vip));
    h.hear(200);
    EXPECT_TRUE(h.has_local(vip));
    advance_with_peer(900ms, 200);
    EXPECT_TRUE(h.has_local(vip));
    advance_with_peer(200ms, 200);
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(node_test, without_cloud_resources_the_address_goes_as_soon_as_a_better_advert_is_heard)
{
    auto bare = node_harness::one_router();
    bare->routers[0].routes.clear();
    node_harness n{bare};
    n.start();
    n.advance(400ms);
    ASSERT_TRUE(n.has_local(vip));
    n.hear(200);
    n.advance(1ms);
    EXPECT_FALSE(n.has_local(vip));
    EXPECT_TRUE(n.seen_calls.empty()) << "a configuration without AWS resources never talks to AWS";
}

TEST_F(node_test, an_address_that_somebody_removes_is_put_back)
{
    start_as_active();
    const net::link_address lost{1, *ip_prefix::parse(vip)};
    h.local.erase({1, lost.address});
    h.kernel(net::address_gone{lost});
    h.advance(50ms);
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_EQ(h.resource(kind::address).repairs, 1u);
}

TEST_F(node_test, an_address_left_behind_by_a_killed_predecessor_is_removed_by_a_backup)
{
    h.local.insert({1, *ip_prefix::parse(vip)});
    start_as_backup();
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(node_test, an_address_for_always_is_there_on_a_backup_and_stays_after_the_stop)
{
    auto c = node_harness::one_router();
    c->routers[0].addresses[0].when = config::address_lifetime::always;
    node_harness n{c};
    n.start();
    n.hear(200);
    EXPECT_TRUE(n.has_local(vip));
    n.tell(shut_down{});
    n.advance(5s);
    EXPECT_TRUE(n.is_stopped);
    EXPECT_TRUE(n.has_local(vip));
}

TEST_F(node_test, a_kernel_that_refuses_is_asked_again_and_shown)
{
    h.kernel_error = 1;
    start_as_active();
    EXPECT_EQ(h.resource(kind::address).last_error, "the test refuses");
    EXPECT_EQ(h.cloud.targets["rtb-1"], me) << "the cloud does not wait for it";
    h.kernel_error = 0;
    h.advance(2s);
    EXPECT_TRUE(h.has_local(vip));
}

TEST_F(node_test, an_answer_that_is_lost_is_read_back_and_not_repeated_when_it_had_worked)
{
    bool lost = false;
    h.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        if (e.mutating && !lost) {
            lost = true;
            h.cloud.answer(e.request);  // EC2 carries it out, and the reply is lost
            return node_harness::failure(true);
        }
        return std::nullopt;
    };
    start_as_active();
    h.advance(5s);
    EXPECT_EQ(h.calls("ReplaceRoute"), 1u);
    EXPECT_EQ(h.resource(kind::route).state, status::resource_state::here);
}

TEST_F(node_test, an_answer_that_is_lost_is_repeated_after_a_read_back_when_it_had_not)
{
    bool lost = false;
    h.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        if (e.mutating && !lost) {
            lost = true;
            return node_harness::failure(true);
        }
        return std::nullopt;
    };
    start_as_active();
    h.advance(1s);
    EXPECT_EQ(h.calls("ReplaceRoute"), 2u);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    const auto second = std::ranges::find_if(h.seen_calls.rbegin(), h.seen_calls.rend(),
                                             [](const auto& c) { return c.action == "ReplaceRoute"; });
    const auto read_between = std::ranges::count_if(h.seen_calls, [&](const auto& c) {
        return c.action == "DescribeRouteTables" && c.at <= second->at && c.at + 300ms > second->at;
    });
    EXPECT_GE(read_between, 1);
}

TEST_F(node_test, trouble_of_ec2_changes_no_role)
{
    h.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        if (e.mutating) {
            return aws::http_result{test::ec2_error_response(503, "Unavailable"), {}, never, {}};
        }
        return std::nullopt;
    };
    start_as_active();
    h.advance(60s);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_GE(h.calls("ReplaceRoute"), 10u);
    EXPECT_LE(h.calls("ReplaceRoute"), 5 + 31u);
    EXPECT_EQ(h.router().election.became_active, 1u);
    h.intercept = nullptr;
    h.advance(6s);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
}

TEST_F(node_test, tables_are_taken_each_for_itself_when_one_is_denied)
{
    auto c = node_harness::one_router();
    c->routers[0].routes[0].tables.ids = {aws::route_table_id{"rtb-1"}, aws::route_table_id{"rtb-2"},
                                          aws::route_table_id{"rtb-3"}};
    node_harness n{c};
    n.cloud.targets = {{"rtb-1", other}, {"rtb-2", other}, {"rtb-3", ""}};
    n.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        if (e.mutating && test::parse_form(e.request.body)["RouteTableId"] == "rtb-2") {
            return aws::http_result{test::ec2_error_response(403, "UnauthorizedOperation"), {}, never, {}};
        }
        return std::nullopt;
    };
    n.start();
    n.advance(2s);
    EXPECT_EQ(n.cloud.targets["rtb-1"], me);
    EXPECT_EQ(n.cloud.targets["rtb-2"], other);
    EXPECT_EQ(n.cloud.targets["rtb-3"], me);
    const auto r = n.router();
    const auto denied = std::ranges::find(r.resources, "rtb-2", &status::resource::table);
    ASSERT_NE(denied, r.resources.end());
    EXPECT_EQ(denied->state, status::resource_state::taking);
    EXPECT_NE(denied->last_error.find("UnauthorizedOperation"), std::string::npos);
}

TEST_F(node_test, all_tables_are_called_at_once)
{
    auto c = node_harness::one_router();
    c->routers[0].routes[0].tables.ids.clear();
    std::map<std::string, std::string> tables;
    for (int i = 0; i < 12; ++i) {
        const auto id = "rtb-" + std::to_string(i);
        tables[id] = other;
        c->routers[0].routes[0].tables.ids.emplace_back(id);
    }
    node_harness n{c};
    n.cloud.targets = tables;
    n.start();
    n.advance(361ms);
    EXPECT_EQ(n.calls("ReplaceRoute"), 12u) << "before the first answer";
    n.advance(21ms);
    for (const auto& [id, target] : n.cloud.targets) {
        EXPECT_EQ(target, me) << id;
    }
}

TEST_F(node_test, the_source_dest_check_is_only_complained_of_unless_it_may_be_switched)
{
    h.cloud.source_dest_check = true;
    start_as_active();
    EXPECT_EQ(h.calls("ModifyNetworkInterfaceAttribute"), 0u);
    EXPECT_EQ(h.log.count({"event=source_dest_check", "state=on"}), 1u);

    auto c = node_harness::one_router();
    c->routers[0].routes[0].disable_source_dest_check = true;
    node_harness n{c};
    n.cloud.source_dest_check = true;
    n.start();
    n.hear(200);
    n.advance(100ms);
    EXPECT_EQ(n.calls("ModifyNetworkInterfaceAttribute"), 0u) << "a Backup changes nothing";
    n.advance(500ms);
    EXPECT_EQ(n.calls("ModifyNetworkInterfaceAttribute"), 1u);
    EXPECT_FALSE(n.cloud.source_dest_check);
}

TEST_F(node_test, shutdown_sends_priority_zero_and_calls_nobody_and_ends_after_the_drain)
{
    start_as_active();
    h.adverts.clear();
    const auto calls_before = h.seen_calls.size();
    h.tell(shut_down{});
    ASSERT_EQ(h.adverts.size(), 1u);
    EXPECT_EQ(h.adverts[0].priority, 0);
    EXPECT_TRUE(h.has_local(vip)) << "it goes on forwarding";
    EXPECT_FALSE(h.is_stopped);
    h.advance(1100ms);
    EXPECT_TRUE(h.is_stopped);
    EXPECT_FALSE(h.has_local(vip));
    for (auto i = calls_before; i < h.seen_calls.size(); ++i) {
        EXPECT_EQ(h.seen_calls[i].action, "DescribeRouteTables");
    }
    EXPECT_EQ(h.cloud.targets["rtb-1"], me) << "the next Active takes, the last one does not give";
}

TEST_F(node_test, shutdown_of_a_backup_is_silent_and_quick)
{
    start_as_backup();
    h.tell(shut_down{});
    EXPECT_TRUE(h.is_stopped);
    EXPECT_TRUE(h.adverts.empty());
}

TEST_F(node_test, shutdown_ends_even_when_the_kernel_never_answers)
{
    start_as_active();
    h.kernel_error = 16;
    h.tell(shut_down{});
    h.advance(4s);
    EXPECT_TRUE(h.is_stopped);
}

TEST_F(node_test, step_down_hands_over_and_lets_the_peer_take_it)
{
    start_as_active();
    h.adverts.clear();
    h.tell(step_down{"web"});
    ASSERT_FALSE(h.adverts.empty());
    EXPECT_EQ(h.adverts[0].priority, 0);
    EXPECT_EQ(h.state(), state::backup);
    advance_with_peer(10s, 200);
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(node_test, maintenance_takes_the_node_out_until_it_is_switched_off)
{
    start_as_active();
    h.adverts.clear();
    h.tell(set_maintenance{true});
    EXPECT_EQ(h.state(), state::initialize);
    ASSERT_EQ(h.adverts.size(), 1u);
    EXPECT_EQ(h.adverts[0].priority, 0);
    EXPECT_EQ(h.router().state_reason, "maintenance is on");
    h.advance(10s);
    EXPECT_EQ(h.state(), state::initialize);
    h.tell(set_maintenance{false});
    EXPECT_EQ(h.state(), state::backup);
    h.advance(400ms);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.router().epoch, 2u);
}

TEST_F(node_test, losing_the_source_address_takes_the_router_out_and_its_return_brings_it_back)
{
    start_as_active();
    const net::link_address source{2, *ip_prefix::parse("10.0.1.10/24")};
    h.kernel(net::address_gone{source});
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_NE(h.router().state_reason.find("10.0.1.10 is not on this node"), std::string::npos);
    EXPECT_EQ(h.adverts.back().priority, 0);
    h.kernel(net::address_seen{source});
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(node_test, an_interface_without_carrier_takes_the_router_out)
{
    start_as_backup();
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, false}});
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_NE(h.router().state_reason.find("no carrier"), std::string::npos);
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(node_test, the_default_source_is_the_first_address_of_the_interface_that_is_no_virtual_one)
{
    auto c = node_harness::one_router();
    c->routers[0].source.reset();
    c->routers[0].addresses[0].interface = "ens5";
    node_harness n{c};
    n.local.insert({2, *ip_prefix::parse(vip)});
    n.start();
    EXPECT_EQ(n.router().source, ip_address::v4(10, 0, 1, 10));
}

TEST_F(node_test, a_reload_that_changes_the_priority_makes_no_transition)
{
    start_as_active();
    h.reload(changed([](auto& c) { c.routers[0].priority = 150; }));
    EXPECT_EQ(h.state(), state::active);
    h.advance(100ms);
    EXPECT_EQ(h.adverts.back().priority, 150);
    EXPECT_EQ(h.router().election.became_active, 1u);
    EXPECT_EQ(h.node->snapshot(h.now).configuration_reloads, 1u);
}

TEST_F(node_test, a_reload_that_cannot_be_applied_changes_nothing)
{
    start_as_active();
    h.reload(changed([](auto& c) {
        c.http.listen.clear();
        c.routers[0].priority = 150;
    }));
    h.advance(200ms);
    EXPECT_EQ(h.adverts.back().priority, 100);
    EXPECT_EQ(h.node->snapshot(h.now).configuration_refusals, 1u);
    EXPECT_EQ(h.log.count({"event=reload", "outcome=refused"}), 1u);
}

TEST_F(node_test, a_reload_that_adds_a_table_takes_it_without_a_transition)
{
    start_as_active();
    h.cloud.targets["rtb-2"] = other;
    h.reload(changed([](auto& c) { c.routers[0].routes[0].tables.ids.emplace_back("rtb-2"); }));
    h.advance(100ms);
    EXPECT_EQ(h.cloud.targets["rtb-2"], me);
    EXPECT_EQ(h.router().election.became_active, 1u);
}

TEST_F(node_test, a_reload_that_drops_a_router_hands_it_over_and_removes_its_address_after_the_drain)
{
    start_as_active();
    h.adverts.clear();
    h.reload(changed([](auto& c) {
        c.routers[0].name = "new";
        c.routers[0].vrid = 52;
        c.routers[0].addresses.clear();
        c.routers[0].routes.clear();
    }));
    ASSERT_FALSE(h.adverts.empty());
    EXPECT_EQ(h.adverts[0].priority, 0);
    EXPECT_EQ(h.node->router_count(), 1u);
    EXPECT_TRUE(h.has_local(vip));
    h.advance(1100ms);
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(node_test, a_reload_that_changes_the_vrid_begins_a_new_election_with_priority_zero_first)
{
    start_as_active();
    h.adverts.clear();
    h.reload(changed([](auto& c) { c.routers[0].vrid = 52; }));
    ASSERT_FALSE(h.adverts.empty());
    EXPECT_EQ(h.adverts[0].priority, 0);
    EXPECT_EQ(h.adverts[0].message[1], 51);
    EXPECT_EQ(h.state(), state::backup);
    h.advance(400ms);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.back().message[1], 52);
    EXPECT_EQ(h.router().election.became_active, 2u) << "counters go on";
}

TEST_F(node_test, a_peer_that_a_reload_drops_is_told_priority_zero_once)
{
    start_as_active();
    h.adverts.clear();
    h.reload(changed([](auto& c) { c.routers[0].peers = {{ip_address::v4(10, 0, 3, 10), 255}}; }));
    ASSERT_FALSE(h.adverts.empty());
    EXPECT_EQ(h.adverts[0].destination, ip_address::v4(10, 0, 2, 10));
    EXPECT_EQ(h.adverts[0].priority, 0);
    EXPECT_EQ(h.filter, std::vector{ip_address::v4(10, 0, 3, 10)});
    h.advance(1s);
    for (std::size_t i = 1; i < h.adverts.size(); ++i) {
        EXPECT_EQ(h.adverts[i].destination, ip_address::v4(10, 0, 3, 10));
    }
}

TEST_F(node_test, a_reload_without_a_change_is_invisible)
{
    start_as_active();
    h.adverts.clear();
    const auto calls = h.seen_calls.size();
    h.reload(changed([](auto&) {}));
    EXPECT_TRUE(h.adverts.empty());
    EXPECT_EQ(h.seen_calls.size(), calls);
}

TEST_F(node_test, packets_that_are_discarded_change_counters_and_log_one_line)
{
    start_as_backup();
    const byte_buffer junk(20, 0x31);
    for (int i = 0; i < 1000; ++i) {
        h.node->handle(h.now, vrrp::datagram{ip_address::v4(10, 0, 2, 10), ip_address::v4(10, 0, 1, 10), 255, junk});
        h.node->handle(h.now, vrrp::datagram{ip_address::v4(9, 9, 9, 9), ip_address::v4(10, 0, 1, 10), 255, junk});
    }
    EXPECT_FALSE(h.node->poll_output());
    EXPECT_EQ(h.log.count({"event=advert_discarded", "reason=unknown_peer"}), 1u);
    EXPECT_LE(h.log.count({"event=advert_discarded"}), 2u);
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(node_test, the_plan_says_what_a_takeover_would_change)
{
    start_as_backup();
    h.advance(100ms);
    const auto lines = h.node->plan(h.now, 0);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0], "+ 172.16.1.100/32 on lo: added by netlink");
    EXPECT_EQ(lines[1], "~ 172.16.1.100/32 in rtb-1: ReplaceRoute from eni-0000000000000000b to eni-0000000000000000a");
}

TEST_F(node_test, events_tell_the_story_in_order)
{
    start_as_active();
    std::vector<std::string> kinds;
    for (const auto& e : h.node->events_after(0)) {
        kinds.push_back(e.kind);
    }
    const auto at = [&](const char* k) { return std::ranges::find(kinds, k) - kinds.begin(); };
    EXPECT_LT(at("transition"), at("ec2_call"));
    EXPECT_LT(at("ec2_call"), std::ssize(kinds));
    EXPECT_EQ(h.log.count({"secret-of-the-test"}), 0u);
}

TEST_F(node_test, many_routers_share_one_read_of_the_same_tables)
{
    auto c = node_harness::one_router();
    for (int i = 1; i < 50; ++i) {
        auto r = c->routers[0];
        r.name = "web" + std::to_string(i);
        r.vrid = static_cast<std::uint8_t>(51 + i);
        r.addresses.clear();
        r.routes[0].destination =
            aws::route_destination::cidr(ip_prefix::host(ip_address::v4(172, 16, 2, static_cast<std::uint8_t>(i))));
        c->routers.push_back(r);
    }
    node_harness n{c};
    n.start();
    n.advance(100ms);
    EXPECT_EQ(n.calls("DescribeRouteTables"), 1u);
    n.advance(400ms);
    EXPECT_EQ(n.state(49), state::active);
}

}  // namespace
}  // namespace vipd::node
