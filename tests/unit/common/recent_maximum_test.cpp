#include "common/recent_maximum.hpp"

#include <gtest/gtest.h>

namespace vipd {

namespace {

using namespace std::chrono_literals;

constexpr time_point t0 = time_point{1000s};

TEST(recent_maximum, is_the_same_for_everybody_who_asks)
{
    recent_maximum m;
    m.observe(t0, 3ms);
    m.observe(t0 + 1s, 1ms);
    EXPECT_EQ(m.get(t0 + 2s), 3ms);
    EXPECT_EQ(m.get(t0 + 2s), 3ms);
}

TEST(recent_maximum, remembers_half_a_minute_at_least_and_a_minute_at_most)
{
    recent_maximum m;
    m.observe(t0, 1ms);
    m.observe(t0 + 29s, 9ms);
    EXPECT_EQ(m.get(t0 + 59s), 9ms);
    m.observe(t0 + 31s, 2ms);
    EXPECT_EQ(m.get(t0 + 60s), 9ms);
    m.observe(t0 + 62s, 1ms);
    EXPECT_EQ(m.get(t0 + 62s), 2ms);
    EXPECT_EQ(m.get(t0 + 200s), 0ms);
}

TEST(recent_maximum, is_zero_before_anything_was_seen)
{
    EXPECT_EQ(recent_maximum{}.get(t0), 0ms);
}

}  // namespace

}  // namespace vipd
