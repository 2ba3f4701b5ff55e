// Which pause holds which call of a register back.

#include "agent/takeover/cloud_register.hpp"
#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using kind = aws::ec2_error_class;

constexpr time_point t0 = time_point{1000s};

floating_interface floating()
{
    interface_query match;
    match.id = eni("eni-float");
    return {match, aws::instance_id{"i-me"}, std::nullopt, 10s};
}

class register_pauses : public testing::Test {
protected:
    static std::string verb(const std::optional<aws::ec2_call>& call)
    {
        return call ? std::string(aws::action_name(*call)) : "none";
    }

    void see_route(time_point at, const aws::route* shown) { route.see(at, at, sighting_of(what, shown)); }

    void see_interface(time_point at, const std::optional<aws::interface_attachment>& attachment)
    {
        query_view view;
        aws::network_interface seen;
        seen.id = eni("eni-float");
        seen.attachment = attachment;
        view.interfaces.emplace(seen.id, seen);
        interface.see(at, at, *look_for(interface.what(), view));
    }
    void see_at(time_point at, const char* instance, const char* attachment)
    {
        see_interface(at, aws::interface_attachment{aws::attachment_id{attachment}, aws::instance_id{instance}, 1,
                                                    aws::attachment_state::attached, false});
    }

    random_source random{1};
    route_in_table what{rtb("rtb-1"), destination(), eni("eni-me")};
    cloud_register route{what};
    cloud_register interface {
        floating()
    };
    aws::route other = route_to("eni-other");
};

TEST_F(register_pauses, a_call_that_nobody_has_refused_does_not_wait_for_one_that_was)
{
    route.become_active(t0);
    ASSERT_EQ(verb(route.issue(t0)), "ReplaceRoute");
    route.answered(t0, reply_error(kind::denied), random);
    const auto pause_ends = route.next_wakeup().at;
    ASSERT_GT(pause_ends, t0 + 200ms);
    see_route(t0 + 100ms, &other);
    EXPECT_EQ(route.next_wakeup().at, pause_ends) << "the call that was refused";
    see_route(t0 + 200ms, nullptr);
    ASSERT_EQ(verb(route.issue(t0 + 200ms)), "CreateRoute");
    route.answered(t0 + 200ms, reply_error(kind::denied), random);
    const auto next_pause_ends = route.next_wakeup().at;
    ASSERT_GT(next_pause_ends, t0 + 300ms);
    see_route(t0 + 300ms, nullptr);
    EXPECT_EQ(route.next_wakeup().at, next_pause_ends) << "refused as well by now";
}

TEST_F(register_pauses, an_interface_that_ec2_has_freed_is_attached_although_it_may_not_be_detached)
{
    see_at(t0, "i-other", "eni-attach-other");
    interface.become_active(t0);
    ASSERT_EQ(verb(interface.issue(t0)), "DetachNetworkInterface");
    interface.answered(t0, reply_error(kind::denied), random);
    see_at(t0 + 100ms, "i-other", "eni-attach-other");
    EXPECT_FALSE(interface.issue(t0 + 100ms));
    see_interface(t0 + 200ms, std::nullopt);
    EXPECT_EQ(verb(interface.issue(t0 + 200ms)), "AttachNetworkInterface");
}

TEST_F(register_pauses, an_interface_is_detached_from_its_next_holder_although_it_might_not_be_from_the_last)
{
    see_at(t0, "i-other", "eni-attach-other");
    interface.become_active(t0);
    ASSERT_EQ(verb(interface.issue(t0)), "DetachNetworkInterface");
    interface.answered(t0, reply_error(kind::denied), random);
    see_at(t0 + 100ms, "i-third", "eni-attach-third");
    EXPECT_EQ(verb(interface.issue(t0 + 100ms)), "DetachNetworkInterface");
}

TEST_F(register_pauses, a_throttled_call_is_waited_for_whichever_is_next)
{
    route.become_active(t0);
    ASSERT_EQ(verb(route.issue(t0)), "ReplaceRoute");
    route.answered(t0, reply_error(kind::throttled), random);
    const auto pause_ends = route.next_wakeup().at;
    ASSERT_GT(pause_ends, t0 + 1ms);
    see_route(t0 + 1ms, nullptr);
    EXPECT_EQ(route.next_wakeup().at, pause_ends);
}

TEST_F(register_pauses, views_that_alternate_between_two_refused_calls_stay_within_the_budget)
{
    route.become_active(t0);
    unsigned calls = 0;
    for (auto now = t0; now < t0 + 60s; now += 100ms) {
        see_route(now, (now - t0) % 200ms == 0ms ? nullptr : &other);
        if (route.issue(now)) {
            ++calls;
            route.answered(now, reply_error(kind::denied), random);
        }
    }
    EXPECT_LE(calls, 35U);
}

TEST_F(register_pauses, an_interface_that_no_view_shows_is_looked_at_once_a_second_however_long_that_takes)
{
    interface.become_active(t0);
    unsigned reads = 0;
    auto now = t0;
    for (; now < t0 + 5min; now = std::max(now + 1ms, interface.next_wakeup().at)) {
        EXPECT_FALSE(interface.issue(now));
        if (interface.next_read() <= now) {
            interface.read_asked(now);
            interface.lose_sight();
            reads += now >= t0 + 10s ? 1U : 0U;
        }
    }
    EXPECT_LE(reads, 291U);
    EXPECT_GE(reads, 285U);

    see_interface(now, std::nullopt);
    ASSERT_EQ(verb(interface.issue(now)), "AttachNetworkInterface");
    interface.answered(now, reply_done(), random);
    interface.read_asked(now);
    EXPECT_EQ(interface.next_read(), now + 50ms) << "what moves is watched closely";
}

}  // namespace
}  // namespace vipd::takeover
