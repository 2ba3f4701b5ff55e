#pragma once

// Roles that STS gives sessions of, and the tokens of somebody else's users that it believes.

#include "common/time.hpp"

#include <map>
#include <string>
#include <vector>

namespace vipd::cloud {

struct iam_role {
    std::string name;
    std::string account;
    // Principals that may assume it: "role/vipd", "user/operator", "subject/system:serviceaccount:..." of a token; wildcards.
    std::vector<std::string> trusts;
    std::string external_id;  // that the trust policy asks for; empty: none
    duration session_max = std::chrono::hours{1};
};

struct identity_token {
    std::string subject;
    bool expired = false;
};

struct iam_state {
    std::map<std::string, iam_role, std::less<>> roles;         // by ARN
    std::map<std::string, identity_token, std::less<>> tokens;  // by their text
};

}  // namespace vipd::cloud
