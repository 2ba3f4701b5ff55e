#include "agent/io/clock.hpp"

#include "agent/io/deadline.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

duration away()
{
    return steady_now() - read_clock(CLOCK_MONOTONIC);
}

// Whether a timer of 20 ms takes 20 ms, and not a day more or less.
bool timers_are_right()
{
    boost::asio::io_context context;
    deadline soon{context};
    bool rang = false;
    const auto begin = read_clock(CLOCK_MONOTONIC);
    soon.set(steady_now() + 20ms, [&] { rang = true; });
    context.run_for(30s);
    return rang && read_clock(CLOCK_MONOTONIC) - begin >= 19ms;
}

// In a process for which the machine was suspended for a day before it began: 0 when all is right.
int look_after_a_day(duration away_before)
{
    if (::unshare(CLONE_NEWTIME) != 0) {
        return 1;
    }
    std::ofstream{"/proc/self/timens_offsets"} << "boottime 86400 0" << std::endl;
    const auto child = ::fork();
    if (child == 0) {
        const auto day = away() - away_before;
        ::_exit(day < 86'399s || day > 86'401s ? 2 : (timers_are_right() ? 0 : 3));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

TEST(clock, counts_the_time_for_which_the_machine_was_suspended_and_timers_do_not)
{
    const auto before = away();
    const auto child = ::fork();
    if (child == 0) {
        ::_exit(look_after_a_day(before));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << "1: no time namespace, 2: the day is not seen, 3: a timer is wrong";
}

}  // namespace
}  // namespace vipd::io
