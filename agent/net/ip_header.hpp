#pragma once

// The IPv4 header in front of what a raw IPv4 socket delivers (RFC 791 section 3.1). The kernel has already checked most of it;
// nothing here relies on that.

#include "agent/vrrp/admission.hpp"
#include "common/bytes.hpp"

#include <optional>

namespace vipd::net {

// The datagram behind the header, with addresses and TTL from it; nothing when the header does not parse, the protocol is not
// 112, the datagram is a fragment, or it is shorter than its header says. `message` points into `bytes`.
inline std::optional<vrrp::datagram> parse_ipv4_datagram(byte_view bytes)
{
    constexpr std::size_t header_size_min = 20;
    constexpr std::uint16_t more_fragments_and_offset = 0x3fff;
    if (bytes.size() < header_size_min || bytes[0] >> 4U != 4) {
        return std::nullopt;
    }
    const std::size_t header_size = std::size_t{bytes[0] & 0x0fU} * 4;
    const std::size_t total_size = load_big_u16(bytes, 2);
    if (header_size < header_size_min || total_size < header_size || total_size > bytes.size() ||
        (load_big_u16(bytes, 6) & more_fragments_and_offset) != 0 || bytes[9] != vrrp::ip_protocol) {
        return std::nullopt;
    }
    vrrp::datagram result;
    result.ttl = bytes[8];
    result.source = ip_address::from_bytes(bytes.subspan(12, 4));
    result.destination = ip_address::from_bytes(bytes.subspan(16, 4));
    result.message = bytes.subspan(header_size, total_size - header_size);
    return result;
}

}  // namespace vipd::net
