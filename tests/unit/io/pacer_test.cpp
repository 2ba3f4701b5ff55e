#include "agent/io/pacer.hpp"

#include <gtest/gtest.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

struct pacer_test : testing::Test {
    pacer pace;
    time_point now{1s};

    // Turns with one advert each, evenly spaced.
    void run(unsigned turns, duration apart)
    {
        for (unsigned i = 0; i < turns; ++i) {
            now += apart;
            pace.took_turn(now, 1);
        }
    }
};

TEST_F(pacer_test, a_few_routers_are_never_delayed)
{
    run(1'000, 1ms);
    EXPECT_FALSE(pace.crowded());
    EXPECT_LE(pace.next_turn_from(), now);
}

TEST_F(pacer_test, thousands_of_adverts_a_second_share_turns_of_a_millisecond)
{
    run(500, 100us);
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
    pace.took_turn(now + 1ms, 300);
    EXPECT_TRUE(pace.crowded());
}

TEST_F(pacer_test, between_the_two_rates_the_mode_stays)
{
    run(500, 100us);
    run(1'000, 700us);
    EXPECT_TRUE(pace.crowded()) << "1,430 a second is still crowded";
    run(500, 2ms);
    EXPECT_FALSE(pace.crowded()) << "500 a second is not";
    run(1'000, 700us);
    EXPECT_FALSE(pace.crowded()) << "and 1,430 a second is quiet from this side";
}

TEST_F(pacer_test, arrivals_are_read_by_the_clock_until_a_quantum_brings_nothing)
{
    run(500, 100us);
    EXPECT_FALSE(pace.muted());
    pace.mute(now);
    EXPECT_EQ(pace.read_at(), now + 1ms) << "what belongs to the same burst is awaited";
    now += 1ms;
    EXPECT_FALSE(pace.was_read(now, 50));
    EXPECT_EQ(pace.read_at(), now + 1ms);
    EXPECT_FALSE(pace.was_read(now + 500us, 0)) << "a turn for a timer says nothing of a quantum that goes on";
    EXPECT_EQ(pace.read_at(), now + 1ms);
    now += 1ms;
    EXPECT_TRUE(pace.was_read(now, 0));
    EXPECT_FALSE(pace.muted());
    EXPECT_EQ(pace.read_at(), never);
}

TEST_F(pacer_test, when_it_is_quiet_again_the_sockets_are_heard_at_once)
{
    run(500, 100us);
    pace.mute(now);
    run(500, 2ms);
    ASSERT_FALSE(pace.crowded());
    EXPECT_TRUE(pace.was_read(now, 1));
    EXPECT_FALSE(pace.muted());
}

}  // namespace
}  // namespace vipd::io
