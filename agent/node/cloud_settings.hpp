#pragma once

// What the session with AWS, and the HTTPS client under it, are told of a configuration: by the daemon and by doctor alike.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/environment.hpp"
#include "agent/config/config.hpp"

#include <string>

namespace vipd::node {

// `boot_id` is as the kernel writes it.
aws::session_settings session_settings(const config::configuration& configuration, const std::string& boot_id);

// AWS's own tools trust the file that AWS_CA_BUNDLE names; the configuration goes before it. Empty: the system's.
std::string ca_bundle(const config::configuration& configuration, const aws::environment& environment);

}  // namespace vipd::node
