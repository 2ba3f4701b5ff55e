// The functions of SHA-256 by itself, which OpenSSL 3 would rather see called through EVP: there every message takes several
// allocations, even with a context that is kept.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/sha256.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace vipd {

namespace {

constexpr std::uint8_t inner_pad = 0x36;
constexpr std::uint8_t outer_pad = 0x5c;

using block = std::array<std::uint8_t, SHA256_CBLOCK>;

SHA256_CTX begin(const block& key, std::uint8_t pad)
{
    auto padded = key;
    for (auto& byte : padded) {
        byte ^= pad;
    }
    SHA256_CTX state{};
    SHA256_Init(&state);
    SHA256_Update(&state, padded.data(), padded.size());
    OPENSSL_cleanse(padded.data(), padded.size());
    return state;
}

}  // namespace

sha256_digest sha256(byte_view bytes)
{
    sha256_digest digest{};
    SHA256_CTX state{};
    SHA256_Init(&state);
    SHA256_Update(&state, bytes.data(), bytes.size());
    SHA256_Final(digest.data(), &state);
    return digest;
}

hmac_sha256_key::hmac_sha256_key(byte_view key)
{
    block filled{};
    if (key.size() > filled.size()) {
        std::ranges::copy(sha256(key), filled.begin());
    } else {
        std::ranges::copy(key, filled.begin());
    }
    inner_ = begin(filled, inner_pad);
    outer_ = begin(filled, outer_pad);
    OPENSSL_cleanse(filled.data(), filled.size());
}

hmac_sha256_key::~hmac_sha256_key()
{
    OPENSSL_cleanse(&inner_, sizeof(inner_));
    OPENSSL_cleanse(&outer_, sizeof(outer_));
}

sha256_digest hmac_sha256_key::sign(std::span<const byte_view> pieces) const
{
    sha256_digest digest{};
    auto state = inner_;
    for (const auto& piece : pieces) {
        SHA256_Update(&state, piece.data(), piece.size());
    }
    SHA256_Final(digest.data(), &state);
    state = outer_;
    SHA256_Update(&state, digest.data(), digest.size());
    SHA256_Final(digest.data(), &state);
    // As good as the key.
    OPENSSL_cleanse(&state, sizeof(state));
    return digest;
}

}  // namespace vipd
