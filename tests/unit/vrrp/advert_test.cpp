#include "agent/vrrp/advert.hpp"

#include "common/random.hpp"
#include "tests/unit/vrrp/values.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace vipd::vrrp {

namespace {

using namespace std::chrono_literals;

// A message whose bytes are known from elsewhere: checked with tcpdump, scapy and keepalived.
struct golden {
    std::string name;
    std::string hex;
    version protocol_version;
    std::string source;
    std::string destination;
    checksum_form form;
    std::uint8_t priority;
    duration interval;
    std::vector<std::string> addresses;
    std::string password;  // empty: none

    [[nodiscard]] std::vector<ip_address> address_list() const
    {
        std::vector<ip_address> list;
        for (const auto& text : addresses) {
            list.push_back(address(text));
        }
        return list;
    }
};

constexpr std::uint8_t golden_vrid = 51;

const std::vector<golden>& golden_vectors()
{
    static const std::vector<golden> vectors = {
        {"v3 over IPv4, message alone",
         "313364010064a802c0000264",
         version::v3,
         "10.0.1.10",
         "10.0.2.20",
         checksum_form::rfc9568,
         100,
         1s,
         {"192.0.2.100"},
         ""},
        {"v3 over IPv4, pseudo-header",
         "3133640100649068c0000264",
         version::v3,
         "10.0.1.10",
         "10.0.2.20",
         checksum_form::rfc5798,
         100,
         1s,
         {"192.0.2.100"},
         ""},
        {"v3 over IPv4, priority 0",
         "3133000100640c03c0000264",
         version::v3,
         "10.0.1.10",
         "10.0.2.20",
         checksum_form::rfc9568,
         0,
         1s,
         {"192.0.2.100"},
         ""},
        {"v3 over IPv4, two addresses, longest interval",
         "313364020fffd600c0000264c0000265",
         version::v3,
         "10.0.1.10",
         "10.0.2.20",
         checksum_form::rfc9568,
         100,
         40950ms,
         {"192.0.2.100", "192.0.2.101"},
         ""},
        {"v3 over IPv6, link-local",
         "3133640200643f7cfe80000000000000000000000000000120010db8000000000000000000000100",
         version::v3,
         "fe80::a",
         "fe80::b",
         checksum_form::rfc5798,
         100,
         1s,
         {"fe80::1", "2001:db8::100"},
         ""},
        {"v3 over IPv6, global",
         "313364020064e108fe80000000000000000000000000000120010db8000000000000000000000100",
         version::v3,
         "2001:db8:1::a",
         "2001:db8:2::b",
         checksum_form::rfc5798,
         100,
         1s,
         {"fe80::1", "2001:db8::100"},
         ""},
        {"v2",
         "213364010001b865c00002640000000000000000",
         version::v2,
         "10.0.1.10",
         "10.0.2.20",
         checksum_form::rfc9568,
         100,
         1s,
         {"192.0.2.100"},
         ""},
        {"v2 with a password",
         "2133640101017b19c00002647365637265740000",
         version::v2,
         "10.0.1.10",
         "10.0.2.20",
         checksum_form::rfc9568,
         100,
         1s,
         {"192.0.2.100"},
         "secret"},
    };
    return vectors;
}

byte_buffer encode(const golden& g)
{
    const auto list = g.address_list();
    const auto secret = password(g.password);
    const advert_content content{g.protocol_version, golden_vrid, g.priority,
                                 g.interval,         list,        g.password.empty() ? nullptr : &secret};
    byte_buffer out = {1, 2, 3};
    encode_advert(content, address(g.source), address(g.destination), g.form, out);
    return out;
}

std::variant<advert, advert_fault> decode(const golden& g, byte_view message)
{
    return decode_advert(message, g.protocol_version, address(g.source), address(g.destination));
}

std::variant<advert, advert_fault> decode_v4(byte_view message, version protocol_version)
{
    return decode_advert(message, protocol_version, address("10.0.1.10"), address("10.0.2.20"));
}

advert_fault fault_of(const std::variant<advert, advert_fault>& decoded)
{
    EXPECT_TRUE(std::holds_alternative<advert_fault>(decoded));
    return std::get<advert_fault>(decoded);
}

TEST(advert, golden_vectors_are_encoded_byte_by_byte)
{
    for (const auto& g : golden_vectors()) {
        EXPECT_EQ(to_hex(encode(g)), g.hex) << g.name;
    }
}

TEST(advert, golden_vectors_are_decoded_field_by_field)
{
    for (const auto& g : golden_vectors()) {
        SCOPED_TRACE(g.name);
        const auto message = from_hex(g.hex);
        const auto header = peek_advert(message);
        ASSERT_TRUE(header);
        EXPECT_EQ(header->protocol_version, static_cast<std::uint8_t>(g.protocol_version));
        EXPECT_EQ(header->type, advert_type);
        EXPECT_EQ(header->vrid, golden_vrid);

        const auto decoded = decode(g, message);
        ASSERT_TRUE(std::holds_alternative<advert>(decoded));
        const auto& a = std::get<advert>(decoded);
        EXPECT_EQ(a.vrid, golden_vrid);
        EXPECT_EQ(a.priority, g.priority);
        EXPECT_EQ(a.interval, g.interval);
        EXPECT_EQ(a.form, g.form);
        ASSERT_EQ(a.addresses.size(), g.addresses.size());
        for (std::size_t i = 0; i < g.addresses.size(); ++i) {
            EXPECT_EQ(a.addresses[i], address(g.addresses[i]));
        }
        EXPECT_EQ(a.authentication, g.password.empty() ? auth_type::none : auth_type::simple_password);
        EXPECT_EQ(a.password, password(g.password));
    }
}

TEST(advert, every_single_wrong_bit_is_noticed)
{
    for (const auto& g : golden_vectors()) {
        const auto message = from_hex(g.hex);
        for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
            auto wrong = message;
            wrong[bit / 8] = static_cast<std::uint8_t>(wrong[bit / 8] ^ (1U << (bit % 8)));
            EXPECT_TRUE(std::holds_alternative<advert_fault>(decode(g, wrong))) << g.name << ", bit " << bit;
        }
    }
}

TEST(advert, every_truncation_and_every_surplus_is_a_wrong_length)
{
    for (const auto& g : golden_vectors()) {
        const auto message = from_hex(g.hex);
        for (std::size_t size = 0; size < message.size(); ++size) {
            EXPECT_EQ(fault_of(decode(g, byte_view{message}.first(size))), advert_fault::length) << g.name << ", " << size;
        }
        auto longer = message;
        for (int surplus = 1; surplus <= 40; ++surplus) {
            longer.push_back(0);
            EXPECT_EQ(fault_of(decode(g, longer)), advert_fault::length) << g.name << ", " << surplus << " more";
        }
    }
}

TEST(advert, the_header_of_less_than_eight_bytes_is_not_looked_at)
{
    const byte_buffer message(advert_size_min, 0x31);
    EXPECT_TRUE(peek_advert(message));
    for (std::size_t size = 0; size < advert_size_min; ++size) {
        EXPECT_FALSE(peek_advert(byte_view{message}.first(size)));
    }
}

TEST(advert, a_zero_max_advertise_interval_is_refused)
{
    for (const std::uint8_t reserved : {std::uint8_t{0x00}, std::uint8_t{0xf0}}) {
        auto message = from_hex("313364010064a802c0000264");
        message[4] = reserved;
        message[5] = 0;
        store_checksum(message);
        EXPECT_EQ(fault_of(decode_v4(message, version::v3)), advert_fault::interval_zero);
    }
}

TEST(advert, reserved_bits_do_not_leak_into_the_interval)
{
    auto message = from_hex("313364010064a802c0000264");
    message[4] = 0xf0;
    store_checksum(message);
    EXPECT_EQ(std::get<advert>(decode_v4(message, version::v3)).interval, 1s);
}

TEST(advert, version_2_counts_seconds_and_version_3_centiseconds)
{
    auto v3 = from_hex("313364010005a802c0000264");
    store_checksum(v3);
    EXPECT_EQ(std::get<advert>(decode_v4(v3, version::v3)).interval, 50ms);
    auto v2 = from_hex("2133640100050000c00002640000000000000000");
    store_checksum(v2);
    EXPECT_EQ(std::get<advert>(decode_v4(v2, version::v2)).interval, 5s);
}

TEST(advert, no_address_is_refused_in_both_versions)
{
    // As keepalived sends them when it has no virtual_ipaddress; the checksums are right.
    const auto v3 = from_hex("31336400000a5581");
    EXPECT_EQ(fault_of(decode_advert(v3, version::v3, address("10.99.0.1"), address("10.99.0.2"))),
              advert_fault::address_count);
    const auto v2 = from_hex("2133640000017acb0000000000000000");
    EXPECT_EQ(fault_of(decode_v4(v2, version::v2)), advert_fault::address_count);
}

TEST(advert, a_wrong_checksum_is_told_before_a_wrong_content)
{
    EXPECT_EQ(fault_of(decode_v4(from_hex("3133640000001234"), version::v3)), advert_fault::checksum);
    EXPECT_EQ(fault_of(decode_v4(from_hex("2133640009011234c0000264"), version::v2)), advert_fault::length);
}

TEST(advert, the_checksum_of_version_2_is_verified)
{
    EXPECT_EQ(fault_of(decode_v4(from_hex("213364010001b866c00002640000000000000000"), version::v2)), advert_fault::checksum);
}

TEST(advert, the_checksum_of_version_2_has_no_pseudo_header)
{
    auto message = from_hex("213364010001b865c00002640000000000000000");
    store_big_u16(message, 6, 0);
    internet_checksum sum;
    sum.add(address("10.0.1.10").bytes());
    sum.add(address("10.0.2.20").bytes());
    sum.add_u16(ip_protocol);
    sum.add_u16(static_cast<std::uint16_t>(message.size()));
    sum.add(message);
    store_big_u16(message, 6, sum.finish());
    EXPECT_EQ(fault_of(decode_v4(message, version::v2)), advert_fault::checksum);
}

TEST(advert, the_message_alone_is_no_checksum_over_ipv6)
{
    auto message = from_hex("3133640200643f7cfe80000000000000000000000000000120010db8000000000000000000000100");
    store_checksum(message);
    EXPECT_EQ(fault_of(decode_advert(message, version::v3, address("fe80::a"), address("fe80::b"))), advert_fault::checksum);
}

TEST(advert, a_pseudo_header_with_the_multicast_group_is_refused_in_unicast)
{
    const std::vector<ip_address> list = {address("192.0.2.100")};
    const advert_content content{version::v3, golden_vrid, 100, 1s, list, nullptr};
    byte_buffer message;
    encode_advert(content, address("10.0.1.10"), address("224.0.0.18"), checksum_form::rfc5798, message);
    EXPECT_EQ(fault_of(decode_v4(message, version::v3)), advert_fault::checksum);
}

TEST(advert, authentication_types_other_than_none_and_password_are_refused)
{
    for (unsigned type = 2; type < 256; ++type) {
        auto message = from_hex("213364010001b865c00002640000000000000000");
        message[4] = static_cast<std::uint8_t>(type);
        store_checksum(message);
        EXPECT_EQ(fault_of(decode_v4(message, version::v2)), advert_fault::auth_type) << type;
    }
}

TEST(advert, version_2_does_not_exist_over_ipv6)
{
    const auto message = from_hex("213364010001b865c00002640000000000000000");
    EXPECT_EQ(fault_of(decode_advert(message, version::v2, address("fe80::a"), address("fe80::b"))), advert_fault::length);
}

TEST(advert, what_is_encoded_is_decoded_again_for_every_count_of_addresses)
{
    random_source random{7};
    byte_buffer message;
    for (const auto protocol_version : {version::v2, version::v3}) {
        for (const bool is_v6 : {false, true}) {
            for (std::size_t count = 1; count <= 255 && !(is_v6 && protocol_version == version::v2); ++count) {
                std::vector<ip_address> list;
                for (std::size_t i = 0; i < count; ++i) {
                    std::array<std::uint8_t, 16> bytes{};
                    std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random.next()); });
                    list.push_back(ip_address::from_bytes(byte_view{bytes}.first(is_v6 ? 16 : 4)));
                }
                const auto interval = protocol_version == version::v2 ? duration{1s * (1 + random.below(255))}
                                                                      : duration{10ms * (1 + random.below(4095))};
                const auto priority = static_cast<std::uint8_t>(random.next());
                const auto form = random.chance(0.5) ? checksum_form::rfc5798 : checksum_form::rfc9568;
                const advert_content content{protocol_version, 1, priority, interval, list, nullptr};
                encode_advert(content, list.front(), list.back(), form, message);
                const auto decoded = decode_advert(message, protocol_version, list.front(), list.back());
                ASSERT_TRUE(std::holds_alternative<advert>(decoded));
                const auto& a = std::get<advert>(decoded);
                ASSERT_EQ(a.priority, priority);
                ASSERT_EQ(a.interval, interval);
                ASSERT_EQ(a.addresses.size(), count);
                for (std::size_t i = 0; i < count; ++i) {
                    ASSERT_EQ(a.addresses[i], list[i]);
                }
            }
        }
    }
}

// --- the template ---

TEST(advert_template, gives_the_golden_vectors)
{
    for (const auto& g : golden_vectors()) {
        const auto list = g.address_list();
        const auto secret = password(g.password);
        const advert_content content{g.protocol_version, golden_vrid, 1,
                                     duration{40s},      list,        g.password.empty() ? nullptr : &secret};
        advert_template t{content, address(g.source), address(g.destination), g.form};
        EXPECT_EQ(to_hex(t.message(g.priority, g.interval)), g.hex) << g.name;
        EXPECT_EQ(to_hex(t.message(g.priority, g.interval)), g.hex) << g.name << ", again";
        EXPECT_EQ(t.destination(), address(g.destination));
    }
}

TEST(advert_template, equals_a_fresh_encoding_for_every_priority_including_the_releasing_one)
{
    for (const auto& g : golden_vectors()) {
        const auto list = g.address_list();
        const auto secret = password(g.password);
        advert_content content{g.protocol_version, golden_vrid, 100, g.interval, list, g.password.empty() ? nullptr : &secret};
        advert_template t{content, address(g.source), address(g.destination), g.form};
        byte_buffer fresh;
        for (unsigned priority = 0; priority < 256; ++priority) {
            content.priority = static_cast<std::uint8_t>(priority);
            encode_advert(content, address(g.source), address(g.destination), g.form, fresh);
            ASSERT_EQ(to_hex(t.message(content.priority, g.interval)), to_hex(fresh)) << g.name << ", priority " << priority;
        }
    }
}

TEST(advert_template, each_peer_has_its_own_checksum_whatever_was_sent_to_the_one_before)
{
    const std::vector<ip_address> list = {address("192.0.2.100")};
    const advert_content content{version::v3, golden_vrid, 100, 1s, list, nullptr};
    const auto source = address("10.0.1.10");
    std::vector<advert_template> peers;
    for (const auto* peer : {"10.0.2.20", "10.0.3.30", "10.0.4.40"}) {
        peers.emplace_back(content, source, address(peer), checksum_form::rfc5798);
    }
    for (const std::uint8_t priority : {std::uint8_t{100}, std::uint8_t{50}, std::uint8_t{0}}) {
        for (auto& peer : peers) {
            const auto message = peer.message(priority, 1s);
            const auto decoded = decode_advert(message, version::v3, source, peer.destination());
            ASSERT_TRUE(std::holds_alternative<advert>(decoded));
            EXPECT_EQ(std::get<advert>(decoded).form, checksum_form::rfc5798);
            EXPECT_EQ(std::get<advert>(decoded).priority, priority);
        }
    }
}

TEST(advert_template, nothing_is_written_or_moved_when_nothing_changed)
{
    const std::vector<ip_address> list = {address("192.0.2.100")};
    advert_template t{
        {version::v3, golden_vrid, 100, 1s, list, nullptr}, address("10.0.1.10"), address("10.0.2.20"), checksum_form::rfc5798};
    const auto first = t.message(100, 1s);
    EXPECT_EQ(t.message(100, 1s).data(), first.data());
    EXPECT_EQ(t.message(0, 1s).data(), first.data());
}

}  // namespace

}  // namespace vipd::vrrp
