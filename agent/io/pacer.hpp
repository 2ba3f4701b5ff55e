#pragma once

// When the loop takes its next turn. With few routers: at once, whenever something is due or has arrived. With thousands of
// adverts a second a turn for each costs more than the adverts themselves, so from some rate on turns come at most once per
// quantum, and what is due or arrives within it is served together.
//
// The quantum is a hundredth of the fastest advert interval and at most a millisecond: no advert is late by more than that,
// which is below a third of a percent of the time in which its loss would be noticed.

#include "common/ensure.hpp"
#include "common/time.hpp"

#include <algorithm>
#include <cstdint>

namespace vipd::io {

class pacer {
public:
    static constexpr duration quantum_max = std::chrono::milliseconds{1};
    static constexpr duration window = std::chrono::milliseconds{100};
    // Adverts sent and received; between the two rates nothing changes, so that the mode does not flap.
    static constexpr std::uint64_t crowded_from = 200;  // per window: 2,000/s
    static constexpr std::uint64_t quiet_below = 100;

    // Of the fastest router; `never`-like large when there is none.
    void set_fastest_interval(duration interval) { quantum_ = std::min(quantum_max, interval / 100); }

    // A turn has moved so many adverts. True when crowded() has changed.
    bool took_turn(time_point now, std::uint64_t adverts)
    {
        last_turn_ = now;
        in_window_ += adverts;
        if (now < window_end_) {
            // A full window ahead of its time is enough to know.
            return in_window_ >= crowded_from && change_to(true);
        }
        const bool changed = in_window_ >= crowded_from ? change_to(true) : in_window_ < quiet_below && change_to(false);
        window_end_ = now + window;
        in_window_ = 0;
        return changed;
    }

    [[nodiscard]] bool crowded() const { return crowded_; }

    // No turn before this, except for what cannot wait.
    [[nodiscard]] time_point next_turn_from() const { return crowded_ ? last_turn_ + quantum_ : time_point::min(); }

private:
    bool change_to(bool crowded)
    {
        const bool changed = crowded != crowded_;
        crowded_ = crowded;
        return changed;
    }

    duration quantum_ = quantum_max;
    time_point last_turn_{};
    time_point window_end_{};
    std::uint64_t in_window_ = 0;
    bool crowded_ = false;
};

}  // namespace vipd::io
