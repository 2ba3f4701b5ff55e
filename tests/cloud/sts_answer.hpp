#pragma once

// STS's answers as XML (2011-06-15).

#include "tests/cloud/access_key.hpp"
#include "tests/cloud/api_error.hpp"

#include <string>
#include <string_view>

namespace vipd::cloud {

// "arn:aws:sts::123456789012:assumed-role/NAME/SESSION"; `id` is "AROA...:SESSION".
struct assumed_role_user {
    std::string arn;
    std::string id;
};

// `action` is AssumeRole or AssumeRoleWithWebIdentity; `subject` is the token's, for the latter.
std::string assumed_role_xml(std::string_view request_id, const std::string& action, const assumed_role_user& user,
                             const access_key& key, std::string_view subject);
std::string caller_xml(std::string_view request_id, std::string_view account, const assumed_role_user& user);
std::string sts_error_xml(std::string_view request_id, const api_error& error);

}  // namespace vipd::cloud
