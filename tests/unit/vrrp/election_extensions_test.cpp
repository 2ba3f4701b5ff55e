#include "agent/vrrp/election.hpp"
#include "tests/unit/vrrp/election_fixture.hpp"

#include <gtest/gtest.h>

// What the election does beyond the RFCs: preempt_delay, releases that are repeated, settings that change, stepping down, and
// waking up late.

namespace vipd::vrrp {

namespace {

constexpr duration down_100 = 3'609'375'000ns;
constexpr duration skew_100 = 609'375'000ns;

// --- priority 0, again and again ---

TEST(election, repeated_priority_zero_rearms_nothing)
{
    auto h = backup();
    h.hear(high_peer, 200);
    h.hear(high_peer, 0);
    const auto deadline = h.machine.next_wakeup().at;
    for (int i = 0; i < 6; ++i) {
        h.pass(100ms);
        EXPECT_EQ(h.hear(high_peer, 0), log{});
        EXPECT_EQ(h.machine.next_wakeup().at, deadline);
    }
    EXPECT_EQ(h.wake(), (log{"advert 100", "Backup -> Active: active_released"}));
    EXPECT_EQ(h.machine.counters().priority_zero_received, 7U);
}

TEST(election, priority_zero_between_other_adverts_cannot_put_off_a_takeover_either)
{
    auto h = backup();
    const auto started = h.now;
    for (int i = 0; i < 100 && h.machine.current() == state::backup; ++i) {
        h.hear(low_peer, 99);
        h.hear(low_peer, 0);
        h.pass(100ms);
    }
    ASSERT_EQ(h.machine.current(), state::active);
    EXPECT_EQ(h.last_transition().due - started, skew_100);
}

TEST(election, priority_zero_brings_the_takeover_forward_and_never_puts_it_off)
{
    auto h = backup();
    h.pass(3500ms);
    h.hear(high_peer, 0);
    EXPECT_EQ(h.until_wakeup(), down_100 - 3500ms);
}

TEST(election, each_peer_may_release_once)
{
    auto h = backup();
    h.hear(high_peer, 0);
    const auto deadline = h.machine.next_wakeup().at;
    h.pass(100ms);
    h.hear(low_peer, 0);
    EXPECT_EQ(h.machine.next_wakeup().at, deadline);
    h.pass(100ms);
    h.hear(high_peer, 200);
    h.hear(low_peer, 0);
    EXPECT_EQ(h.until_wakeup(), down_100);
    h.hear(high_peer, 0);
    EXPECT_EQ(h.until_wakeup(), skew_100);
}

TEST(election, an_active_answers_the_first_release_of_a_peer_only)
{
    const log answered = {"advert 100", "lower 0 from 10.0.0.200"};
    auto h = active();
    EXPECT_EQ(h.hear(high_peer, 0), answered);
    h.pass(300ms);
    EXPECT_EQ(h.hear(high_peer, 0), log{});
    EXPECT_EQ(h.until_wakeup(), 700ms);
    h.hear(high_peer, 99);
    h.pass(1ms);
    EXPECT_EQ(h.hear(high_peer, 0), answered);
}

TEST(election, the_memory_of_a_release_is_cleared_by_any_other_advert_in_every_state)
{
    auto h = backup();
    h.hear(high_peer, 0);
    h.fault();
    h.hear(high_peer, 200);
    h.startup();
    h.hear(high_peer, 0);
    EXPECT_EQ(h.until_wakeup(), skew_100);

    auto deaf = backup();
    deaf.hear(low_peer, 0);
    deaf.hear(high_peer, 200);
    deaf.hear(low_peer, 99);  // discarded, and yet an advert
    deaf.hear(low_peer, 0);
    EXPECT_EQ(deaf.until_wakeup(), skew_100);
}

// --- preempt_delay ---

election_settings with_delay(duration delay)
{
    auto s = settings();
    s.preempt_delay = delay;
    return s;
}

TEST(election, preempt_delay_begins_with_the_first_lower_advert)
{
    auto h = backup(with_delay(10s));
    h.pass(2s);
    const auto first = h.now;
    for (int i = 0; i < 100 && h.machine.current() == state::backup; ++i) {
        h.hear(low_peer, 99);
        h.pass(1s);
    }
    // The last lower advert that counts is the one before the delay is over, at 9 s.
    EXPECT_EQ(h.last_transition().due - first, 9s + down_100);
    EXPECT_EQ(h.last_transition().reason, transition_reason::preempted_lower);
}

TEST(election, while_preempt_delay_runs_a_lower_advert_counts_in_full)
{
    auto h = backup(with_delay(10s));
    h.pass(1s);
    EXPECT_EQ(h.hear(low_peer, 99, 200ms), log{});
    EXPECT_EQ(h.machine.active_advert_interval(), 200ms);
    EXPECT_EQ(h.until_wakeup(), down_100 / 5);
}

TEST(election, preempt_delay_does_not_hold_back_a_takeover_from_nobody)
{
    auto silent = backup(with_delay(60s));
    EXPECT_EQ(silent.wake(), (log{"advert 100", "Backup -> Active: no_advert"}));

    auto died = backup(with_delay(60s));
    died.hear(low_peer, 99);
    EXPECT_EQ(died.until_wakeup(), down_100);
    EXPECT_EQ(died.wake(), (log{"advert 100", "Backup -> Active: no_advert"}));

    auto released = backup(with_delay(60s));
    released.hear(low_peer, 99);
    released.hear(low_peer, 0);
    EXPECT_EQ(released.until_wakeup(), skew_100);
    EXPECT_EQ(released.wake(), (log{"advert 100", "Backup -> Active: active_released"}));
}

TEST(election, a_better_advert_makes_preempt_delay_begin_anew)
{
    auto h = backup(with_delay(2s));
    h.hear(low_peer, 99);
    h.pass(1900ms);
    h.hear(high_peer, 100);
    h.hear(low_peer, 99);
    h.pass(1900ms);
    h.hear(low_peer, 99);
    EXPECT_EQ(h.until_wakeup(), down_100);
    h.pass(100ms);
    h.hear(low_peer, 99);
    EXPECT_EQ(h.until_wakeup(), down_100 - 100ms);
}

TEST(election, preempt_delay_that_has_run_out_stays_out)
{
    auto h = backup(with_delay(2s));
    h.hear(low_peer, 99);
    h.pass(2s);
    h.hear(low_peer, 99);
    const auto deadline = h.machine.next_wakeup().at;
    h.change(with_delay(60s));
    h.hear(low_peer, 99);
    EXPECT_EQ(h.machine.next_wakeup().at, deadline);
}

TEST(election, preempt_delay_ends_with_the_state)
{
    auto h = backup(with_delay(2s));
    h.hear(low_peer, 99);
    h.pass(2s);
    h.fault();
    h.startup();
    h.hear(low_peer, 99);
    h.pass(1s);
    h.hear(low_peer, 99);
    EXPECT_EQ(h.until_wakeup(), down_100);
}

// --- settings that change ---

TEST(election, a_new_priority_counts_from_the_last_accepted_advert)
{
    auto h = backup();
    h.pass(1s);
    h.hear(high_peer, 200);
    h.pass(2s);
    EXPECT_EQ(h.change(settings(150)), log{});
    EXPECT_EQ(h.until_wakeup(), 3'414'062'500ns - 2s);
    EXPECT_EQ(h.machine.settings().priority, 150);
}

TEST(election, a_flapping_priority_cannot_put_off_a_takeover)
{
    auto h = backup();
    const auto started = h.now;
    for (int i = 0; i < 1000 && h.machine.current() == state::backup; ++i) {
        h.change(settings(i % 2 == 0 ? 50 : 100));
        h.pass(10ms);
    }
    ASSERT_EQ(h.machine.current(), state::active);
    EXPECT_LE(h.last_transition().due - started, 3'804'687'500ns);
    EXPECT_EQ(h.last_transition().reason, transition_reason::no_advert);
}

TEST(election, a_deadline_that_a_new_priority_moves_into_the_past_is_due_now)
{
    auto h = backup(settings(1));
    h.now += 3900ms;
    h.change(settings(254));
    EXPECT_EQ(h.until_wakeup(), 0ns);
    h.now += 1ms;
    h.timeout();
    EXPECT_EQ(h.last_transition().due, h.now - 1ms);
}

TEST(election, a_deadline_that_was_overdue_stays_as_overdue_as_it_was)
{
    auto h = backup(settings(100));
    const auto deadline = h.machine.next_wakeup().at;
    h.now = deadline + 50ms;
    h.change(settings(254));
    EXPECT_EQ(h.machine.next_wakeup().at, deadline);
}

TEST(election, a_new_priority_counts_from_the_release_as_well)
{
    auto h = backup();
    h.hear(high_peer, 200);
    h.hear(high_peer, 0);
    h.pass(100ms);
    h.change(settings(1));
    EXPECT_EQ(h.until_wakeup(), 996'093'750ns - 100ms);
}

TEST(election, an_active_whose_priority_drops_says_so_at_once)
{
    auto h = active();
    h.pass(300ms);
    EXPECT_EQ(h.change(settings(50)), (log{"advert 50"}));
    EXPECT_EQ(h.until_wakeup(), 700ms);
    EXPECT_EQ(h.change(settings(90)), log{});
    EXPECT_EQ(h.wake(), (log{"advert 90"}));
    EXPECT_EQ(h.change(settings(90)), log{});
}

TEST(election, a_new_interval_is_sent_at_from_the_next_advert_on)
{
    auto h = active();
    auto s = settings();
    s.advert_interval = 10s;
    h.pass(300ms);
    EXPECT_EQ(h.change(s), log{});
    EXPECT_EQ(h.until_wakeup(), 700ms);
    EXPECT_EQ(h.wake(), (log{"advert 100"}));
    EXPECT_EQ(h.until_wakeup(), 10s);
    EXPECT_EQ(h.change(settings()), log{});
    EXPECT_EQ(h.until_wakeup(), 1s);
}

TEST(election, a_new_interval_of_our_own_does_not_replace_a_learned_one)
{
    auto s = settings();
    s.advert_interval = 10s;
    auto unlearned = backup();
    unlearned.change(s);
    EXPECT_EQ(unlearned.machine.active_advert_interval(), 10s);
    EXPECT_EQ(unlearned.until_wakeup(), down_100 * 10);
    auto learned = backup();
    learned.hear(high_peer, 200, 200ms);
    learned.change(s);
    EXPECT_EQ(learned.machine.active_advert_interval(), 200ms);
    EXPECT_EQ(learned.until_wakeup(), down_100 / 5);
}

TEST(election, down_timer_adverts_can_be_changed_in_place)
{
    auto h = backup();
    auto s = settings();
    s.down_timer_adverts = 10;
    h.change(s);
    EXPECT_EQ(h.until_wakeup(), 10s + skew_100);
}

TEST(election, a_change_before_the_start_arms_nothing)
{
    harness h{settings()};
    EXPECT_EQ(h.change(settings(50)), log{});
    EXPECT_EQ(h.machine.next_wakeup().at, never);
    h.startup();
    EXPECT_EQ(h.until_wakeup(), 3'804'687'500ns);
}

// --- stepping down ---

TEST(election, stepping_down_releases_and_lets_every_peer_go_first)
{
    auto h = active();
    EXPECT_EQ(h.step_down(), (log{"advert 0", "Active -> Backup: stepped_down"}));
    EXPECT_EQ(h.until_wakeup(), 4s);
    EXPECT_EQ(h.wake(), (log{"advert 100", "Backup -> Active: no_advert"}));

    auto s = settings_v2();
    s.advert_interval = 5s;
    auto v2 = active(s);
    v2.step_down();
    EXPECT_EQ(v2.until_wakeup(), 16s);
}

TEST(election, only_an_active_steps_down)
{
    harness h{settings()};
    EXPECT_EQ(h.step_down(), log{});
    h.startup();
    const auto wakeup = h.until_wakeup();
    EXPECT_EQ(h.step_down(), log{});
    EXPECT_EQ(h.until_wakeup(), wakeup);
    std::vector<election_output> out;
    EXPECT_FALSE(h.machine.step_down(h.now, out));
    h.wake();
    EXPECT_TRUE(h.machine.step_down(h.now, out));
}

TEST(election, after_stepping_down_the_ordinary_rules_apply)
{
    auto preempting = active();
    preempting.step_down();
    preempting.pass(1s);
    preempting.hear(low_peer, 99);
    EXPECT_EQ(preempting.until_wakeup(), 3s);

    auto s = settings();
    s.preempt = false;
    auto staying = active(s);
    staying.step_down();
    staying.pass(1s);
    staying.hear(low_peer, 99);
    EXPECT_EQ(staying.until_wakeup(), down_100);

    auto delayed = active(with_delay(60s));
    delayed.step_down();
    delayed.pass(1s);
    delayed.hear(low_peer, 99);
    EXPECT_EQ(delayed.until_wakeup(), down_100);

    auto better = active();
    better.step_down();
    better.hear(high_peer, 200, 2s);
    EXPECT_EQ(better.until_wakeup(), down_100 * 2);
}

TEST(election, a_new_priority_does_not_shorten_the_wait_after_stepping_down)
{
    auto h = active();
    h.step_down();
    h.pass(1s);
    h.change(settings(254));
    EXPECT_EQ(h.until_wakeup(), 3s);
}

// --- two nodes ---

TEST(election, the_loser_of_a_split_makes_the_winner_look_and_both_agree_after_one_exchange)
{
    auto winner = active(settings(150));
    auto other = settings(100);
    other.source = high_peer;
    auto loser = active(other);
    EXPECT_EQ(loser.hear(us, 150), (log{"advert 100", "Active -> Backup: heard_better"}));
    EXPECT_EQ(winner.hear(high_peer, 100), (log{"advert 150", "lower 100 from 10.0.0.200"}));
    EXPECT_EQ(loser.hear(us, 150), log{});
    EXPECT_EQ(loser.machine.current(), state::backup);
    EXPECT_EQ(winner.machine.current(), state::active);
}

// --- an Active that slept ---

// 2 s and the skew of priority 254 after an advert that was due 1 s after the last one: then the quickest Backup takes over.
constexpr duration latest = 2'007'812'500ns;

TEST(election, an_active_that_is_late_goes_on_until_the_quickest_backup_may_have_taken_over)
{
    auto h = active();
    h.now = h.machine.next_wakeup().at + latest;
    EXPECT_FALSE(h.machine.is_stale(h.now));
    EXPECT_EQ(h.timeout(), (log{"advert 100"}));
}

TEST(election, an_active_that_slept_longer_sends_nothing_and_listens_for_one_down_interval)
{
    auto h = active();
    h.now = h.machine.next_wakeup().at + latest + 1ns;
    EXPECT_TRUE(h.machine.is_stale(h.now));
    EXPECT_EQ(h.timeout(), (log{"Active -> Backup: stalled"}));
    EXPECT_EQ(h.last_transition().silence, latest + 1ns);
    EXPECT_EQ(h.until_wakeup(), down_100);
    EXPECT_FALSE(h.machine.is_stale(h.now));
    EXPECT_EQ(h.wake(), (log{"advert 100", "Backup -> Active: no_advert"}));
}

TEST(election, an_active_that_slept_hears_its_successor_as_a_backup)
{
    auto s = settings();
    s.preempt = false;
    auto h = active(s);
    h.now += 10s;
    EXPECT_EQ(h.hear(low_peer, 50), (log{"Active -> Backup: stalled"})) << "a lower one took over, and is left in peace";
    EXPECT_EQ(h.until_wakeup(), down_100);

    auto preempting = active();
    preempting.now += 10s;
    EXPECT_EQ(preempting.hear(low_peer, 200), (log{"Active -> Backup: stalled"}));
    EXPECT_EQ(preempting.until_wakeup(), down_100);
}

TEST(election, a_shorter_interval_is_no_sleep)
{
    auto h = active();
    h.pass(900ms);
    auto s = settings();
    s.advert_interval = 10ms;
    h.change(s);
    EXPECT_EQ(h.pass(10ms), (log{"advert 100"}));
    // Nor is a reload that itself holds the loop up: the peers know the interval of the last advert.
    auto late = active();
    late.now = late.machine.next_wakeup().at + 150ms;
    late.change(s);
    EXPECT_FALSE(late.machine.is_stale(late.now));
    EXPECT_EQ(late.timeout(), (log{"advert 100"}));
}

TEST(election, a_longer_interval_hides_no_sleep)
{
    auto longer = settings();
    longer.advert_interval = 10s;
    auto more = settings();
    more.down_timer_adverts = 100;
    for (const auto& next : {longer, more}) {
        auto h = active();
        h.now = h.machine.next_wakeup().at + latest + 1ns;
        EXPECT_EQ(h.change(next), log{}) << "a reload is no transition";
        EXPECT_TRUE(h.machine.is_stale(h.now));
        EXPECT_EQ(h.timeout(), (log{"Active -> Backup: stalled"}));
        EXPECT_EQ(h.last_transition().silence, latest + 1ns);
        // Nor does one that has begun by then, and the peers go by the last advert.
        auto later = active();
        const auto due = later.machine.next_wakeup().at;
        later.change(next);
        EXPECT_EQ(later.machine.next_wakeup().at, due);
        EXPECT_FALSE(later.machine.is_stale(due + latest));
        EXPECT_TRUE(later.machine.is_stale(due + latest + 1ns));
        later.wake();
        EXPECT_FALSE(later.machine.is_stale(due + next.advert_interval + latest + 1ns))
            << "which says something new now, or is as patient as this one is told that they are";
    }
}

TEST(election, an_address_owner_that_slept_remains_what_it_is)
{
    auto h = active(settings(255));
    h.now += 10s;
    EXPECT_EQ(h.timeout(), (log{"advert 255"}));
}

// --- a Backup that slept ---

TEST(election, a_backup_that_is_late_takes_over_until_it_can_only_have_slept)
{
    auto h = backup();
    const auto due = h.machine.next_wakeup().at;
    h.now = due + latest;
    EXPECT_EQ(h.timeout(), (log{"advert 100", "Backup -> Active: no_advert"}));
    EXPECT_EQ(h.last_transition().due, due);
}

TEST(election, a_backup_that_slept_longer_listens_for_one_down_interval)
{
    auto h = backup();
    h.now = h.machine.next_wakeup().at + latest + 1ns;
    EXPECT_EQ(h.timeout(), log{});
    EXPECT_EQ(h.until_wakeup(), down_100);
    EXPECT_EQ(h.wake(), (log{"advert 100", "Backup -> Active: no_advert"}));
    EXPECT_EQ(h.last_transition().silence, down_100) << "it heard nothing for longer, and listened for no more";
}

TEST(election, a_backup_is_late_by_the_interval_that_it_waits_by)
{
    auto s = settings();
    s.advert_interval = 10s;
    harness h{s};
    h.startup();
    h.hear(high_peer, 200, 100ms);
    const auto down = h.until_wakeup();
    ASSERT_LT(down, 400ms);
    h.pass(down + 5s);
    EXPECT_EQ(h.machine.current(), state::backup) << "it has slept, and the Active may be alive";
    EXPECT_EQ(h.until_wakeup(), down);
}

TEST(election, a_backup_that_slept_leaves_in_peace_whom_it_would_not_have_preempted)
{
    auto s = settings();
    s.preempt = false;
    auto staying = backup(s);
    staying.pass(1min);
    staying.pass(1s);
    staying.hear(low_peer, 50);
    EXPECT_EQ(staying.until_wakeup(), down_100);

    auto delayed = backup(with_delay(30s));
    delayed.hear(low_peer, 50);
    delayed.pass(1min);
    delayed.hear(low_peer, 50);
    delayed.pass(1s);
    delayed.hear(low_peer, 50);
    EXPECT_EQ(delayed.until_wakeup(), down_100) << "the delay is not slept through";
}

TEST(election, what_a_backup_hears_first_after_it_slept_is_heard_by_one_that_listens)
{
    auto preempting = backup();
    preempting.now += 1min;
    preempting.hear(low_peer, 50);
    EXPECT_EQ(preempting.until_wakeup(), down_100);

    auto released = backup();
    released.now += 1min;
    released.hear(high_peer, 0);
    EXPECT_EQ(released.until_wakeup(), skew_100);

    auto changed = backup();
    changed.now += 1min;
    changed.change(settings(1));
    EXPECT_EQ(changed.until_wakeup(), 3'996'093'750ns) << "none of the minute counts";
}

TEST(election, a_backup_that_slept_keeps_to_the_interval_that_it_has_learned)
{
    auto h = backup();
    h.hear(high_peer, 200, 2s);
    h.pass(1min);
    EXPECT_EQ(h.until_wakeup(), down_100 * 2);
}

TEST(election, an_address_owner_that_slept_as_a_backup_need_not_listen)
{
    auto h = backup();
    h.change(settings(255));
    EXPECT_EQ(h.pass(1min), (log{"advert 255", "Backup -> Active: no_advert"}));
}

TEST(election, adverts_that_are_heard_at_once_are_answered_once)
{
    auto h = active();
    EXPECT_EQ(h.hear(low_peer, 99), (log{"advert 100", "lower 99 from 10.0.0.10"}));
    EXPECT_EQ(h.hear(low_peer, 99), (log{"lower 99 from 10.0.0.10"}));
    EXPECT_EQ(h.hear(high_peer, 50), (log{"lower 50 from 10.0.0.200"}));
    EXPECT_EQ(h.machine.counters().lower_priority_heard_while_active, 3U);
    h.now += 1ns;
    EXPECT_EQ(h.hear(low_peer, 99), (log{"advert 100", "lower 99 from 10.0.0.10"}));
}

// --- how long it was silent ---

TEST(election, a_takeover_tells_how_long_nothing_was_heard)
{
    auto h = backup();
    h.pass(2s);
    h.hear(low_peer, 200, 3s);
    h.wake();
    EXPECT_EQ(h.last_transition().silence, 9s + duration{3s} * 156 / 256) << "by the interval of the one that fell silent";
}

}  // namespace

}  // namespace vipd::vrrp
