// Who is Active: crashes, pauses, partitions, restarts.

#include "tests/scenarios/scenario.hpp"

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

class election_stories : public scenario {};

// A route is moved one call after the protocol's own time; a round trip on the wire and EC2's 20 ms, doubled at most.
constexpr duration one_call = 45ms;

TEST_F(election_stories, the_active_dies_and_the_next_has_the_route_one_call_after_the_protocols_own_time)
{
    begin(machines({150, 100, 50}));
    ASSERT_TRUE(owns_everything(0));
    inflict(faults::power_off{0});
    const auto moved = until("the route leads to machine 1", 10s, [&] { return owns_everything(1); });
    EXPECT_GE(moved, down_interval(1) - world->options().advert_interval);
    EXPECT_LE(moved, down_interval(1) + one_call);
    wait(60s);
    EXPECT_EQ(taken_by(1), 1U) << "one call is enough";
    EXPECT_EQ(taken_by(2), 0U);
    EXPECT_TRUE(has_confirmed(1));
}

TEST_F(election_stories, a_killed_process_that_comes_back_listens_before_it_speaks)
{
    begin(machines({150, 100}));
    inflict(faults::kill_process{0}, 500ms);
    until("machine 1 has waited for three adverts", 5s, [&] { return owns_everything(1); });
    EXPECT_FALSE(is_active(0));
    until("machine 0 preempts", 10s, [&] { return owns_everything(0); });
    wait(60s);
    EXPECT_EQ(taken_by(0), 1U);
    EXPECT_EQ(taken_by(1), 1U);
}

TEST_F(election_stories, a_graceful_stop_hands_over_within_the_skew_and_one_call)
{
    begin(machines({150, 100}));
    inflict(faults::stop_process{0}, 1min);
    const auto moved = until("the route leads to machine 1", 5s, [&] { return owns_everything(1); });
    EXPECT_LE(moved, (256 - 100) * world->options().advert_interval / 256 + one_call);
}

TEST_F(election_stories, equal_priorities_are_decided_by_the_address)
{
    begin(machines({100, 100, 100}));
    inflict(faults::partition{{{0, 1}, {1, 0}, {0, 2}, {2, 0}, {1, 2}, {2, 1}}}, 10s);
    until("each is alone", 10s, [&] { return world->active_count() == 3; });
    until("they meet", 15s, [&] { return world->active_count() == 1; });
    EXPECT_TRUE(is_active(1)) << "10.0.2.11 is higher than 10.0.1.10 and 10.0.1.12";
    until("with the route", 2s, [&] { return owns_everything(1); });
    // Whoever is as good as the Active leaves it alone.
    inflict(faults::power_off{1}, 10s);
    until("somebody else", 10s, [&] { return world->sole_active() && *world->sole_active() != 1; });
    wait(1s);  // both others had the same patience
    const auto second = *world->sole_active();
    wait(60s);
    EXPECT_TRUE(owns_everything(second));
}

TEST_F(election_stories, a_pause_of_five_seconds_ends_in_silence_and_not_in_a_fight)
{
    begin(machines({150, 100}));
    inflict(faults::pause{0}, 5s);
    until("machine 1 has taken over", 5s, [&] { return owns_everything(1); });
    until("machine 0 is awake", 5s, [&] { return !world->node(0).is_paused(); });
    wait(10ms);
    EXPECT_FALSE(is_active(0)) << "it listens first";
    EXPECT_TRUE(is_active(1));
    until("machine 0 is Active again, since it preempts", 10s, [&] { return owns_everything(0); });
    EXPECT_EQ(world->situations().of(situation::stepped_back_after_stall), 1U);
}

TEST_F(election_stories, who_stood_still_before_its_first_byte_writes_none_when_it_was_too_long)
{
    begin(machines({150, 100}));
    // Machine 1 takes over, decides, and sleeps before the call; meanwhile machine 0 is back.
    world->node(1).pause_before_call(20s);
    inflict(faults::power_off{0}, 8s);
    until("machine 1 stands still", 10s, [&] { return world->node(1).is_paused(); });
    until("machine 0 is back", 15s, [&] { return owns_everything(0); });
    forget();
    wait(60s);
    EXPECT_EQ(taken_by(1), 0U);
    EXPECT_GE(world->node(1).counted().permits_refused, 1U);
    EXPECT_TRUE(owns_everything(0));
}

TEST_F(election_stories, a_one_way_partition_makes_two_actives_and_ends_with_one)
{
    begin(machines({150, 100}));
    inflict(faults::partition{{{0, 1}}}, 60s);  // machine 1 no longer hears machine 0
    until("machine 1 believes to be alone", 10s, [&] { return is_active(1); });
    EXPECT_TRUE(is_active(0)) << "machine 0 hears a lower priority and stays";
    wait(60s);
    const auto healed = until("one Active", 10s, [&] { return world->sole_active() == 0U; });
    EXPECT_LE(healed, world->options().advert_interval + 10ms);
    until("with the route", 12s, [&] { return owns_everything(0); });
    wait(30s);
    EXPECT_TRUE(owns_everything(0));
}

TEST_F(election_stories, two_zones_that_reach_the_cloud_and_not_each_other_agree_when_they_meet)
{
    auto options = machines({150, 100, 50, 40});
    options.tables = 3;
    begin(options);
    inflict(faults::partition{{{0, 1}, {1, 0}, {0, 3}, {3, 0}, {2, 1}, {1, 2}, {2, 3}, {3, 2}}}, 2min);
    until("both zones have an Active", 10s, [&] { return is_active(0) && is_active(1); });
    wait(2min);
    until("one Active", 5s, [&] { return world->active_count() == 1; });
    until("with every table", 12s, [&] { return owns_everything(0); });
    const auto calls = world->mutating_calls();
    wait(5min);
    EXPECT_EQ(world->mutating_calls(), calls) << "and nothing moves any more";
}

TEST_F(election_stories, a_rolling_restart_costs_no_more_than_its_hand_overs)
{
    auto options = machines({150, 100, 50});
    options.preempt_delay = 10s;
    begin(options);
    const auto transitions = world->transitions();
    for (const std::size_t machine : {2U, 1U, 0U}) {
        inflict(faults::stop_process{machine}, 2s);
        wait(30s);
        EXPECT_EQ(world->active_count(), 1U);
        EXPECT_TRUE(owns_everything(*world->sole_active()));
    }
    EXPECT_TRUE(owns_everything(0));
    // Each process ends and begins; only the third restart moves the address, there and back.
    EXPECT_LE(world->transitions() - transitions, 3U * 2U + 3U);
}

TEST_F(election_stories, a_node_that_boots_waits_for_its_preempt_delay)
{
    auto options = machines({150, 100});
    options.preempt_delay = 60s;
    begin(options);
    wait(90s);
    ASSERT_TRUE(owns_everything(0));
    inflict(faults::power_off{0}, 20s);
    until("machine 1", 10s, [&] { return owns_everything(1); });
    until("machine 0 is on", 30s, [&] { return world->node(0).is_running(); });
    const auto waited = until("machine 0 preempts", 100s, [&] { return is_active(0); });
    EXPECT_GE(waited, 60s);
    EXPECT_LE(waited, 60s + 2 * down_interval(0) + 2s);
}

TEST_F(election_stories, a_wall_clock_that_jumps_changes_nothing)
{
    begin(machines({150, 100}));
    const auto transitions = world->transitions();
    inflict(faults::clock_set{0, 24h * 3650});
    inflict(faults::clock_set{1, -24h * 3650});
    wait(60s);
    EXPECT_EQ(world->transitions(), transitions);
    inflict(faults::power_off{0});
    until("signed all the same", 15s, [&] { return owns_everything(1); });
}

TEST_F(election_stories, a_step_down_in_maintenance_stays_down)
{
    begin(machines({150, 100}));
    inflict(faults::maintenance{0}, 60s);
    until("machine 1", 2s, [&] { return owns_everything(1); });
    wait(50s);
    EXPECT_TRUE(owns_everything(1));
    until("machine 0 is back", 30s, [&] { return owns_everything(0); });
}

}  // namespace
}  // namespace vipd::sim
