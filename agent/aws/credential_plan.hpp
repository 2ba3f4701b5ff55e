#pragma once

// Where credentials come from. The first source that is configured wins, and what is configured half is an error: going on to
// the next source would sign as somebody the operator did not mean.
//
//   AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a web identity token, the profile, the container endpoint, the instance's role
//
// A profile that vipd's own configuration names goes before the environment, as --profile does with AWS's command line.
//
// Whatever it is, it is a chain: a first source, and then the roles that are assumed, one with the credentials of the other.
// Most chains have no role.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/container.hpp"
#include "agent/aws/environment.hpp"
#include "agent/aws/profile.hpp"
#include "agent/aws/sigv4.hpp"
#include "common/result.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::aws {

// The two shared files; empty where there is neither a variable nor a home.
struct shared_files {
    std::string credentials;
    std::string config;
};
shared_files shared_files_of(const environment& variables);

struct from_environment {
    credentials keys;
};
// Static keys: read again now and then, since tools that rotate them write the files anew.
struct from_profile {
    std::string name;
    shared_files files;
};
struct from_instance_role {};

using first_source = std::variant<from_environment, from_profile, container_source, from_instance_role, web_identity_source>;

struct credential_plan {
    first_source first;
    std::vector<assumed_role> roles = {};
};

credential_source source_of(const credential_plan& plan);
// The role that is got from STS in the end; empty when none is.
std::string role_arn_of(const credential_plan& plan);
bool needs_imds(const credential_plan& plan);
bool needs_sts(const credential_plan& plan);

struct profile_choice {
    std::string name;          // "default" when nobody named one
    bool in_settings = false;  // by vipd's configuration
    bool in_environment = false;
};
profile_choice choose_profile(const std::string& in_settings, const environment& variables);

// `profile` is what the files say, or why they cannot be read.
result<credential_plan> choose_credentials(const environment& variables, const profile_choice& choice,
                                           const result<profile_settings>& profile, bool imds_disabled);

}  // namespace vipd::aws
