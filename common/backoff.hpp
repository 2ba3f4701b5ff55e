#pragma once

#include "common/random.hpp"
#include "common/time.hpp"

#include <algorithm>
#include <cstdint>

namespace vipd {

// Exponential backoff with full jitter: a uniform draw from (0, min(cap, base * 2^failures)], so that many callers that failed
// together do not come back together (AWS Builders' Library, "Timeouts, retries and backoff with jitter").
class backoff {
public:
    struct limits {
        duration base = std::chrono::milliseconds{100};
        duration cap = std::chrono::seconds{5};
    };

    backoff() = default;
    explicit backoff(limits l) : limits_(l) {}

    // The pause before the next attempt. Each call counts one failure.
    duration next(random_source& random)
    {
        const unsigned shift = std::min(failures_, 20U);
        ++failures_;
        const duration ceiling = std::min(limits_.cap, duration{limits_.base * (std::int64_t{1} << shift)});
        return random.between(duration{1}, ceiling);
    }

    void reset() { failures_ = 0; }
    [[nodiscard]] unsigned failures() const { return failures_; }

private:
    limits limits_{};
    unsigned failures_ = 0;
};

}  // namespace vipd
