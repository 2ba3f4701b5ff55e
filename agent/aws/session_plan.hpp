#pragma once

// What the configuration, the environment and the profile together say about a session, each in its order of precedence:
//
//   region    configuration, AWS_REGION, AWS_DEFAULT_REGION, profile; else IMDS is asked
//   endpoint  configuration, AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL, profile; else the rules
//   IMDS      configuration, AWS_EC2_METADATA_SERVICE_ENDPOINT, profile, the mode (IPv4 or IPv6); else 169.254.169.254

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/credential_plan.hpp"
#include "agent/aws/endpoint.hpp"
#include "agent/aws/environment.hpp"
#include "agent/aws/profile.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>

namespace vipd::aws {

struct session_plan {
    std::string region;                                                      // empty: IMDS knows
    endpoint_choice ec2;                                                     // region unset
    endpoint_choice sts;                                                     // region unset
    result<std::optional<http_origin>> imds = std::optional<http_origin>{};  // none: switched off
    result<credential_plan> credentials = credential_plan{.first = from_instance_role{}};
};

// `profile` is what the shared files say, or why they cannot be used.
session_plan plan_session(const session_settings& settings, const environment& variables,
                          const result<profile_settings>& profile);

}  // namespace vipd::aws
