#include "common/sha256.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace vipd {
namespace {

byte_view bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(sha256, is_that_of_the_standards_examples)
{
    EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256(bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(hmac_sha256_key, signs_as_openssl_does_for_every_size_of_key_and_any_cut)
{
    const std::string text(200, 'x');
    for (std::size_t size = 0; size <= 140; ++size) {
        byte_buffer key_bytes(size, 0xa5);
        if (size > 0) {
            key_bytes.back() = static_cast<std::uint8_t>(size);
        }
        sha256_digest expected{};
        unsigned length = 0;
        // OpenSSL takes a null key for the one of the call before.
        const auto* const some_place = size == 0 ? expected.data() : key_bytes.data();
        HMAC(EVP_sha256(), some_place, static_cast<int>(size), bytes_of(text).data(), text.size(), expected.data(), &length);
        const hmac_sha256_key key{key_bytes};
        const std::array<byte_view, 3> pieces = {bytes_of(text).first(size), byte_view{}, bytes_of(text).subspan(size)};
        EXPECT_EQ(key.sign(pieces), expected) << size;
        EXPECT_EQ(key.sign(bytes_of(text)), expected) << "a second time, in one piece";
    }
}

TEST(hmac_sha256_key, nothing_is_left_of_it_where_it_was)
{
    alignas(hmac_sha256_key) std::array<unsigned char, sizeof(hmac_sha256_key)> place{};
    auto* const key = new (place.data()) hmac_sha256_key(bytes_of("a key that is long enough to be told"));
    std::array<unsigned char, 32> state{};
    std::memcpy(state.data(), place.data(), state.size());
    key->~hmac_sha256_key();
    EXPECT_EQ(std::search(place.begin(), place.end(), state.begin(), state.begin() + 8), place.end());
}

}  // namespace
}  // namespace vipd
