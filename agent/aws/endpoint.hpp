#pragma once

// Which host answers for EC2 (and STS) in a region: the rules and partitions of AWS's endpoint rule set.

#include "agent/aws/http_message.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vipd::aws {

struct endpoint_choice {
    std::string region;
    std::string service = "ec2";
    std::optional<std::string> override_url;  // https:// only; then FIPS and dual-stack must be off
    bool fips = false;
    bool dual_stack = false;
};

result<http_origin> resolve_endpoint(const endpoint_choice& choice);

// "aws", "aws-cn", "aws-us-gov", ... by the region's name; unknown ones are "aws".
std::string_view partition_of(std::string_view region);

// "https://host[:port][/]" (and "http://" where `plain_allowed`, for IMDS); anything else is refused with a reason.
result<http_origin> parse_origin(std::string_view url, bool plain_allowed);

}  // namespace vipd::aws
