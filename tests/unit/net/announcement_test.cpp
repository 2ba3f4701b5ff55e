#include "agent/net/announcement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace vipd::net {
namespace {

byte_buffer bytes(std::string text)
{
    std::erase(text, ' ');
    return from_hex(text);
}

constexpr mac_address mac = {0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f};

TEST(announcement, gratuitous_arp_is_a_request_for_the_address_by_itself_to_everybody)
{
    // RFC 826's packet in an Ethernet frame, filled as RFC 5227 section 2.3 says.
    EXPECT_EQ(to_hex(gratuitous_arp(mac, ip_address::v4(172, 16, 1, 100))), to_hex(bytes("ffffffffffff 0a1b2c3d4e5f 0806"
                                                                                         "0001 0800 06 04 0001"
                                                                                         "0a1b2c3d4e5f ac100164"
                                                                                         "000000000000 ac100164")));
}

TEST(announcement, an_unsolicited_advertisement_is_of_a_router_overrides_and_was_not_asked_for)
{
    // RFC 4861 section 4.4, with the flags of RFC 9568 section 6.4.1: type 136, R = 1, S = 0, O = 1, the target, and its
    // link-layer address as option 2. The checksum was computed elsewhere, over the pseudo-header from fd00::64 to ff02::1.
    EXPECT_EQ(to_hex(unsolicited_advertisement(mac, *ip_address::parse("fd00::64"))),
              to_hex(bytes("8800571e a0000000 fd000000000000000000000000000064 0201 0a1b2c3d4e5f")));
}

TEST(announcement, a_mac_is_six_pairs_of_digits)
{
    EXPECT_EQ(parse_mac("0a:1b:2c:3d:4e:5f"), mac);
    for (const auto* const text : {"", "0a:1b:2c:3d:4e", "0a:1b:2c:3d:4e:5f:60", "0a-1b-2c-3d-4e-5f", "0a:1b:2c:3d:4e:5g"}) {
        EXPECT_EQ(parse_mac(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace vipd::net
