// A priority that an operator sets while the node runs: what it does to the election, and what it outlives.

#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace vipd::node {
namespace {

class runtime_priority : public node_test {
protected:
    void set(std::optional<std::uint8_t> priority, const std::string& router = "web")
    {
        h.tell(set_priority{router, priority});
    }
    [[nodiscard]] std::string said(const set_priority& wanted) const
    {
        const auto r = h.node->can_set_priority(wanted);
        return r ? *r : "refused: " + r.error().text;
    }
};

TEST_F(runtime_priority, a_backup_that_is_raised_takes_over)
{
    start_as_backup();
    advance_with_peer(1s, 200);
    set(210);
    EXPECT_EQ(h.state(), state::backup) << "it is no transition by itself";
    EXPECT_TRUE(h.adverts.empty());
    advance_with_peer(1s, 200);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.back().priority, 210);
    EXPECT_EQ(h.router().priority, 100) << "what is configured";
    EXPECT_EQ(h.router().runtime_priority, 210);
    EXPECT_EQ(h.router().effective_priority, 210);
    EXPECT_EQ(h.router().priority_reason, "set to 210 at run time");
    EXPECT_EQ(h.log.count({"event=runtime_priority router=web set=210 configured=100"}), 1U);
    EXPECT_EQ(h.log.count({"event=priority", "from=100", "to=210", "configured=100", "an operator has set it"}), 1U);
}

TEST_F(runtime_priority, an_active_that_is_lowered_says_so_at_once_and_gives_way_to_a_better_peer)
{
    start_as_active();
    h.adverts.clear();
    set(50);
    ASSERT_EQ(h.adverts.size(), 1U) << "a drop is told without waiting for the interval";
    EXPECT_EQ(h.adverts[0].priority, 50);
    h.advance(5s);
    EXPECT_EQ(h.state(), state::active) << "nobody else is there";
    h.hear(90);
    EXPECT_EQ(h.state(), state::backup);
    advance_with_peer(3s, 90);
    EXPECT_EQ(h.state(), state::backup);
    set(std::nullopt);
    advance_with_peer(1s, 90);
    EXPECT_EQ(h.state(), state::active) << "the configured one is higher";
}

TEST_F(runtime_priority, default_returns_to_what_is_configured)
{
    start_as_active();
    set(180);
    set(std::nullopt);
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_FALSE(h.router().runtime_priority.has_value());
    EXPECT_EQ(h.router().priority_reason, "");
    EXPECT_EQ(h.router().election.became_active, 1U);
    EXPECT_EQ(h.log.count({"event=runtime_priority", "set=default"}), 1U);
}

TEST_F(runtime_priority, weights_count_on_top_and_are_clamped)
{
    configuration = changed([](auto& c) { c.routers[0].api_weight = 100; });
    h.replace(configuration);
    start_as_active();
    ASSERT_EQ(h.router().effective_priority, 200);
    set(20);
    EXPECT_EQ(h.router().effective_priority, 120);
    EXPECT_EQ(h.router().priority_reason, "set to 20 at run time; api_weight: the path to EC2 works");
    set(200);
    EXPECT_EQ(h.router().effective_priority, 254);
    EXPECT_EQ(h.router().priority_total, 300);
}

TEST_F(runtime_priority, set_before_a_router_takes_part_counts_from_the_first_advert)
{
    h.tell(set_maintenance{true});
    h.start();
    set(180);
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.router().runtime_priority, 180);
    h.tell(set_maintenance{false});
    h.advance(1s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.front().priority, 180);
}

TEST_F(runtime_priority, a_reload_ends_it_when_it_changes_what_is_configured_and_only_then)
{
    start_as_active();
    set(180);
    h.reload(changed([](auto& c) { c.routers[0].advert_interval = 200ms; }));
    EXPECT_EQ(h.router().effective_priority, 180);
    h.reload(changed([](auto& c) { c.routers[0].vrid = 52; }));
    EXPECT_EQ(h.router().effective_priority, 180) << "another election, and still what the operator wants";
    h.reload(changed([](auto& c) { c.routers[0].priority = 120; }));
    EXPECT_EQ(h.router().effective_priority, 120);
    EXPECT_FALSE(h.router().runtime_priority.has_value());
    EXPECT_EQ(h.log.count({"event=runtime_priority", "set=default configured=100", "a reload has changed"}), 1U);
}

TEST_F(runtime_priority, what_it_would_do_is_said_before)
{
    start_as_active();
    EXPECT_EQ(said({"web", 180}),
              "router web: the priority is 180 (configured: 100) until it is set to default, a reload changes what is "
              "configured, or the daemon ends");
    EXPECT_EQ(said({"web", {}}), "router web: the priority was not set at run time, and stays 100, as configured");
    set(180);
    EXPECT_EQ(said({"web", {}}), "router web: the priority is 100 again, as configured");
    EXPECT_EQ(said({"nobody", 180}), "refused: there is no router nobody");
    set(180, "nobody");
    EXPECT_EQ(h.router().effective_priority, 180);
}

TEST_F(runtime_priority, the_address_owner_keeps_its_own)
{
    configuration = changed([](auto& c) {
        c.routers[0].priority = 255;
        c.routers[0].address_owner = true;
    });
    h.replace(configuration);
    h.start();
    ASSERT_EQ(h.state(), state::active);
    EXPECT_TRUE(said({"web", 180}).starts_with("refused: router web is the address owner, whose priority is always 255: "));
    set(180);
    EXPECT_EQ(h.router().effective_priority, 255);
    EXPECT_FALSE(h.router().runtime_priority.has_value());
}

TEST_F(runtime_priority, outlives_a_restart_in_place)
{
    start_as_active();
    h.advance(5s);
    set(180);
    h.adverts.clear();
    h.succeed(80ms);
    h.start();
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.front().priority, 180);
    EXPECT_EQ(h.router().runtime_priority, 180);
    h.succeed(80ms, changed([](auto& c) { c.routers[0].priority = 90; }));
    h.start();
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.router().effective_priority, 90) << "another one is configured now";
    EXPECT_FALSE(h.router().runtime_priority.has_value());
}

TEST_F(runtime_priority, outlives_a_restart_of_a_router_that_cannot_take_part)
{
    h.node->start(h.now);
    h.kernel(net::link_seen{{1, "lo", "", true, true}});
    h.kernel(net::dump_done{});
    ASSERT_EQ(h.state(), state::initialize);
    ASSERT_FALSE(h.router().source.has_value());
    set(180);
    h.succeed(80ms);
    h.start();
    EXPECT_EQ(h.router().effective_priority, 180);
}

// --- in a sync group ---

class runtime_priority_of_a_group : public runtime_priority {
protected:
    runtime_priority_of_a_group()
    {
        configuration = changed([](auto& c) {
            c.routers[0].routes.clear();
            for (const auto* name : {"back", "alone"}) {
                auto next = c.routers[0];
                next.name = name;
                next.vrid = static_cast<std::uint8_t>(51 + c.routers.size());
                const auto address = ip_address::v4(172, 16, 1, next.vrid);
                next.advertised_addresses = {address};
                next.addresses[0].address = ip_prefix::host(address);
                c.routers.push_back(next);
            }
            c.sync_groups = {{"firewall", {"web", "back"}}};
        });
        h.replace(configuration);
        h.start();
    }

    // Of web, back and alone; 0 where none was set.
    [[nodiscard]] std::vector<int> were_set() const
    {
        std::vector<int> all;
        for (std::uint32_t i = 0; i < 3; ++i) {
            all.push_back(h.router(i).runtime_priority.value_or(0));
        }
        return all;
    }
};

using priorities = std::vector<int>;

TEST_F(runtime_priority_of_a_group, is_one_for_all_of_it)
{
    EXPECT_TRUE(said({"back", 210}).starts_with("sync group firewall (web, back): the priority is 210 "))
        << said({"back", 210});
    set(210, "back");
    EXPECT_EQ(were_set(), (priorities{210, 210, 0}));
    for (int i = 0; i < 10; ++i) {
        for (std::size_t router = 0; router < 3; ++router) {
            h.hear(200, router);
        }
        h.advance(100ms);
        EXPECT_EQ(h.state(0), h.state(1));
    }
    EXPECT_EQ(h.state(0), state::active);
    EXPECT_EQ(h.state(2), state::backup);
    set(std::nullopt, "web");
    EXPECT_EQ(were_set(), (priorities{0, 0, 0}));
}

TEST_F(runtime_priority_of_a_group, is_kept_by_a_reload_that_leaves_it_as_it_is)
{
    set(210);
    h.reload(changed([](auto& c) { c.routers[1].advert_interval = 200ms; }));
    EXPECT_EQ(were_set(), (priorities{210, 210, 0}));
}

TEST_F(runtime_priority_of_a_group, is_lost_when_a_reload_adds_a_router_without_it)
{
    set(210);
    h.reload(changed([](auto& c) { c.sync_groups[0].routers.emplace_back("alone"); }));
    EXPECT_EQ(were_set(), (priorities{0, 0, 0}));
    for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(h.router(i).effective_priority, 100) << i;
    }
    EXPECT_EQ(h.log.count({"event=runtime_priority", "set=default", "not every router of its sync group"}), 2U);
}

TEST_F(runtime_priority_of_a_group, is_kept_when_those_that_come_together_have_the_same)
{
    set(210);
    set(210, "alone");
    h.reload(changed([](auto& c) { c.sync_groups[0].routers.emplace_back("alone"); }));
    EXPECT_EQ(were_set(), (priorities{210, 210, 210}));
}

TEST_F(runtime_priority_of_a_group, is_lost_when_a_restart_brings_different_ones_together)
{
    set(210);
    set(220, "alone");
    h.succeed(80ms, changed([](auto& c) { c.sync_groups[0].routers.emplace_back("alone"); }));
    h.start();
    EXPECT_EQ(were_set(), (priorities{0, 0, 0}));
}

}  // namespace
}  // namespace vipd::node
