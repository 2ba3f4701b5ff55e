#include "agent/net/ip_header.hpp"

#include <gtest/gtest.h>

namespace vipd::net {
namespace {

// 10.99.0.1 to 10.99.0.2, TTL 255, TOS 0xc0, protocol 112, eight bytes of VRRP.
byte_buffer datagram()
{
    return from_hex("45c0001c00010000ff7000000a6300010a63000231336400000a5581");
}

TEST(ipv4_header, addresses_ttl_and_message_are_found)
{
    const auto bytes = datagram();
    const auto parsed = parse_ipv4_datagram(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->source.to_string(), "10.99.0.1");
    EXPECT_EQ(parsed->destination.to_string(), "10.99.0.2");
    EXPECT_EQ(parsed->ttl, 255);
    EXPECT_EQ(to_hex(parsed->message), "31336400000a5581");
}

TEST(ipv4_header, options_are_skipped_and_bytes_behind_the_total_length_are_not_part_of_the_message)
{
    auto bytes = datagram();
    bytes.insert(bytes.begin() + 20, 4, std::uint8_t{1});
    bytes[0] = 0x46;
    bytes[3] = 0x20;
    bytes.insert(bytes.end(), 6, std::uint8_t{0});
    const auto parsed = parse_ipv4_datagram(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(to_hex(parsed->message), "31336400000a5581");
}

TEST(ipv4_header, every_truncation_is_refused)
{
    const auto bytes = datagram();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_ipv4_datagram(byte_view{bytes}.first(size))) << size;
    }
}

TEST(ipv4_header, what_a_header_must_not_say_is_refused)
{
    const auto with = [](std::size_t offset, std::uint8_t value) {
        auto bytes = datagram();
        bytes[offset] = value;
        return parse_ipv4_datagram(bytes).has_value();
    };
    EXPECT_FALSE(with(0, 0x44)) << "header length 16";
    EXPECT_FALSE(with(0, 0x40)) << "header length 0";
    EXPECT_FALSE(with(0, 0x4f)) << "header longer than the datagram";
    EXPECT_FALSE(with(0, 0x65)) << "version 6";
    EXPECT_FALSE(with(3, 0x13)) << "total length below the header's";
    EXPECT_FALSE(with(3, 0x1d)) << "total length above what arrived";
    EXPECT_FALSE(with(6, 0x20)) << "more fragments";
    EXPECT_FALSE(with(7, 0x01)) << "fragment offset";
    EXPECT_FALSE(with(9, 6)) << "TCP";
    EXPECT_TRUE(with(6, 0x40)) << "don't fragment";
}

}  // namespace
}  // namespace vipd::net
