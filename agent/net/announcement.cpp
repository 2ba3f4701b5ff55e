#include "agent/net/announcement.hpp"

#include "common/checksum.hpp"
#include "common/ensure.hpp"

namespace vipd::net {

namespace {

constexpr std::uint16_t ether_type_ipv4 = 0x0800;
constexpr std::uint16_t ether_type_arp = 0x0806;
constexpr std::uint16_t arp_hardware_ethernet = 1;
constexpr std::uint16_t arp_request = 1;
constexpr std::uint8_t icmp_neighbour_advertisement = 136;
constexpr std::uint8_t flag_override = 0x20;
constexpr std::uint8_t option_target_link_address = 2;
constexpr std::uint8_t option_units_of_8 = 1;
constexpr std::uint32_t next_header_icmp6 = 58;
constexpr std::size_t checksum_offset = 2;

constexpr mac_address everybody = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr mac_address unknown{};
// ff02::1
constexpr std::array<std::uint8_t, 16> all_nodes = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

std::optional<std::uint8_t> hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return static_cast<std::uint8_t>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<std::uint8_t>(c - 'a' + 10);
    }
    return std::nullopt;
}

}  // namespace

std::optional<mac_address> parse_mac(std::string_view text)
{
    mac_address mac{};
    if (text.size() != mac.size() * 3 - 1) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const auto high = hex_digit(text[i * 3]);
        const auto low = hex_digit(text[i * 3 + 1]);
        if (!high || !low || (i > 0 && text[i * 3 - 1] != ':')) {
            return std::nullopt;
        }
        mac[i] = static_cast<std::uint8_t>(*high << 4U | *low);
    }
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
    byte_buffer message = {icmp_neighbour_advertisement, 0, 0, 0, flag_override, 0, 0, 0};
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
