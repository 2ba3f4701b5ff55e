#pragma once

// What is wrong with [router.hooks].

#include "agent/config/entry.hpp"

namespace vipd::config {

void check_hooks(reading& r, const entry<router>& e);

}  // namespace vipd::config
