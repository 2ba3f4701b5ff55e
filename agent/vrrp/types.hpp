#pragma once

// The words of RFC 9568 (VRRPv3) and RFC 3768 (VRRPv2) as types.

#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vipd::vrrp {

enum class version : std::uint8_t { v2 = 2, v3 = 3 };

inline constexpr std::uint8_t ip_protocol = 112;
inline constexpr std::uint8_t ttl_sent = 255;
inline constexpr std::uint8_t priority_releasing = 0;
inline constexpr std::uint8_t priority_owner = 255;
// 12 bits of centiseconds (RFC 9568 5.2.7).
inline constexpr duration advert_interval_max_v3 = std::chrono::milliseconds{40'950};

// What the header's fields leave room for and where they stand, in both versions.
inline constexpr std::size_t header_size = 8;
inline constexpr std::size_t offset_checksum = 6;
inline constexpr std::size_t address_count_max = 255;

enum class state : std::uint8_t {
    initialize,  // not taking part: before the start, after the stop, or held out by a fault
    backup,      // listening to the Active
    active,      // sending adverts
};

constexpr std::string_view to_string(state s)
{
    switch (s) {
        case state::initialize:
            return "Initialize";
        case state::backup:
            return "Backup";
        case state::active:
            return "Active";
    }
    return "unknown";
}

// What is sent for VRRPv3 over IPv4; both forms are accepted (RFC 5798 5.2.8 was read in two ways, RFC 9568 settled on one).
enum class checksum_form : std::uint8_t {
    rfc5798,  // over the IPv4 pseudo-header and the message: what every deployed keepalived expects
    rfc9568,  // over the message alone
};

}  // namespace vipd::vrrp
