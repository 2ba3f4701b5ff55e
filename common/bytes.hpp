#pragma once

// Big-endian bytes in and out. Readers check once for the length and then index; there is no reader that throws.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vipd {

using byte_view = std::span<const std::uint8_t>;
using byte_buffer = std::vector<std::uint8_t>;

constexpr std::uint16_t load_big_u16(byte_view bytes, std::size_t offset)
{
    return static_cast<std::uint16_t>((bytes[offset] << 8U) | bytes[offset + 1]);
}

constexpr std::uint32_t load_big_u32(byte_view bytes, std::size_t offset)
{
    return (static_cast<std::uint32_t>(load_big_u16(bytes, offset)) << 16U) | load_big_u16(bytes, offset + 2);
}

constexpr void store_big_u16(std::span<std::uint8_t> bytes, std::size_t offset, std::uint16_t value)
{
    bytes[offset] = static_cast<std::uint8_t>(value >> 8U);
    bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

inline void append_big_u16(byte_buffer& out, std::uint16_t value)
{
    out.push_back(static_cast<std::uint8_t>(value >> 8U));
    out.push_back(static_cast<std::uint8_t>(value));
}

inline void append(byte_buffer& out, byte_view bytes)
{
    out.insert(out.end(), bytes.begin(), bytes.end());
}

// Lower-case hexadecimal, two digits a byte, no separator.
std::string to_hex(byte_view bytes);

// The reverse; an odd count of digits or another character gives an empty buffer.
byte_buffer from_hex(std::string_view text);

// In time that depends on the lengths alone: for passwords and message authentication codes.
bool equal_in_constant_time(byte_view a, byte_view b);

}  // namespace vipd
