// Things that move in steps: an IPv6 address, and an interface that EC2 detaches and attaches in its own time.

#include "agent/takeover/cloud_register.hpp"
#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using stage = cloud_register::stage;
using kind = aws::ec2_error_class;
using state = aws::attachment_state;

constexpr time_point t0 = time_point{1000s};

floating_interface floating(std::optional<unsigned> device_index = std::nullopt)
{
    interface_query match;
    match.id = eni("eni-float");
    return {match, aws::instance_id{"i-me"}, device_index, 10s};
}

class moving_interface : public testing::Test {
protected:
    static std::string verb(const std::optional<aws::ec2_call>& call)
    {
        return call ? std::string(aws::action_name(*call)) : "none";
    }

    cloud_register::view_consequence see_free(time_point read_began) { return see(read_began, std::nullopt); }
    cloud_register::view_consequence see_at(time_point read_began, const char* instance, state s = state::attached,
                                            const char* attachment = "eni-attach-old")
    {
        return see(read_began,
                   aws::interface_attachment{aws::attachment_id{attachment}, aws::instance_id{instance}, 1, s, false});
    }
    cloud_register::view_consequence see(time_point read_began, const std::optional<aws::interface_attachment>& attachment)
    {
        query_view view;
        aws::network_interface interface;
        interface.id = eni("eni-float");
        interface.attachment = attachment;
        view.interfaces.emplace(interface.id, interface);
        return r.see(read_began, read_began, *look_for(r.what(), view));
    }
    void accept(time_point at) { r.answered(at, reply_done(), random); }

    // Detached from the other node and attached here, without a surprise, from `now` on for 600 ms.
    void take(time_point now)
    {
        r.become_active(now);
        ASSERT_EQ(verb(r.issue(now)), "DetachNetworkInterface");
        accept(now + 100ms);
        see_free(now + 300ms);
        ASSERT_EQ(verb(r.issue(now + 300ms)), "AttachNetworkInterface");
        accept(now + 400ms);
        see_at(now + 600ms, "i-me", state::attached, "eni-attach-mine");
        ASSERT_TRUE(r.confirmed());
    }

    // It is here, would end with the instance, and EC2 does not allow to change that.
    void refuse_to_put_right(time_point now)
    {
        see(now, doomed);
        ASSERT_EQ(verb(r.issue(now)), "ModifyNetworkInterfaceAttribute");
        r.answered(now, reply_error(kind::denied), random);
    }

    aws::interface_attachment doomed{aws::attachment_id{"eni-attach-mine"}, aws::instance_id{"i-me"}, 1, state::attached, true};
    random_source random{1};
    cloud_register r{floating()};
};

TEST_F(moving_interface, that_was_seen_at_the_other_node_is_detached_at_once_by_that_attachment)
{
    see_at(t0, "i-other");
    r.become_active(t0 + 5s);
    const auto call = r.issue(t0 + 5s);
    ASSERT_EQ(verb(call), "DetachNetworkInterface");
    EXPECT_EQ(std::get<aws::detach_network_interface>(*call).attachment.str(), "eni-attach-old");
    EXPECT_FALSE(std::get<aws::detach_network_interface>(*call).force);
}

TEST_F(moving_interface, that_was_never_seen_is_looked_at_first)
{
    r.become_active(t0);
    EXPECT_FALSE(r.issue(t0));
    EXPECT_EQ(r.current(), stage::looking);
    EXPECT_EQ(r.next_read(), t0);
    see_free(t0 + 20ms);
    EXPECT_EQ(verb(r.issue(t0 + 20ms)), "AttachNetworkInterface");
}

TEST_F(moving_interface, goes_from_the_other_node_to_this_one)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "DetachNetworkInterface");
    accept(t0 + 100ms);
    EXPECT_EQ(r.current(), stage::looking);
    see_at(t0 + 150ms, "i-other");  // a read that is older than the detach
    EXPECT_EQ(r.current(), stage::looking);
    see_at(t0 + 200ms, "i-other", state::detaching);
    EXPECT_FALSE(r.issue(t0 + 200ms));
    see_free(t0 + 250ms);
    ASSERT_EQ(verb(r.issue(t0 + 250ms)), "AttachNetworkInterface");
    accept(t0 + 350ms);
    see_at(t0 + 400ms, "i-me", state::attaching, "eni-attach-mine");
    EXPECT_FALSE(r.confirmed());
    see_at(t0 + 500ms, "i-me", state::attached, "eni-attach-mine");
    EXPECT_TRUE(r.confirmed());
    EXPECT_EQ(r.snapshot(t0 + 500ms).mutating_calls, 2u);
}

TEST_F(moving_interface, that_is_under_way_is_looked_at_often_at_first_and_seldom_then)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0);
    std::vector<duration> pauses;
    auto last = r.next_read();
    EXPECT_EQ(last, t0) << "at once";
    for (int i = 0; i < 25; ++i) {
        r.read_asked(last);
        pauses.push_back(r.next_read() - last);
        last = r.next_read();
    }
    EXPECT_EQ(pauses.front(), 50ms);
    EXPECT_EQ(pauses.at(9), 50ms);
    EXPECT_GT(pauses.at(12), 50ms);
    EXPECT_EQ(pauses.back(), 1s);
}

TEST_F(moving_interface, that_is_not_let_go_is_detached_by_force_after_the_configured_time)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0);
    for (auto now = t0 + 1s; now < t0 + 10s; now += 1s) {
        see_at(now, "i-other", state::detaching);
        EXPECT_FALSE(r.issue(now));
    }
    see_at(t0 + 10s, "i-other", state::detaching);
    const auto call = r.issue(t0 + 10s);
    ASSERT_EQ(verb(call), "DetachNetworkInterface");
    EXPECT_TRUE(std::get<aws::detach_network_interface>(*call).force);
    accept(t0 + 10s);
    for (auto now = t0 + 11s; now < t0 + 60s; now += 1s) {
        see_at(now, "i-other", state::detaching);
        EXPECT_FALSE(r.issue(now)) << "once is enough";
    }
    see_free(t0 + 60s);
    EXPECT_EQ(verb(r.issue(t0 + 60s)), "AttachNetworkInterface");
}

TEST_F(moving_interface, that_somebody_else_began_to_detach_is_forced_as_well)
{
    see_at(t0, "i-other", state::detaching);
    r.become_active(t0 + 20s);
    EXPECT_FALSE(r.issue(t0 + 20s)) << "it may be free by now";
    for (auto now = t0 + 21s; now < t0 + 31s; now += 1s) {
        see_at(now, "i-other", state::detaching);
        EXPECT_FALSE(r.issue(now)) << "10 s from the first look of this epoch";
    }
    see_at(t0 + 31s, "i-other", state::detaching);
    const auto call = r.issue(t0 + 31s);
    ASSERT_EQ(verb(call), "DetachNetworkInterface");
    EXPECT_TRUE(std::get<aws::detach_network_interface>(*call).force);
}

TEST_F(moving_interface, that_is_being_detached_already_when_it_is_asked_for_is_forced_as_well)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "DetachNetworkInterface");
    r.answered(t0 + 100ms, reply_error(kind::outdated), random);
    for (auto now = t0 + 1s; now < t0 + 11s; now += 1s) {
        see_at(now, "i-other", state::detaching);
        EXPECT_FALSE(r.issue(now));
    }
    see_at(t0 + 11s, "i-other", state::detaching);
    EXPECT_TRUE(std::get<aws::detach_network_interface>(r.issue(t0 + 11s).value()).force);
}

TEST_F(moving_interface, whose_detach_has_no_effect_is_detached_again)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0);
    see_at(t0 + 9s, "i-other");
    EXPECT_FALSE(r.issue(t0 + 9s));
    see_at(t0 + 10s, "i-other");
    EXPECT_EQ(verb(r.issue(t0 + 10s)), "DetachNetworkInterface");
}

TEST_F(moving_interface, that_a_stale_view_shows_free_after_it_was_attached_is_not_attached_again)
{
    see_free(t0);
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "AttachNetworkInterface");
    accept(t0 + 100ms);
    see_free(t0 + 150ms);
    EXPECT_EQ(verb(r.issue(t0 + 150ms)), "none");
    EXPECT_EQ(r.current(), stage::looking);
    see_at(t0 + 200ms, "i-me", state::attaching, "eni-attach-mine");
    see_free(t0 + 250ms);
    EXPECT_EQ(verb(r.issue(t0 + 250ms)), "none");
    see_at(t0 + 300ms, "i-me", state::attached, "eni-attach-mine");
    EXPECT_TRUE(r.confirmed());
    EXPECT_EQ(r.snapshot(t0 + 300ms).mutating_calls, 1u);
}

TEST_F(moving_interface, whose_attach_has_no_effect_is_attached_again)
{
    see_free(t0);
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0);
    see_free(t0 + 9s);
    EXPECT_FALSE(r.issue(t0 + 9s));
    see_free(t0 + 10s);
    EXPECT_EQ(verb(r.issue(t0 + 10s)), "AttachNetworkInterface");
}

TEST_F(moving_interface, that_is_taken_away_right_after_it_was_attached_is_attached_again_at_once)
{
    see_free(t0);
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0);
    see_at(t0 + 100ms, "i-me", state::detaching, "eni-attach-mine");
    EXPECT_EQ(verb(r.issue(t0 + 100ms)), "none");
    see_free(t0 + 200ms);
    EXPECT_EQ(verb(r.issue(t0 + 200ms)), "AttachNetworkInterface");
}

TEST_F(moving_interface, that_somebody_else_has_after_it_was_attached_is_attached_again_as_soon_as_it_is_free)
{
    see_free(t0);
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0);
    see_at(t0 + 100ms, "i-third", state::attached, "eni-attach-theirs");
    ASSERT_EQ(verb(r.issue(t0 + 100ms)), "DetachNetworkInterface");
    accept(t0 + 200ms);
    see_free(t0 + 300ms);
    EXPECT_EQ(verb(r.issue(t0 + 300ms)), "AttachNetworkInterface");
}

TEST_F(moving_interface, whose_attachment_has_gone_in_the_meantime_is_looked_at_and_then_attached)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    r.answered(t0 + 100ms, reply_error(kind::outdated), random);
    EXPECT_EQ(r.current(), stage::looking);
    EXPECT_EQ(r.next_read(), t0 + 100ms);
    see_free(t0 + 150ms);
    EXPECT_EQ(verb(r.issue(t0 + 150ms)), "AttachNetworkInterface");
}

TEST_F(moving_interface, after_a_lost_reply_is_looked_at_before_anything_is_repeated)
{
    see_free(t0);
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "AttachNetworkInterface");
    r.answered(t0 + 3s, reply_error(kind::unknown_outcome), random);
    EXPECT_FALSE(r.issue(t0 + 3s));
    EXPECT_EQ(r.next_read(), t0 + 3s);
    see_at(t0 + 4s, "i-me", state::attached, "eni-attach-mine");
    EXPECT_TRUE(r.confirmed());
    EXPECT_FALSE(r.issue(t0 + 4s));
}

TEST_F(moving_interface, finds_a_device_index_that_is_free_and_remembers_it)
{
    see_free(t0);
    r.become_active(t0);
    auto call = r.issue(t0);
    ASSERT_EQ(verb(call), "AttachNetworkInterface");
    EXPECT_EQ(std::get<aws::attach_network_interface>(*call).device_index, 1u);
    r.answered(t0 + 100ms, reply_error(kind::index_taken), random);
    see_free(t0 + 150ms);
    call = r.issue(t0 + 150ms);
    ASSERT_EQ(verb(call), "AttachNetworkInterface");
    EXPECT_EQ(std::get<aws::attach_network_interface>(*call).device_index, 2u);
    accept(t0 + 200ms);
    see_at(t0 + 300ms, "i-me", state::attached, "eni-attach-mine");
    r.leave_active();
    see_free(t0 + 60s);
    r.become_active(t0 + 60s);
    EXPECT_EQ(std::get<aws::attach_network_interface>(*r.issue(t0 + 60s)).device_index, 2u);
}

// A small instance: while somebody has the first index there is no room, and the second does not exist.
TEST_F(moving_interface, looks_for_a_device_index_from_the_first_on_when_the_instance_has_none_left)
{
    see_free(t0);
    r.become_active(t0);
    const auto index_at = [&](time_point now) {
        const auto call = r.issue(now);
        return verb(call) == "AttachNetworkInterface" ? std::get<aws::attach_network_interface>(*call).device_index : 0U;
    };
    ASSERT_EQ(index_at(t0), 1U);
    r.answered(t0 + 100ms, reply_error(kind::index_taken), random);
    see_free(t0 + 150ms);
    ASSERT_EQ(index_at(t0 + 150ms), 2U);
    r.answered(t0 + 200ms, reply_error(kind::invalid), random);
    // A refusal is not repeated at once.
    EXPECT_EQ(index_at(t0 + 1s), 0U);
    see_free(t0 + 2min);
    EXPECT_EQ(index_at(t0 + 2min), 1U);
}

TEST_F(moving_interface, keeps_to_the_device_index_that_is_configured)
{
    cloud_register one{floating(3)};
    one.see(t0, t0, [] {
        sighting s;
        s.interface = eni("eni-float");
        return s;
    }());
    one.become_active(t0);
    for (auto now = t0; now < t0 + 20s; now += 100ms) {
        if (const auto call = one.issue(now)) {
            ASSERT_EQ(verb(call), "AttachNetworkInterface");
            EXPECT_EQ(std::get<aws::attach_network_interface>(*call).device_index, 3u);
            one.answered(now, reply_error(kind::index_taken), random);
        }
        sighting s;
        s.interface = eni("eni-float");
        one.see(now + 1ms, now + 1ms, s);
    }
    EXPECT_LE(one.snapshot(t0 + 20s).mutating_calls, 6u) << "a person has to change it: again, seldom";
    EXPECT_GE(one.snapshot(t0 + 20s).mutating_calls, 2u) << "and not never";
    EXPECT_FALSE(one.snapshot(t0 + 20s).last_error.empty());
}

TEST_F(moving_interface, that_is_taken_away_is_taken_back)
{
    see_at(t0, "i-other");
    take(t0);
    see_at(t0 + 20s, "i-third", state::attached, "eni-attach-theirs");
    const auto consequence = see_at(t0 + 21s, "i-third", state::attached, "eni-attach-theirs");
    EXPECT_TRUE(consequence.repaired);
    const auto call = r.issue(t0 + 21s);
    ASSERT_EQ(verb(call), "DetachNetworkInterface");
    EXPECT_EQ(std::get<aws::detach_network_interface>(*call).attachment.str(), "eni-attach-theirs");
}

TEST_F(moving_interface, that_somebody_else_gets_first_each_time_is_a_duel)
{
    see_at(t0, "i-other", state::attached, "eni-attach-0");
    r.become_active(t0);
    bool held = false;
    unsigned calls = 0;
    for (int i = 0; i < 20 && !held; ++i) {
        const auto now = t0 + i * 3s;
        if (!r.issue(now)) {
            break;
        }
        ++calls;
        accept(now);
        // It has gone from there, and to a third one.
        held = see_at(now + 1s, "i-third", state::attached, ("eni-attach-" + std::to_string(i + 1)).c_str()).duel ==
               duel_news::held;
    }
    EXPECT_TRUE(held);
    EXPECT_LE(calls, duel_breaker::losses_unknown);
    EXPECT_EQ(r.current(), stage::held);
}

TEST_F(moving_interface, that_is_detached_and_then_attached_elsewhere_is_lost_once)
{
    see_at(t0, "i-other");
    take(t0);
    see_at(t0 + 20s, "i-me", state::detaching, "eni-attach-mine");
    EXPECT_FALSE(see_at(t0 + 21s, "i-me", state::detaching, "eni-attach-mine").repaired) << "nobody has it yet";
    EXPECT_EQ(r.current(), stage::looking);
    EXPECT_EQ(r.snapshot(t0 + 21s).state, status::resource_state::taking);
    EXPECT_EQ(verb(r.issue(t0 + 21s)), "none");
    EXPECT_TRUE(see_at(t0 + 22s, "i-third", state::attached, "eni-attach-theirs").repaired);
    EXPECT_EQ(verb(r.issue(t0 + 22s)), "DetachNetworkInterface");
    EXPECT_EQ(r.breaker().losses(), 1u);
    EXPECT_EQ(r.snapshot(t0 + 22s).repairs, 1u);
}

TEST_F(moving_interface, that_is_detached_and_left_free_is_attached_again_and_nobody_has_won_it)
{
    see_at(t0, "i-other");
    take(t0);
    see_at(t0 + 20s, "i-me", state::detaching, "eni-attach-mine");
    see_at(t0 + 21s, "i-me", state::detaching, "eni-attach-mine");
    EXPECT_TRUE(see_free(t0 + 22s).repaired);
    EXPECT_EQ(verb(r.issue(t0 + 22s)), "AttachNetworkInterface");
    EXPECT_EQ(r.snapshot(t0 + 22s).repairs, 1u);
    EXPECT_EQ(r.breaker().losses(), 0u);
    // Somebody else was faster after all.
    r.answered(t0 + 22s, reply_error(kind::outdated), random);
    EXPECT_TRUE(see_at(t0 + 23s, "i-third", state::attached, "eni-attach-theirs").repaired);
    EXPECT_EQ(r.breaker().losses(), 1u);
}

TEST_F(moving_interface, that_goes_by_itself_from_here_for_too_long_is_detached_by_force)
{
    see_at(t0, "i-other");
    take(t0);
    for (auto now = t0 + 20s; now < t0 + 31s; now += 1s) {
        see_at(now, "i-me", state::detaching, "eni-attach-mine");
        EXPECT_EQ(verb(r.issue(now)), "none");
    }
    see_at(t0 + 31s, "i-me", state::detaching, "eni-attach-mine");
    const auto call = r.issue(t0 + 31s);
    ASSERT_EQ(verb(call), "DetachNetworkInterface");
    EXPECT_TRUE(std::get<aws::detach_network_interface>(*call).force);
}

// The rival's detach is seen every time before its attach.
TEST_F(moving_interface, that_is_detached_and_attached_elsewhere_each_time_comes_back_after_longer_and_longer_pauses)
{
    see_at(t0, "i-other");
    take(t0);
    std::vector<duration> pauses;
    auto now = t0 + 20s;
    unsigned takings = 0;
    while (pauses.size() < 3) {
        ++takings;
        ASSERT_LE(takings, duel_breaker::losses_unknown + 2);
        see_at(now, "i-me", state::detaching, "eni-attach-mine");
        see_at(now + 1s, "i-me", state::detaching, "eni-attach-mine");
        now += 2s;
        if (see_at(now, "i-third", state::attached, "eni-attach-theirs").duel == duel_news::held) {
            const auto at = r.next_wakeup().at;
            pauses.push_back(at - now);
            now = at;
        }
        ASSERT_EQ(verb(r.issue(now)), "DetachNetworkInterface");
        accept(now);
        see_free(now + 100ms);
        ASSERT_EQ(verb(r.issue(now + 100ms)), "AttachNetworkInterface");
        accept(now + 200ms);
        see_at(now + 300ms, "i-me", state::attached, "eni-attach-mine");
        ASSERT_TRUE(r.confirmed());
        now += 3s;
    }
    EXPECT_EQ(takings, duel_breaker::losses_unknown + 2);
    EXPECT_EQ(pauses, (std::vector<duration>{30s, 60s, 120s}));
}

TEST_F(moving_interface, that_would_end_with_the_instance_is_put_right_once)
{
    see_at(t0, "i-other");
    take(t0);
    see(t0 + 10s, doomed);
    EXPECT_EQ(r.snapshot(t0 + 10s).state, status::resource_state::here);
    const auto call = r.issue(t0 + 10s);
    ASSERT_EQ(verb(call), "ModifyNetworkInterfaceAttribute");
    EXPECT_TRUE(std::holds_alternative<aws::keep_on_termination>(*call));
    accept(t0 + 10s);
    EXPECT_TRUE(r.confirmed());
    see_at(t0 + 20s, "i-me", state::attached, "eni-attach-mine");
    EXPECT_FALSE(r.issue(t0 + 20s));
}

TEST_F(moving_interface, that_is_taken_away_while_it_may_not_be_put_right_is_taken_back)
{
    see_at(t0, "i-other");
    take(t0);
    refuse_to_put_right(t0 + 10s);
    EXPECT_TRUE(r.confirmed()) << "it is here all the same";
    see_at(t0 + 20s, "i-third", state::attached, "eni-attach-theirs");
    EXPECT_EQ(verb(r.issue(t0 + 20s)), "none") << "one view may be stale";
    EXPECT_TRUE(see_at(t0 + 21s, "i-third", state::attached, "eni-attach-theirs").repaired);
    const auto call = r.issue(t0 + 21s);
    ASSERT_EQ(verb(call), "DetachNetworkInterface");
    EXPECT_EQ(std::get<aws::detach_network_interface>(*call).attachment.str(), "eni-attach-theirs");
}

TEST_F(moving_interface, that_somebody_else_has_put_right_needs_no_call_any_more)
{
    see_at(t0, "i-other");
    take(t0);
    refuse_to_put_right(t0 + 10s);
    see_at(t0 + 20s, "i-me", state::attached, "eni-attach-mine");
    EXPECT_TRUE(r.confirmed());
    EXPECT_EQ(r.snapshot(t0 + 20s).last_error, "");
    EXPECT_EQ(verb(r.issue(t0 + 1h)), "none");
}

TEST_F(moving_interface, that_may_not_be_put_right_is_asked_for_no_sooner_because_of_a_stale_view)
{
    see_at(t0, "i-other");
    take(t0);
    refuse_to_put_right(t0 + 10s);
    const auto pause = r.next_wakeup().at - (t0 + 10s);
    ASSERT_GT(pause, 1s);
    see_at(t0 + 10s + 10ms, "i-other");
    see(t0 + 10s + 20ms, doomed);
    EXPECT_EQ(r.next_wakeup().at, t0 + 10s + pause);
    EXPECT_EQ(verb(r.issue(t0 + 10s + pause)), "ModifyNetworkInterfaceAttribute");
}

TEST_F(moving_interface, without_a_view_for_ten_seconds_is_asked_for_again)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0 + 1s);
    EXPECT_FALSE(r.issue(t0 + 10s));
    EXPECT_EQ(verb(r.issue(t0 + 11s)), "DetachNetworkInterface");
}

TEST_F(moving_interface, that_may_be_another_one_is_looked_at_before_it_is_detached)
{
    see_at(t0, "i-other");
    r.lose_sight();
    r.become_active(t0 + 1s);
    EXPECT_FALSE(r.issue(t0 + 1s));
    EXPECT_EQ(r.next_read(), t0 + 1s);
    EXPECT_FALSE(r.issue(t0 + 12s)) << "however long that takes";
    see_at(t0 + 13s, "i-other");
    EXPECT_EQ(verb(r.issue(t0 + 13s)), "DetachNetworkInterface");
    r.lose_sight();
    r.answered(t0 + 14s, reply_error(kind::throttled), random);
    EXPECT_FALSE(r.issue(t0 + 1min)) << "nor is that repeated";
}

TEST_F(moving_interface, of_a_node_that_left_active_is_let_be)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_TRUE(r.issue(t0));
    accept(t0);
    r.leave_active();
    see_free(t0 + 1s);
    EXPECT_FALSE(r.issue(t0 + 1h));
    EXPECT_EQ(r.next_read(), never);
    EXPECT_EQ(r.next_wakeup().at, never);
}

TEST_F(moving_interface, that_is_wanted_otherwise_while_it_is_detached_is_looked_at_next)
{
    see_at(t0, "i-other");
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "DetachNetworkInterface");
    r.change(floating(2));
    accept(t0 + 100ms);
    EXPECT_EQ(verb(r.issue(t0 + 100ms)), "none");
    see_at(t0 + 150ms, "i-other");
    EXPECT_EQ(verb(r.issue(t0 + 150ms)), "none") << "a read that is older than the detach";
    see_free(t0 + 200ms);
    const auto call = r.issue(t0 + 200ms);
    ASSERT_EQ(verb(call), "AttachNetworkInterface");
    EXPECT_EQ(std::get<aws::attach_network_interface>(*call).device_index, 2u);
}

TEST_F(moving_interface, that_is_wanted_otherwise_while_it_is_attached_stays)
{
    see_free(t0);
    r.become_active(t0);
    ASSERT_EQ(verb(r.issue(t0)), "AttachNetworkInterface");
    r.change(floating(2));
    accept(t0 + 100ms);
    EXPECT_EQ(verb(r.issue(t0 + 100ms)), "none");
    see_at(t0 + 200ms, "i-me", state::attached, "eni-attach-mine");
    EXPECT_TRUE(r.confirmed());
}

TEST_F(moving_interface, that_is_wanted_otherwise_while_it_is_put_right_stays)
{
    see_at(t0, "i-other");
    take(t0);
    see(t0 + 10s, doomed);
    ASSERT_EQ(verb(r.issue(t0 + 10s)), "ModifyNetworkInterfaceAttribute");
    r.change(floating(2));
    accept(t0 + 10s);
    EXPECT_TRUE(r.confirmed());
    EXPECT_EQ(verb(r.issue(t0 + 10s)), "none");
}

class moving_ipv6_address : public testing::Test {
protected:
    void see(time_point at, const char* interface)
    {
        query_view view;
        if (interface != nullptr) {
            auto& one = view.interfaces[eni(interface)];
            one.id = eni(interface);
            one.addresses = {address};
        }
        r.see(at, at, *look_for(r.what(), view));
    }

    ip_address address = ip_address::parse("2001:db8::64").value();
    random_source random{1};
    cloud_register r{secondary_address{address, eni("eni-me")}};
};

TEST_F(moving_ipv6_address, is_assigned_in_the_turn_in_which_it_was_freed)
{
    see(t0, "eni-other");
    r.become_active(t0);
    ASSERT_TRUE(std::holds_alternative<aws::unassign_ipv6_address>(*r.issue(t0)));
    r.answered(t0 + 100ms, reply_done(), random);
    see(t0 + 100ms, "eni-other");  // a read that is older than the call
    const auto call = r.issue(t0 + 100ms);
    ASSERT_TRUE(call);
    EXPECT_TRUE(std::holds_alternative<aws::assign_ipv6_address>(*call));
    r.answered(t0 + 200ms, reply_done(), random);
    EXPECT_EQ(r.current(), stage::settled);
    see(t0 + 1200ms, "eni-me");
    EXPECT_TRUE(r.confirmed());
}

TEST_F(moving_ipv6_address, that_somebody_has_assigned_in_between_is_looked_for_again)
{
    see(t0, nullptr);
    r.become_active(t0);
    ASSERT_TRUE(std::holds_alternative<aws::assign_ipv6_address>(*r.issue(t0)));
    r.answered(t0 + 100ms, reply_error(kind::outdated), random);
    EXPECT_EQ(r.next_read(), t0 + 100ms);
    see(t0 + 150ms, "eni-third");
    const auto call = r.issue(t0 + 150ms);
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::unassign_ipv6_address>(*call).interface, eni("eni-third"));
}

TEST_F(moving_ipv6_address, that_is_wanted_elsewhere_while_it_is_unassigned_is_assigned_there)
{
    see(t0, "eni-other");
    r.become_active(t0);
    ASSERT_TRUE(std::holds_alternative<aws::unassign_ipv6_address>(*r.issue(t0)));
    r.change(secondary_address{address, eni("eni-new")});
    r.answered(t0 + 100ms, reply_done(), random);
    const auto call = r.issue(t0 + 100ms);
    ASSERT_TRUE(call && std::holds_alternative<aws::assign_ipv6_address>(*call));
    EXPECT_EQ(std::get<aws::assign_ipv6_address>(*call).interface, eni("eni-new"));
}

TEST_F(moving_ipv6_address, that_was_freed_and_is_then_wanted_elsewhere_is_assigned_there)
{
    see(t0, "eni-other");
    r.become_active(t0);
    ASSERT_TRUE(std::holds_alternative<aws::unassign_ipv6_address>(*r.issue(t0)));
    r.answered(t0 + 100ms, reply_done(), random);
    r.change(secondary_address{address, eni("eni-new")});
    const auto call = r.issue(t0 + 100ms);
    ASSERT_TRUE(call && std::holds_alternative<aws::assign_ipv6_address>(*call));
    EXPECT_EQ(std::get<aws::assign_ipv6_address>(*call).interface, eni("eni-new"));
}

TEST_F(moving_ipv6_address, that_is_wanted_where_it_is_after_all_is_not_unassigned_there)
{
    see(t0, "eni-other");
    r.become_active(t0);
    ASSERT_TRUE(std::holds_alternative<aws::unassign_ipv6_address>(*r.issue(t0)));
    r.change(secondary_address{address, eni("eni-other")});
    r.answered(t0 + 100ms, reply_error(kind::throttled), random);
    const auto call = r.issue(t0 + 100ms);
    ASSERT_TRUE(call && std::holds_alternative<aws::assign_ipv6_address>(*call));
    EXPECT_EQ(std::get<aws::assign_ipv6_address>(*call).interface, eni("eni-other"));
}

TEST_F(moving_ipv6_address, that_is_wanted_elsewhere_while_it_is_assigned_is_taken_from_where_it_has_come_to)
{
    see(t0, nullptr);
    r.become_active(t0);
    ASSERT_TRUE(std::holds_alternative<aws::assign_ipv6_address>(*r.issue(t0)));
    r.change(secondary_address{address, eni("eni-new")});
    r.answered(t0 + 100ms, reply_done(), random);
    const auto call = r.issue(t0 + 100ms);
    ASSERT_TRUE(call && std::holds_alternative<aws::unassign_ipv6_address>(*call));
    EXPECT_EQ(std::get<aws::unassign_ipv6_address>(*call).interface, eni("eni-me"));
    r.answered(t0 + 200ms, reply_done(), random);
    const auto next = r.issue(t0 + 200ms);
    ASSERT_TRUE(next && std::holds_alternative<aws::assign_ipv6_address>(*next));
    EXPECT_EQ(std::get<aws::assign_ipv6_address>(*next).interface, eni("eni-new"));
}

}  // namespace
}  // namespace vipd::takeover
