#pragma once

// The network between the machines, as far as adverts are concerned: every directed path loses, delays, reorders, duplicates
// and corrupts on its own, and can be cut in one direction. Each path draws from a random stream of its own, so that what
// happens on one does not change what happens on another.

#include "common/bytes.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace vipd::sim {

struct path_quality {
    duration delay_low = std::chrono::microseconds{200};
    duration delay_high = std::chrono::microseconds{600};
    double straggler_chance = 0.0;  // delayed by up to `straggler_delay` more: reordering
    duration straggler_delay{};
    double loss = 0.0;          // of each datagram by itself
    double burst_chance = 0.0;  // that with a datagram a burst of loss begins (Gilbert-Elliott with total loss)
    duration burst_mean{};
    double duplicate = 0.0;
    unsigned copies_max = 2;
    double corrupt = 0.0;
};

class network {
public:
    // `deliver(to, from, bytes, was_corrupted)` after some time; `at` schedules.
    using scheduler = std::function<void(time_point, std::function<void()>)>;
    using receiver = std::function<void(std::size_t to, std::size_t from, const byte_buffer& message, bool corrupted)>;

    network(std::size_t machines, std::uint64_t seed, scheduler at, receiver deliver);

    void send(time_point now, std::size_t from, std::size_t to, byte_view message);

    void set_quality(const path_quality& quality) { quality_ = quality; }
    void cut(time_point now, std::size_t from, std::size_t to, bool is_cut);
    void mend(time_point now);

    // Something on the path from one to the other was not as it should be: for those who judge what the nodes could know.
    void note_trouble(time_point at, std::size_t from, std::size_t to);
    [[nodiscard]] time_point last_trouble(std::size_t from, std::size_t to) const { return path(from, to).last_trouble; }
    [[nodiscard]] bool is_cut(std::size_t from, std::size_t to) const { return path(from, to).cut; }

    struct counters {
        std::uint64_t sent = 0, lost = 0, late = 0, duplicated = 0, corrupted = 0, cut = 0;
    };
    [[nodiscard]] const counters& counted() const { return counters_; }

private:
    struct one_way {
        random_source random{0};
        bool cut = false;
        time_point burst_until = time_point::min();
        time_point last_trouble = time_point::min();
    };
    [[nodiscard]] const one_way& path(std::size_t from, std::size_t to) const { return paths_[from * machines_ + to]; }
    one_way& path(std::size_t from, std::size_t to) { return paths_[from * machines_ + to]; }
    void carry(time_point now, std::size_t from, std::size_t to, const byte_buffer& message);

    std::size_t machines_;
    std::vector<one_way> paths_;
    path_quality quality_;
    scheduler at_;
    receiver deliver_;
    counters counters_;
};

}  // namespace vipd::sim
