#include "agent/net/netlink.hpp"

#include "common/random.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace vipd::net {
namespace {

static_assert(std::endian::native == std::endian::little, "the byte strings below were written on a little-endian machine");

// "20000000 1000 ..." with spaces for the reader.
byte_buffer bytes(std::string text)
{
    std::erase(text, ' ');
    return from_hex(text);
}

template <class T>
const T& only(const netlink_datagram& decoded)
{
    EXPECT_EQ(decoded.malformed, 0U);
    EXPECT_EQ(decoded.messages.size(), 1U);
    static const T none{};
    if (decoded.messages.size() != 1 || !std::holds_alternative<T>(decoded.messages.front())) {
        ADD_FAILURE() << "no message of the kind that was expected";
        return none;
    }
    return std::get<T>(decoded.messages.front());
}

link_address on(int index, std::string_view prefix)
{
    return {index, *ip_prefix::parse(prefix), false};
}

TEST(netlink_requests, a_link_dump_is_what_the_kernel_expects)
{
    EXPECT_EQ(to_hex(encode_link_dump(7)), to_hex(bytes("20000000 1200 0103 07000000 00000000"
                                                        "00 00 0000 00000000 00000000 00000000")));
}

TEST(netlink_requests, an_address_dump_is_what_the_kernel_expects)
{
    EXPECT_EQ(to_hex(encode_address_dump(8)), to_hex(bytes("18000000 1600 0103 08000000 00000000"
                                                           "00 00 00 00 00000000")));
}

TEST(netlink_requests, an_ipv4_address_is_added_exclusively_and_marked_as_ours)
{
    EXPECT_EQ(to_hex(encode_change(add_address{on(1, "172.16.1.100/32")}, 9)),
              to_hex(bytes("30000000 1400 0506 09000000 00000000"  // NEWADDR, REQUEST ACK EXCL CREATE
                           "02 20 00 00 01000000"
                           "0800 0200 ac100164"       // IFA_LOCAL
                           "0800 0100 ac100164"       // IFA_ADDRESS
                           "0500 0b00 70 000000")));  // IFA_PROTO 112
}

TEST(netlink_requests, an_ipv6_host_address_skips_dad_and_is_never_preferred)
{
    EXPECT_EQ(to_hex(encode_change(add_address{on(2, "fd00::64")}, 10)),
              to_hex(bytes("64000000 1400 0506 0a000000 00000000"
                           "0a 80 00 00 02000000"
                           "1400 0200 fd000000000000000000000000000064"
                           "1400 0100 fd000000000000000000000000000064"
                           "0500 0b00 70 000000"
                           "0800 0800 02000000"                                 // IFA_FLAGS: NODAD
                           "1400 0600 00000000 ffffffff 00000000 00000000")));  // IFA_CACHEINFO: preferred 0, valid for ever
}

TEST(netlink_requests, an_ipv6_address_with_its_subnet_keeps_its_lifetime)
{
    const auto message = encode_change(add_address{on(2, "fd00::64/64")}, 10);
    EXPECT_EQ(message.size(), 0x64U - 0x14U);
}

TEST(netlink_requests, removing_an_address_names_link_prefix_and_address)
{
    EXPECT_EQ(to_hex(encode_change(remove_address{on(1, "172.16.1.100/32")}, 11)),
              to_hex(bytes("28000000 1500 0500 0b000000 00000000"
                           "02 20 00 00 01000000"
                           "0800 0200 ac100164"
                           "0800 0100 ac100164")));
}

TEST(netlink_requests, a_link_is_set_up_and_no_other_flag_is_touched)
{
    EXPECT_EQ(to_hex(encode_change(set_link_up{3}, 12)),
              to_hex(bytes("20000000 1000 0500 0c000000 00000000"
                           "00 00 0000 03000000 01000000 01000000")));  // IFF_UP, as the value and as the mask
}

TEST(netlink_answers, links_are_read_with_name_mac_and_state)
{
    const auto decoded =
        decode_netlink(bytes("38000000 1000 0200 07000000 00000000"
                             "00 00 0100 02000000 43100100 00000000"
                             "0900 0300 65746835 00000000"
                             "0a00 0100 0a1b2c3d4e5f 0000"));
    const auto& seen = only<link_seen>(decoded).value;
    EXPECT_EQ(seen, (link{2, "eth5", "0a:1b:2c:3d:4e:5f", true, true}));
}

TEST(netlink_answers, the_loopback_has_no_mac)
{
    const auto decoded =
        decode_netlink(bytes("34000000 1000 0200 07000000 00000000"
                             "00 00 0403 01000000 09000000 00000000"
                             "0700 0300 6c6f 00 00"
                             "0a00 0100 000000000000 0000"));
    const auto& seen = only<link_seen>(decoded).value;
    EXPECT_EQ(seen, (link{1, "lo", "", true, false}));
}

TEST(netlink_answers, a_port_leaving_a_bridge_is_no_link_that_is_gone)
{
    const auto decoded =
        decode_netlink(bytes("20000000 1100 0000 00000000 00000000"
                             "07 00 0100 02000000 00000000 00000000"));
    EXPECT_TRUE(decoded.messages.empty());
    EXPECT_EQ(decoded.malformed, 0U);
    EXPECT_EQ(only<link_gone>(decode_netlink(bytes("20000000 1100 0000 00000000 00000000"
                                                   "00 00 0100 02000000 00000000 00000000")))
                  .index,
              2);
}

TEST(netlink_answers, addresses_of_both_families_are_read)
{
    const auto v4 =
        decode_netlink(bytes("28000000 1400 0000 00000000 00000000"
                             "02 18 80 00 05000000"
                             "0800 0100 0a000110"
                             "0800 0200 0a00010a"));
    EXPECT_EQ(only<address_seen>(v4).value, on(5, "10.0.1.10/24")) << "IFA_LOCAL is ours, IFA_ADDRESS the other end's";
    const auto v6 =
        decode_netlink(bytes("34000000 1400 0000 00000000 00000000"
                             "0a 40 00 00 05000000"
                             "1400 0100 fd000000000000000000000000000001"
                             "0800 0800 c0000000"));
    auto expected = on(5, "fd00::1/64");
    expected.tentative = true;
    EXPECT_EQ(only<address_seen>(v6).value, expected);
    const auto failed =
        decode_netlink(bytes("34000000 1400 0000 00000000 00000000"
                             "0a 40 00 00 05000000"
                             "1400 0100 fd000000000000000000000000000001"
                             "0800 0800 88000000"));
    expected.duplicate = true;
    EXPECT_EQ(only<address_seen>(failed).value, expected) << "IFA_F_DADFAILED";
    const auto gone =
        decode_netlink(bytes("20000000 1500 0000 00000000 00000000"
                             "02 20 80 00 01000000"
                             "0800 0200 ac100164"));
    EXPECT_EQ(only<address_gone>(gone).value, on(1, "172.16.1.100/32"));
}

TEST(netlink_answers, an_acknowledgement_carries_sequence_and_errno)
{
    const auto fine =
        decode_netlink(bytes("24000000 0200 0001 09000000 00000000"
                             "00000000 30000000 1400 0506 09000000 00000000"));
    EXPECT_EQ(only<netlink_acknowledgement>(fine).sequence, 9U);
    EXPECT_EQ(only<netlink_acknowledgement>(fine).error_number, 0);
}

TEST(netlink_answers, an_error_carries_the_kernels_own_words)
{
    // Not capped: the request of 48 bytes is repeated, then NLMSGERR_ATTR_MSG.
    std::string text =
        "5c000000 0200 0002 0a000000 00000000 efffffff 30000000 1400 0506 0a000000 00000000"
        "0220000001000000 08000200ac100164 08000100ac100164 05000b0070000000"
        "1600 0100 41646472657373206578697374732e0a 0700 0000";
    auto message = bytes(text);
    const auto size = static_cast<std::uint32_t>(message.size());
    std::memcpy(message.data(), &size, sizeof(size));
    const auto decoded = decode_netlink(message);
    EXPECT_EQ(only<netlink_acknowledgement>(decoded).error_number, EEXIST);
    EXPECT_EQ(only<netlink_acknowledgement>(decoded).text, "Address exists.??");
}

TEST(netlink_answers, the_end_of_a_dump_and_lost_messages_are_told)
{
    const auto end = decode_netlink(bytes("14000000 0300 1200 07000000 00000000 00000000"));
    EXPECT_EQ(only<netlink_dump_end>(end).sequence, 7U);
    EXPECT_TRUE(end.dump_interrupted);
    only<netlink_overrun>(decode_netlink(bytes("10000000 0400 0000 00000000 00000000")));
}

TEST(netlink_answers, truncation_at_every_byte_is_harmless_and_noticed)
{
    const auto whole = bytes(
        "38000000 1000 0200 07000000 00000000"
        "00 00 0100 02000000 43100100 00000000"
        "0900 0300 65746835 00000000"
        "0a00 0100 0a1b2c3d4e5f 0000");
    for (std::size_t size = 1; size < whole.size(); ++size) {
        const auto decoded = decode_netlink(byte_view{whole}.first(size));
        EXPECT_TRUE(decoded.messages.empty()) << size;
        EXPECT_EQ(decoded.malformed, 1U) << size;
    }
}

TEST(netlink_answers, random_bytes_are_survived)
{
    random_source random(3);
    for (int round = 0; round < 20'000; ++round) {
        byte_buffer noise(random.below(120));
        for (auto& byte : noise) {
            byte = static_cast<std::uint8_t>(random.next());
        }
        if (noise.size() >= 6) {
            // A plausible header, so that the bodies are reached.
            noise[0] = static_cast<std::uint8_t>(random.below(noise.size() + 2));
            noise[1] = noise[2] = noise[3] = 0;
            noise[4] = static_cast<std::uint8_t>(random.chance(0.5) ? 16 + random.below(6) : random.below(5));
            noise[5] = 0;
        }
        const auto decoded = decode_netlink(noise);
        EXPECT_LE(decoded.messages.size(), noise.size() / 16);
    }
}

TEST(netlink_answers, adding_what_is_there_and_removing_what_is_not_are_successes)
{
    const kernel_change add = add_address{on(1, "10.0.0.1")};
    const kernel_change remove = remove_address{on(1, "10.0.0.1")};
    EXPECT_TRUE(is_success(add, 0));
    EXPECT_TRUE(is_success(add, EEXIST));
    EXPECT_FALSE(is_success(add, ENODEV));
    EXPECT_FALSE(is_success(add, EPERM));
    EXPECT_TRUE(is_success(remove, 0));
    EXPECT_TRUE(is_success(remove, EADDRNOTAVAIL));
    EXPECT_TRUE(is_success(remove, ENODEV));
    EXPECT_FALSE(is_success(remove, EPERM));
    EXPECT_FALSE(is_success(remove, EEXIST));
}

}  // namespace
}  // namespace vipd::net
