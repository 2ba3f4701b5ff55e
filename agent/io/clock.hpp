#pragma once

// The only place that reads a clock. std::chrono::steady_clock is CLOCK_MONOTONIC here, so its time points and ours are the
// same numbers.

#include "common/time.hpp"

#include <chrono>

namespace vipd::io {

inline time_point steady_now()
{
    return time_point{std::chrono::steady_clock::now().time_since_epoch()};
}

inline instant read_clocks()
{
    return {steady_now(), std::chrono::time_point_cast<duration>(std::chrono::system_clock::now())};
}

inline std::chrono::steady_clock::time_point to_steady_clock(time_point t)
{
    return std::chrono::steady_clock::time_point{t.time_since_epoch()};
}

}  // namespace vipd::io
