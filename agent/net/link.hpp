#pragma once

// Links, addresses, and the rules and routes of policy routing on this node: what the kernel's rtnetlink tells of them, and
// what it is asked to change.

#include "agent/net/policy.hpp"
#include "common/ip.hpp"
#include "common/strong_id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace vipd::net {

// What we add carries this as its protocol (IFA_PROTO, rtm_protocol, FRA_PROTOCOL), so that it can be told from what an
// operator or another daemon made. 112 is VRRP's number, and no name in /etc/iproute2/rt_protos has it: `ip rule` and `ip
// route` show "proto 112".
inline constexpr std::uint8_t route_protocol = 112;

struct link {
    int index = 0;
    std::string name;
    std::string mac;       // lower-case with colons; empty where the link has none
    bool up = false;       // IFF_UP
    bool running = false;  // IFF_LOWER_UP
    friend bool operator==(const link&, const link&) = default;
};

struct link_address {
    int link_index = 0;
    ip_prefix address;
    // IPv6: duplicate address detection has not ended, or has found another node with it. The kernel delivers nothing to it.
    bool tentative = false;
    bool duplicate = false;  // the latter
    friend bool operator==(const link_address&, const link_address&) = default;
};

// --- what the kernel tells ---
struct link_seen {
    link value;
};
struct link_gone {
    int index = 0;
};
struct address_seen {
    link_address value;
};
struct address_gone {
    link_address value;
};
// Rules and routes of ours alone.
struct rule_seen {
    policy_rule value;
};
struct rule_gone {
    policy_rule value;
};
struct route_seen {
    route value;
};
struct route_gone {
    route value;
};
// Everything there is has been told; sent once after the start and after each loss of events.
struct dump_done {};

using kernel_event =
    std::variant<link_seen, link_gone, address_seen, address_gone, rule_seen, rule_gone, route_seen, route_gone, dump_done>;

// --- what the kernel is asked ---
using kernel_request_id = strong_number<struct kernel_request_tag>;

// How an address is added; what was chosen is not compared with what is there.
struct address_options {
    std::string label;                        // IPv4: its name in ifconfig; empty: the interface's
    route_scope scope = route_scope::global;  // how far it is valid
    bool skip_dad = true;                     // IPv6: it is usable at once (IFA_F_NODAD)
    // IPv6: preferred lifetime 0, so that it is answered on, and not chosen as the source of what this node begins. Not given:
    // a host address (/128) is, and one with its subnet is not.
    std::optional<bool> deprecated;
    friend bool operator==(const address_options&, const address_options&) = default;
};

// Adding an address that is there and removing anything that is not are successes. A rule or a route that is there already is
// somebody else's, or has not been told of yet: that is for the asker to find out.
struct add_address {
    link_address value;
    address_options options = {};
};
struct remove_address {
    link_address value;
};
// An interface that has just been plugged in is down.
struct set_link_up {
    int link_index = 0;
};
struct add_rule {
    policy_rule value;
};
struct remove_rule {
    policy_rule value;
};
struct add_route {
    route value;
};
// In the place of one of ours with the same key; between the two there is never none.
struct replace_route {
    route value;
};
struct remove_route {
    route value;
};

using kernel_change =
    std::variant<add_address, remove_address, set_link_up, add_rule, remove_rule, add_route, replace_route, remove_route>;

struct kernel_answer {
    kernel_request_id id;
    int error_number = 0;  // 0, or an errno value
    std::string text;      // the kernel's own words when it gave some
};

}  // namespace vipd::net
