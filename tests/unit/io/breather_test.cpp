#include "agent/io/breather.hpp"

#include <gtest/gtest.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

struct breather_test : testing::Test {
    breather b;
    time_point now{1s};
    duration used{};

    // How long it rests when so much has passed and something is due so much later; negative for not at all.
    duration rest_after(duration passed, duration busy, duration due_in = 1h)
    {
        now += passed;
        used += busy;
        return b.end_stretch(now, used, now + due_in) - now;
    }
    void SetUp() override { b.end_stretch(now, used, never); }
};

TEST_F(breather_test, a_loop_that_sleeps_enough_by_itself_rests_no_more)
{
    EXPECT_FALSE(b.is_stretch_over(now + 9ms));
    EXPECT_TRUE(b.is_stretch_over(now + 10ms));
    EXPECT_EQ(rest_after(10ms, 5ms), 0ms);
    EXPECT_EQ(rest_after(1h, 10ms), 0ms);
}

TEST_F(breather_test, a_loop_that_never_sleeps_rests_a_tenth_of_its_time)
{
    EXPECT_EQ(rest_after(10ms, 10ms), 1ms);
    EXPECT_EQ(rest_after(11ms, 10ms), 1ms) << "the rest itself is part of it, and one in eleven is not enough";
    EXPECT_EQ(rest_after(12ms, 10ms), 0ms);
}

TEST_F(breather_test, what_is_due_is_not_slept_through)
{
    EXPECT_EQ(rest_after(10ms, 10ms, 700us), 500us);
    EXPECT_LE(rest_after(10ms, 10ms, 100us), 0ms);
    EXPECT_LE(rest_after(10ms, 10ms, -5ms), 0ms) << "and what is overdue even less";
}

}  // namespace
}  // namespace vipd::io
