#pragma once

#include "common/ensure.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace vipd::node {

// The earliest of many deadlines, each owned by an index 0..size-1 and moved often: a binary heap that knows where each index
// sits. An index that has nothing to wait for holds `never`.
class deadline_heap {
public:
    void resize(std::size_t size)
    {
        heap_.clear();
        position_.clear();
        for (std::size_t i = 0; i < size; ++i) {
            heap_.push_back({never, static_cast<std::uint32_t>(i)});
            position_.push_back(i);
        }
    }

    void set(std::uint32_t index, time_point at)
    {
        const auto i = position_[index];
        const auto before = heap_[i].at;
        heap_[i].at = at;
        if (at < before) {
            rise(i);
        } else if (at > before) {
            sink(i);
        }
    }

    [[nodiscard]] time_point of(std::uint32_t index) const { return heap_[position_[index]].at; }

    // `never` when there is none.
    [[nodiscard]] time_point earliest() const { return heap_.empty() ? never : heap_.front().at; }
    [[nodiscard]] std::uint32_t earliest_index() const
    {
        ENSURE(!heap_.empty());
        return heap_.front().index;
    }

private:
    struct item {
        time_point at;
        std::uint32_t index;
    };

    void swap(std::size_t a, std::size_t b)
    {
        std::swap(heap_[a], heap_[b]);
        position_[heap_[a].index] = a;
        position_[heap_[b].index] = b;
    }

    void rise(std::size_t i)
    {
        while (i > 0 && heap_[i].at < heap_[(i - 1) / 2].at) {
            swap(i, (i - 1) / 2);
            i = (i - 1) / 2;
        }
    }

    void sink(std::size_t i)
    {
        while (true) {
            auto smallest = i;
            for (const auto child : {2 * i + 1, 2 * i + 2}) {
                if (child < heap_.size() && heap_[child].at < heap_[smallest].at) {
                    smallest = child;
                }
            }
            if (smallest == i) {
                return;
            }
            swap(i, smallest);
            i = smallest;
        }
    }

    std::vector<item> heap_;
    std::vector<std::size_t> position_;  // of each index in heap_
};

}  // namespace vipd::node
