#pragma once

// What can be asked of STS (2011-06-15), read from the query form. What the form must look like is STS's own validation.

#include "tests/cloud/api_error.hpp"
#include "tests/cloud/query_form.hpp"

#include <chrono>
#include <string>
#include <variant>

namespace vipd::cloud {

struct role_session {
    std::string role_arn;
    std::string name;
    std::chrono::seconds lifetime = std::chrono::hours{1};
};

struct assume_role {
    role_session session;
    std::string external_id;
};
struct assume_role_with_web_identity {
    role_session session;
    std::string token;
};
struct get_caller_identity {};

using sts_call = std::variant<assume_role, assume_role_with_web_identity, get_caller_identity>;

api_result<sts_call> parse_sts_request(query_form& form);

// A token is its own proof; everything else has to be signed.
inline bool needs_signature(const sts_call& call)
{
    return !std::holds_alternative<assume_role_with_web_identity>(call);
}

}  // namespace vipd::cloud
