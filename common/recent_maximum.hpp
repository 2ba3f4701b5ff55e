#pragma once

// The greatest value of the last minute, whoever asks and however often: two halves of it, the older of which is forgotten
// whole, so what is remembered is at least half a minute old and at most one.

#include "common/time.hpp"

#include <algorithm>

namespace vipd {

class recent_maximum {
public:
    void observe(time_point now, duration value)
    {
        turn(now);
        current_ = std::max(current_, value);
    }

    [[nodiscard]] duration get(time_point now) const
    {
        auto seen = *this;
        seen.turn(now);
        return std::max(seen.current_, seen.before_);
    }

private:
    static constexpr duration half = std::chrono::seconds{30};

    void turn(time_point now)
    {
        if (now - began_ < half) {
            return;
        }
        before_ = now - began_ < 2 * half ? current_ : duration::zero();
        current_ = {};
        began_ = now;
    }

    time_point began_{};
    duration current_{};
    duration before_{};
};

}  // namespace vipd
