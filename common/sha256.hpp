#pragma once

// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104) of bytes in memory, without an allocation: adverts are signed and verified by
// the ten thousand a second.

#include "common/bytes.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <span>

namespace vipd {

using sha256_digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

sha256_digest sha256(byte_view bytes);

// A key ready for use: what SHA-256 has become after the block that the key fills, inside and outside. It is as good as the
// key itself, and is wiped when it is let go, every copy by itself.
class hmac_sha256_key {
public:
    // A key of any length.
    explicit hmac_sha256_key(byte_view key);
    ~hmac_sha256_key();
    hmac_sha256_key(const hmac_sha256_key&) = default;
    hmac_sha256_key& operator=(const hmac_sha256_key&) = default;

    // Of these pieces, one behind the other.
    [[nodiscard]] sha256_digest sign(std::span<const byte_view> pieces) const;
    [[nodiscard]] sha256_digest sign(byte_view message) const { return sign(std::span{&message, 1}); }

private:
    SHA256_CTX inner_{};
    SHA256_CTX outer_{};
};

}  // namespace vipd
