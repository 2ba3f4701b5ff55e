#include "agent/io/realtime.hpp"

#include "agent/io/process_facts.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>

#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <system_error>

namespace vipd::io {

namespace {

// Above everything that is not real-time, below what the kernel itself runs with 50 (interrupt threads).
constexpr int fifo_priority = 10;
constexpr rlim_t cpu_time_without_pause_soft = 1'000'000;  // microseconds: SIGXCPU
constexpr rlim_t cpu_time_without_pause_hard = 5'000'000;  // SIGKILL

volatile std::sig_atomic_t guard_has_struck = 0;

// Whoever has no CAP_SYS_NICE may give the priority back, but not the flag that keeps it from children.
void step_down(int)
{
    const int error_before = errno;
    const sched_param ordinary{};
    if (sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary) == 0) {
        guard_has_struck = 1;
    }
    errno = error_before;
}

// Without CAP_SYS_RESOURCE a hard limit can only be lowered, so one that was set for us stays.
bool set_guard()
{
    rlimit guard{};
    if (::getrlimit(RLIMIT_RTTIME, &guard) != 0) {
        return false;
    }
    guard.rlim_max = std::min(guard.rlim_max, cpu_time_without_pause_hard);
    guard.rlim_cur = std::min(cpu_time_without_pause_soft, guard.rlim_max / 2);
    return ::setrlimit(RLIMIT_RTTIME, &guard) == 0;
}

// With a limit, an allocation beyond it would fail at some moment later: worse than a page that is read back.
bool may_lock_without_limit()
{
    rlimit limit{};
    return has_capability(CAP_IPC_LOCK) || (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
}

bool lock_memory(log_sink& log)
{
    constexpr const char* remedy = "give the process CAP_IPC_LOCK, or lift its RLIMIT_MEMLOCK (LimitMEMLOCK=infinity)";
    if (!may_lock_without_limit()) {
        log.warning("realtime", {{"what", "memory is not locked"}, {"remedy", remedy}});
        return false;
    }
    // With MCL_ONFAULT pages stay once they were touched; without it the whole address space would be read in.
    if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) {
        return true;
    }
    log.warning("realtime",
                {{"what", "memory is not locked"}, {"error", std::system_category().message(errno)}, {"remedy", remedy}});
    return false;
}

bool schedule(log_sink& log)
{
    struct sigaction action {};
    action.sa_handler = step_down;
    action.sa_flags = SA_RESTART;
    if (::sigaction(SIGXCPU, &action, nullptr) != 0 || !set_guard()) {
        log.warning("realtime",
                    {{"what", "no real-time scheduling without its guard"}, {"error", std::system_category().message(errno)}});
        return false;
    }
    sched_param wanted{};
    wanted.sched_priority = fifo_priority;
    // Children (there are none today) do not inherit it.
    if (::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &wanted) == 0) {
        return true;
    }
    log.warning("realtime", {{"what", "no real-time scheduling"},
                             {"error", std::system_category().message(errno)},
                             {"remedy", "give the process CAP_SYS_NICE, or raise its RLIMIT_RTPRIO (LimitRTPRIO=10)"}});
    return false;
}

}  // namespace

realtime_state enter_realtime(log_sink& log)
{
    realtime_state state;
    state.memory_locked = lock_memory(log);
    state.scheduling = schedule(log);
    return state;
}

void leave_realtime()
{
    sched_param found{};
    const bool is_ours = ::sched_getscheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK) && ::sched_getparam(0, &found) == 0 &&
                         found.sched_priority == fifo_priority;
    if (is_ours) {
        const sched_param ordinary{};
        // Without CAP_SYS_NICE the flag stays, which then says nothing any more.
        if (::sched_setscheduler(0, SCHED_OTHER, &ordinary) != 0) {
            ::sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
        }
        rlimit guard{};
        if (::getrlimit(RLIMIT_RTTIME, &guard) == 0) {
            guard.rlim_cur = guard.rlim_max;
            ::setrlimit(RLIMIT_RTTIME, &guard);
        }
    }
    // Ignored for as long as the guard was without its handler (io/successor).
    std::signal(SIGXCPU, SIG_DFL);
}

bool has_lost_realtime()
{
    if (guard_has_struck == 0) {
        return false;
    }
    guard_has_struck = 0;
    return true;
}

}  // namespace vipd::io
