#pragma once

#include "common/ensure.hpp"

#include <cstddef>
#include <deque>
#include <utility>

namespace vipd {

// First in, first out, with a bound that is set once. What happens at the bound is the caller's decision, so push() tells.
template <class T>
class bounded_queue {
public:
    explicit bounded_queue(std::size_t capacity) : capacity_(capacity) { ENSURE(capacity > 0); }

    [[nodiscard]] bool push(T item)
    {
        if (items_.size() >= capacity_) {
            return false;
        }
        items_.push_back(std::move(item));
        return true;
    }

    // Drops the oldest to make room; for histories.
    void push_dropping_oldest(T item)
    {
        if (items_.size() >= capacity_) {
            items_.pop_front();
        }
        items_.push_back(std::move(item));
    }

    T pop()
    {
        ENSURE(!items_.empty());
        T item = std::move(items_.front());
        items_.pop_front();
        return item;
    }

    [[nodiscard]] bool empty() const { return items_.empty(); }
    [[nodiscard]] std::size_t size() const { return items_.size(); }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] auto begin() const { return items_.begin(); }
    [[nodiscard]] auto end() const { return items_.end(); }

private:
    std::size_t capacity_;
    std::deque<T> items_;
};

}  // namespace vipd
