#pragma once

#include "agent/aws/http_message.hpp"

#include <optional>
#include <string>

namespace vipd::io {

// The request as it goes out, with Content-Length and Connection; nothing when a part of it would end a line early (control
// characters; tokens that IMDS made up end in headers) or the target is not a path.
std::optional<std::string> request_text(const aws::http_request& request);

}  // namespace vipd::io
