// When a node runs which hook, and where that stands among everything else that it does.

#include "tests/unit/node/node_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace vipd::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using words = std::vector<std::string>;

class node_hooks_test : public node_test {
protected:
    node_hooks_test()
    {
        configuration->routers[0].hooks.emplace();
        for (const auto event : config::hook_events) {
            program_for(event).argv = {"/hook"};
        }
        h.replace(configuration);
    }

    config::command& program_for(config::hook_event event)
    {
        return configuration->routers[0].hooks->commands[static_cast<std::size_t>(event)];
    }

    static std::string variable(const hooks::start_process& program, const std::string& name)
    {
        for (const auto& text : program.environment) {
            if (text.starts_with("VIPD_" + name + "=")) {
                return text.substr(name.size() + 6);
            }
        }
        return "not there";
    }

    // Every program ends at once, with success, until none begins any more.
    void let_programs_end()
    {
        while (ended < h.programs.size()) {
            h.tell(process_ended{h.programs[ended++].id, hooks::process_end::exited, 0, "", false});
        }
    }

    void restart(std::shared_ptr<const config::configuration> next = nullptr)
    {
        h.succeed(80ms, std::move(next));
        h.start();
        let_programs_end();
    }

    [[nodiscard]] words events() const
    {
        words all;
        for (const auto& program : h.programs) {
            all.push_back(variable(program, "EVENT"));
        }
        return all;
    }

    std::size_t ended = 0;
};

TEST_F(node_hooks_test, a_life_is_told_in_its_order)
{
    start_as_backup();
    let_programs_end();
    EXPECT_EQ(events(), words{"backup"});
    h.advance(3s);
    let_programs_end();
    h.advance(2s);
    let_programs_end();
    ASSERT_EQ(events(), (words{"backup", "active", "owned"}));
    EXPECT_EQ(variable(h.programs[0], "PREVIOUS_STATE"), "Initialize");
    EXPECT_EQ(variable(h.programs[0], "EPOCH"), "0");
    const auto& active = h.programs[1];
    EXPECT_EQ(variable(active, "ROUTER"), "web");
    EXPECT_EQ(variable(active, "VRID"), "51");
    EXPECT_EQ(variable(active, "STATE"), "Active");
    EXPECT_EQ(variable(active, "PREVIOUS_STATE"), "Backup");
    EXPECT_EQ(variable(active, "EPOCH"), "1");
    EXPECT_TRUE(variable(active, "REASON").starts_with("no advert for"));
    EXPECT_EQ(variable(active, "PRIORITY"), "100");
    EXPECT_EQ(variable(active, "ADDRESSES"), "172.16.1.100");
    EXPECT_EQ(variable(active, "INTERFACE"), "ens5");
    EXPECT_EQ(variable(active, "SOURCE"), "10.0.1.10");
    EXPECT_EQ(variable(active, "ACTIVE_ADDRESS"), "10.0.1.10");
    h.hear(200);
    let_programs_end();
    EXPECT_EQ(events().back(), "backup");
    EXPECT_EQ(variable(h.programs.back(), "ACTIVE_ADDRESS"), "10.0.2.10");
    EXPECT_EQ(variable(h.programs.back(), "PREVIOUS_STATE"), "Active");
    h.tell(shut_down{});
    EXPECT_EQ(events().back(), "stopping");
}

TEST_F(node_hooks_test, hook_comes_behind_everything_that_follows_the_role)
{
    start_as_backup();
    let_programs_end();
    h.order.clear();
    h.advance(1s);
    const auto place = [&](const std::string& what) { return std::ranges::find(h.order, what) - h.order.begin(); };
    const auto hook = place("hook");
    ASSERT_LT(hook, std::ssize(h.order));
    EXPECT_LT(place("kernel"), hook);
    EXPECT_LT(place("advert"), hook);
    EXPECT_LT(place("http"), hook);
}

TEST_F(node_hooks_test, ownership_waits_for_the_read_that_shows_the_route_here)
{
    start_as_backup();
    let_programs_end();
    h.intercept = [](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        return e.mutating ? std::optional{node_harness::failure(true)} : std::nullopt;
    };
    h.advance(3s);
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "active"}));
    h.intercept = {};
    h.advance(10s);
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "active", "owned"}));
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    // Once in an epoch: what is put back later is no news.
    h.cloud.targets["rtb-1"] = other;
    h.advance(60s);
    let_programs_end();
    EXPECT_EQ(events().size(), 3U);
}

TEST_F(node_hooks_test, router_without_cloud_owns_all_when_its_address_is_there)
{
    configuration->routers[0].routes.clear();
    h.replace(configuration);
    h.start();
    h.kernel_error = 1;
    h.advance(1s);
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "active"}));
    h.kernel_error = 0;
    h.advance(2s);
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "active", "owned"}));
}

TEST_F(node_hooks_test, link_that_fails_is_a_fault_once_and_backup_follows_when_it_returns)
{
    start_as_backup();
    let_programs_end();
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, false}});
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", false, false}});
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "fault"}));
    EXPECT_EQ(variable(h.programs[1], "STATE"), "Initialize");
    EXPECT_EQ(variable(h.programs[1], "PREVIOUS_STATE"), "Backup");
    EXPECT_EQ(variable(h.programs[1], "REASON"), "interface 'ens5' has no carrier");
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "fault", "backup"}));
}

TEST_F(node_hooks_test, node_that_starts_without_its_link_tells_the_fault)
{
    configuration->routers[0].interface = "ens9";
    h.replace(configuration);
    h.start();
    let_programs_end();
    EXPECT_EQ(events(), words{"fault"});
    EXPECT_EQ(variable(h.programs[0], "PREVIOUS_STATE"), "Initialize");
    h.tell(shut_down{});
    EXPECT_EQ(events().back(), "stopping");
    EXPECT_EQ(variable(h.programs.back(), "PREVIOUS_STATE"), "Initialize");
}

TEST_F(node_hooks_test, maintenance_is_told_as_a_fault)
{
    start_as_backup();
    let_programs_end();
    h.tell(set_maintenance{true});
    let_programs_end();
    EXPECT_EQ(events().back(), "fault");
    EXPECT_EQ(variable(h.programs.back(), "REASON"), "maintenance is on");
}

TEST_F(node_hooks_test, lower_adverts_are_told_once_in_ten_seconds)
{
    start_as_active();
    h.advance(5s);
    let_programs_end();
    h.programs.clear();
    ended = 0;
    for (int i = 0; i < 95; ++i) {
        h.hear(50);
        let_programs_end();
        h.advance(100ms);
    }
    EXPECT_EQ(events(), words{"lower_priority_advert"});
    h.advance(1s);
    h.hear(50);
    let_programs_end();
    EXPECT_EQ(events().size(), 2U);
}

TEST_F(node_hooks_test, end_waits_for_the_program_that_tells_it)
{
    start_as_active();
    h.advance(5s);
    let_programs_end();
    h.adverts.clear();
    h.order.clear();
    h.tell(shut_down{});
    EXPECT_EQ(events().back(), "stopping");
    EXPECT_EQ(h.adverts.at(0).priority, 0);
    EXPECT_EQ(h.order.back(), "hook") << "priority 0 first";
    h.advance(20s);
    EXPECT_FALSE(h.is_stopped);
    let_programs_end();
    EXPECT_TRUE(h.is_stopped);
}

TEST_F(node_hooks_test, end_does_not_wait_for_ever)
{
    configuration->routers[0].hooks->timeout = 600s;
    h.replace(configuration);
    start_as_backup();
    h.tell(shut_down{});
    h.advance(59s);
    EXPECT_FALSE(h.is_stopped);
    h.advance(6s);
    EXPECT_TRUE(h.is_stopped) << "and a service manager that waits for 75 s has not lost its patience";
}

TEST_F(node_hooks_test, reload_is_no_event)
{
    start_as_active();
    h.advance(5s);
    let_programs_end();
    const auto before = events();
    h.reload(changed([](auto& c) { c.routers[0].hooks->commands[0].argv = {"/other"}; }));
    h.reload(changed([](auto& c) { c.routers[0].hooks.reset(); }));
    h.advance(20s);
    h.reload(changed([](auto& c) { c.routers[0].drain = 5s; }));
    h.advance(20s);
    let_programs_end();
    EXPECT_EQ(events(), before) << "what has been here for long is not told anew either";
}

TEST_F(node_hooks_test, reload_that_brings_hooks_tells_nothing_of_what_is_here_already)
{
    const auto hooks = std::exchange(configuration->routers[0].hooks, std::nullopt);
    h.replace(configuration);
    start_as_active();
    h.advance(5s);
    h.reload(changed([&](auto& c) { c.routers[0].hooks = hooks; }));
    h.advance(20s);
    EXPECT_THAT(h.programs, IsEmpty());
    h.hear(200);
    EXPECT_EQ(events(), words{"backup"});
}

TEST_F(node_hooks_test, restart_in_place_is_no_event_for_a_backup)
{
    start_as_backup();
    let_programs_end();
    for (int i = 0; i < 2; ++i) {
        restart();
        ASSERT_EQ(h.state(), state::backup);
    }
    EXPECT_EQ(events(), words{"backup"});
    h.advance(1s);
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "active"}));
}

TEST_F(node_hooks_test, restart_in_place_is_no_event_for_one_that_takes_no_part)
{
    configuration->routers[0].interface = "ens9";
    configuration->routers[0].source.reset();
    h.replace(configuration);
    h.start();
    let_programs_end();
    for (int i = 0; i < 2; ++i) {
        restart();
    }
    EXPECT_EQ(events(), words{"fault"});
    h.kernel(net::link_seen{{9, "ens9", "0a:00:00:00:00:09", true, true}});
    h.kernel(net::address_seen{{9, *ip_prefix::parse("10.0.1.19/24")}});
    let_programs_end();
    EXPECT_EQ(events(), (words{"fault", "backup"}));
}

TEST_F(node_hooks_test, restart_in_place_is_no_event_for_a_sync_group)
{
    auto partner = configuration->routers[0];
    partner.name = "partner";
    partner.vrid = 52;
    partner.routes.clear();
    partner.addresses[0].address = *ip_prefix::parse("172.16.1.200/32");
    configuration->routers.push_back(partner);
    configuration->sync_groups = {{"both", {"web", "partner"}}};
    h.replace(configuration);
    start_as_backup();
    let_programs_end();
    restart();
    EXPECT_EQ(events(), (words{"backup", "backup"}));
    h.tell(set_maintenance{true});
    let_programs_end();
    restart();
    EXPECT_EQ(events(), (words{"backup", "backup", "fault", "fault"}));
}

TEST_F(node_hooks_test, restart_in_place_that_brings_hooks_tells_nothing_of_what_is_here_already)
{
    const auto hooks = std::exchange(configuration->routers[0].hooks, std::nullopt);
    h.replace(configuration);
    start_as_backup();
    const auto with_hooks = changed([&](auto& c) { c.routers[0].hooks = hooks; });
    restart(with_hooks);
    EXPECT_THAT(h.programs, IsEmpty());
    restart(configuration);
    h.advance(10s);
    ASSERT_EQ(h.state(), state::active);
    restart(with_hooks);
    ASSERT_EQ(h.state(), state::active);
    h.advance(20s);
    EXPECT_THAT(h.programs, IsEmpty());
}

TEST_F(node_hooks_test, role_that_changes_with_a_restart_is_told)
{
    start_as_backup();
    let_programs_end();
    h.succeed(80ms);
    h.node->start(h.now);
    h.kernel(net::link_seen{{1, "lo", "", true, true}});
    h.kernel(net::dump_done{});
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "fault"}));
    restart();
    EXPECT_EQ(events(), (words{"backup", "fault", "backup"}));
    h.advance(10s);
    let_programs_end();
    ASSERT_EQ(events().back(), "owned");
    h.succeed(5s);
    h.start();
    let_programs_end();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(events().back(), "backup");
}

TEST_F(node_hooks_test, router_that_a_reload_drops_is_told_that_it_stops)
{
    start_as_active();
    h.advance(5s);
    let_programs_end();
    auto second = configuration->routers[0];
    h.reload(changed([](auto& c) {
        c.routers[0].name = "other";
        c.routers[0].vrid = 52;
    }));
    ASSERT_GE(h.programs.size(), ended + 1);
    const auto stopping = std::ranges::find_if(h.programs, [](const auto& p) { return variable(p, "EVENT") == "stopping"; });
    ASSERT_NE(stopping, h.programs.end());
    EXPECT_EQ(variable(*stopping, "ROUTER"), "web");
    EXPECT_EQ(variable(*stopping, "REASON"), "it is no longer configured");
}

TEST_F(node_hooks_test, router_that_comes_back_waits_for_the_last_program_of_the_one_that_was_dropped)
{
    start_as_backup();
    let_programs_end();
    h.reload(changed([](auto& c) {
        c.routers[0].name = "other";
        c.routers[0].vrid = 52;
        c.routers[0].hooks.reset();
    }));
    EXPECT_EQ(events(), (words{"backup", "stopping"}));
    h.reload(configuration);
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(events().size(), 2U);
    let_programs_end();
    EXPECT_EQ(events(), (words{"backup", "stopping", "backup"}));
}

TEST_F(node_hooks_test, many_routers_do_not_start_all_their_programs_at_once)
{
    const auto one = configuration->routers[0];
    configuration->routers.clear();
    for (unsigned i = 1; i <= 200; ++i) {
        auto r = one;
        r.name = "r" + std::to_string(i);
        r.vrid = static_cast<std::uint8_t>(i);
        r.addresses.clear();
        r.routes.clear();
        configuration->routers.push_back(r);
    }
    h.replace(configuration);
    h.start();
    EXPECT_EQ(h.programs.size(), 32U);
    let_programs_end();
    EXPECT_EQ(h.programs.size(), 200U);
    EXPECT_THAT(events(), testing::Each("backup"));
}

TEST_F(node_hooks_test, program_that_hangs_is_ended_and_adverts_go_on)
{
    start_as_active();
    h.adverts.clear();
    h.advance(29s);
    EXPECT_THAT(h.signals, IsEmpty());
    h.advance(10s);
    ASSERT_EQ(h.signals.size(), 2U);
    EXPECT_EQ(h.signals[0].what, hooks::process_signal::terminate);
    EXPECT_EQ(h.signals[1].what, hooks::process_signal::kill);
    EXPECT_GE(h.adverts.size(), 385U) << "one each 100 ms";
}

TEST_F(node_hooks_test, status_shows_what_runs_and_how_the_last_one_ended)
{
    start_as_backup();
    auto shown = h.router().hooks;
    ASSERT_EQ(shown.size(), config::hook_events.size());
    EXPECT_EQ(shown[2].event, config::hook_event::backup);
    EXPECT_TRUE(shown[2].running);
    h.tell(process_ended{h.programs.at(0).id, hooks::process_end::exited, 5, "", false});
    shown = h.router().hooks;
    EXPECT_FALSE(shown[2].running);
    EXPECT_TRUE(shown[2].is_failing());
    EXPECT_EQ(shown[2].last->problem, "exit status 5");
}

TEST_F(node_hooks_test, programs_run_as_the_user_that_was_configured)
{
    configuration->routers[0].hooks->runs_as = config::account{"haproxy", 188, 188, {188}};
    h.replace(configuration);
    start_as_backup();
    ASSERT_TRUE(h.programs.at(0).user);
    EXPECT_EQ(h.programs[0].user->user, 188U);
}

}  // namespace
}  // namespace vipd::node
