#pragma once

// The keys of keepalived's auth_hmac, as files hold them.

#include "common/bytes.hpp"
#include "common/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace vipd::vrrp {

// The bytes of a key. They are wiped when they are let go, every copy by itself.
class hmac_secret {
public:
    static constexpr std::size_t size_min = 32;
    static constexpr std::size_t size_max = 64;
    // As hex text, with some white space around it.
    static constexpr std::size_t file_size_max = 2 * size_max + 16;

    // What a key file holds: 32 to 64 bytes taken as they stand, or their hex digits, twice as many, with white space at the
    // ends. What consists of hex digits alone is never a key by itself: it would be half as strong as it looks.
    static result<hmac_secret> from_file(byte_view content);

    hmac_secret() = default;  // no key; only to be assigned to
    ~hmac_secret();
    hmac_secret(const hmac_secret&) = default;
    hmac_secret& operator=(const hmac_secret&) = default;

    [[nodiscard]] byte_view bytes() const { return byte_view{bytes_}.first(size_); }
    friend bool operator==(const hmac_secret& a, const hmac_secret& b) { return equal_in_constant_time(a.bytes(), b.bytes()); }

private:
    std::array<std::uint8_t, size_max> bytes_{};
    std::size_t size_ = 0;
};

}  // namespace vipd::vrrp
