#include "agent/aws/clock_skew.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

constexpr wall_time noon = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1} + 12h;
constexpr time_point sent{1h};

// The answer was complete `took` after the request; our clock shows noon then.
std::optional<duration> skew(std::optional<wall_time> date, duration took)
{
    return measure_skew(date, sent, sent + took, {sent + took, noon});
}

TEST(clock_skew, is_the_date_minus_our_time_at_the_midpoint)
{
    EXPECT_EQ(skew(noon, 0s), 0s);
    EXPECT_EQ(skew(noon, 2s), 1s);
    EXPECT_EQ(skew(noon + 10min, 2s), 10min + 1s);
    EXPECT_EQ(skew(noon - 3h, 0s), -3h);
}

TEST(clock_skew, does_not_mind_that_the_answer_is_looked_at_later)
{
    EXPECT_EQ(measure_skew(noon, sent, sent + 2s, {sent + 7s, noon}), 6s);
}

TEST(clock_skew, nothing_is_learnt_from_no_date_a_request_not_sent_or_a_slow_answer)
{
    EXPECT_FALSE(skew(std::nullopt, 1s).has_value());
    EXPECT_FALSE(measure_skew(noon, never, sent, {sent, noon}).has_value());
    EXPECT_FALSE(measure_skew(noon, sent, sent - 1s, {sent, noon}).has_value());
    EXPECT_TRUE(skew(noon, 10s).has_value());
    EXPECT_FALSE(skew(noon, 10s + 1ns).has_value());
}

}  // namespace
}  // namespace vipd::aws
