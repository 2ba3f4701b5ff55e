#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <vector>

namespace vipd::node {
namespace {

TEST_F(node_test, nothing_happens_before_the_kernel_has_been_read)
{
    h.node->start(h.now);
    h.advance(10s);
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_TRUE(h.adverts.empty());
    EXPECT_FALSE(h.is_ready);
}

TEST_F(node_test, what_is_told_before_the_start_does_no_harm)
{
    h.kernel(net::link_seen{{1, "lo", "", true, true}});
    h.tell(step_down{"web"});
    h.start();
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(node_test, it_is_ready_when_every_router_has_been_considered)
{
    h.start();
    EXPECT_TRUE(h.is_ready);
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.filter, std::vector{ip_address::v4(10, 0, 2, 10)});
}

TEST_F(node_test, a_shutdown_after_a_stall_takes_the_addresses_along)
{
    start_as_active();
    h.now.steady += 5s;
    h.now.wall += 5s;
    h.node->handle_timeout(h.now);
    h.tell(shut_down{});
    ASSERT_EQ(h.state(), state::initialize);
    EXPECT_TRUE(h.has_local("172.16.1.100/32")) << "it drains";
    h.advance(1s + 10ms);
    EXPECT_FALSE(h.has_local("172.16.1.100/32")) << "whoever is stopping will not be Active again";
    EXPECT_TRUE(h.is_stopped);
}

TEST_F(node_test, what_ends_a_stall_does_not_say_how_long_addresses_are_kept)
{
    start_as_active();
    h.now.steady += 5s;
    h.now.wall += 5s;
    h.hear(200, 0, 40s);
    ASSERT_EQ(h.state(), state::backup);
    EXPECT_TRUE(h.has_local("172.16.1.100/32")) << "it drains";
    h.advance(2s);
    EXPECT_FALSE(h.has_local("172.16.1.100/32")) << "one down interval and the drain are 1.4 s";
}

TEST_F(node_test, without_routes_the_advert_that_ends_a_stall_takes_the_addresses)
{
    auto bare = node_harness::one_router();
    bare->routers[0].routes.clear();
    node_harness alone{bare};
    alone.start();
    alone.advance(1s);
    ASSERT_EQ(alone.state(), state::active);
    alone.now.steady += 5s;
    alone.now.wall += 5s;
    alone.hear(200);
    alone.advance(1ms);
    ASSERT_EQ(alone.state(), state::backup);
    EXPECT_FALSE(alone.has_local("172.16.1.100/32")) << "two holders would disturb each other";
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

TEST_F(node_test, what_was_received_is_still_counted_after_the_source_address_was_gone)
{
    start_as_backup();
    h.hear(200);
    const auto received = h.router().received.accepted;
    ASSERT_EQ(received, 2u);
    const net::link_address source{2, *ip_prefix::parse("10.0.1.10/24")};
    h.kernel(net::address_gone{source});
    EXPECT_EQ(h.router().received.accepted, received);
    h.kernel(net::address_seen{source});
    EXPECT_EQ(h.router().received.accepted, received);
    h.hear(200);
    EXPECT_EQ(h.router().received.accepted, received + 1);
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

TEST_F(node_test, a_shorter_reconcile_period_holds_from_the_reload_on)
{
    configuration = changed([](auto& c) { c.aws.reconcile_period = 1h; });
    h.replace(configuration);
    start_as_backup();
    advance_with_peer(1min, 200);
    ASSERT_EQ(h.calls("DescribeRouteTables"), 1u);
    h.reload(changed([](auto& c) { c.aws.reconcile_period = 10s; }));
    advance_with_peer(11s + 100ms, 200);
    EXPECT_EQ(h.calls("DescribeRouteTables"), 2u);
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

TEST_F(node_test, a_source_that_is_written_down_or_left_to_the_interface_changes_nothing)
{
    start_as_active();
    h.adverts.clear();
    const auto written_down = changed([](auto& c) { c.routers[0].source = *ip_address::parse("10.0.1.10"); });
    h.reload(written_down);
    h.reload(configuration);
    h.advance(1s);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.router().election.became_active, 1u);
    EXPECT_TRUE(std::ranges::none_of(h.adverts, [](const auto& a) { return a.priority == 0; }));
}

TEST_F(node_test, a_source_that_the_interface_does_not_have_is_not_kept_when_it_is_left_out)
{
    h.start();
    h.kernel(net::link_seen{{3, "ens6", "02:00:00:00:01:11", true, true}});
    h.kernel(net::address_seen{{3, *ip_prefix::parse("10.0.2.77/24")}});
    h.reload(changed([](auto& c) { c.routers[0].source = *ip_address::parse("10.0.2.77"); }));
    h.advance(1s);
    ASSERT_EQ(h.router().source, *ip_address::parse("10.0.2.77"));
    h.reload(configuration);
    h.advance(1s);
    EXPECT_EQ(h.router().source, *ip_address::parse("10.0.1.10"));
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(node_test, a_router_that_a_reload_makes_another_one_on_the_wire_listens_before_it_takes_over)
{
    const std::vector<std::function<void(config::configuration&)>> edits = {
        [](auto& c) { c.routers[0].vrid = 52; },
        [](auto& c) { c.routers[0].source = *ip_address::parse("10.0.1.11"); },
    };
    for (const auto& edit : edits) {
        h.replace(configuration);
        h.start();
        h.kernel(net::address_seen{{2, *ip_prefix::parse("10.0.1.11/24")}});
        h.tell(set_maintenance{true});
        h.advance(10s);
        h.reload(changed(edit));
        h.tell(set_maintenance{false});
        h.advance(350ms);
        EXPECT_EQ(h.state(), state::backup) << "what was not heard for another one says nothing";
        h.advance(12ms);
        EXPECT_EQ(h.state(), state::active);
        h.tell(set_maintenance{true});
        h.advance(5s);
    }
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

TEST_F(node_test, a_router_that_a_reload_drops_says_so_and_not_that_vipd_stops)
{
    start_as_active();
    h.reload(changed([](auto& c) {
        c.routers[0].name = "new";
        c.routers[0].addresses.clear();
    }));
    EXPECT_EQ(h.log.count({"event=standing", "router=web", "no longer configured"}), 1u);
    EXPECT_EQ(h.log.count({"vipd is stopping"}), 0u);
}

// The routes go first: then no session is asked for any more, but the one that is there lives on.
TEST_F(node_test, a_session_that_does_not_know_this_instance_is_not_asked_to_by_a_detour)
{
    start_as_active();
    h.reload(changed([](auto& c) { c.routers[0].routes.clear(); }));
    EXPECT_EQ(h.node->snapshot(h.now).configuration_reloads, 1u);
    const auto by_vpc = changed([](auto& c) {
        c.routers[0].routes[0].tables = {{}, true, {}};
        c.routers[0].routes[0].interface_id.reset();
    });
    EXPECT_FALSE(h.node->can_reload(*by_vpc));
    h.reload(by_vpc);
    EXPECT_EQ(h.node->snapshot(h.now).configuration_refusals, 1u);
}

// --- addresses in a reload ---

TEST_F(node_test, a_router_that_a_reload_renames_while_active_leaves_its_address_alone_until_the_drain_has_ended)
{
    start_as_active();
    const auto kernel_calls = [&] { return std::ranges::count(h.order, "kernel"); };
    const auto before = kernel_calls();
    h.reload(changed([](auto& c) { c.routers[0].name = "new"; }));
    h.advance(900ms);
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_EQ(h.state(), state::active) << "the new one took over within the drain";
    h.advance(5s);
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_EQ(kernel_calls(), before) << "neither removed nor added";
    EXPECT_EQ(h.log.count({"event=address_lost"}), 0u);
    h.tell(set_maintenance{true});
    h.advance(2s);
    EXPECT_FALSE(h.has_local(vip)) << "the new one owns it now";
}

TEST_F(node_test, the_address_of_a_renamed_router_goes_when_the_drain_ends_and_the_new_one_is_backup)
{
    start_as_active();
    h.reload(changed([](auto& c) { c.routers[0].name = "new"; }));
    advance_with_peer(900ms, 200);
    EXPECT_TRUE(h.has_local(vip));
    advance_with_peer(300ms, 200);
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_FALSE(h.has_local(vip));
    EXPECT_EQ(h.log.count({"event=address", "outcome=failed"}), 0u);
}

TEST_F(node_test, an_address_that_a_reload_moves_between_routers_that_are_active_is_not_touched)
{
    const auto two = [](auto& c) {
        c.routers.push_back(c.routers[0]);
        c.routers[1].name = "b";
        c.routers[1].vrid = 52;
        c.routers[1].routes.clear();
        c.routers[1].addresses.clear();
    };
    for (const bool forwards : {true, false}) {
        auto c = changed(two);
        std::swap(c->routers[0].addresses, c->routers[forwards ? 0 : 1].addresses);
        node_harness n{c};
        n.start();
        n.advance(500ms);
        ASSERT_EQ(n.state(0), state::active);
        ASSERT_EQ(n.state(1), state::active);
        ASSERT_TRUE(n.has_local(vip));
        const auto before = std::ranges::count(n.order, "kernel");
        auto moved = std::make_shared<config::configuration>(*c);
        std::swap(moved->routers[0].addresses, moved->routers[1].addresses);
        n.reload(moved);
        n.advance(5s);
        EXPECT_TRUE(n.has_local(vip));
        EXPECT_EQ(std::ranges::count(n.order, "kernel"), before) << forwards;
        EXPECT_EQ(n.router(forwards ? 1 : 0).resources.at(0).state, status::resource_state::here);
    }
}

TEST_F(node_test, an_address_that_a_reload_takes_from_an_active_router_goes_at_once)
{
    start_as_active();
    h.reload(changed([](auto& c) { c.routers[0].addresses.clear(); }));
    EXPECT_FALSE(h.has_local(vip));
}

// The configuration refuses this where it can see it; with `interface` it cannot.
TEST_F(node_test, an_address_that_was_there_at_the_start_and_is_a_source_is_never_removed)
{
    configuration->routers[0].source.reset();
    node_harness n{std::make_shared<config::configuration>(*configuration)};
    n.local.insert({2, *ip_prefix::parse("10.0.1.10/24")});
    n.start();
    ASSERT_EQ(n.router().source, ip_address::v4(10, 0, 1, 10));
    n.hear(200);
    auto next = std::make_shared<config::configuration>(*configuration);
    auto& moved = next->routers[0].addresses.emplace_back();
    moved.address = *ip_prefix::parse("10.0.1.10/24");
    moved.interface = "ens5";
    n.reload(next);
    for (int i = 0; i < 20; ++i) {
        n.hear(200);
        n.advance(100ms);
    }
    EXPECT_TRUE(n.has_local("10.0.1.10/24"));
    EXPECT_EQ(n.state(), state::backup);
}

// --- stepping down ---

TEST_F(node_test, what_a_step_down_would_do_is_said_before)
{
    const auto said = [&](std::string_view name) {
        const auto r = h.node->can_step_down(name);
        return r ? *r : "refused: " + r.error().text;
    };
    start_as_backup();
    EXPECT_EQ(said("web"), "refused: router web is Backup here, Active is 10.0.2.10: run it there");
    EXPECT_EQ(said(""), said("web"));
    h.advance(500ms);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(said("web"), "router web hands over");
    EXPECT_EQ(said(""), "router web hands over");
    h.tell(step_down{""});
    EXPECT_EQ(said("web"), "refused: router web is Backup here, and it hears no Active: there is nothing to hand over");
    h.tell(set_maintenance{true});
    EXPECT_EQ(said("web"), "refused: router web is Initialize here: maintenance is on");
    EXPECT_EQ(said("nginx"), "refused: there is no router nginx");
}

TEST_F(node_test, a_step_down_of_all_names_those_that_hand_over)
{
    auto c = changed([](auto& all) {
        for (int i = 1; i < 30; ++i) {
            auto r = all.routers[0];
            r.name = "r" + std::to_string(i);
            r.vrid = static_cast<std::uint8_t>(51 + i);
            r.addresses.clear();
            r.routes.clear();
            all.routers.push_back(r);
        }
    });
    node_harness n{c};
    n.start();
    n.advance(200ms);
    for (std::size_t i = 3; i < 30; ++i) {
        n.hear(200, i);
    }
    n.advance(200ms);
    EXPECT_EQ(n.node->can_step_down("").value(), "routers web, r1, r2 hand over");
    n.advance(1s);
    EXPECT_TRUE(n.node->can_step_down("").value().ends_with("r18, r19 and 10 more hand over"))
        << n.node->can_step_down("").value();
    n.tell(step_down{""});
    EXPECT_EQ(n.node->can_step_down("").error().text, "no router is Active here: there is nothing to hand over");
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

TEST_F(node_test, what_goes_wrong_at_the_socket_is_counted_and_ends_nothing)
{
    start_as_active();
    h.adverts.clear();
    h.tell(advert_not_sent{0, ENETDOWN});
    h.tell(advert_not_sent{7, ENOBUFS});
    h.hear(advert_received{ip_address::v4(10, 0, 2, 10), ip_address::v4(10, 0, 1, 10), 255, {}});
    EXPECT_TRUE(h.adverts.empty()) << "neither an end nor an answer";
    h.advance(100ms);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.size(), 1u);
    EXPECT_EQ(h.router().adverts_send_errors, 1u);
    EXPECT_EQ(h.node->snapshot(h.now).discarded_before_router[0], 1u) << "malformed";
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

TEST_F(node_test, the_plan_says_what_it_does_not_know)
{
    auto c = changed([](auto& all) {
        all.routers[0].routes[0].interface_id.reset();
        all.routers[0].routes[0].interface = "ens5";
    });
    node_harness n{c};
    n.intercept = [](const auto&) { return node_harness::failure(false, "no route to host"); };
    n.start();
    const auto lines = n.node->plan(n.now, 0);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_TRUE(lines[1].starts_with("? 172.16.1.100/32: waiting for the instance metadata service")) << lines[1];
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
