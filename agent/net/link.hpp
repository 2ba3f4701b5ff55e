#pragma once

// Links and addresses of this node, as the kernel's rtnetlink tells of them.

#include "common/ip.hpp"
#include "common/strong_id.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace vipd::net {

// What we add carries this as its protocol (IFA_PROTO, rtm_protocol), so that it can be told
// from what an operator or another daemon made. 112 is VRRP's number and free in /etc/iproute2/rt_protos.
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
    bool tentative = false;  // IPv6 duplicate address detection has not ended
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
// Everything there is has been told; sent once after the start and after each loss of events.
struct dump_done {};

using kernel_event = std::variant<link_seen, link_gone, address_seen, address_gone, dump_done>;

// --- what the kernel is asked ---
using kernel_request_id = strong_number<struct kernel_request_tag>;

// Adding what is there and removing what is not are successes. IPv6 addresses are added without duplicate address detection
// (IFA_F_NODAD), with zero preferred lifetime unless they are the host's own kind: never chosen as a source by the kernel.
struct add_address {
    link_address value;
};
struct remove_address {
    link_address value;
};

using kernel_change = std::variant<add_address, remove_address>;

struct kernel_answer {
    kernel_request_id id;
    int error_number = 0;  // 0, or an errno value
    std::string text;      // the kernel's own words when it gave some
};

}  // namespace vipd::net
