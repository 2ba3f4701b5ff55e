#pragma once

// VRRP messages as bytes. decode() returns only legal values: what a struct `advert` holds has passed every check that needs no
// configuration.

#include "agent/vrrp/types.hpp"
#include "common/bytes.hpp"
#include "common/ip.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vipd::vrrp {

// VRRPv2's Authentication Data: up to 8 bytes, zero-filled (RFC 2338 5.3.10). Type 0 has none.
struct simple_password {
    std::array<std::uint8_t, 8> bytes{};
    friend bool operator==(const simple_password&, const simple_password&) = default;
};

// What goes into an advert, whichever version carries it. `interval` is sent as whole centiseconds (v3, 1..4095) or whole
// seconds (v2, 1..255); the configuration has made sure that it is one of those.
struct advert_content {
    version protocol_version = version::v3;
    std::uint8_t vrid = 1;  // 1..255
    std::uint8_t priority = 100;
    duration interval{};
    std::span<const ip_address> addresses;      // 1..255 of one family; v2: IPv4 only
    const simple_password* password = nullptr;  // v2 only; null is Auth Type 0
};

// The message as it goes onto the wire, IP header excluded. For v3 over IPv4 `source` and `destination` enter the checksum when
// `form` is rfc5798. For IPv6 the checksum covers the pseudo-header (RFC 8200 8.1) as the kernel would compute it.
void encode_advert(const advert_content& content, const ip_address& source, const ip_address& destination, checksum_form form,
                   byte_buffer& out);

}  // namespace vipd::vrrp
