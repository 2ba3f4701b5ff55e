#include "agent/vrrp/election.hpp"
#include "tests/unit/vrrp/election_fixture.hpp"

#include <gtest/gtest.h>

// What an election has to do with others of its own node: routers of its sync group, and the process that was there before it.

namespace vipd::vrrp {

namespace {

constexpr duration down_100 = 3'609'375'000ns;

// --- a sync group ---

TEST(election, a_router_of_a_group_waits_when_its_timer_has_run_out)
{
    auto h = backup();
    h.machine.wait_for_group(true);
    EXPECT_EQ(h.wake(), log{});
    const auto due = h.now;
    EXPECT_TRUE(h.machine.is_waiting());
    EXPECT_EQ(h.machine.waiting_since(), due);
    EXPECT_EQ(h.machine.next_wakeup().at, never);
    h.pass(10s);
    EXPECT_EQ(h.follow_to_active(h.now - 1s), (log{"advert 100", "Backup -> Active: no_advert"}));
    EXPECT_EQ(h.last_transition().due, h.now - 1s);
    EXPECT_FALSE(h.machine.is_waiting());
}

TEST(election, an_advert_that_counts_ends_the_wait)
{
    auto h = backup();
    h.machine.wait_for_group(true);
    h.wake();
    EXPECT_EQ(h.hear(low_peer, 99), log{});
    EXPECT_TRUE(h.machine.is_waiting()) << "a lower Active would have been preempted";
    h.hear(high_peer, 200);
    EXPECT_FALSE(h.machine.is_waiting());
    EXPECT_EQ(h.machine.next_wakeup().at, h.now + down_100);
}

TEST(election, a_lower_priority_ends_the_wait_when_its_timer_is_no_longer_over)
{
    auto h = backup(settings(254));
    h.machine.wait_for_group(true);
    h.wake();
    ASSERT_TRUE(h.machine.is_waiting());
    h.change(settings(1));
    EXPECT_FALSE(h.machine.is_waiting()) << "with its longer skew it would not be Active yet";
    EXPECT_GT(h.machine.next_wakeup().at, h.now);
}

TEST(election, a_router_that_leaves_its_group_no_longer_waits)
{
    auto h = backup();
    h.machine.wait_for_group(true);
    h.wake();
    const auto due = h.now;
    h.pass(5s);
    h.machine.wait_for_group(false);
    EXPECT_EQ(h.machine.next_wakeup().at, due);
    EXPECT_EQ(h.timeout(), (log{"advert 100", "Backup -> Active: no_advert"}));
}

TEST(election, one_that_waits_for_its_group_has_not_slept)
{
    auto h = backup();
    h.machine.wait_for_group(true);
    h.wake();
    const auto due = h.now;
    h.pass(1min);
    EXPECT_TRUE(h.machine.is_waiting());
    EXPECT_EQ(h.machine.waiting_since(), due);
}

TEST(election, one_that_slept_does_not_wait_for_its_group_before_it_has_listened)
{
    auto h = backup();
    h.machine.wait_for_group(true);
    h.pass(1min);
    EXPECT_FALSE(h.machine.is_waiting());
    EXPECT_EQ(h.until_wakeup(), down_100);
    h.wake();
    EXPECT_TRUE(h.machine.is_waiting());
}

TEST(election, a_router_follows_its_group_to_backup)
{
    auto h = active();
    EXPECT_EQ(h.follow_to_backup(), (log{"advert 100", "advert 0", "Active -> Backup: sync_group"}));
    EXPECT_EQ(h.follow_to_backup(), log{});
}

TEST(election, one_that_has_listened_before_its_start_need_not_listen_all_over_again)
{
    for (const auto& [silence, waits] : {std::pair<duration, duration>{0s, down_100}, {1s, down_100 - 1s}, {1h, 0s}}) {
        harness h{settings()};
        EXPECT_EQ(h.startup_after(silence), (log{"Initialize -> Backup: startup"}));
        EXPECT_EQ(h.until_wakeup(), waits);
        h.pass(waits);
        EXPECT_EQ(h.machine.current(), state::active);
    }
    harness h{settings()};
    h.startup_after(1h);
    h.hear(high_peer, 200);
    EXPECT_EQ(h.until_wakeup(), down_100) << "as any Backup that hears an Active";
}

TEST(election, an_active_that_slept_releases_nothing)
{
    const log silent = {"Active -> Backup: stalled"};
    for (const auto& leave : {&harness::follow_to_backup, &harness::step_down}) {
        auto h = active();
        h.now += 10s;
        EXPECT_EQ((h.*leave)(), silent);
    }
    auto h = active();
    h.now += 10s;
    EXPECT_EQ(h.fault(), (log{"Active -> Backup: stalled", "Backup -> Initialize: fault"}));
}

// --- a process in the place of another ---

TEST(election, a_successor_goes_on_as_the_active)
{
    harness h{settings()};
    EXPECT_EQ(h.resume(h.now + 400ms), (log{"advert 100", "Initialize -> Active: resumed"}));
    EXPECT_EQ(h.until_wakeup(), 1s);
    EXPECT_EQ(h.machine.counters().became_active, 0U) << "it has been so all along";
}

TEST(election, a_successor_that_comes_too_late_does_not)
{
    // The quickest Backup, of priority 254, waits for 3 A and A * 2/256 from the last advert on, which was A before the next.
    const duration patience = 2s + duration{1s} * 2 / 256;
    const auto believed_until = active().machine.believed_until();
    EXPECT_EQ(believed_until, active().machine.advert_due() + patience);
    harness in_time{settings()};
    in_time.now = believed_until;
    EXPECT_EQ(in_time.resume(believed_until), (log{"advert 100", "Initialize -> Active: resumed"}));
    EXPECT_EQ(in_time.machine.believed_until(), believed_until + 1s + patience);
    harness too_late{settings()};
    too_late.now = believed_until + 1ns;
    EXPECT_EQ(too_late.resume(believed_until), log{});
    EXPECT_EQ(too_late.machine.current(), state::initialize);
    EXPECT_EQ(too_late.startup(), (log{"Initialize -> Backup: startup"}));
}

TEST(election, a_successor_of_a_backup_waits_as_that_one_would)
{
    harness h{settings()};
    std::vector<election_output> out;
    h.machine.startup(h.now, h.now, 4s, out);
    EXPECT_EQ(h.until_wakeup(), 12s + duration{4s} * (256 - 100) / 256);
    EXPECT_EQ(h.machine.active_advert_interval(), 4s);
    h.hear(high_peer, 200);
    EXPECT_EQ(h.machine.active_advert_interval(), 1s);
    h.pass(3s);
    h.wake();
    ASSERT_EQ(h.machine.current(), state::active);

    harness v2{settings_v2()};
    v2.machine.startup(v2.now, v2.now, 4s, out);
    EXPECT_EQ(v2.machine.active_advert_interval(), 1s) << "version 2 learns none";
}

TEST(election, a_successor_of_an_address_owner_is_never_too_late)
{
    harness h{settings(255)};
    EXPECT_EQ(h.resume(h.now - 1h), (log{"advert 255", "Initialize -> Active: resumed"}));
}

}  // namespace

}  // namespace vipd::vrrp
