#pragma once

// A classic BPF program (networking/filter.rst of the kernel) that lets datagrams from a list of peers through and drops all
// others before they wake anybody.
//
// The program is a binary search: a comparison tree over the last 32 bits of the address, with buckets of a few peers at its
// leaves that are compared one by one, and, for IPv6, the other 96 bits behind a match. Addresses are read relative to the
// network header (SKF_NET_OFF), which works for both families: a raw IPv6 socket shows its filter the payload alone.

#include "common/ip.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <linux/filter.h>

namespace vipd::net {

// The kernel takes no longer program (BPF_MAXINSNS).
inline constexpr std::size_t filter_instructions_max = 4096;

// `peers`: sorted, each once, of both families or one; those of the other family are not looked at. No peers: everything is
// dropped. Empty result: the program would be longer than the kernel takes.
std::optional<std::vector<sock_filter>> source_filter(std::span<const ip_address> peers, ip_family family);

// Drops everything: attached while a filter is exchanged, so that what was queued under the old one can be thrown away.
std::vector<sock_filter> drop_all_filter();

}  // namespace vipd::net
