#pragma once

// Is this datagram an advert, is it for one of our routers, and is it as that router expects it? The ladder of RFC 9568 section
// 7.1, cheap and unauthenticated checks first, one counter per reason, first failure decides. A datagram that fails changes
// nothing but its counter.
//
// Reasons found before a router is known are counted once per process; those found after, per router. A datagram below min_ttl
// is among the first kind although the limit is the peer's of the very router, where there is one: whoever sent it is no
// neighbour.
//
// The router is looked up first, because one probe for (source, destination, VRID) finds it and says at once that the source is
// its peer and the destination its own address. The ladder is then climbed in its order.

#include "agent/vrrp/advert.hpp"
#include "agent/vrrp/authentication.hpp"
#include "agent/vrrp/election.hpp"
#include "common/bytes.hpp"
#include "common/ip.hpp"
#include "common/time.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
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
    self,          // the source is our own address: a loop or a duplicate; told before unknown_peer, which it would be as well
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
    // for a router whose adverts are signed; of what is right in all else
    auth_missing,      // unsigned
    auth_malformed,    // a trailer of another kind
    auth_window,       // signed too long ago, or in the future
    auth_unknown_key,  // no key of this id
    auth_replay,       // not newer than the last one of this peer
    auth_hmac,         // signed with another key, or changed on the way
};
inline constexpr std::size_t discard_reason_count = 22;
inline constexpr auto first_auth_reason = static_cast<std::size_t>(discard_reason::auth_missing);

// Found before a router is known.
constexpr bool is_before_router(discard_reason reason)
{
    return reason < discard_reason::version;
}

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
    std::shared_ptr<verifier> signatures =
        {};  // none: adverts with a trailer are too long. What it remembers outlives the rule.
};

struct admission_counters {
    std::array<std::uint64_t, discard_reason_count> discarded{};
    std::uint64_t accepted = 0;
    // Accepted and yet worth knowing.
    std::uint64_t checksum_rfc5798 = 0;
    std::uint64_t checksum_rfc9568 = 0;
    std::uint64_t address_list_differs = 0;  // v3
    std::uint64_t interval_differs = 0;      // v3
    // For a router whose adverts may be signed.
    std::uint64_t with_signature = 0;
    std::uint64_t without_signature = 0;
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

    std::variant<admitted, discarded> check(const datagram& d, wall_time now);

    [[nodiscard]] const admission_counters& counters(std::uint32_t router) const { return counters_[router]; }
    [[nodiscard]] const std::array<std::uint64_t, discard_reason_count>& counters_before_router() const
    {
        return counters_before_router_;
    }

    // All peers of all rules, sorted, each once: what the socket filter lets through.
    [[nodiscard]] const std::vector<ip_address>& peers() const { return peers_; }

    // After a reload: goes on counting where `before` stopped, and each router from what the caller has kept of it, which may
    // be older: a router without a source address has no rule for a while.
    struct kept_router {
        std::uint32_t here = 0;  // its index
        admission_counters counted;
    };
    void carry_over(const admission& before, std::span<const kept_router> kept);

private:
    // Whose advert a datagram is.
    struct route_key {
        ip_address source;
        ip_address destination;
        std::uint8_t vrid = 0;
        friend bool operator==(const route_key&, const route_key&) = default;
    };
    struct route_key_hash {
        std::size_t operator()(const route_key& key) const noexcept;
    };
    struct route {
        std::uint32_t router = 0;
        std::uint8_t min_ttl = 255;
        bool is_self = false;  // the peer's address is also one of ours
    };
    // The address list of a rule, ready to be compared with bytes.
    struct expected_addresses {
        byte_buffer in_order;            // as an advert carries them that is configured like us
        std::vector<ip_address> sorted;  // for adverts that list them in another order
    };

    [[nodiscard]] std::optional<discard_reason> reject_unrouted(const datagram& d, const advert_header& header) const;
    [[nodiscard]] std::optional<discard_reason> reject_v2(const advert& a, std::uint32_t router) const;
    [[nodiscard]] bool lists_expected_addresses(const address_list_view& list, std::uint32_t router) const;
    std::variant<admitted, discarded> check_routed(const datagram& d, const advert_header& header, std::uint32_t router,
                                                   wall_time now);
    discarded discard(discard_reason reason, std::optional<std::uint32_t> router = std::nullopt);

    std::vector<router_rule> rules_;
    std::vector<expected_addresses> expected_;  // by router
    std::vector<admission_counters> counters_;  // by router
    std::array<std::uint64_t, discard_reason_count> counters_before_router_{};
    std::vector<ip_address> peers_;                                       // sorted
    std::vector<std::uint8_t> peers_min_ttl_;                             // by peer: the lowest of its rules
    std::vector<ip_address> own_;                                         // sorted
    boost::unordered_flat_map<route_key, route, route_key_hash> routes_;  // looked up, never iterated
};

}  // namespace vipd::vrrp
