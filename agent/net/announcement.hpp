#pragma once

// What tells the neighbours on a link that an address is here now, as bytes.

#include "common/bytes.hpp"
#include "common/ip.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vipd::net {

using mac_address = std::array<std::uint8_t, 6>;

// "0a:1b:2c:3d:4e:5f"; nothing for any other text.
std::optional<mac_address> parse_mac(std::string_view text);

// An ARP announcement (RFC 5227 section 2.3) as a whole Ethernet frame to everybody: a request of RFC 826 in which both
// protocol addresses are the one that has come. Whoever has an entry for it takes the new one.
byte_buffer gratuitous_arp(const mac_address& from, const ip_address& address);

// An unsolicited neighbour advertisement (RFC 4861 sections 4.4 and 7.2.6) to all nodes, from the address itself: the ICMPv6
// message with its checksum. The override flag makes neighbours change what they know; the router flag is not set.
byte_buffer unsolicited_advertisement(const mac_address& from, const ip_address& address);

}  // namespace vipd::net
