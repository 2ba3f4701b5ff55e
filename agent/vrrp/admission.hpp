#pragma once

// Is this datagram an advert, is it for one of our routers, and is it as that router expects it? The ladder of RFC 9568 section
// 7.1, cheap and unauthenticated checks first, one counter per reason, first failure decides. A datagram that fails changes
// nothing but its counter.
//
// Reasons found before a router is known are counted once per process; those found after, per router.

#include "agent/vrrp/advert.hpp"
#include "agent/vrrp/election.hpp"
#include "common/ip.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::vrrp {

// What the socket delivers. `message` starts behind the IP header.
struct datagram {
    ip_address source;
    ip_address destination;
    std::uint8_t ttl = 0;  // or hop limit
    byte_view message;
};

enum class discard_reason : std::uint8_t {
    // before a router is known
    malformed,     // shorter than any VRRP message
    destination,   // not a unicast address
    unknown_peer,  // the source is nobody's peer
    self,          // the source is our own address: a loop or a duplicate
    ttl,           // below the peer's min_ttl
    type,          // not an ADVERTISEMENT
    vrid,          // no router with this VRID between these two addresses
    // for a router
    version,
    length,
    checksum,
    address_count,      // 0
    interval_zero,      // v3
    auth_type,          // v2
    auth_password,      // v2
    interval_mismatch,  // v2
    address_list,       // v2, unless the priority is 255
};
inline constexpr std::size_t discard_reason_count = 16;

std::string_view to_string(discard_reason reason);

struct peer_rule {
    ip_address address;
    std::uint8_t min_ttl = 255;
    friend bool operator==(const peer_rule&, const peer_rule&) = default;
};

// What one router expects.
struct router_rule {
    version protocol_version = version::v3;
    std::uint8_t vrid = 1;
    ip_address source;  // our own address: what its adverts are addressed to
    std::vector<peer_rule> peers;
    std::vector<ip_address> addresses;
    duration advert_interval{};
    std::optional<simple_password> password;  // v2
};

struct admission_counters {
    std::array<std::uint64_t, discard_reason_count> discarded{};
    std::uint64_t accepted = 0;
    // Accepted and yet worth knowing.
    std::uint64_t checksum_rfc5798 = 0;
    std::uint64_t checksum_rfc9568 = 0;
    std::uint64_t address_list_differs = 0;  // v3
    std::uint64_t interval_differs = 0;      // v3
};

struct admitted {
    std::uint32_t router = 0;  // index into the rules
    heard_advert advert;
    bool address_list_differs = false;
    bool interval_differs = false;
};

struct discarded {
    discard_reason reason = discard_reason::malformed;
    std::optional<std::uint32_t> router;  // when one was found
};

class admission {
public:
    // Indices of `rules` are the routers' indices. Two rules never share (source, peer, VRID): the configuration has made sure.
    // Counters of routers whose index stays are kept only by the caller's choice: see carry_over.
    explicit admission(std::vector<router_rule> rules);

    std::variant<admitted, discarded> check(const datagram& d);

    [[nodiscard]] const admission_counters& counters(std::uint32_t router) const;
    [[nodiscard]] const std::array<std::uint64_t, discard_reason_count>& counters_before_router() const;

    // All peers of all rules, sorted, each once: what the socket filter lets through.
    [[nodiscard]] const std::vector<ip_address>& peers() const;
};

}  // namespace vipd::vrrp
