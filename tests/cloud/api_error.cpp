#include "tests/cloud/api_error.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::cloud {

unsigned http_status(std::string_view code)
{
    constexpr std::array<std::pair<std::string_view, unsigned>, 14> known{{
        {"AccessDenied", 403},
        {"AuthFailure", 401},
        {"DryRunOperation", 412},
        {"ExpiredToken", 403},
        {"InternalError", 500},
        {"InternalFailure", 500},
        {"InvalidClientTokenId", 403},
        {"MissingAuthenticationToken", 403},
        {"OptInRequired", 403},
        {"RequestLimitExceeded", 503},
        {"ServiceUnavailable", 503},
        {"SignatureDoesNotMatch", 403},
        {"UnauthorizedOperation", 403},
        {"Unavailable", 503},
    }};
    const auto* found = std::ranges::find(known, code, &std::pair<std::string_view, unsigned>::first);
    return found == known.end() ? 400 : found->second;
}

}  // namespace vipd::cloud
