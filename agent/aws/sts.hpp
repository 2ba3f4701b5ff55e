#pragma once

// The two calls to STS that give a role's credentials: AssumeRole, signed with credentials that are there already, and
// AssumeRoleWithWebIdentity, unsigned, for a token that somebody else issued (EKS, OIDC). [AWS STS API Reference, 2011-06-15]

#include "agent/aws/http_message.hpp"
#include "agent/aws/profile_chain.hpp"
#include "agent/aws/sigv4.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <string>
#include <string_view>

namespace vipd::aws {

// Where STS is asked, and the region that its signatures are for.
struct sts_place {
    http_origin origin;
    std::string region;
};

// The exchange's id is unset, here and below. An error when the token file holds no token.
result<http_exchange> web_identity_request(const web_identity_source& source, const sts_place& sts, std::string_view token);
result<credentials> read_web_identity_answer(const http_result& result);

http_exchange assume_role_request(const assumed_role& role, const sts_place& sts, const credentials& keys, wall_time now);
// An error names the profile, the role, and what has to be allowed where.
result<credentials> read_assume_role_answer(const assumed_role& role, const http_result& result);

}  // namespace vipd::aws
