#include "agent/vrrp/election.hpp"

#include "tests/unit/vrrp/election_fixture.hpp"

#include <gtest/gtest.h>

#include <vector>

// RFC 9568 6.4 and RFC 3768 6.4, state by state. What goes beyond them is in election_extensions_test.cpp.

namespace vipd::vrrp {

namespace {

constexpr duration down_100 = 3'609'375'000ns;  // 3 s and the skew of priority 100
constexpr duration skew_100 = 609'375'000ns;

// --- Initialize ---

TEST(election, waits_for_nothing_before_its_start_and_does_nothing)
{
    harness h{settings()};
    EXPECT_EQ(h.machine.next_wakeup().at, never);
    EXPECT_EQ(h.hear(high_peer, 254), log{});
    EXPECT_EQ(h.hear(high_peer, 0), log{});
    EXPECT_EQ(h.pass(1h), log{});
    EXPECT_EQ(h.machine.current(), state::initialize);
}

TEST(election, starts_as_backup_for_one_active_down_interval)
{
    harness h{settings()};
    EXPECT_EQ(h.startup(), (log{"Initialize -> Backup: startup"}));
    EXPECT_EQ(h.until_wakeup(), down_100);
    EXPECT_EQ(h.machine.next_wakeup().why, "Active_Down_Timer");
    EXPECT_EQ(h.pass(down_100 - 1ns), log{});
    EXPECT_EQ(h.pass(1ns), (log{"advert 100", "Backup -> Active: no_advert"}));
}

TEST(election, the_address_owner_starts_as_active)
{
    harness h{settings(255)};
    EXPECT_EQ(h.startup(), (log{"advert 255", "Initialize -> Active: startup"}));
    EXPECT_EQ(h.until_wakeup(), 1s);
}

TEST(election, a_second_start_does_nothing)
{
    auto h = backup();
    EXPECT_EQ(h.startup(), log{});
    auto a = active();
    EXPECT_EQ(a.startup(), log{});
}

// --- Backup ---

TEST(election, a_backup_falls_silent_without_an_advert)
{
    auto h = backup();
    EXPECT_EQ(h.shutdown(), (log{"Backup -> Initialize: shutdown"}));
    EXPECT_EQ(h.machine.counters().priority_zero_sent, 0U);
    EXPECT_EQ(h.machine.next_wakeup().at, never);
    EXPECT_EQ(h.shutdown(), log{});
}

TEST(election, a_backup_listens_to_an_equal_or_higher_priority_whatever_the_address)
{
    for (const auto& peer : {low_peer, high_peer}) {
        for (const unsigned priority : {100U, 101U, 254U, 255U}) {
            auto h = backup();
            h.pass(3s);
            EXPECT_EQ(h.hear(peer, priority), log{});
            EXPECT_EQ(h.until_wakeup(), down_100) << priority;
        }
    }
}

TEST(election, a_backup_that_preempts_lets_its_timer_run_while_a_lower_priority_speaks)
{
    auto h = backup();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(h.pass(1s), log{});
        EXPECT_EQ(h.hear(high_peer, 99, 5s), log{});
    }
    EXPECT_EQ(h.machine.active_advert_interval(), 1s);
    EXPECT_EQ(h.until_wakeup(), down_100 - 3s);
    EXPECT_EQ(h.wake(), (log{"advert 100", "Backup -> Active: preempted_lower"}));
}

TEST(election, a_backup_that_does_not_preempt_listens_to_a_lower_priority)
{
    auto s = settings();
    s.preempt = false;
    auto h = backup(s);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(h.pass(3s), log{});
        EXPECT_EQ(h.hear(low_peer, 1), log{});
    }
    EXPECT_EQ(h.until_wakeup(), down_100);
    EXPECT_EQ(h.wake(), (log{"advert 100", "Backup -> Active: no_advert"}));
}

TEST(election, priority_zero_leaves_the_skew_time_only)
{
    auto h = backup();
    h.hear(high_peer, 200);
    h.pass(1s);
    EXPECT_EQ(h.hear(high_peer, 0), log{});
    EXPECT_EQ(h.until_wakeup(), skew_100);
    EXPECT_EQ(h.wake(), (log{"advert 100", "Backup -> Active: active_released"}));
}

TEST(election, priority_zero_of_a_slow_active_leaves_the_skew_of_its_interval)
{
    auto h = backup();
    h.hear(high_peer, 200, 10s);
    EXPECT_EQ(h.hear(high_peer, 0, 10s), log{});
    EXPECT_EQ(h.until_wakeup(), skew_100 * 10);
}

TEST(election, version_3_learns_the_interval_and_counts_skew_and_down_time_by_it)
{
    auto h = backup();
    EXPECT_EQ(h.machine.active_advert_interval(), 1s);
    h.hear(high_peer, 200, 200ms);
    EXPECT_EQ(h.machine.active_advert_interval(), 200ms);
    EXPECT_EQ(h.machine.skew_time(), skew_100 / 5);
    EXPECT_EQ(h.until_wakeup(), down_100 / 5);
}

TEST(election, the_learned_interval_is_never_the_one_it_sends_at)
{
    auto h = backup();
    h.hear(high_peer, 200, 200ms);
    h.wake();
    EXPECT_EQ(h.machine.current(), state::active);
    EXPECT_EQ(h.until_wakeup(), 1s);
    EXPECT_EQ(h.machine.active_advert_interval(), 1s);
}

TEST(election, version_2_learns_no_interval_and_its_skew_is_a_part_of_a_second)
{
    auto s = settings_v2();
    s.advert_interval = 5s;
    auto h = backup(s);
    EXPECT_EQ(h.until_wakeup(), 15s + skew_100);
    h.hear(high_peer, 200, 1s);
    EXPECT_EQ(h.machine.active_advert_interval(), 5s);
    EXPECT_EQ(h.until_wakeup(), 15s + skew_100);
    h.hear(high_peer, 0, 5s);
    EXPECT_EQ(h.until_wakeup(), skew_100);
}

TEST(election, backups_of_different_priority_do_not_fire_together_at_ten_milliseconds)
{
    auto first = settings(101);
    auto second = settings(100);
    first.advert_interval = second.advert_interval = 10ms;
    EXPECT_EQ(backup(second).until_wakeup() - backup(first).until_wakeup(), 39'063ns);
}

TEST(election, an_advert_that_is_handled_before_an_elapsed_timer_keeps_it_from_firing)
{
    auto h = backup();
    h.now += 10s;
    EXPECT_EQ(h.hear(high_peer, 200), log{});
    EXPECT_EQ(h.timeout(), log{});
    EXPECT_EQ(h.machine.current(), state::backup);
}

TEST(election, a_stale_or_early_timeout_does_nothing)
{
    auto h = backup();
    const auto first_deadline = h.machine.next_wakeup().at;
    h.pass(2s);
    h.hear(high_peer, 200);
    h.now = first_deadline;
    EXPECT_EQ(h.timeout(), log{});
    auto a = active();
    EXPECT_EQ(a.timeout(), log{});
    EXPECT_EQ(a.pass(999ms), log{});
}

// --- Active ---

TEST(election, an_active_sends_every_interval)
{
    auto h = active();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(h.until_wakeup(), 1s);
        EXPECT_EQ(h.machine.next_wakeup().why, "Adver_Timer");
        EXPECT_EQ(h.wake(), (log{"advert 100"}));
    }
}

TEST(election, an_active_releases_with_priority_zero)
{
    auto h = active();
    EXPECT_EQ(h.shutdown(), (log{"advert 0", "Active -> Initialize: shutdown"}));
    EXPECT_EQ(h.machine.counters().priority_zero_sent, 1U);
    EXPECT_EQ(h.pass(1h), log{});
}

TEST(election, an_active_gives_way_to_a_higher_priority)
{
    for (const auto& peer : {low_peer, high_peer}) {
        auto h = active();
        h.pass(500ms);
        EXPECT_EQ(h.hear(peer, 101, 2s), (log{"advert 100", "Active -> Backup: heard_better"}));
        EXPECT_EQ(h.machine.active_advert_interval(), 2s);
        EXPECT_EQ(h.until_wakeup(), down_100 * 2);
    }
}

TEST(election, preempt_is_not_asked_for_while_active)
{
    auto s = settings();
    s.preempt = false;
    auto h = active(s);
    EXPECT_EQ(h.hear(high_peer, 99), (log{"advert 100", "lower 99 from 10.0.0.200"}));
    h.pass(1ms);
    EXPECT_EQ(h.hear(low_peer, 101), (log{"advert 100", "Active -> Backup: heard_better"}));
}

TEST(election, between_equal_priorities_the_higher_address_stays_active)
{
    auto winner = active();
    EXPECT_EQ(winner.hear(low_peer, 100), (log{"advert 100", "lower 100 from 10.0.0.10"}));
    auto loser = active();
    EXPECT_EQ(loser.hear(high_peer, 100), (log{"advert 100", "Active -> Backup: heard_better"}));
}

TEST(election, addresses_are_compared_unsigned_in_network_order)
{
    // The higher one first. As signed or as little-endian numbers each pair would be the other way round.
    const std::vector<std::pair<std::string_view, std::string_view>> pairs = {
        {"10.0.0.200", "10.0.0.100"},
        {"200.0.0.1", "10.0.0.1"},
        {"10.0.1.0", "10.0.0.255"},
        {"10.1.0.1", "10.0.0.2"},
        {"2001:db8::2:1", "2001:db8::1:ffff"},
        {"fe80::1", "2001:db8::ffff"},
        {"2001:db8::8000", "2001:db8::1"},
    };
    for (const auto& [higher, lower] : pairs) {
        auto s = settings();
        s.source = address(higher);
        auto winner = active(s);
        winner.hear(address(lower), 100);
        EXPECT_EQ(winner.machine.current(), state::active) << higher;
        s.source = address(lower);
        auto loser = active(s);
        loser.hear(address(higher), 100);
        EXPECT_EQ(loser.machine.current(), state::backup) << lower;
    }
}

TEST(election, an_active_asserts_itself_at_once_against_a_lower_priority)
{
    for (const auto& s : {settings(), settings_v2()}) {
        auto h = active(s);
        h.pass(300ms);
        EXPECT_EQ(h.hear(high_peer, 99, 200ms), (log{"advert 100", "lower 99 from 10.0.0.200"}));
        EXPECT_EQ(h.until_wakeup(), 700ms);
        EXPECT_EQ(h.machine.active_advert_interval(), 1s);
        EXPECT_EQ(h.machine.counters().lower_priority_heard_while_active, 1U);
    }
}

TEST(election, an_active_that_hears_a_release_sends_and_starts_its_interval_again)
{
    auto h = active();
    h.pass(300ms);
    // Whoever releases was Active until then, and may have moved the address.
    EXPECT_EQ(h.hear(high_peer, 0), (log{"advert 100", "lower 0 from 10.0.0.200"}));
    EXPECT_EQ(h.until_wakeup(), 1s);
    EXPECT_EQ(h.machine.counters().lower_priority_heard_while_active, 0U);
}

TEST(election, adverts_do_not_drift_when_every_wake_is_late)
{
    auto h = active();
    const auto first = h.machine.next_wakeup().at;
    for (int i = 0; i < 1000; ++i) {
        h.now = h.machine.next_wakeup().at + 3ms;
        EXPECT_EQ(h.timeout(), (log{"advert 100"}));
    }
    EXPECT_EQ(h.machine.next_wakeup().at, first + 1000 * 1s);
    EXPECT_EQ(h.machine.counters().adverts_skipped, 0U);
}

TEST(election, a_late_wake_sends_once_and_never_a_burst)
{
    auto h = active();
    EXPECT_EQ(h.pass(1s + 900ms), (log{"advert 100"}));
    EXPECT_EQ(h.timeout(), log{});
    EXPECT_EQ(h.until_wakeup(), 100ms);

    auto later = active();
    EXPECT_EQ(later.pass(1s + 1s + 500ms), (log{"advert 100"}));
    EXPECT_EQ(later.timeout(), log{});
    EXPECT_EQ(later.until_wakeup(), 1s);
    EXPECT_EQ(later.machine.counters().adverts_skipped, 1U);
}

TEST(election, an_interval_that_was_missed_to_the_nanosecond_is_missed)
{
    auto h = active();
    EXPECT_EQ(h.pass(2s), (log{"advert 100"}));
    EXPECT_EQ(h.machine.counters().adverts_skipped, 1U);
    EXPECT_EQ(h.until_wakeup(), 1s);
}

// --- address owner ---

TEST(election, owners_of_version_3_obey_the_higher_address)
{
    auto h = active(settings(255));
    EXPECT_EQ(h.hear(low_peer, 255), (log{"advert 255", "lower 255 from 10.0.0.10"}));
    h.pass(1ms);
    EXPECT_EQ(h.hear(high_peer, 255), (log{"advert 255", "Active -> Backup: heard_better"}));
    EXPECT_EQ(h.machine.counters().owner_conflicts, 2U);
}

TEST(election, an_owner_of_version_2_ignores_adverts_and_only_reports_the_lower_ones)
{
    auto h = active(settings_v2(255));
    h.pass(300ms);
    EXPECT_EQ(h.hear(high_peer, 255), log{});
    EXPECT_EQ(h.hear(high_peer, 0), log{});
    EXPECT_EQ(h.hear(high_peer, 254), (log{"lower 254 from 10.0.0.200"}));
    EXPECT_EQ(h.until_wakeup(), 700ms);
    EXPECT_EQ(h.machine.counters().owner_conflicts, 1U);
}

TEST(election, an_owner_preempts_at_once_whatever_is_set)
{
    auto s = settings(255);
    s.preempt = false;
    s.preempt_delay = 60s;
    auto h = active(s);
    h.step_down();
    EXPECT_EQ(h.until_wakeup(), 4s);
    h.pass(1s);
    EXPECT_EQ(h.hear(high_peer, 254), log{});
    EXPECT_EQ(h.until_wakeup(), 3s);
    EXPECT_EQ(h.wake(), (log{"advert 255", "Backup -> Active: preempted_lower"}));
}

TEST(election, our_own_address_on_another_host_changes_nothing)
{
    for (const unsigned priority : {0U, 1U, 100U, 255U}) {
        auto a = active();
        EXPECT_EQ(a.hear(us, priority), log{});
        EXPECT_EQ(a.until_wakeup(), 1s);
        EXPECT_EQ(a.machine.counters().owner_conflicts, 1U);
        auto b = backup();
        b.pass(1s);
        EXPECT_EQ(b.hear(us, priority), log{});
        EXPECT_EQ(b.until_wakeup(), down_100 - 1s);
        EXPECT_EQ(b.machine.counters().owner_conflicts, 1U);
    }
}

// --- what status shows ---

TEST(election, a_transition_is_due_when_its_timer_was_or_its_advert_came)
{
    auto h = backup();
    const auto deadline = h.machine.next_wakeup().at;
    h.now = deadline + 7ms;
    h.timeout();
    EXPECT_EQ(h.last_transition().due, deadline);
    EXPECT_EQ(h.machine.since(), deadline + 7ms);
    EXPECT_EQ(h.until_wakeup(), 1s);
    h.pass(100ms);
    h.hear(high_peer, 200);
    EXPECT_EQ(h.last_transition().due, h.now);
}

TEST(election, one_that_takes_no_part_knows_who_is_active)
{
    auto h = active();
    h.hear(low_peer, 50);
    h.fault();
    EXPECT_FALSE(h.machine.last_heard()) << "that one gave way";
    h.hear(high_peer, 200);
    ASSERT_TRUE(h.machine.last_heard());
    EXPECT_EQ(h.machine.last_heard()->source, high_peer);
    h.hear(high_peer, 0);
    EXPECT_EQ(h.machine.last_heard()->priority, 0);
    EXPECT_EQ(h.machine.current(), state::initialize);
}

TEST(election, counters_follow_what_happened)
{
    auto h = active();
    h.hear(high_peer, 200);
    h.hear(high_peer, 0);
    h.wake();
    h.fault();
    const auto& c = h.machine.counters();
    EXPECT_EQ(c.became_active, 2U);
    EXPECT_EQ(c.became_backup, 2U);
    EXPECT_EQ(c.priority_zero_received, 1U);
    EXPECT_EQ(c.priority_zero_sent, 1U);
}

TEST(election, the_last_speaker_is_known)
{
    auto h = backup();
    EXPECT_FALSE(h.machine.last_heard());
    h.pass(1s);
    h.hear(high_peer, 200);
    ASSERT_TRUE(h.machine.last_heard());
    EXPECT_EQ(h.machine.last_heard()->source, high_peer);
    EXPECT_EQ(h.machine.last_heard()->priority, 200);
    EXPECT_EQ(h.machine.last_heard()->at, h.now);
    h.pass(1s);
    h.hear(low_peer, 99);
    EXPECT_EQ(h.machine.last_heard()->source, low_peer);
    h.hear(us, 99);
    EXPECT_EQ(h.machine.last_heard()->source, low_peer);
    h.fault();
    h.startup();
    EXPECT_FALSE(h.machine.last_heard());
}

TEST(election, a_fault_ends_like_a_shutdown_and_a_start_ends_the_fault)
{
    auto h = active();
    EXPECT_EQ(h.fault(), (log{"advert 0", "Active -> Initialize: fault"}));
    EXPECT_EQ(h.fault(), log{});
    EXPECT_EQ(h.shutdown(), log{});
    EXPECT_EQ(h.hear(high_peer, 200), log{});
    EXPECT_EQ(h.startup(), (log{"Initialize -> Backup: startup"}));
    EXPECT_EQ(h.until_wakeup(), down_100);
    EXPECT_EQ(h.fault(), (log{"Backup -> Initialize: fault"}));
}

}  // namespace

}  // namespace vipd::vrrp
