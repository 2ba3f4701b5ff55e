#pragma once

// Addresses that nodes have for themselves: the sources of this node's adverts, and its peers. No router may move one of them:
// a Backup removes what it does not hold, and would fall silent; an Active that had the address of its peer would not hear it.

#include "agent/config/entry.hpp"

namespace vipd::config {

void check_node_addresses(reading& r, const entry<configuration>& all);

}  // namespace vipd::config
