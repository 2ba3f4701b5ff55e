#pragma once

// IP addresses and prefixes as values, with their text forms. Both families share one type, because everything above the packet
// codecs treats them alike; what differs asks family().

#include "common/bytes.hpp"
#include "common/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace vipd {

enum class ip_family : std::uint8_t { v4, v6 };

class ip_address {
public:
    // 0.0.0.0
    constexpr ip_address() = default;

    static constexpr ip_address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d)
    {
        ip_address address;
        address.bytes_ = {a, b, c, d};
        return address;
    }

    // 4 bytes make an IPv4 address, 16 an IPv6 one; any other length is a programmer's error.
    static ip_address from_bytes(byte_view bytes);

    // Dotted decimal without leading zeros, or RFC 4291 text. A zone ("%eth0") is refused.
    static result<ip_address> parse(std::string_view text);

    [[nodiscard]] constexpr ip_family family() const { return family_; }
    [[nodiscard]] constexpr bool is_v4() const { return family_ == ip_family::v4; }
    [[nodiscard]] constexpr bool is_v6() const { return family_ == ip_family::v6; }

    // 4 or 16 bytes in network order.
    [[nodiscard]] constexpr byte_view bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }

    [[nodiscard]] bool is_unspecified() const;
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] bool is_multicast() const;
    [[nodiscard]] bool is_link_local() const;

    // RFC 5952 for IPv6.
    [[nodiscard]] std::string to_string() const;

    // IPv4 before IPv6; within a family unsigned in network byte order, as the tie-break of RFC 9568 section 6.4.3 wants it.
    friend constexpr auto operator<=>(const ip_address&, const ip_address&) = default;

private:
    ip_family family_ = ip_family::v4;
    std::array<std::uint8_t, 16> bytes_{};
};

// An address and a prefix length; the bits behind the length are kept, since an interface address has them ("10.0.1.10/24").
class ip_prefix {
public:
    constexpr ip_prefix() = default;
    // `length` at most 32 or 128.
    ip_prefix(const ip_address& address, unsigned length);

    // The whole address: /32 or /128.
    static ip_prefix host(const ip_address& address);

    // "10.0.0.0/8", "2001:db8::/32", or an address alone, which is its host prefix.
    static result<ip_prefix> parse(std::string_view text);

    [[nodiscard]] const ip_address& address() const { return address_; }
    [[nodiscard]] unsigned length() const { return length_; }
    [[nodiscard]] ip_family family() const { return address_.family(); }
    [[nodiscard]] bool is_host() const;

    // The same prefix with the bits behind the length set to zero: the form in which EC2 stores a destination.
    [[nodiscard]] ip_prefix canonical() const;

    [[nodiscard]] bool contains(const ip_address& address) const;

    [[nodiscard]] std::string to_string() const;

    friend constexpr auto operator<=>(const ip_prefix&, const ip_prefix&) = default;

private:
    ip_address address_;
    unsigned length_ = 0;
};

}  // namespace vipd

template <>
struct std::hash<vipd::ip_address> {
    std::size_t operator()(const vipd::ip_address& address) const noexcept
    {
        const auto bytes = address.bytes();
        return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
};
