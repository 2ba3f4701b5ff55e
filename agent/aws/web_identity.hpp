#pragma once

// A role by a token that somebody else issued (EKS, OIDC): an unsigned AssumeRoleWithWebIdentity call to STS.
// [AWS STS API Reference]

#include "agent/aws/environment.hpp"
#include "agent/aws/http_message.hpp"
#include "agent/aws/profile.hpp"
#include "agent/aws/sigv4.hpp"
#include "common/result.hpp"

#include <optional>
#include <string_view>

namespace vipd::aws {

// None when AWS_WEB_IDENTITY_TOKEN_FILE is not set; an error when it is and AWS_ROLE_ARN is not.
result<std::optional<web_identity_source>> web_identity_from(const environment& variables);

// The exchange's id is unset. An error when the token file holds no token.
result<http_exchange> assume_role_request(const web_identity_source& source, const http_origin& sts, std::string_view token);
result<credentials> read_assume_role_answer(const http_result& result);

}  // namespace vipd::aws
