#pragma once

// Takes what a target needs from the bytes of its input, one after another. Behind the end there are zeros, so that every input
// means something and a shorter one means something similar.

#include "common/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace vipd::test {

class input_reader {
public:
    explicit input_reader(byte_view bytes) : rest_(bytes) {}

    [[nodiscard]] bool is_empty() const { return rest_.empty(); }

    std::uint8_t byte()
    {
        const auto one = take(1);
        return one.empty() ? std::uint8_t{0} : one[0];
    }
    std::uint16_t two_bytes()
    {
        const auto high = byte();
        return static_cast<std::uint16_t>((high << 8U) | byte());
    }
    bool flag() { return (byte() & 1U) != 0; }

    // At most that many: what there is.
    byte_view take(std::size_t size)
    {
        const auto taken = rest_.first(std::min(size, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }
    // A byte for the length, and that many.
    byte_view take_counted() { return take(byte()); }
    std::string text_counted()
    {
        const auto bytes = take_counted();
        return {bytes.begin(), bytes.end()};
    }

private:
    byte_view rest_;
};

}  // namespace vipd::test
