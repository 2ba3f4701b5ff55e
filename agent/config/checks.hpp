#pragma once

// Every rule that needs more than one value. What was found wrong by itself takes no part: a second message about it would say
// something that is not so.

#include "agent/config/reading.hpp"

namespace vipd::config {

// `all` was read from `root` (and completed): list by list the elements are the same.
void check(reading& r, const node& root, const configuration& all);

}  // namespace vipd::config
