#pragma once

#include "common/ensure.hpp"
#include "common/time.hpp"

#include <algorithm>

namespace vipd {

// At most `capacity` at once and `refill_per_second` over time. Starts full.
class token_bucket {
public:
    token_bucket(double capacity, double refill_per_second) :
        capacity_(capacity), refill_per_second_(refill_per_second), tokens_(capacity)
    {
        ENSURE(capacity >= 1.0 && refill_per_second > 0.0);
    }

    bool try_take(time_point now)
    {
        refill(now);
        if (tokens_ < 1.0) {
            return false;
        }
        tokens_ -= 1.0;
        return true;
    }

    // The earliest time at which try_take() succeeds when nobody takes before.
    [[nodiscard]] time_point available_at(time_point now)
    {
        refill(now);
        if (tokens_ >= 1.0) {
            return now;
        }
        // One nanosecond more than the quotient, so that rounding never makes the caller wake a moment too early.
        const auto wait = std::chrono::duration<double>((1.0 - tokens_) / refill_per_second_);
        return now + std::chrono::duration_cast<duration>(wait) + duration{1};
    }

private:
    void refill(time_point now)
    {
        if (last_ != never && now > last_) {
            tokens_ = std::min(capacity_, tokens_ + to_seconds(now - last_) * refill_per_second_);
        }
        if (last_ == never || now > last_) {
            last_ = now;
        }
    }

    double capacity_;
    double refill_per_second_;
    double tokens_;
    time_point last_ = never;
};

}  // namespace vipd
