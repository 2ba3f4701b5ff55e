#pragma once

// The target of a request, taken apart strictly (RFC 9112 section 3.2, RFC 3986).

#include "common/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::status {

struct request_target {
    // Decoded segments: "/v1/routers/a%2Fb" is {"v1", "routers", "a/b"}, "/" is {""}.
    std::vector<std::string> path;
    std::vector<std::pair<std::string, std::string>> query;  // decoded, in order

    // Of the first parameter of that name; empty when there is none.
    [[nodiscard]] std::string_view parameter(std::string_view name) const;
    [[nodiscard]] bool has_parameter(std::string_view name) const;
};

// Origin form, or the absolute form that clients use towards proxies, whose authority is ignored. Refused: an empty target, a
// byte that is not printable ASCII, a fragment, a % without two hexadecimal digits, an encoded control character, "." and ".."
// as segments, and more than target_size_max bytes (too_large).
result<request_target> parse_target(std::string_view text);

}  // namespace vipd::status
