#include "common/ip.hpp"

#include "common/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vipd {

namespace {

ip_address address(std::string_view text)
{
    return *ip_address::parse(text);
}

ip_prefix prefix(std::string_view text)
{
    return *ip_prefix::parse(text);
}

TEST(ip_address, is_written_as_it_is_read_in_its_shortest_form)
{
    const std::vector<std::pair<std::string_view, std::string_view>> cases = {
        {"0.0.0.0", "0.0.0.0"},
        {"10.0.1.10", "10.0.1.10"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
    };
    for (const auto& [text, expected] : cases) {
        const auto parsed = ip_address::parse(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->to_string(), expected);
        EXPECT_EQ(parsed->is_v6(), text.find(':') != std::string_view::npos) << text;
    }
}

TEST(ip_address, what_is_not_an_address_is_refused_and_quoted)
{
    using namespace std::string_view_literals;
    for (const auto text :
         {""sv, "10.0.1"sv, "10.0.1.256"sv, "10.0.01.10"sv, "10.0.1.10 "sv, " 10.0.1.10"sv, "0x0a.0.0.1"sv, "10.0.1.10/24"sv,
          "fe80::1%eth0"sv, ":::"sv, "1::2::3"sv, "12345::"sv, "localhost"sv, "10.0.1.10\0"sv, "1:2:3:4:5:6:7:8:9"sv}) {
        const auto parsed = ip_address::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind, error_class::malformed);
        EXPECT_EQ(parsed.error().text.substr(0, text.size() + 2), "'" + std::string(text) + "'");
    }
    EXPECT_LT(ip_address::parse(std::string(100'000, '1')).error().text.size(), 300U);
}

TEST(ip_address, keeps_the_bytes_it_is_made_of)
{
    random_source random{3};
    for (int i = 0; i < 2000; ++i) {
        std::array<std::uint8_t, 16> bytes{};
        std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random.chance(0.5) ? 0 : random.next()); });
        for (const std::size_t size : {std::size_t{4}, std::size_t{16}}) {
            const auto made = ip_address::from_bytes(byte_view{bytes}.first(size));
            ASSERT_TRUE(std::ranges::equal(made.bytes(), byte_view{bytes}.first(size)));
            ASSERT_EQ(address(made.to_string()), made) << made.to_string();
        }
    }
}

TEST(ip_address, is_ordered_unsigned_in_network_byte_order_and_by_family_first)
{
    const std::vector<std::string_view> ascending = {
        "0.0.0.0",         "1.0.0.200", "10.0.0.9",  "10.0.0.100", "10.0.0.200", "10.0.1.0",
        "127.255.255.255", "128.0.0.0", "255.0.0.0", "::",         "::1",        "::8000",
        "2001:db8::1",     "7fff::",    "8000::",    "fe80::1",    "ff02::12"};
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            EXPECT_EQ(address(ascending[i]) < address(ascending[j]), i < j) << ascending[i] << " " << ascending[j];
            EXPECT_EQ(address(ascending[i]) == address(ascending[j]), i == j);
        }
    }
}

TEST(ip_address, families_do_not_equal_each_other)
{
    EXPECT_NE(address("0.0.0.0"), address("::"));
    EXPECT_NE(address("10.0.0.1"), address("a00:1::"));
    const std::unordered_set<ip_address> set = {address("10.0.0.1"), address("a00:1::"), address("10.0.0.1")};
    EXPECT_EQ(set.size(), 2U);
}

TEST(ip_address, knows_what_kind_it_is)
{
    EXPECT_TRUE(address("0.0.0.0").is_unspecified());
    EXPECT_TRUE(address("::").is_unspecified());
    EXPECT_FALSE(address("::1").is_unspecified());
    EXPECT_TRUE(address("127.1.2.3").is_loopback());
    EXPECT_TRUE(address("::1").is_loopback());
    EXPECT_FALSE(address("1::1").is_loopback());
    EXPECT_FALSE(address("128.0.0.1").is_loopback());
    EXPECT_TRUE(address("224.0.0.18").is_multicast());
    EXPECT_TRUE(address("239.255.255.255").is_multicast());
    EXPECT_FALSE(address("240.0.0.1").is_multicast());
    EXPECT_FALSE(address("223.255.255.255").is_multicast());
    EXPECT_TRUE(address("ff02::12").is_multicast());
    EXPECT_FALSE(address("fe80::12").is_multicast());
    EXPECT_TRUE(address("169.254.169.254").is_link_local());
    EXPECT_FALSE(address("169.253.0.1").is_link_local());
    EXPECT_TRUE(address("fe80::1").is_link_local());
    EXPECT_TRUE(address("febf::1").is_link_local());
    EXPECT_FALSE(address("fec0::1").is_link_local());
}

TEST(ip_prefix, is_read_with_and_without_a_length)
{
    EXPECT_EQ(prefix("10.0.1.10/24").to_string(), "10.0.1.10/24");
    EXPECT_EQ(prefix("10.0.1.10").to_string(), "10.0.1.10/32");
    EXPECT_EQ(prefix("2001:db8::1").to_string(), "2001:db8::1/128");
    EXPECT_EQ(prefix("::/0").length(), 0U);
    EXPECT_TRUE(prefix("10.0.1.10").is_host());
    EXPECT_FALSE(prefix("10.0.1.10/31").is_host());
    EXPECT_EQ(ip_prefix::host(address("::1")), prefix("::1/128"));
}

TEST(ip_prefix, a_wrong_length_is_refused)
{
    for (const std::string text :
         {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8 ", "10.0.0.0/8/8",
          "10.0.0.0/255.0.0.0", "::/129", "::/99999999999999999999", "/8", "10.0.0/8"}) {
        EXPECT_FALSE(ip_prefix::parse(text)) << text;
    }
    EXPECT_EQ(ip_prefix::parse("10.0.0.0/33").error().text,
              "'10.0.0.0/33' has no prefix length between 0 and 32 behind the '/'");
}

TEST(ip_prefix, its_canonical_form_has_no_bits_behind_the_length)
{
    const std::vector<std::pair<std::string_view, std::string_view>> cases = {
        {"10.0.1.10/24", "10.0.1.0/24"},
        {"10.0.1.10/32", "10.0.1.10/32"},
        {"255.255.255.255/0", "0.0.0.0/0"},
        {"255.255.255.255/1", "128.0.0.0/1"},
        {"255.255.255.255/9", "255.128.0.0/9"},
        {"2001:db8:ffff::1/33", "2001:db8:8000::/33"},
        {"ffff::/15", "fffe::/15"},
    };
    for (const auto& [text, canonical] : cases) {
        EXPECT_EQ(prefix(text).canonical(), prefix(canonical)) << text;
        EXPECT_EQ(prefix(text).canonical().canonical(), prefix(canonical)) << text;
    }
    EXPECT_NE(prefix("10.0.1.10/24"), prefix("10.0.1.0/24"));
}

TEST(ip_prefix, contains_what_shares_its_bits)
{
    EXPECT_TRUE(prefix("10.0.1.10/24").contains(address("10.0.1.255")));
    EXPECT_FALSE(prefix("10.0.1.10/24").contains(address("10.0.2.0")));
    EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("255.1.2.3")));
    EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
    EXPECT_TRUE(prefix("2001:db8::/33").contains(address("2001:db8:7fff::1")));
    EXPECT_FALSE(prefix("2001:db8::/33").contains(address("2001:db8:8000::1")));
}

}  // namespace

}  // namespace vipd
