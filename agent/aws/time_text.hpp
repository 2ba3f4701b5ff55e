#pragma once

// The spellings of time that AWS's answers use.

#include "common/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vipd::aws {

// "Thu, 01 Jan 2026 00:00:00 GMT": IMF-fixdate, the only form a sender may generate (RFC 9110 section 5.6.7).
std::optional<wall_time> parse_http_date(std::string_view text);

// "01 Jan 2026 00:00:00 GMT", of scheduled events; a day before the tenth may have one digit.
std::optional<wall_time> parse_event_date(std::string_view text);

// "2026-01-01T00:00:00Z", also with a fraction of the second, and with an offset such as +01:00.
std::optional<wall_time> parse_iso8601(std::string_view text);

// "2026-01-01T00:00:00Z"
std::string format_iso8601(wall_time time);

}  // namespace vipd::aws
