#include "agent/io/realtime.hpp"

#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// As the packaged unit starts it: a user of its own, no capability that helps, a limit that allows a real-time priority. Each
// test is a process of its own, since what is given up does not come back.

namespace vipd::io {
namespace {

// What the child found; a bit for each question.
enum finding : int {
    scheduling = 1,
    guard_is_set = 2,
    priority_is_gone_after_the_guard = 4,
    loss_is_told = 8,
    signal_is_as_ever = 16,
    guard_is_lifted = 32,
    was_scheduled = 64,
};

void give_up_every_capability()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    ::syscall(SYS_capset, &header, none.data());
}

int in_a_child(const std::function<int()>& questions)
{
    const auto child = ::fork();
    if (child == 0) {
        ::_exit(questions());
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int look_after_entering(rlim_t hard_limit)
{
    const rlimit time{hard_limit, hard_limit};
    const rlimit priority{50, 50};
    ::setrlimit(RLIMIT_RTTIME, &time);
    ::setrlimit(RLIMIT_RTPRIO, &priority);
    give_up_every_capability();
    test::recording_log log;
    int found = enter_realtime(log).scheduling ? scheduling : 0;
    rlimit guard{};
    ::getrlimit(RLIMIT_RTTIME, &guard);
    found |= guard.rlim_cur <= 1'000'000 && guard.rlim_cur < guard.rlim_max ? guard_is_set : 0;
    ::raise(SIGXCPU);
    found |= (::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER ? priority_is_gone_after_the_guard : 0;
    found |= has_lost_realtime() ? loss_is_told : 0;
    return found;
}

int look_after_leaving()
{
    rlimit guard{};
    ::getrlimit(RLIMIT_RTTIME, &guard);
    struct sigaction of_guard {};
    ::sigaction(SIGXCPU, nullptr, &of_guard);
    return ((::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_FIFO ? scheduling : 0) |
           (of_guard.sa_handler == SIG_DFL ? signal_is_as_ever : 0) | (guard.rlim_cur == guard.rlim_max ? guard_is_lifted : 0);
}

// Some containers have no real-time scheduling for anybody.
bool is_possible_here()
{
    return in_a_child([] {
               const rlimit priority{50, 50};
               ::setrlimit(RLIMIT_RTPRIO, &priority);
               give_up_every_capability();
               sched_param wanted{};
               wanted.sched_priority = 10;
               return ::sched_setscheduler(0, SCHED_FIFO, &wanted) == 0 ? 1 : 0;
           }) == 1;
}

TEST(realtime, it_needs_no_capability_and_its_guard_gives_the_priority_back)
{
    const int expected = guard_is_set | priority_is_gone_after_the_guard | loss_is_told | (is_possible_here() ? scheduling : 0);
    EXPECT_EQ(in_a_child([] { return look_after_entering(RLIM_INFINITY); }), expected);
}

TEST(realtime, a_hard_limit_that_was_set_before_is_kept_and_no_obstacle)
{
    const int expected = guard_is_set | priority_is_gone_after_the_guard | loss_is_told | (is_possible_here() ? scheduling : 0);
    EXPECT_EQ(in_a_child([] { return look_after_entering(1'000'000); }), expected);
}

TEST(realtime, a_successor_that_is_not_to_have_it_gives_it_back)
{
    const auto found = in_a_child([] {
        test::recording_log log;
        const int before = enter_realtime(log).scheduling ? was_scheduled : 0;
        std::signal(SIGXCPU, SIG_IGN);
        leave_realtime();
        return before | look_after_leaving();
    });
    EXPECT_EQ(found & ~was_scheduled, signal_is_as_ever | ((found & was_scheduled) != 0 ? guard_is_lifted : 0));
}

TEST(realtime, a_priority_that_whoever_started_vipd_has_set_stays)
{
    const auto found = in_a_child([] {
        sched_param wanted{};
        wanted.sched_priority = 20;
        const int before = ::sched_setscheduler(0, SCHED_FIFO, &wanted) == 0 ? was_scheduled : 0;
        leave_realtime();
        return before | look_after_leaving();
    });
    EXPECT_EQ((found & scheduling) != 0, (found & was_scheduled) != 0);
}

}  // namespace
}  // namespace vipd::io
