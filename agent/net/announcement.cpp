#include "agent/net/announcement.hpp"

#include "common/bytes.hpp"
#include "common/checksum.hpp"
#include "common/ensure.hpp"

#include <algorithm>
#include <string>

namespace vipd::net {

namespace {

constexpr std::uint16_t ether_type_ipv4 = 0x0800;
constexpr std::uint16_t ether_type_arp = 0x0806;
constexpr std::uint16_t arp_hardware_ethernet = 1;
constexpr std::uint16_t arp_request = 1;
constexpr std::uint8_t icmp_neighbour_advertisement = 136;
// RFC 9568 6.4.1: the Router flag and the Override flag are set, the Solicited flag is not.
constexpr std::uint8_t flags_router_override = 0x80 | 0x20;
constexpr std::uint8_t option_target_link_address = 2;
constexpr std::uint8_t option_units_of_8 = 1;
constexpr std::uint32_t next_header_icmp6 = 58;
constexpr std::size_t checksum_offset = 2;

constexpr mac_address everybody = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr mac_address unknown{};
// ff02::1
constexpr std::array<std::uint8_t, 16> all_nodes = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

}  // namespace

std::optional<mac_address> parse_mac(std::string_view text)
{
    mac_address mac{};
    if (text.size() != mac.size() * 3 - 1) {
        return std::nullopt;
    }
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i % 3 != 2) {
            digits.push_back(text[i]);
        } else if (text[i] != ':') {
            return std::nullopt;
        }
    }
    const auto bytes = from_hex(digits);
    if (bytes.size() != mac.size()) {
        return std::nullopt;
    }
    std::ranges::copy(bytes, mac.begin());
    return mac;
}

byte_buffer gratuitous_arp(const mac_address& from, const ip_address& address)
{
    ENSURE(address.is_v4());
    byte_buffer frame;
    append(frame, everybody);
    append(frame, from);
    append_big_u16(frame, ether_type_arp);
    append_big_u16(frame, arp_hardware_ethernet);
    append_big_u16(frame, ether_type_ipv4);
    frame.push_back(static_cast<std::uint8_t>(from.size()));
    frame.push_back(static_cast<std::uint8_t>(address.bytes().size()));
    append_big_u16(frame, arp_request);
    append(frame, from);
    append(frame, address.bytes());
    append(frame, unknown);
    append(frame, address.bytes());
    return frame;
}

byte_buffer unsolicited_advertisement(const mac_address& from, const ip_address& address)
{
    ENSURE(address.is_v6());
    byte_buffer message = {icmp_neighbour_advertisement, 0, 0, 0, flags_router_override, 0, 0, 0};
    append(message, address.bytes());
    message.push_back(option_target_link_address);
    message.push_back(option_units_of_8);
    append(message, from);
    // RFC 8200 section 8.1: the pseudo-header counts.
    internet_checksum checksum;
    checksum.add(address.bytes());
    checksum.add(all_nodes);
    checksum.add_u32(static_cast<std::uint32_t>(message.size()));
    checksum.add_u32(next_header_icmp6);
    checksum.add(message);
    store_big_u16(message, checksum_offset, checksum.finish());
    return message;
}

}  // namespace vipd::net
