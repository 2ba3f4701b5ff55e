#pragma once

// Durations as people write them: a decimal number and its unit, without a space ("200ms", "60s", "1.5s", "1h").

#include "common/result.hpp"
#include "common/time.hpp"

#include <string>
#include <string_view>

namespace vipd {

// One year of 365 days: the longest duration that can be written. What a setting allows is the setting's own matter.
inline constexpr duration duration_text_max = std::chrono::hours{8760};

// A whole or decimal number (digits on both sides of the point) followed by ns, us, ms, s, m or h. The unit is mandatory, there
// is no sign, and the value is a whole number of nanoseconds from 0 to duration_text_max; anything else is refused as
// malformed, or as out_of_range when it is only too long.
result<duration> parse_duration(std::string_view text);

// Exact, and what parse_duration() reads back for every duration it can give: below a minute the largest unit of ns, us, ms and
// s that leaves a digit before the point, from a minute on whole hours or whole minutes where that is exact and seconds where
// not. A negative duration has a '-' in front.
std::string format_duration(duration d);

}  // namespace vipd
