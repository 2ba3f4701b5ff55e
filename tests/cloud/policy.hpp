#pragma once

// As much of IAM as the tests need: statements that allow or deny actions on resources, explicit denial wins, and what nobody
// allowed is denied.

#include "common/result.hpp"

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

struct policy_statement {
    bool allow = true;
    std::vector<std::string> actions;    // "ec2:ReplaceRoute", "ec2:Describe*"
    std::vector<std::string> resources;  // ids such as "rtb-...", with wildcards; "*"
};

using policy = std::vector<policy_statement>;

inline policy allow_everything()
{
    return {{true, {"*"}, {"*"}}};
}

bool is_allowed(const policy& statements, std::string_view action, std::string_view resource);

// [{"effect": "allow", "actions": ["ec2:*"], "resources": ["*"]}]; resources may be left out, for "*".
result<policy> parse_policy(const boost::json::value& json);
boost::json::value to_json(const policy& statements);

}  // namespace vipd::cloud
