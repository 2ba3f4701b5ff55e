#include "agent/io/pacer.hpp"

#include <gtest/gtest.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

struct pacer_test : testing::Test {
    pacer pace;
    time_point now{1s};

    // Turns with one advert each, evenly spaced; true when the mode has changed in one of them.
    bool run(unsigned turns, duration apart)
    {
        bool changed = false;
        for (unsigned i = 0; i < turns; ++i) {
            now += apart;
            changed = pace.took_turn(now, 1) || changed;
        }
        return changed;
    }
};

TEST_F(pacer_test, a_few_routers_are_never_delayed)
{
    EXPECT_FALSE(run(1'000, 1ms));
    EXPECT_FALSE(pace.crowded());
    EXPECT_LE(pace.next_turn_from(), now);
}

TEST_F(pacer_test, thousands_of_adverts_a_second_share_turns_of_a_millisecond)
{
    EXPECT_TRUE(run(500, 100us));
    EXPECT_TRUE(pace.crowded());
    EXPECT_EQ(pace.next_turn_from(), now + 1ms);
}

TEST_F(pacer_test, the_quantum_is_a_hundredth_of_the_fastest_interval)
{
    pace.set_fastest_interval(10ms);
    run(500, 100us);
    EXPECT_EQ(pace.next_turn_from(), now + 100us);
    pace.set_fastest_interval(10s);
    EXPECT_EQ(pace.next_turn_from(), now + 1ms);
}

TEST_F(pacer_test, a_burst_is_noticed_before_its_window_ends)
{
    pace.took_turn(now, 0);
    EXPECT_TRUE(pace.took_turn(now + 1ms, 300));
    EXPECT_TRUE(pace.crowded());
}

TEST_F(pacer_test, between_the_two_rates_the_mode_stays)
{
    run(500, 100us);
    EXPECT_FALSE(run(1'000, 700us)) << "1,430 a second is still crowded";
    EXPECT_TRUE(pace.crowded());
    EXPECT_TRUE(run(500, 2ms)) << "500 a second is not";
    EXPECT_FALSE(pace.crowded());
    EXPECT_FALSE(run(1'000, 700us)) << "and 1,430 a second is quiet from this side";
}

}  // namespace
}  // namespace vipd::io
