#pragma once

// Rules and routes of policy routing (ip-rule(8), ip-route(8)), as the kernel keeps them.
//
// What vipd adds carries `route_protocol`, and only what carries it is ever changed or removed: by that vipd knows again what a
// killed predecessor has left, and leaves alone what an operator, networkd or a routing daemon has made.

#include "common/ip.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace vipd::net {

// Which table is looked into for which packets. The kernel tells rules apart by everything that they say.
struct policy_rule {
    ip_family family = ip_family::v4;
    std::uint32_t priority = 0;  // the lowest is asked first
    std::uint32_t table = 0;
    std::optional<ip_prefix> from;
    std::optional<ip_prefix> to;
    std::string input_interface;   // iif; empty: any
    std::string output_interface;  // oif; empty: any
    std::uint32_t mark = 0;
    std::uint32_t mark_mask = 0;  // 0: any mark
    friend auto operator<=>(const policy_rule&, const policy_rule&) = default;
};

enum class route_kind : std::uint8_t { unicast, blackhole, unreachable, prohibit };

// How far the destination is (rtnetlink(7)): beyond a gateway, on the link, or this host.
enum class route_scope : std::uint8_t { global, link, host };

// By what the kernel tells the routes of a table apart: there is one of each.
struct route_key {
    std::uint32_t table = 0;
    ip_prefix destination;     // length 0: the default route of its family
    std::uint32_t metric = 0;  // IPv6: 1024 where none is chosen
    friend auto operator<=>(const route_key&, const route_key&) = default;
};

struct route {
    route_key key;
    route_kind kind = route_kind::unicast;
    int link_index = 0;  // 0 unless unicast
    std::optional<ip_address> gateway;
    std::optional<ip_address> source;         // what this node speaks from on this route
    std::uint32_t mtu = 0;                    // 0: the link's
    route_scope scope = route_scope::global;  // IPv6 knows this one only
    bool onlink = false;                      // the gateway is on the link, whatever its address says
    friend bool operator==(const route&, const route&) = default;
};

}  // namespace vipd::net
