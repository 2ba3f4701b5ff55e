#pragma once

// When the loop takes its next turn. With few routers: at once, whenever something is due or has arrived. With thousands of
// adverts a second a turn for each costs more than the adverts themselves, so from some rate on turns come at most once per
// quantum, and what is due or arrives within it is served together.
//
// The quantum is a hundredth of the fastest advert interval and at most a millisecond: no advert is late by more than that,
// which is below a third of a percent of the time in which its loss would be noticed.
//
// Arrivals wake nobody while they keep coming: after the first one the sockets are muted and read by the clock, until a quantum
// has brought nothing.

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

    // A turn has moved so many adverts.
    void took_turn(time_point now, std::uint64_t adverts)
    {
        last_turn_ = now;
        in_window_ += adverts;
        // A full window ahead of its time is enough to know.
        crowded_ = crowded_ || in_window_ >= crowded_from;
        if (now >= window_end_) {
            crowded_ = crowded_ && in_window_ >= quiet_below;
            window_end_ = now + window;
            in_window_ = 0;
        }
    }

    [[nodiscard]] bool crowded() const { return crowded_; }
    [[nodiscard]] bool muted() const { return read_at_ != never; }

    // No turn before this.
    [[nodiscard]] time_point next_turn_from() const { return crowded_ ? last_turn_ + quantum_ : time_point::min(); }
    // While muted: when the sockets are read next.
    [[nodiscard]] time_point read_at() const { return read_at_; }

    // Something has arrived while it is crowded: the rest of its quantum is awaited.
    void mute(time_point now) { read_at_ = now + quantum_; }

    // The sockets were read, and so much was there. True when they are to be heard again.
    bool was_read(time_point now, std::uint64_t received)
    {
        if (!muted()) {
            return false;
        }
        if (crowded_ && (received != 0 || now < read_at_)) {
            read_at_ = std::max(read_at_, now + (received != 0 ? quantum_ : duration::zero()));
            return false;
        }
        read_at_ = never;
        return true;
    }

private:
    duration quantum_ = quantum_max;
    time_point last_turn_{};
    time_point window_end_{};
    time_point read_at_ = never;
    std::uint64_t in_window_ = 0;
    bool crowded_ = false;
};

}  // namespace vipd::io
