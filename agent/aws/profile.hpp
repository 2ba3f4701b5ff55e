#pragma once

// What a profile of AWS's two shared files says: ~/.aws/credentials ("[name]") and ~/.aws/config ("[default]",
// "[profile name]", "[services name]"). How it gets credentials is told by profile_chain.

#include "agent/aws/ini.hpp"
#include "agent/aws/profile_chain.hpp"
#include "common/result.hpp"

#include <string>
#include <string_view>

namespace vipd::aws {

// What a profile says about the things that vipd wants to know. Empty texts were not said.
struct profile_settings {
    bool exists = false;
    // An error when its way to credentials is not one that vipd can go.
    result<profile_chain> chain = profile_chain{};
    std::string region;
    std::string ec2_endpoint_url;  // of [services], else the profile's own
    std::string sts_endpoint_url;
    std::string imds_endpoint;
    std::string imds_endpoint_mode;  // "IPv4", "IPv6"
    bool fips = false;
    bool dual_stack = false;
};

profile_settings read_profile(const shared_file_pair& files, std::string_view name);

}  // namespace vipd::aws
