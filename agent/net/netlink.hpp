#pragma once

// The few rtnetlink messages we speak, as bytes (rtnetlink(7), linux/rtnetlink.h): what links, addresses, rules and routes
// there are, what becomes of them, and adding and removing all but links. Reading is safe on any bytes: what does not parse is
// left out and counted.

#include "agent/net/link.hpp"
#include "common/bytes.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace vipd::net {

// --- requests; `sequence` comes back in the answer ---

byte_buffer encode_link_dump(std::uint32_t sequence);
byte_buffer encode_address_dump(std::uint32_t sequence);
byte_buffer encode_rule_dump(std::uint32_t sequence);
// Of ours alone, in all tables, where the socket has NETLINK_GET_STRICT_CHK (Linux 4.20); of everybody's where it has not.
byte_buffer encode_route_dump(ip_family family, std::uint32_t sequence);
byte_buffer encode_change(const kernel_change& change, std::uint32_t sequence);

// --- answers and events ---

struct netlink_acknowledgement {
    std::uint32_t sequence = 0;
    int error_number = 0;  // 0, or an errno value
    std::string text;      // the kernel's own words, when NETLINK_EXT_ACK gave some; at most 200 bytes, printable
};

struct netlink_dump_end {
    std::uint32_t sequence = 0;
    int error_number = 0;
};

// The kernel says that it could not tell us everything; only a new dump helps.
struct netlink_overrun {};

// Of anybody. One that says what a policy_rule cannot is never ours: its protocol is 0.
struct rule_told {
    policy_rule value;
    std::uint8_t protocol = 0;
    bool gone = false;
};
struct route_told {
    route value;
    std::uint8_t protocol = 0;
    bool gone = false;
    bool replaces = false;  // it stands in the place of what had its key
};

using netlink_message = std::variant<link_seen, link_gone, address_seen, address_gone, rule_told, route_told,
                                     netlink_acknowledgement, netlink_dump_end, netlink_overrun>;

struct netlink_datagram {
    std::vector<netlink_message> messages;
    // Links or addresses changed while they were dumped (NLM_F_DUMP_INTR): the dump has to be asked for again.
    bool dump_interrupted = false;
    std::size_t malformed = 0;
};

netlink_datagram decode_netlink(byte_view bytes);

// Whether the kernel's answer to `change` means that things are as wanted; see add_address.
bool is_success(const kernel_change& change, int error_number);

}  // namespace vipd::net
