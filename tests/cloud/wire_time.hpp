#pragma once

// Times as AWS writes them.

#include "common/time.hpp"

#include <string>

namespace vipd::cloud {

// "2026-01-01T00:00:00Z"
std::string iso_time(wall_time time);
// "Thu, 01 Jan 2026 00:00:00 GMT": the Date header.
std::string http_date(wall_time time);

}  // namespace vipd::cloud
