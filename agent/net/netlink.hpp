#pragma once

// The few rtnetlink messages we speak, as bytes (rtnetlink(7), linux/rtnetlink.h): what links and addresses there are, what
// becomes of them, and adding and removing an address. Reading is safe on any bytes: what does not parse is left out and
// counted.

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

using netlink_message =
    std::variant<link_seen, link_gone, address_seen, address_gone, netlink_acknowledgement, netlink_dump_end, netlink_overrun>;

struct netlink_datagram {
    std::vector<netlink_message> messages;
    // Links or addresses changed while they were dumped (NLM_F_DUMP_INTR): the dump has to be asked for again.
    bool dump_interrupted = false;
    std::size_t malformed = 0;
};

netlink_datagram decode_netlink(byte_view bytes);

// Whether the kernel's answer to `change` means that things are as wanted: adding what is there and removing what is not are.
bool is_success(const kernel_change& change, int error_number);

}  // namespace vipd::net
