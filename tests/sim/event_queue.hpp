#pragma once

// What is going to happen in the simulated world: ordered by time, and at one time by the order in which it was decided, so
// that the same decisions give the same history.

#include "common/ensure.hpp"
#include "common/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace vipd::sim {

class event_queue {
public:
    explicit event_queue(time_point start) : now_(start) {}

    [[nodiscard]] time_point now() const { return now_; }
    [[nodiscard]] std::uint64_t happened() const { return happened_; }

    void at(time_point when, std::function<void()> what)
    {
        ENSURE(when >= now_);
        heap_.push_back({when, ++last_number_, store(std::move(what))});
        std::ranges::push_heap(heap_, is_later);
    }
    void after(duration wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }

    [[nodiscard]] time_point next() const { return heap_.empty() ? never : heap_.front().when; }

    // Lets the oldest event happen, if it is due by `until`; time stands at `until` when none is.
    bool step(time_point until)
    {
        if (next() > until) {
            now_ = std::max(now_, until);
            return false;
        }
        std::ranges::pop_heap(heap_, is_later);
        const auto event = heap_.back();
        heap_.pop_back();
        now_ = event.when;
        ++happened_;
        // It may add others, which may have its place.
        const auto what = std::move(whats_[event.place]);
        free_places_.push_back(event.place);
        what();
        return true;
    }

private:
    // Without what is to be done: the heap is moved about in all the time.
    struct entry {
        time_point when;
        std::uint64_t number = 0;
        std::size_t place = 0;  // in whats_
    };
    static bool is_later(const entry& a, const entry& b) { return a.when != b.when ? a.when > b.when : a.number > b.number; }

    std::size_t store(std::function<void()> what)
    {
        if (free_places_.empty()) {
            whats_.push_back(std::move(what));
            return whats_.size() - 1;
        }
        const auto place = free_places_.back();
        free_places_.pop_back();
        whats_[place] = std::move(what);
        return place;
    }

    time_point now_;
    std::uint64_t last_number_ = 0;
    std::uint64_t happened_ = 0;
    std::vector<entry> heap_;
    std::vector<std::function<void()>> whats_;
    std::vector<std::size_t> free_places_;
};

}  // namespace vipd::sim
