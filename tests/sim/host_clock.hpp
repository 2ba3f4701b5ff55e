#pragma once

// The two clocks of one machine: a monotonic one that runs at its own rate, and a wall clock that can be set. True time is the
// simulation's, and no machine knows it.

#include "common/time.hpp"

#include <cstdint>

namespace vipd::sim {

class host_clock {
public:
    // Both start with true time at `start`; the monotonic one gains `drift_ppm` microseconds a second.
    host_clock(time_point start, wall_time wall, std::int64_t drift_ppm) : start_(start), wall_(wall), drift_ppm_(drift_ppm) {}

    [[nodiscard]] instant read(time_point truth) const
    {
        return {truth + drift(truth - start_), wall_ + (truth - start_) + wall_offset_};
    }

    // The first true moment at which the monotonic clock shows `local` or more.
    [[nodiscard]] time_point truth_of(time_point local) const
    {
        if (local == never) {
            return never;
        }
        const auto since_start = local - start_;
        auto truth = start_ + since_start - drift(since_start) + drift(drift(since_start));
        while (read(truth).steady < local) {
            truth += local - read(truth).steady;
        }
        return truth;
    }

    void set_wall_offset(duration offset) { wall_offset_ = offset; }
    [[nodiscard]] duration wall_offset() const { return wall_offset_; }

private:
    [[nodiscard]] duration drift(duration since_start) const
    {
        constexpr std::int64_t million = 1'000'000;
        return since_start / million * drift_ppm_ + since_start % million * drift_ppm_ / million;
    }

    time_point start_;
    wall_time wall_;
    duration wall_offset_{};
    std::int64_t drift_ppm_;
};

}  // namespace vipd::sim
