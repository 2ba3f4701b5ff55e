#pragma once

// Keys, times and tampering, for tests of signed adverts.

#include "agent/vrrp/authentication.hpp"
#include "tests/unit/vrrp/values.hpp"

#include <chrono>
#include <initializer_list>
#include <vector>

namespace vipd::vrrp {

// 32 bytes that count up from `first`.
inline hmac_secret secret_from(std::uint8_t first)
{
    std::vector<std::uint8_t> bytes;
    for (unsigned i = 0; i < 32; ++i) {
        bytes.push_back(static_cast<std::uint8_t>(first + i));
    }
    return *hmac_secret::from_file(bytes);
}

struct key_choice {
    std::uint8_t id;
    std::uint8_t first;
};

inline hmac_settings signed_with(std::initializer_list<key_choice> keys, hmac_mode mode = hmac_mode::enforce,
                                 anti_replay kind = anti_replay::time)
{
    hmac_settings s;
    s.mode = mode;
    s.against_replay = kind;
    s.active_key = keys.begin()->id;
    for (const auto& key : keys) {
        s.keys.push_back({key.id, secret_from(key.first)});
    }
    return s;
}

// Both clocks, so many seconds (and a half) into the era of the golden vectors.
inline instant at(duration since)
{
    return {time_point{std::chrono::seconds{1000}} + since,
            wall_time{std::chrono::seconds{0x68000000} + std::chrono::milliseconds{500} + since}};
}

inline instant stepped(instant now, duration by)
{
    return {now.steady, now.wall + by};
}

inline byte_buffer bytes_of(byte_view view)
{
    return {view.begin(), view.end()};
}

}  // namespace vipd::vrrp
