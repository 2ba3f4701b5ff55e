#pragma once

// Time as the machines see it: always handed in, never read. The clock below has no now() on purpose, so that a machine which
// wants to know the time cannot compile without being told.

#include <chrono>
#include <string_view>

namespace vipd {

using duration = std::chrono::nanoseconds;

// CLOCK_MONOTONIC. Everything that is timed is timed by it; a step of the wall clock changes no timer.
struct monotonic_clock {
    using duration = vipd::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<monotonic_clock, duration>;
    static constexpr bool is_steady = true;
};

using time_point = monotonic_clock::time_point;
using wall_time = std::chrono::sys_time<duration>;

inline constexpr time_point never = time_point::max();

// The two clocks read together, once per turn of the loop. Only signing, credentials and log lines look at `wall`.
struct instant {
    time_point steady;
    wall_time wall;
};

// When a machine wants to be called again, and why; the reason is for status and for tests.
struct wakeup {
    time_point at = never;
    std::string_view why = "nothing";

    friend constexpr bool operator<(const wakeup& a, const wakeup& b) { return a.at < b.at; }
};

constexpr wakeup earliest(wakeup a, wakeup b)
{
    return b < a ? b : a;
}

// `at + d` without overflow: a deadline that is already `never` stays it.
constexpr time_point saturating_add(time_point at, duration d)
{
    if (d > duration::zero() && at > never - d) {
        return never;
    }
    return at + d;
}

constexpr double to_seconds(duration d)
{
    return std::chrono::duration<double>(d).count();
}

constexpr double to_milliseconds(duration d)
{
    return std::chrono::duration<double, std::milli>(d).count();
}

}  // namespace vipd
