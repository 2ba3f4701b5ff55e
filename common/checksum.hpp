#pragma once

#include "common/bytes.hpp"

#include <cstdint>

namespace vipd {

// The Internet checksum of RFC 1071, as a running sum: add() pieces of even length (the last may be odd), then finish().
class internet_checksum {
public:
    constexpr void add(byte_view bytes)
    {
        std::size_t i = 0;
        for (; i + 1 < bytes.size(); i += 2) {
            sum_ += load_big_u16(bytes, i);
        }
        if (i < bytes.size()) {
            sum_ += static_cast<std::uint64_t>(bytes[i]) << 8U;
        }
    }

    constexpr void add_u16(std::uint16_t value) { sum_ += value; }

    constexpr void add_u32(std::uint32_t value) { sum_ += (value >> 16U) + (value & 0xffffU); }

    // What belongs into the checksum field when it was added as zero; zero when it was added as it stood and is right.
    [[nodiscard]] constexpr std::uint16_t finish() const
    {
        std::uint64_t folded = sum_;
        while (folded > 0xffffU) {
            folded = (folded >> 16U) + (folded & 0xffffU);
        }
        return static_cast<std::uint16_t>(~folded);
    }

private:
    std::uint64_t sum_ = 0;
};

}  // namespace vipd
