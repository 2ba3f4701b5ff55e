#pragma once

// The only place that reads a clock. Time is CLOCK_BOOTTIME's, which goes on while the machine is suspended or hibernated: who
// was away for that long has been succeeded, and has to notice it as it would notice any other stall.

#include "common/time.hpp"

#include <chrono>
#include <ctime>

namespace vipd::io {

inline time_point read_clock(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return time_point{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

// That of steady_now().
inline constexpr clockid_t steady_clock_id = CLOCK_BOOTTIME;

inline time_point steady_now()
{
    return read_clock(steady_clock_id);
}

inline instant read_clocks()
{
    return {steady_now(), std::chrono::time_point_cast<duration>(std::chrono::system_clock::now())};
}

// For Asio's timers, whose clock stands still with the machine. One that was set before is late by as long as that took, and
// not by more: whoever it wakes reads the clock above.
inline std::chrono::steady_clock::time_point to_steady_clock(time_point t)
{
    const auto now = std::chrono::steady_clock::now();
    return now + (t - steady_now());
}

}  // namespace vipd::io
