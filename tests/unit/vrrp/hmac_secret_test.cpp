#include "agent/vrrp/hmac_secret.hpp"

#include "tests/unit/vrrp/signed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <string_view>

namespace vipd::vrrp {
namespace {

byte_view bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(hmac_secret, raw_bytes_are_taken_as_they_stand)
{
    for (const std::size_t size : {32U, 33U, 64U}) {
        std::vector<std::uint8_t> bytes(size, 0xf7);
        bytes.front() = ' ';
        bytes.back() = '\n';
        const auto secret = hmac_secret::from_file(bytes);
        ASSERT_TRUE(secret);
        EXPECT_EQ(vrrp::bytes_of(secret->bytes()), bytes);
    }
}

TEST(hmac_secret, hex_text_stands_for_the_bytes_it_spells)
{
    const std::string digits = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    for (const auto& text : {digits, digits + "\n", " " + digits + "\r\n"}) {
        const auto secret = hmac_secret::from_file(bytes_of(text));
        ASSERT_TRUE(secret);
        EXPECT_EQ(*secret, secret_from(0));
    }
    EXPECT_EQ(hmac_secret::from_file(bytes_of(digits + digits))->bytes().size(), 64U);
}

TEST(hmac_secret, what_is_too_short_or_too_long_is_no_key_and_is_not_repeated)
{
    for (const auto& text :
         {std::string(), std::string(31, 'g'), std::string(65, 'g'), std::string(32, 'a'), std::string(63, 'a'),
          std::string(62, 'a'), std::string(65, 'a'), std::string(130, 'a'), std::string("\n")}) {
        const auto secret = hmac_secret::from_file(bytes_of(text));
        ASSERT_FALSE(secret) << text;
        EXPECT_EQ(secret.error().text.find("gg"), std::string::npos);
        EXPECT_EQ(secret.error().text.find("aa"), std::string::npos);
    }
}

TEST(hmac_secret, nothing_is_left_of_it_where_it_was)
{
    alignas(hmac_secret) std::array<unsigned char, sizeof(hmac_secret)> place{};
    auto* const secret = new (place.data()) hmac_secret(secret_from(1));
    secret->~hmac_secret();
    const auto known = secret_from(1);
    EXPECT_EQ(std::search(place.begin(), place.end(), known.bytes().begin(), known.bytes().begin() + 4), place.end());
}

}  // namespace
}  // namespace vipd::vrrp
