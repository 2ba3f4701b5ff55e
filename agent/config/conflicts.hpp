#pragma once

// What two routers of one file may not share: names, adverts that could not be told apart, addresses, routes, and the places
// that EC2 has for one alone.

#include "agent/config/entry.hpp"

namespace vipd::config {

// Reports at the second of two, and names the first.
void check_conflicts(reading& r, const entry<configuration>& all);

}  // namespace vipd::config
