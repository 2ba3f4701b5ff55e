#pragma once

// What a node has of an interface that EC2 has attached to it: the link, set up; the addresses that EC2 gave the interface, or
// those that the configuration lists; and a table of its own, to which rules lead by the address that something is sent from,
// so that replies leave by the interface that the request came in by. An address stands alone on the link (/32, /128): its
// subnet is in that table only, and the main table's routes to the same subnet stay what they are.

#include "agent/aws/identity.hpp"
#include "agent/config/config.hpp"
#include "agent/net/link_table.hpp"
#include "agent/takeover/local_item.hpp"

#include <vector>

namespace vipd::takeover {

// `interface` as IMDS describes it, `link` the one that has its MAC address.
std::vector<local_item> floating_items(const config::eni_entry& entry, const aws::instance_interface& interface,
                                       const net::link& link);

}  // namespace vipd::takeover
