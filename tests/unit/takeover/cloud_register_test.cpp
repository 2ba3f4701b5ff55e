#include "agent/takeover/cloud_register.hpp"

#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using stage = cloud_register::stage;
using kind = aws::ec2_error_class;

constexpr time_point t0 = time_point{1000s};

class cloud_register_test : public testing::Test {
protected:
    // One call made at `now` and accepted `after` later.
    void take(time_point now, duration after = 100ms)
    {
        r.become_active(now);
        ASSERT_TRUE(r.issue(now));
        r.answered(now + after, reply_done(), random);
    }

    static std::string verb(const std::optional<aws::ec2_call>& call)
    {
        return call ? std::string(aws::action_name(*call)) : "none";
    }

    // A takeover that fails in the same way in every attempt before `until`.
    void fail(time_point until, kind why)
    {
        r.become_active(t0);
        for (auto now = t0; now < until; now = std::max(now + 1ms, r.next_wakeup().at)) {
            if (r.issue(now)) {
                r.answered(now, reply_error(why), random);
            }
        }
    }

    random_source random{1};
    // A view that shows this route; null for none.
    cloud_register::view_consequence see(time_point read_began, time_point now, const aws::route* route,
                                         standing s = standing::unknown)
    {
        return r.see(read_began, now, sighting_of(what, route), s);
    }

    route_in_table what{rtb("rtb-1"), destination(), eni("eni-me")};
    cloud_register r{what};
    aws::route mine = route_to("eni-me");
    aws::route other = route_to("eni-other");
};

TEST_F(cloud_register_test, a_backup_makes_no_call)
{
    see(t0, t0, &other);
    EXPECT_FALSE(r.issue(t0 + 1h));
    EXPECT_EQ(r.next_wakeup().at, never);
}

TEST_F(cloud_register_test, becoming_active_replaces_at_once_without_having_looked)
{
    r.become_active(t0);
    const auto call = r.issue(t0);
    ASSERT_TRUE(call);
    const auto& replace = std::get<aws::replace_route>(*call);
    EXPECT_EQ(replace.table, rtb("rtb-1"));
    EXPECT_EQ(replace.destination, destination());
    EXPECT_EQ(replace.target, eni("eni-me"));
    EXPECT_FALSE(r.issue(t0)) << "one call at a time";
}

TEST_F(cloud_register_test, becoming_active_writes_even_when_the_last_view_shows_the_route_here)
{
    see(t0, t0, &mine);
    r.become_active(t0 + 9s);
    EXPECT_EQ(verb(r.issue(t0 + 9s)), "ReplaceRoute");
}

TEST_F(cloud_register_test, a_route_known_to_be_missing_is_created_at_once)
{
    see(t0, t0, nullptr);
    r.become_active(t0);
    EXPECT_EQ(verb(r.issue(t0)), "CreateRoute");
}

TEST_F(cloud_register_test, a_propagated_route_is_overridden_by_creating_a_static_one)
{
    auto propagated = other;
    propagated.propagated = true;
    see(t0, t0, &propagated);
    r.become_active(t0);
    EXPECT_EQ(verb(r.issue(t0)), "CreateRoute");
}

TEST_F(cloud_register_test, create_and_replace_follow_the_answers_in_either_order)
{
    r.become_active(t0);
    EXPECT_EQ(verb(r.issue(t0)), "ReplaceRoute");
    r.answered(t0 + 1ms, reply_error(kind::route_missing), random);
    EXPECT_EQ(verb(r.issue(t0 + 1ms)), "CreateRoute");
    r.answered(t0 + 2ms, reply_error(kind::route_exists), random);
    EXPECT_EQ(verb(r.issue(t0 + 2ms)), "ReplaceRoute");
    r.answered(t0 + 3ms, reply_done(), random);
    EXPECT_EQ(r.current(), stage::settled);
}

TEST_F(cloud_register_test, a_cloud_that_contradicts_itself_for_ever_is_met_with_backoff_and_the_budget)
{
    r.become_active(t0);
    unsigned calls = 0;
    for (auto now = t0; now < t0 + 60s; now += 1ms) {
        if (const auto call = r.issue(now)) {
            ++calls;
            const bool was_create = std::holds_alternative<aws::create_route>(*call);
            r.answered(now, reply_error(was_create ? kind::route_exists : kind::route_missing), random);
        }
    }
    EXPECT_LE(calls, 5 + 30u);
    EXPECT_GE(calls, 10u);
}

TEST_F(cloud_register_test, an_accepted_call_is_not_confirmed_until_a_later_view_shows_it)
{
    take(t0, 100ms);
    EXPECT_FALSE(r.confirmed());
    see(t0 + 50ms, t0 + 120ms, &mine);  // began before the call was accepted
    EXPECT_FALSE(r.confirmed());
    see(t0 + 1s, t0 + 1100ms, &mine);
    EXPECT_TRUE(r.confirmed());
}

TEST_F(cloud_register_test, read_backs_are_asked_1_2_5_and_10_s_after_the_accepted_call)
{
    take(t0, 0ms);
    std::vector<duration> asked;
    while (r.next_read() != never) {
        const auto at = r.next_read();
        asked.push_back(at - t0);
        r.read_asked(at);
    }
    EXPECT_EQ(asked, (std::vector<duration>{1s, 2s, 5s, 10s}));
}

TEST_F(cloud_register_test, read_backs_that_were_due_together_are_asked_once)
{
    take(t0, 0ms);
    r.read_asked(t0 + 6s);
    EXPECT_EQ(r.next_read(), t0 + 10s);
}

TEST_F(cloud_register_test, one_stale_view_after_the_write_is_no_loss)
{
    take(t0, 0ms);
    EXPECT_FALSE(see(t0 + 1s, t0 + 1s, &other).repaired);
    EXPECT_FALSE(see(t0 + 2s, t0 + 2s, &other).repaired);
    EXPECT_EQ(r.current(), stage::settled);
    see(t0 + 5s, t0 + 5s, &mine);
    EXPECT_TRUE(r.confirmed());
    EXPECT_FALSE(r.issue(t0 + 5s));
}

TEST_F(cloud_register_test, three_contradicting_views_over_5_s_make_it_write_again)
{
    take(t0, 0ms);
    see(t0 + 1s, t0 + 1s, &other);
    see(t0 + 2s, t0 + 2s, &other);
    EXPECT_FALSE(see(t0 + 4900ms, t0 + 4900ms, &other).repaired);
    EXPECT_TRUE(see(t0 + 5s, t0 + 5s, &other).repaired);
    EXPECT_EQ(verb(r.issue(t0 + 5s)), "ReplaceRoute");
}

TEST_F(cloud_register_test, a_confirmed_route_that_was_moved_by_hand_is_repaired_after_a_second_opinion)
{
    take(t0, 0ms);
    see(t0 + 1s, t0 + 1s, &mine);
    const auto first = see(t0 + 20s, t0 + 20s, &other);
    EXPECT_TRUE(first.read_again_soon);
    EXPECT_FALSE(first.repaired);
    EXPECT_TRUE(see(t0 + 20200ms, t0 + 20200ms, &other).repaired);
    EXPECT_EQ(verb(r.issue(t0 + 20200ms)), "ReplaceRoute");
    EXPECT_EQ(r.snapshot(t0 + 21s).repairs, 1u);
}

TEST_F(cloud_register_test, a_second_opinion_that_agrees_with_us_ends_the_doubt)
{
    take(t0, 0ms);
    see(t0 + 1s, t0 + 1s, &mine);
    see(t0 + 20s, t0 + 20s, &other);
    see(t0 + 20200ms, t0 + 20200ms, &mine);
    EXPECT_FALSE(see(t0 + 30s, t0 + 30s, &other).repaired) << "the count begins again";
}

TEST_F(cloud_register_test, a_lower_priority_advert_makes_two_views_enough_right_after_the_write)
{
    take(t0, 0ms);
    r.suspect(t0 + 10ms);
    EXPECT_TRUE(see(t0 + 20ms, t0 + 30ms, &other).read_again_soon);
    EXPECT_TRUE(see(t0 + 220ms, t0 + 230ms, &other).repaired);
}

TEST_F(cloud_register_test, the_call_of_an_active_that_was_heard_just_before_ours_was_accepted_is_believed_early)
{
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.suspect(t0 + 1ms);
    r.answered(t0 + 2s, reply_done(), random);
    EXPECT_TRUE(see(t0 + 3s, t0 + 3100ms, &other).read_again_soon);
    EXPECT_TRUE(see(t0 + 3300ms, t0 + 3400ms, &other).repaired);
}

TEST_F(cloud_register_test, one_that_was_heard_longer_ago_than_a_call_takes_is_not)
{
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.suspect(t0 + 1ms);
    r.answered(t0 + 4s, reply_done(), random);
    EXPECT_FALSE(see(t0 + 5s, t0 + 5100ms, &other).read_again_soon);
    EXPECT_FALSE(see(t0 + 6s, t0 + 6100ms, &other).repaired);
}

TEST_F(cloud_register_test, a_black_hole_towards_us_is_no_ownership_and_is_replaced)
{
    take(t0, 0ms);
    see(t0 + 1s, t0 + 1s, &mine);
    const auto hole = route_to("eni-me", aws::route_state::blackhole);
    see(t0 + 20s, t0 + 20s, &hole);
    EXPECT_TRUE(see(t0 + 21s, t0 + 21s, &hole).repaired);
    EXPECT_EQ(verb(r.issue(t0 + 21s)), "ReplaceRoute");
}

TEST_F(cloud_register_test, a_route_that_was_deleted_is_created_again)
{
    take(t0, 0ms);
    see(t0 + 1s, t0 + 1s, &mine);
    see(t0 + 20s, t0 + 20s, nullptr);
    EXPECT_TRUE(see(t0 + 21s, t0 + 21s, nullptr).repaired);
    EXPECT_EQ(verb(r.issue(t0 + 21s)), "CreateRoute");
}

TEST_F(cloud_register_test, an_unknown_outcome_is_read_back_before_it_is_repeated)
{
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.answered(t0 + 3s, reply_error(kind::unknown_outcome), random);
    EXPECT_EQ(r.current(), stage::unknown);
    EXPECT_FALSE(r.issue(t0 + 4s));
    EXPECT_TRUE(see(t0 + 2s, t0 + 4s, &other).read_again_soon) << "began before the answer was lost";
    EXPECT_EQ(r.current(), stage::unknown);
    see(t0 + 4s, t0 + 4100ms, &other);
    EXPECT_EQ(verb(r.issue(t0 + 4100ms)), "ReplaceRoute");
}

TEST_F(cloud_register_test, an_unknown_outcome_that_turns_out_to_have_worked_is_not_repeated)
{
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.answered(t0 + 3s, reply_error(kind::unknown_outcome), random);
    see(t0 + 3s, t0 + 3100ms, &mine);
    EXPECT_TRUE(r.confirmed());
    EXPECT_FALSE(r.issue(t0 + 4s));
}

TEST_F(cloud_register_test, an_unknown_outcome_that_cannot_be_read_back_for_10_s_is_repeated)
{
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.answered(t0 + 3s, reply_error(kind::unknown_outcome), random);
    EXPECT_EQ(r.next_read(), t0 + 3s);
    r.read_asked(t0 + 3s);
    see(t0 + 2s, t0 + 8s, &other);  // too old to tell
    EXPECT_EQ(r.next_wakeup().at, t0 + 13s);
    EXPECT_EQ(r.snapshot(t0 + 8s).retry_in, duration{5s});
    EXPECT_FALSE(r.issue(t0 + 13s - 1ns));
    EXPECT_EQ(verb(r.issue(t0 + 13s)), "ReplaceRoute");
    r.answered(t0 + 13100ms, reply_done(), random);
    EXPECT_EQ(r.current(), stage::settled);
}

TEST_F(cloud_register_test, outcomes_that_stay_unknown_for_ever_stay_within_the_budget)
{
    r.become_active(t0);
    unsigned calls = 0;
    for (auto now = t0; now < t0 + 100s; now = std::max(now + 1ms, r.next_wakeup().at)) {
        if (r.issue(now)) {
            ++calls;
            r.answered(now, reply_error(kind::unknown_outcome), random);
        }
    }
    EXPECT_EQ(calls, 10u);
}

TEST_F(cloud_register_test, what_ec2_does_not_know_for_10_s_is_asked_for_as_seldom_as_what_it_refuses)
{
    r.become_active(t0);
    unsigned early = 0;
    unsigned late = 0;
    for (auto now = t0; now < t0 + 10min; now = std::max(now + 1ms, r.next_wakeup().at)) {
        if (r.issue(now)) {
            ++(now < t0 + 10s ? early : late);
            r.answered(now, reply_error(kind::consistency, "InvalidRouteTableID.NotFound"), random);
        }
    }
    EXPECT_GE(early, 5u);
    EXPECT_GE(late, 5u);
    EXPECT_LE(late, 40u) << "300 would fit into the budget";
}

TEST_F(cloud_register_test, a_success_makes_what_ec2_does_not_know_a_matter_of_moments_again)
{
    r.become_active(t0);
    for (auto now = t0; now < t0 + 1min; now = std::max(now + 1ms, r.next_wakeup().at)) {
        if (r.issue(now)) {
            r.answered(now, reply_error(kind::consistency), random);
        }
    }
    r.leave_active();
    r.become_active(t0 + 1h);
    ASSERT_TRUE(r.issue(t0 + 1h));
    r.answered(t0 + 1h, reply_error(kind::consistency), random);
    EXPECT_LE(r.next_wakeup().at, t0 + 1h + 100ms);
}

TEST_F(cloud_register_test, a_route_that_ec2_refuses_to_move_and_somebody_has_moved_by_hand_is_here)
{
    for (const auto why : {kind::denied, kind::invalid}) {
        r = cloud_register{what};
        fail(t0 + 15s, why);
        see(t0 + 9s, t0 + 15s, &mine);
        EXPECT_EQ(r.current(), stage::writing) << "it may be from before the refusal";
        see(t0 + 14s, t0 + 15s, &other);
        EXPECT_EQ(r.current(), stage::writing);
        see(t0 + 15s, t0 + 15s, &mine);
        EXPECT_TRUE(r.confirmed());
        EXPECT_FALSE(r.issue(t0 + 1h));
        EXPECT_EQ(r.snapshot(t0 + 15s).last_error, "");
        see(t0 + 30s, t0 + 30s, &other);
        EXPECT_TRUE(see(t0 + 31s, t0 + 31s, &other).repaired) << "as any that is here";
    }
}

TEST_F(cloud_register_test, a_view_ends_no_takeover_that_may_succeed_by_itself)
{
    for (const auto why : {kind::throttled, kind::transient, kind::credentials, kind::consistency, kind::not_sent}) {
        r = cloud_register{what};
        fail(t0 + 15s, why);
        see(t0 + 15s, t0 + 15s, &mine);
        EXPECT_EQ(r.current(), stage::writing) << to_string(why);
    }
    r = cloud_register{what};
    fail(t0 + 15s, kind::denied);
    const auto next = r.next_wakeup().at;
    ASSERT_TRUE(r.issue(next));
    r.answered(next, reply_error(kind::throttled), random);
    see(next, next, &mine);
    EXPECT_EQ(r.current(), stage::writing) << "the permission is there by now";
}

TEST_F(cloud_register_test, a_refusal_of_the_old_target_says_nothing_of_the_new_one)
{
    fail(t0 + 15s, kind::denied);
    what.target = eni("eni-new");
    r.change(what);
    const auto there = route_to("eni-new");
    see(t0 + 15s, t0 + 15s, &there);
    EXPECT_EQ(verb(r.issue(t0 + 15s)), "ReplaceRoute");
}

TEST_F(cloud_register_test, a_route_that_is_created_by_hand_where_create_route_is_refused_is_replaced)
{
    see(t0, t0, &other);
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "ReplaceRoute");
    r.answered(t0 + 1ms, reply_error(kind::route_missing), random);
    ASSERT_EQ(verb(r.issue(t0 + 1ms)), "CreateRoute");
    r.answered(t0 + 3ms, reply_error(kind::denied), random);
    see(t0 + 2ms, t0 + 4ms, &other);
    auto now = r.next_wakeup().at;
    ASSERT_EQ(verb(r.issue(now)), "CreateRoute") << "that view is older than the refusal";
    r.answered(now, reply_error(kind::denied), random);
    see(now, now, &other);
    now = r.next_wakeup().at;
    EXPECT_EQ(verb(r.issue(now)), "ReplaceRoute");
    r.answered(now, reply_done(), random);
    EXPECT_EQ(r.current(), stage::settled);
}

struct retry_case {
    kind error;
    duration earliest;
    duration latest;
};

class cloud_register_retry : public testing::TestWithParam<retry_case> {};

TEST_P(cloud_register_retry, comes_back_within_its_range)
{
    random_source random{7};
    for (int seed = 0; seed < 50; ++seed) {
        cloud_register r{route_in_table{rtb("rtb-1"), destination(), eni("eni-me")}};
        r.become_active(t0);
        ASSERT_TRUE(r.issue(t0));
        r.answered(t0, reply_error(GetParam().error), random);
        EXPECT_EQ(r.current(), stage::writing);
        EXPECT_GE(r.next_wakeup().at, t0 + GetParam().earliest);
        EXPECT_LE(r.next_wakeup().at, t0 + GetParam().latest);
    }
}

INSTANTIATE_TEST_SUITE_P(classes, cloud_register_retry,
                         testing::Values(retry_case{kind::transient, 1ns, 100ms}, retry_case{kind::throttled, 1ns, 1s},
                                         retry_case{kind::credentials, 1ns, 1ns}, retry_case{kind::clock, 1ns, 1ns},
                                         retry_case{kind::denied, 1ns, 5s}, retry_case{kind::invalid, 1ns, 5s},
                                         retry_case{kind::not_sent, 1ns, 100ms}, retry_case{kind::consistency, 1ns, 100ms}));

TEST_F(cloud_register_test, no_storm_exceeds_5_calls_and_one_every_2_s)
{
    r.become_active(t0);
    unsigned calls = 0;
    for (auto now = t0; now <= t0 + 100s; now += 10ms) {
        if (r.issue(now)) {
            ++calls;
            r.answered(now, reply_error(kind::transient), random);
        }
        EXPECT_LE(calls, 5 + 0.5 * to_seconds(now - t0) + 1e-6);
    }
    EXPECT_GE(calls, 20u) << "it has not given up";
}

TEST_F(cloud_register_test, the_budget_outlives_an_epoch)
{
    unsigned calls = 0;
    for (int i = 0; i < 20; ++i) {
        r.become_active(t0 + i * 1ms);
        calls += r.issue(t0 + i * 1ms) ? 1U : 0U;
        r.leave_active();
    }
    EXPECT_EQ(calls, 5u);
}

TEST_F(cloud_register_test, an_answer_after_demotion_changes_nothing)
{
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.leave_active();
    r.answered(t0 + 1s, reply_done(), random);
    EXPECT_EQ(r.current(), stage::idle);
    EXPECT_FALSE(r.issue(t0 + 1s));
}

TEST_F(cloud_register_test, a_new_target_is_written_while_active)
{
    take(t0, 0ms);
    r.change(route_in_table{what.table, what.destination, eni("eni-new")});
    const auto call = r.issue(t0 + 1s);
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::replace_route>(*call).target, eni("eni-new"));
}

TEST_F(cloud_register_test, a_target_that_changes_while_a_call_is_under_way_is_written_after_it)
{
    see(t0, t0, nullptr);
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "CreateRoute");
    r.change(route_in_table{what.table, what.destination, eni("eni-new")});
    EXPECT_FALSE(r.issue(t0)) << "one call at a time";
    r.answered(t0 + 20ms, reply_done(), random);
    const auto call = r.issue(t0 + 20ms);
    ASSERT_EQ(verb(call), "ReplaceRoute") << "the first call has created it";
    EXPECT_EQ(std::get<aws::replace_route>(*call).target, eni("eni-new"));
    r.answered(t0 + 40ms, reply_done(), random);
    EXPECT_EQ(r.current(), stage::settled);
    EXPECT_FALSE(r.issue(t0 + 1s));
}

TEST_F(cloud_register_test, a_new_target_does_not_wait_for_what_the_old_one_was_refused)
{
    r.become_active(t0);
    auto now = t0;
    for (int refusals = 0; refusals < 5; ++refusals) {
        now = r.next_wakeup().at;
        ASSERT_TRUE(r.issue(now));
        r.answered(now, reply_error(kind::invalid), random);
    }
    ASSERT_GT(r.next_wakeup().at, now + 1s);
    r.change(route_in_table{what.table, what.destination, eni("eni-new")});
    EXPECT_LE(r.next_wakeup().at, now + 1ms);
    const auto call = r.issue(now + 1ms);
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::replace_route>(*call).target, eni("eni-new"));
}

TEST_F(cloud_register_test, a_target_that_changes_while_a_call_is_under_way_does_not_wait_for_its_refusal)
{
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.change(route_in_table{what.table, what.destination, eni("eni-new")});
    r.answered(t0 + 20ms, reply_error(kind::invalid), random);
    const auto call = r.issue(t0 + 20ms);
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::replace_route>(*call).target, eni("eni-new"));
    r.answered(t0 + 40ms, reply_error(kind::invalid), random);
    EXPECT_FALSE(r.issue(t0 + 40ms)) << "once for each change";
}

TEST_F(cloud_register_test, targets_that_change_all_the_time_stay_within_the_budget)
{
    r.become_active(t0);
    unsigned calls = 0;
    for (auto now = t0; now < t0 + 60s; now += 10ms) {
        r.change(route_in_table{what.table, what.destination, eni(now.time_since_epoch() / 10ms % 2 == 0 ? "eni-1" : "eni-2")});
        if (r.issue(now)) {
            ++calls;
            r.answered(now, reply_error(kind::invalid), random);
        }
    }
    EXPECT_LE(calls, 5 + 30u);
}

class cloud_register_duel : public cloud_register_test {
protected:
    // Settled, and then believed to be lost.
    cloud_register::view_consequence lose(time_point now, standing s)
    {
        see(now, now, &mine, s);
        see(now + 100ms, now + 100ms, &other, s);
        return see(now + 300ms, now + 300ms, &other, s);
    }
    void put_back(time_point now)
    {
        ASSERT_TRUE(r.issue(now));
        r.answered(now, reply_done(), random);
    }
    // Held at `held_at`, for 30 s.
    void be_held()
    {
        take(t0, 0ms);
        for (int i = 1; i <= 2; ++i) {
            EXPECT_TRUE(lose(t0 + i * 2s, standing::outranked).repaired);
            put_back(t0 + i * 2s + 300ms);
        }
        const auto third = lose(t0 + 4301ms, standing::outranked);
        EXPECT_EQ(third.duel, duel_news::held);
        EXPECT_FALSE(third.repaired);
        held_at = t0 + 4601ms;
    }
    time_point held_at;
};

TEST_F(cloud_register_duel, a_register_that_is_held_is_put_back_after_the_pause_and_says_so)
{
    be_held();
    EXPECT_EQ(r.current(), stage::held);
    const auto s = r.snapshot(held_at);
    EXPECT_EQ(s.state, status::resource_state::taking);
    EXPECT_EQ(s.duel, status::duel_state::held);
    EXPECT_EQ(s.retry_in, duration{30s});
    see(held_at + 10s, held_at + 10s, &other, standing::outranked);
    EXPECT_FALSE(r.issue(held_at + 30s - 1ns));
    EXPECT_EQ(verb(r.issue(held_at + 30s)), "ReplaceRoute");
    EXPECT_EQ(r.snapshot(held_at + 30s).repairs, 3u);
}

TEST_F(cloud_register_duel, a_held_register_that_is_seen_here_needs_no_call)
{
    be_held();
    see(held_at + 1s, held_at + 1s, &mine);
    EXPECT_TRUE(r.confirmed());
    EXPECT_FALSE(r.issue(held_at + 1h));
}

TEST_F(cloud_register_duel, a_held_register_that_leads_nowhere_is_taken_at_once)
{
    be_held();
    const auto hole = route_to("eni-other", aws::route_state::blackhole);
    EXPECT_TRUE(see(held_at + 1s, held_at + 1s, &hole).repaired);
    EXPECT_EQ(verb(r.issue(held_at + 1s)), "ReplaceRoute");
}

TEST_F(cloud_register_duel, a_new_target_is_written_at_once_and_the_duel_is_not_forgotten)
{
    be_held();
    what.target = eni("eni-new");
    r.change(what);
    const auto call = r.issue(held_at + 1s);
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::replace_route>(*call).target, eni("eni-new"));
    EXPECT_EQ(r.snapshot(held_at + 1s).repairs, 3u);
    r.answered(held_at + 1s, reply_done(), random);
    mine = route_to("eni-new");
    EXPECT_EQ(lose(held_at + 2s, standing::outranked).duel, duel_news::held);
    EXPECT_EQ(r.snapshot(held_at + 2300ms).retry_in, duration{60s}) << "longer than the pause before";
}

TEST_F(cloud_register_duel, a_lower_active_that_is_heard_ends_the_pause)
{
    be_held();
    r.suspect(held_at + 1s);
    EXPECT_EQ(verb(r.issue(held_at + 1s)), "ReplaceRoute");
}

TEST_F(cloud_register_duel, an_epoch_begins_with_a_write_and_remembers_the_duel)
{
    be_held();
    r.leave_active();
    EXPECT_EQ(r.snapshot(held_at + 1s).duel, status::duel_state::none);
    r.become_active(held_at + 1s);
    put_back(held_at + 1s);
    EXPECT_EQ(lose(held_at + 2s, standing::outranked).duel, duel_news::held);
    EXPECT_EQ(r.next_wakeup().at, held_at + 2300ms + 60s);
}

TEST_F(cloud_register_duel, a_minute_here_ends_it)
{
    be_held();
    put_back(held_at + 30s);
    EXPECT_EQ(see(held_at + 89s, held_at + 89s, &mine).duel, duel_news::none);
    EXPECT_EQ(r.snapshot(held_at + 89s).duel, status::duel_state::held);
    EXPECT_EQ(see(held_at + 90s, held_at + 90s, &mine).duel, duel_news::over);
    EXPECT_EQ(r.snapshot(held_at + 90s).duel, status::duel_state::none);
}

TEST_F(cloud_register_duel, routes_that_vanish_are_nobody_s_doing_and_come_back_each_time)
{
    take(t0, 0ms);
    for (int i = 1; i <= 20; ++i) {
        const auto now = t0 + i * 3s;
        see(now, now, &mine);
        see(now + 100ms, now + 100ms, nullptr);
        EXPECT_TRUE(see(now + 300ms, now + 300ms, nullptr).repaired);
        put_back(now + 300ms);
    }
    EXPECT_EQ(r.snapshot(t0 + 1min).duel, status::duel_state::none);
}

TEST_F(cloud_register_test, what_was_seen_here_is_elsewhere_when_another_target_is_wanted)
{
    see(t0, t0, &mine);
    EXPECT_EQ(r.snapshot(t0).state, status::resource_state::here);
    r.change(route_in_table{what.table, what.destination, eni("eni-new")});
    EXPECT_EQ(r.snapshot(t0).state, status::resource_state::elsewhere);
    r.change(what);
    EXPECT_EQ(r.snapshot(t0).state, status::resource_state::here);
}

TEST_F(cloud_register_test, status_shows_owner_state_and_error)
{
    EXPECT_EQ(r.snapshot(t0).state, status::resource_state::unknown);
    see(t0, t0, &other);
    auto s = r.snapshot(t0 + 3s);
    EXPECT_EQ(s.state, status::resource_state::elsewhere);
    EXPECT_EQ(s.owner, "eni-other");
    EXPECT_EQ(s.destination, "172.16.1.100/32");
    EXPECT_EQ(s.table, "rtb-1");
    EXPECT_EQ(s.confirmed_age, duration{3s});
    r.become_active(t0 + 3s);
    r.issue(t0 + 3s);
    EXPECT_EQ(r.snapshot(t0 + 3s).state, status::resource_state::taking);
    r.answered(t0 + 3s, reply_error(kind::denied, "UnauthorizedOperation"), random);
    s = r.snapshot(t0 + 3s);
    EXPECT_EQ(s.last_error, "UnauthorizedOperation: some message");
    EXPECT_EQ(s.failures, 1u);
    ASSERT_TRUE(s.retry_in);
}

}  // namespace
}  // namespace vipd::takeover
