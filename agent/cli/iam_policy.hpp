#pragma once

// `vipd iam-policy`: the least that AWS has to allow this node for exactly this configuration. Which resources an action is
// authorised on, and by which condition keys they can be told, is in AWS's Service Authorization Reference for EC2.

#include "agent/cli/printed.hpp"
#include "agent/config/config.hpp"

#include <string>

namespace vipd::cli {

// What a configuration does not know of the account. What is empty is allowed whatever it is.
struct account_scope {
    std::string account;       // twelve digits
    std::string region;        // default: the configuration's
    std::string vpc;           // "vpc-..."
    bool with_doctor = false;  // what only `vipd doctor` reads is allowed as well
};

// Why the scope cannot be meant; empty when it can.
std::string wrong_scope(const account_scope& scope);

// The policy as JSON; on standard error what is allowed more widely than it would have to be, and how to narrow it.
printed iam_policy(const config::configuration& configuration, const account_scope& scope);

}  // namespace vipd::cli
