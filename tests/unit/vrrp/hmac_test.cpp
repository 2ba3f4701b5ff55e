#include "agent/vrrp/hmac.hpp"

#include "tests/unit/vrrp/signed.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace vipd::vrrp {
namespace {

byte_view bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(hmac, is_what_openssl_computes_for_every_size_of_key_and_any_cut)
{
    const std::string text(200, 'x');
    for (std::size_t size = 32; size <= 64; ++size) {
        std::vector<std::uint8_t> bytes(size, 0xa5);
        bytes[3] = static_cast<std::uint8_t>(size);
        hmac_key::digest expected{};
        unsigned length = 0;
        HMAC(EVP_sha256(), bytes.data(), static_cast<int>(size), bytes_of(text).data(), text.size(), expected.data(), &length);
        const hmac_key key{*hmac_secret::from_file(bytes)};
        const std::array<byte_view, 3> pieces = {bytes_of(text).first(size), byte_view{}, bytes_of(text).subspan(size)};
        EXPECT_EQ(key.sign(pieces), expected) << size;
        EXPECT_EQ(key.sign(pieces), expected) << "a second time";
    }
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

TEST(hmac_key, nothing_is_left_of_it_where_it_was)
{
    alignas(hmac_key) std::array<unsigned char, sizeof(hmac_key)> place{};
    auto* const key = new (place.data()) hmac_key(secret_from(1));
    std::array<unsigned char, 32> state{};
    std::memcpy(state.data(), place.data(), state.size());
    key->~hmac_key();
    EXPECT_EQ(std::search(place.begin(), place.end(), state.begin(), state.begin() + 8), place.end());
}

}  // namespace
}  // namespace vipd::vrrp
