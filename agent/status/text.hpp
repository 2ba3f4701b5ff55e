#pragma once

// Text that came from elsewhere (names an operator chose, errors a cloud sent) made safe for where it is shown, and times in
// the form in which people and programs read them.

#include "common/time.hpp"

#include <string>
#include <string_view>

namespace vipd::status {

// The same text where it is UTF-8 (RFC 3629), and U+FFFD for each byte that is not: neither JSON nor Prometheus' text format
// may hold anything else, and one bad byte in an error text would cost the reader the whole document.
std::string valid_utf8(std::string_view text);

// For element content and for attribute values in either kind of quotes. Control characters and those that reorder text
// (U+202A..U+202E, U+2066..U+2069) become U+FFFD, so that a name can neither break the page nor show another name's letters.
void append_html(std::string& out, std::string_view text);
std::string html(std::string_view text);

// A path segment: everything but RFC 3986's unreserved characters is percent-encoded.
std::string percent_encode(std::string_view text);

// Two units at most, as one says it: "722 ms", "4.2 s", "3 min 5 s", "1 h 0 min", "2 d 3 h"; negative ones with "-".
std::string human_duration(duration d);

// "2026-11-21T03:12:45.123456Z"
std::string format_utc(wall_time at);

}  // namespace vipd::status
