#pragma once

#include "agent/config/entry.hpp"

namespace vipd::config {

// That the routers of each [[sync_group]] are there and can move together.
void check_sync_groups(reading& r, const entry<configuration>& all);

}  // namespace vipd::config
