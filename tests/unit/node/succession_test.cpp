#include "agent/node/succession.hpp"

#include "agent/vrrp/authentication.hpp"
#include "common/bytes.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

// A process that takes the place of another one of the same node: what it is left, and that nobody notices.

namespace vipd::node {
namespace {

class succession_test : public node_test {
protected:
    static constexpr auto second_vip = "172.16.1.200/32";
    void with_a_second_router(const std::function<void(config::configuration&)>& edit = [](auto&) {})
    {
        configuration = changed([&](auto& c) {
            auto second = c.routers[0];
            second.name = "second";
            second.vrid = 52;
            second.routes.clear();
            second.addresses[0].address = *ip_prefix::parse(second_vip);
            c.routers.push_back(second);
            edit(c);
        });
        h.replace(configuration);
    }
    void become_active_and_confirm()
    {
        start_as_active();
        h.advance(5s);
        ASSERT_EQ(h.resource(kind::route).state, status::resource_state::here);
        h.adverts.clear();
        h.seen_calls.clear();
        h.order.clear();
    }
    static config::tracker server(const std::string& name)
    {
        config::tracker tracker;
        tracker.name = name;
        tracker.what.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), 8080};
        return tracker;
    }
    void track_a_server()
    {
        configuration = changed([](auto& c) { c.routers[0].trackers = {server("haproxy")}; });
        h.replace(configuration);
    }
    void start_and_answer(health::probe_outcome outcome)
    {
        h.start();
        h.advance(100ms);
        ASSERT_EQ(h.probes.size(), 1U);
        h.tell(probe_ended{h.probes[0].what.id, outcome, "connection refused", 0, false});
        h.advance(500ms);
    }
    // Of a signed advert.
    static vrrp::sequence sequence_of(const test::sent_advert& advert)
    {
        const auto trailer = byte_view{advert.message}.last(vrrp::trailer_size);
        return vrrp::sequence{load_big_u32(trailer, 4)} << 32U | load_big_u32(trailer, 8);
    }
    // Of those since then.
    [[nodiscard]] std::size_t kernel_changes() const { return static_cast<std::size_t>(std::ranges::count(h.order, "kernel")); }
};

TEST_F(succession_test, an_active_stays_active_and_only_reads)
{
    become_active_and_confirm();
    const auto epoch = h.router().epoch;
    const auto last_advert = h.now.steady;
    h.succeed(80ms);
    h.start();
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.router().epoch, epoch);
    EXPECT_EQ(h.router().state_reason, "the vipd that was restarted here was Active");
    ASSERT_EQ(h.adverts.size(), 1U);
    EXPECT_EQ(h.adverts[0].priority, 100);
    EXPECT_EQ(h.adverts[0].at, last_advert + 80ms);
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_EQ(kernel_changes(), 0U) << "its address has been there all along";
    h.advance(30s);
    EXPECT_EQ(h.resource(kind::route).state, status::resource_state::here);
    EXPECT_GT(h.calls("DescribeRouteTables"), 1U);
    EXPECT_EQ(h.calls("ReplaceRoute") + h.calls("CreateRoute"), 0U);
    EXPECT_EQ(h.router().takeovers.all_confirmed.sum_seconds, 0.0) << "it is no takeover";
    EXPECT_FALSE(h.router().last_takeover.has_value());
}

TEST_F(succession_test, what_is_not_here_is_taken_after_the_first_read)
{
    become_active_and_confirm();
    h.succeed(80ms);
    h.cloud.targets["rtb-1"] = other;
    h.start();
    h.advance(300ms);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    const auto first_of = [&](const std::string& action) {
        return std::ranges::find(h.seen_calls, action, &node_harness::seen_call::action) - h.seen_calls.begin();
    };
    EXPECT_LT(first_of("DescribeRouteTables"), first_of("ReplaceRoute"));
}

TEST_F(succession_test, a_cloud_that_cannot_be_read_is_written_to_after_ten_seconds)
{
    become_active_and_confirm();
    h.intercept = [](const aws::http_exchange& e) {
        return e.mutating ? std::nullopt : std::optional{node_harness::failure(true, "no route to host")};
    };
    h.succeed(80ms);
    h.cloud.targets["rtb-1"] = other;
    h.start();
    h.advance(9s);
    EXPECT_EQ(h.calls("ReplaceRoute"), 0U);
    h.advance(2s);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
}

TEST_F(succession_test, one_that_comes_too_late_starts_as_a_backup_and_takes_its_address_off)
{
    become_active_and_confirm();
    h.succeed(400ms);
    h.start();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_TRUE(h.adverts.empty());
    h.hear(200);
    h.advance(50ms);
    EXPECT_EQ(h.state(), state::backup);
    advance_with_peer(2s, 200);
    EXPECT_FALSE(h.has_local(vip));
    EXPECT_EQ(h.calls("ReplaceRoute") + h.calls("CreateRoute"), 0U);
}

TEST_F(succession_test, nor_does_a_longer_interval_make_one_that_comes_too_late_an_active)
{
    become_active_and_confirm();
    h.succeed(400ms, changed([](auto& c) { c.routers[0].advert_interval = 1s; }));
    h.start();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_TRUE(h.adverts.empty());
}

TEST_F(succession_test, a_shorter_interval_makes_nobody_late)
{
    configuration = changed([](auto& c) { c.routers[0].advert_interval = 1s; });
    h.replace(configuration);
    h.start();
    h.advance(5s);
    ASSERT_EQ(h.state(), state::active);
    h.succeed(2s, changed([](auto& c) { c.routers[0].advert_interval = 100ms; }));
    h.start();
    EXPECT_EQ(h.state(), state::active) << "the peers wait by the interval that they know";
}

TEST_F(succession_test, a_backup_is_a_backup_again)
{
    start_as_backup();
    h.hear(200);
    h.succeed(80ms);
    h.start();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_TRUE(h.adverts.empty());
}

TEST_F(succession_test, a_backup_knows_the_interval_of_a_slower_active)
{
    start_as_backup();
    h.hear(200, 0, 4s);
    h.succeed(80ms);
    h.start();
    h.succeed(80ms);  // nor does one that has heard nothing forget it
    h.start();
    h.advance(11s);
    EXPECT_EQ(h.state(), state::backup);
    h.hear(200);
    h.advance(1s);
    EXPECT_EQ(h.state(), state::active) << "what is heard counts, and not what was left";
}

TEST_F(succession_test, one_that_a_reload_makes_another_one_before_its_start_begins_anew)
{
    become_active_and_confirm();
    h.succeed(80ms);
    h.reload(changed([](auto& c) { c.routers[0].vrid = 99; }));
    h.start();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(succession_test, another_router_on_the_wire_has_learned_no_interval)
{
    start_as_backup();
    h.hear(200, 0, 4s);
    h.succeed(80ms, changed([](auto& c) { c.routers[0].vrid = 99; }));
    h.start();
    h.advance(1s);
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(succession_test, an_advert_that_is_better_is_heard_as_ever)
{
    become_active_and_confirm();
    h.succeed(80ms);
    h.start();
    ASSERT_EQ(h.state(), state::active);
    h.hear(200);
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(succession_test, a_configuration_that_is_another_router_on_the_wire_begins_anew)
{
    become_active_and_confirm();
    h.succeed(80ms, changed([](auto& c) { c.routers[0].vrid = 99; }));
    h.start();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.router().epoch, 1U) << "epochs go on, all the same";
}

TEST_F(succession_test, another_priority_is_that_of_the_first_advert)
{
    become_active_and_confirm();
    h.succeed(80ms, changed([](auto& c) { c.routers[0].priority = 90; }));
    h.start();
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.front().priority, 90);
}

TEST_F(succession_test, an_interface_that_is_down_ends_it_as_ever)
{
    become_active_and_confirm();
    h.succeed(80ms);
    h.node->start(h.now);
    h.kernel(net::link_seen{{1, "lo", "", true, true}});
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, false}});
    h.kernel(net::address_seen{{2, *ip_prefix::parse("10.0.1.10/24")}});
    h.kernel(net::address_seen{{1, *ip_prefix::parse(vip)}});
    h.kernel(net::dump_done{});
    EXPECT_EQ(h.state(), state::initialize);
    h.advance(3s);
    EXPECT_FALSE(h.has_local(vip));
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
    EXPECT_EQ(h.state(), state::backup) << "by then the peers have taken over";
}

TEST_F(succession_test, maintenance_stays_on)
{
    start_as_backup();
    h.tell(set_maintenance{true});
    h.succeed(80ms);
    h.start();
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_TRUE(h.node->snapshot(h.now).maintenance);
}

TEST_F(succession_test, a_source_that_nobody_configured_is_the_one_the_peers_know)
{
    configuration = changed([](auto& c) { c.routers[0].source.reset(); });
    for (const auto role : {state::active, state::backup}) {
        h.replace(configuration);
        h.start();
        h.advance(role == state::active ? 500ms : 100ms);
        ASSERT_EQ(h.state(), role);
        h.succeed(80ms);
        h.node->start(h.now);
        h.kernel(net::link_seen{{1, "lo", "", true, true}});
        h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
        h.kernel(net::address_seen{{2, *ip_prefix::parse("10.0.1.5/24")}});  // the kernel lists another one first
        h.kernel(net::address_seen{{2, *ip_prefix::parse("10.0.1.10/24")}});
        h.kernel(net::address_seen{{1, *ip_prefix::parse(vip)}});
        h.kernel(net::dump_done{});
        EXPECT_EQ(h.state(), role);
        EXPECT_EQ(h.router().source, *ip_address::parse("10.0.1.10"));
    }
}

TEST_F(succession_test, hooks_hear_of_nothing)
{
    configuration = changed([](auto& c) {
        auto& hooks = c.routers[0].hooks.emplace();
        hooks.commands[static_cast<std::size_t>(config::hook_event::active)] = {{"/bin/a"}};
        hooks.commands[static_cast<std::size_t>(config::hook_event::owned)] = {{"/bin/b"}};
    });
    h.replace(configuration);
    h.start();
    h.advance(1s);
    ASSERT_EQ(h.programs.size(), 1U);
    EXPECT_FALSE(h.node->can_be_succeeded().has_value()) << "its end would be seen by nobody";
    for (std::size_t i = 0; i < h.programs.size(); ++i) {
        h.tell(process_ended{h.programs[i].id, hooks::process_end::exited, 0, "", false});
        h.advance(1s);
    }
    ASSERT_EQ(h.programs.size(), 2U);
    ASSERT_TRUE(h.node->can_be_succeeded().has_value());
    h.succeed(80ms);
    h.start();
    h.advance(5s);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.programs.size(), 2U);
    h.hear(200);
    h.advance(100ms);
    EXPECT_EQ(h.programs.size(), 2U) << "none is configured for backup";
}

TEST_F(succession_test, nobody_takes_the_place_of_one_that_starts_or_stops)
{
    h.node->start(h.now);
    EXPECT_FALSE(h.node->can_be_succeeded().has_value());
    h.start();
    EXPECT_TRUE(h.node->can_be_succeeded().has_value());
    h.tell(shut_down{});
    EXPECT_FALSE(h.node->can_be_succeeded().has_value());
}

TEST_F(succession_test, a_node_that_stood_still_leaves_nobody_active)
{
    become_active_and_confirm();
    h.now.steady += 5s;
    EXPECT_FALSE(h.node->leave_behind(h.now).routers[0].advert_due.has_value());
}

TEST_F(succession_test, what_was_well_counts_so_until_its_first_answer)
{
    track_a_server();
    h.start();
    h.advance(100ms);
    ASSERT_EQ(h.probes.size(), 1U);
    h.tell(probe_ended{h.probes[0].what.id, health::probe_outcome::passed, "", 0, false});
    h.advance(500ms);
    ASSERT_EQ(h.state(), state::active);
    h.adverts.clear();
    h.succeed(80ms);
    h.start();
    EXPECT_EQ(h.state(), state::active) << "it has not been looked at, and was well a moment ago";
    h.advance(200ms);
    h.tell(probe_ended{h.probes.back().what.id, health::probe_outcome::failed, "connection refused", 0, false});
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.adverts.back().priority, 0);
}

TEST_F(succession_test, what_was_not_well_keeps_it_out_until_it_is)
{
    track_a_server();
    h.start();
    h.advance(100ms);
    h.tell(probe_ended{h.probes.at(0).what.id, health::probe_outcome::failed, "connection refused", 0, false});
    h.succeed(80ms);
    h.start();
    h.advance(50ms);
    EXPECT_EQ(h.state(), state::initialize);
}

TEST_F(succession_test, a_tracker_that_is_new_in_the_file_is_no_transition)
{
    track_a_server();
    start_and_answer(health::probe_outcome::passed);
    const auto epoch = h.router().epoch;
    h.adverts.clear();
    h.succeed(80ms, changed([](auto& c) { c.routers[0].trackers = {server("haproxy"), server("nginx")}; }));
    h.start();
    ASSERT_EQ(h.state(), state::active) << "it has not been looked at, as after a reload";
    EXPECT_EQ(h.router().epoch, epoch);
    EXPECT_EQ(h.adverts.size(), 1U);
    h.advance(200ms);
    h.tell(probe_ended{h.probes.back().what.id, health::probe_outcome::failed, "connection refused", 0, false});
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.adverts.back().priority, 0);
}

TEST_F(succession_test, what_was_well_counts_so_after_a_reload_before_the_start)
{
    track_a_server();
    start_and_answer(health::probe_outcome::passed);
    ASSERT_EQ(h.state(), state::active);
    h.succeed(80ms);
    h.reload(changed([](auto& c) {
        c.routers[0].preempt_delay = 1s;
        c.routers[0].trackers.push_back(server("nginx"));
    }));
    h.start();
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(succession_test, what_was_well_counts_so_no_more_after_an_answer_and_a_reload)
{
    track_a_server();
    start_and_answer(health::probe_outcome::passed);
    h.succeed(80ms);
    h.start();
    h.advance(50ms);
    h.tell(probe_ended{h.probes.back().what.id, health::probe_outcome::failed, "connection refused", 0, false});
    ASSERT_EQ(h.state(), state::initialize);
    h.reload(changed([](auto& c) {
        c.routers[0].trackers[0].what.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), 9090};
    }));
    EXPECT_EQ(h.state(), state::initialize);
}

TEST_F(succession_test, a_tracker_of_another_name_keeps_out_what_took_no_part)
{
    track_a_server();
    start_and_answer(health::probe_outcome::failed);
    ASSERT_EQ(h.state(), state::initialize);
    h.succeed(80ms, changed([](auto& c) { c.routers[0].trackers = {server("nginx")}; }));
    h.start();
    EXPECT_EQ(h.state(), state::initialize);
}

TEST_F(succession_test, a_number_in_a_file_counts_until_it_is_read_again)
{
    configuration = changed([](auto& c) {
        auto& tracker = c.routers[0].trackers.emplace_back();
        tracker.name = "operator";
        tracker.what.target = config::file_check{"/run/weight"};
        tracker.weight = 1;
    });
    h.replace(configuration);
    start_as_active();
    h.tell(probe_ended{h.probes.back().what.id, health::probe_outcome::passed, "", -40, false});
    ASSERT_EQ(h.router().effective_priority, 60);
    for (int i = 0; i < 2; ++i) {
        h.adverts.clear();
        h.succeed(80ms);
        h.start();
        ASSERT_EQ(h.state(), state::active);
        EXPECT_EQ(h.adverts.front().priority, 60);
    }
    h.advance(50ms);
    h.tell(probe_ended{h.probes.back().what.id, health::probe_outcome::passed, "", -30, false});
    EXPECT_EQ(h.router().effective_priority, 70);
}

TEST_F(succession_test, epochs_and_signatures_go_on_above_those_of_one_that_had_no_address)
{
    vrrp::hmac_settings hmac;
    hmac.against_replay = vrrp::anti_replay::monotonic;
    hmac.keys.push_back({1, *vrrp::hmac_secret::from_file(byte_buffer(32, 0x81))});
    configuration = changed([&](auto& c) { c.routers[0].auth.hmac = hmac; });
    h.replace(configuration);
    start_as_active();
    const auto last = sequence_of(h.adverts.back());
    const net::address_seen own{{2, *ip_prefix::parse("10.0.1.10/24")}};
    h.kernel(net::address_gone{own.value});
    ASSERT_EQ(h.state(), state::initialize);
    h.now.wall -= 1h;
    h.succeed(80ms);
    h.start();
    h.advance(1s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.router().epoch, 2U);
    EXPECT_TRUE(vrrp::is_after(sequence_of(h.adverts.back()), last));
}

TEST_F(succession_test, an_address_that_the_file_names_no_more_is_removed)
{
    become_active_and_confirm();
    h.local.insert({1, *ip_prefix::parse("172.16.9.9/32")});
    for (const auto* next : {"172.16.1.101/32", "172.16.1.101/24"}) {
        const auto before = *h.local.begin();
        h.succeed(80ms, changed([&](auto& c) { c.routers[0].addresses[0].address = *ip_prefix::parse(next); }));
        h.start();
        EXPECT_EQ(h.state(), state::active);
        EXPECT_TRUE(h.has_local(next));
        EXPECT_FALSE(h.has_local(before.second.to_string()));
        EXPECT_EQ(h.log.count({"event=address_remains", "found=1"}), 1U);
        h.log.lines.clear();
    }
    EXPECT_TRUE(h.has_local("172.16.9.9/32")) << "it was somebody else's all along";
}

TEST_F(succession_test, an_address_that_another_router_has_now_stays)
{
    become_active_and_confirm();
    h.succeed(80ms, changed([](auto& c) {
                  auto second = c.routers[0];
                  second.name = "second";
                  second.vrid = 52;
                  second.routes.clear();
                  second.addresses[0].when = config::address_lifetime::always;
                  c.routers[0].addresses.clear();
                  c.routers.push_back(second);
              }));
    h.start();
    h.advance(1s);
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_EQ(kernel_changes(), 0U);
}

TEST_F(succession_test, an_address_of_a_router_that_the_file_names_no_more_is_removed)
{
    const auto without = configuration;
    with_a_second_router();
    become_active_and_confirm();
    ASSERT_TRUE(h.has_local(second_vip));
    h.succeed(80ms, without);
    h.start();
    EXPECT_EQ(h.state(), state::active);
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_FALSE(h.has_local(second_vip));
}

TEST_F(succession_test, an_address_that_drains_after_a_reload_is_removed)
{
    const auto without = configuration;
    with_a_second_router();
    become_active_and_confirm();
    h.reload(without);
    ASSERT_TRUE(h.has_local(second_vip)) << "it drains";
    h.succeed(80ms, without);
    h.start();
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_FALSE(h.has_local(second_vip));
}

TEST_F(succession_test, an_address_that_cannot_be_removed_is_left_to_the_next_one_as_well)
{
    const auto without = configuration;
    with_a_second_router();
    become_active_and_confirm();
    h.kernel_error = 1;
    for (int i = 0; i < 2; ++i) {
        h.succeed(80ms, without);
        h.start();
        ASSERT_TRUE(h.has_local(second_vip));
    }
    h.kernel_error = 0;
    h.advance(2s);
    EXPECT_FALSE(h.has_local(second_vip));
    EXPECT_TRUE(h.has_local(vip));
}

TEST_F(succession_test, an_address_that_is_the_nodes_own_stays_when_the_file_names_it_no_more)
{
    configuration = changed(
        [](auto& c) { c.routers[0].addresses.push_back({.address = *ip_prefix::parse("10.0.1.10/24"), .interface = "ens5"}); });
    h.local.insert({2, *ip_prefix::parse("10.0.1.10/24")});
    h.replace(configuration);
    become_active_and_confirm();
    h.succeed(80ms, changed([](auto& c) {
                  c.routers[0].addresses.pop_back();
                  c.routers[0].source = ip_address::v4(10, 0, 1, 11);
              }));
    h.start();
    h.advance(1s);
    EXPECT_TRUE(h.has_local("10.0.1.10/24"));
}

TEST_F(succession_test, an_address_that_is_left_over_is_nobodys_source)
{
    configuration = changed([](auto& c) {
        c.routers[0].source.reset();
        c.routers[0].addresses[0] = {.address = *ip_prefix::parse("10.0.1.5/24"), .interface = "ens5"};
    });
    h.replace(configuration);
    become_active_and_confirm();
    ASSERT_EQ(h.router().source, *ip_address::parse("10.0.1.10"));
    h.succeed(80ms, changed([](auto& c) {
                  c.routers[0].addresses.clear();
                  c.routers[0].name = "another";
              }));
    h.node->start(h.now);
    h.kernel(net::link_seen{{1, "lo", "", true, true}});
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
    h.kernel(net::address_seen{{2, *ip_prefix::parse("10.0.1.5/24")}});  // the kernel lists it first
    h.kernel(net::address_seen{{2, *ip_prefix::parse("10.0.1.10/24")}});
    h.kernel(net::dump_done{});
    EXPECT_EQ(h.router().source, *ip_address::parse("10.0.1.10"));
    EXPECT_FALSE(h.has_local("10.0.1.5/24"));
}

TEST_F(succession_test, a_signature_is_above_those_of_the_processes_before)
{
    for (const auto kind : {vrrp::anti_replay::monotonic, vrrp::anti_replay::time}) {
        vrrp::hmac_settings signed_by_all;
        signed_by_all.mode = vrrp::hmac_mode::permissive;
        signed_by_all.against_replay = kind;
        signed_by_all.keys.push_back({1, *vrrp::hmac_secret::from_file(byte_buffer(32, 0x81))});
        configuration = changed([&](auto& c) { c.routers[0].auth.hmac = signed_by_all; });
        h.replace(configuration);
        const auto ahead = kind == vrrp::anti_replay::monotonic ? 1h : duration{3s};
        h.now.wall += ahead;
        start_as_active();
        auto last = sequence_of(h.adverts.back());
        h.now.wall -= ahead;
        h.succeed(80ms);
        h.start();
        ASSERT_EQ(h.state(), state::active);
        EXPECT_TRUE(vrrp::is_after(sequence_of(h.adverts.back()), last));
        last = sequence_of(h.adverts.back());
        // One that signs nothing passes it on.
        h.hear(200);
        for (int i = 0; i < 2; ++i) {
            h.succeed(80ms);
            h.start();
            ASSERT_EQ(h.state(), state::backup);
        }
        h.advance(500ms);
        ASSERT_EQ(h.state(), state::active);
        EXPECT_TRUE(vrrp::is_after(sequence_of(h.adverts.back()), last));
    }
}

TEST_F(succession_test, a_sync_group_goes_on_as_a_whole)
{
    with_a_second_router([](auto& c) { c.sync_groups = {{"both", {"web", "second"}}}; });
    become_active_and_confirm();
    h.succeed(80ms);
    h.start();
    EXPECT_EQ(h.state(0), state::active);
    EXPECT_EQ(h.state(1), state::active);
    for (const auto& advert : h.adverts) {
        EXPECT_EQ(advert.priority, 100);
    }
}

}  // namespace
}  // namespace vipd::node
