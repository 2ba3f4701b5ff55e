#pragma once

// The JSON in which IMDS and the container endpoint hand out a role's credentials:
// {"Code": "Success", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"}; the container endpoint has no Code.

#include "agent/aws/sigv4.hpp"
#include "common/result.hpp"

#include <string_view>

namespace vipd::aws {

// `where` names the source in the error; no error repeats anything secret.
result<credentials> parse_role_document(std::string_view body, std::string_view where);

}  // namespace vipd::aws
