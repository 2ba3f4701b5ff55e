#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vipd::node {
namespace {

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

// The last word of somebody who was Active too, on whichever side of a partition.
TEST_F(node_test, a_release_makes_an_active_look_and_repair_at_once_and_alarms_nobody)
{
    start_as_active();
    h.advance(20s);
    h.cloud.targets["rtb-1"] = other;
    h.hear(0);
    h.advance(300ms);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.log.count({"event=lower_priority_advert"}), 0u);
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

TEST_F(node_test, a_node_that_slept_gets_no_permit_before_it_has_looked_at_the_clock)
{
    aws::http_exchange_id mutating{};
    h.latency = 60s;
    h.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        mutating = e.mutating ? e.id : mutating;
        return std::nullopt;
    };
    start_as_backup();
    h.advance(400ms);
    ASSERT_TRUE(h.node->permit(h.now, mutating));
    auto later = h.now;
    later.steady += 5s;
    EXPECT_FALSE(h.node->permit(later, mutating)) << "a peer may be Active by now";
    h.now = later;
    h.advance(0s);
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_NE(h.router().state_reason.find("stood still"), std::string::npos) << h.router().state_reason;
    EXPECT_TRUE(h.has_local(vip)) << "until it knows, it serves what arrives";
    h.advance(400ms);
    EXPECT_EQ(h.state(), state::active) << "nobody had taken over";
    EXPECT_TRUE(h.has_local(vip));
    h.advance(3s);
    EXPECT_TRUE(h.has_local(vip));
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

TEST_F(node_test, one_that_hands_over_to_nobody_answers_until_it_is_active_again)
{
    configuration = changed([](auto& c) { c.routers[0].drain = 0s; });
    h.replace(configuration);
    start_as_active();
    h.tell(step_down{""});
    ASSERT_EQ(h.state(), state::backup);
    while (h.state() != state::active) {
        h.advance(10ms);
        ASSERT_TRUE(h.has_local("172.16.1.100/32"));
    }
    h.advance(1s);
    EXPECT_TRUE(h.has_local("172.16.1.100/32"));
}

TEST_F(node_test, the_drain_of_a_hand_over_begins_when_another_active_is_heard)
{
    start_as_active();
    h.tell(step_down{""});
    h.advance(50ms);
    h.hear(200);  // for a second from here on, and nothing that is heard later puts that off
    advance_with_peer(900ms, 200);
    EXPECT_TRUE(h.has_local(vip));
    advance_with_peer(200ms, 200);
    EXPECT_FALSE(h.has_local(vip));
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

}  // namespace
}  // namespace vipd::node
