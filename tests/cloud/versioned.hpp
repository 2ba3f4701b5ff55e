#pragma once

// A value with its past: EC2 answers a read from whichever replica it likes, and a replica may lag. Each object remembers what
// it was for as long as the largest lag, so that a read can be answered as of a moment ago.

#include "common/time.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace vipd::cloud {

template <class T>
class versioned {
public:
    using pointer = std::shared_ptr<const T>;

    versioned() = default;
    versioned(time_point since, T value) { put(since, std::move(value)); }

    // Null when the object does not exist (any more).
    [[nodiscard]] const T* current() const { return versions_.empty() ? nullptr : versions_.back().value.get(); }

    [[nodiscard]] const T* as_of(time_point when) const
    {
        for (auto past = versions_.rbegin(); past != versions_.rend(); ++past) {
            if (past->since <= when) {
                return past->value.get();
            }
        }
        return nullptr;
    }

    void put(time_point now, T value) { add(now, std::make_shared<const T>(std::move(value))); }
    void remove(time_point now) { add(now, nullptr); }

private:
    // Longer than any lag that is asked for (reads that are 0..30 s old), and more than EC2's throttling lets change in that
    // time.
    static constexpr duration remembered = std::chrono::seconds{60};
    static constexpr std::size_t versions_max = 4096;

    struct version {
        time_point since;
        pointer value;
    };

    void add(time_point now, pointer value)
    {
        while (versions_.size() > 1 && (versions_[1].since + remembered < now || versions_.size() >= versions_max)) {
            versions_.pop_front();
        }
        versions_.push_back({now, std::move(value)});
    }

    std::deque<version> versions_;
};

}  // namespace vipd::cloud
