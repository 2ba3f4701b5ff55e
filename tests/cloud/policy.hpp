#pragma once

// As much of IAM as the tests need: statements that allow or deny actions on resources under conditions, explicit denial wins,
// and what nobody allowed is denied.

#include "common/result.hpp"
#include "tests/cloud/tag_map.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

// "StringEquals": {"ec2:ResourceTag/vrrp-group": ["g1", "g2"]}. Keys are aws:ResourceTag/K, ec2:ResourceTag/K, ec2:Region,
// aws:RequestedRegion, and ec2:Vpc, which is the ARN of the VPC that a route table or a network interface is in: no other
// resource that the model knows has it.
struct policy_condition {
    // IAM has two names for the comparison of ARNs, which do the same.
    enum class comparison : std::uint8_t { equals, like, arn_equals, arn_like } how = comparison::equals;
    bool negated = false;    // "StringNotEquals", "ArnNotLike"
    bool if_exists = false;  // "StringEqualsIfExists": what has no such key passes
    std::string key;
    std::vector<std::string> values;  // any of them
};

struct policy_statement {
    bool allow = true;
    std::vector<std::string> actions;  // "ec2:ReplaceRoute", "ec2:Describe*"
    // ARNs such as "arn:aws:ec2:*:*:route-table/rtb-...", or ids alone, "rtb-..."; with wildcards; "*"
    std::vector<std::string> resources;
    std::vector<policy_condition> conditions{};  // all of them
};

using policy = std::vector<policy_statement>;

bool is_condition_key(std::string_view key);
// Whether its values are ARNs.
bool is_arn_key(std::string_view key);
// Six parts with five colons between them, each of which may have wildcards; the last one may have colons of its own.
bool is_arn_pattern(std::string_view text);

inline policy allow_everything()
{
    return {{true, {"*"}, {"*"}}};
}

// May an action be done on a resource?
struct permission_question {
    std::string_view action;
    std::string_view arn;  // "*" where an action knows no resources
    std::string_view id{};
    std::string_view region{};
    const tag_map* tags = nullptr;  // the resource's; null: it has none
    std::string_view vpc{};         // the ARN of the resource's VPC; empty: the resource has no such key
};
// A condition on a key that is not known here, which no policy has that was read, ends the program: whether it would hold in
// IAM is anybody's guess.
bool is_allowed(const policy& statements, const permission_question& question);

// Either a list [{"effect": "allow", "actions": ["ec2:*"], "resources": ["*"], "conditions": {...}}], where resources may be
// left out for "*", or a policy document as IAM has it: {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ...}]}.
result<policy> parse_policy(const boost::json::value& json);
boost::json::value to_json(const policy& statements);

}  // namespace vipd::cloud
