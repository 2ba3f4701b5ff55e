#pragma once

// AWS's two shared files: ~/.aws/credentials ("[name]") and ~/.aws/config ("[default]", "[profile name]", "[services name]").
// Their dialect of INI: comments start with # or ; (also after a value and white space), and indented lines below a key without
// a value are properties of that key. [AWS SDKs and Tools Reference Guide, "Shared config and credentials files"]

#include "agent/aws/sigv4.hpp"
#include "common/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vipd::aws {

// Section header as written, without brackets ("profile web") -> key ("region", "ec2.endpoint_url") -> value. Keys are
// lower-case. What is said twice is merged, and the later one wins.
using ini_section = std::map<std::string, std::string, std::less<>>;
using ini_file = std::map<std::string, ini_section, std::less<>>;

// `file` names it in errors, with the line.
result<ini_file> parse_ini(std::string_view text, std::string_view file);

struct web_identity_source {
    std::string role_arn;
    std::string token_file;
    std::string session_name = "vipd";
    friend bool operator==(const web_identity_source&, const web_identity_source&) = default;
};

// What a profile says about the things that vipd wants to know. Empty texts were not said.
struct profile_settings {
    bool exists = false;
    std::optional<credentials> keys;
    std::optional<web_identity_source> web_identity;
    // Why its way to credentials is not one that vipd can go; empty when it is, or when it names none.
    std::string unsupported;
    std::string region;
    std::string ec2_endpoint_url;  // of [services], else the profile's own
    std::string sts_endpoint_url;
    std::string imds_endpoint;
    std::string imds_endpoint_mode;  // "IPv4", "IPv6"
    bool fips = false;
    bool dual_stack = false;
};

// Keys in the credentials file go before those in the config file. An error when half a key pair is there.
result<profile_settings> read_profile(const ini_file& credentials_file, const ini_file& config_file, std::string_view name);

}  // namespace vipd::aws
