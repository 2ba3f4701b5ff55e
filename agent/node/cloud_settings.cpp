#include "agent/node/cloud_settings.hpp"

#include "agent/node/resolve.hpp"

namespace vipd::node {

aws::session_settings session_settings(const config::configuration& c, const std::string& boot_id)
{
    aws::session_settings s;
    s.region = c.aws.region;
    s.endpoint = c.aws.endpoint;
    s.imds_endpoint = c.aws.imds_endpoint;
    s.profile = c.aws.profile;
    s.fips = c.aws.use_fips_endpoint;
    s.dual_stack = c.aws.use_dualstack_endpoint;
    s.connections = c.aws.connections;
    s.needs_identity = needs_identity(c);
    s.identity_cache = c.aws.identity_cache;
    s.boot_id = boot_id;
    return s;
}

std::string ca_bundle(const config::configuration& c, const aws::environment& environment)
{
    return !c.aws.ca_bundle.empty() ? c.aws.ca_bundle : std::string{environment.get("AWS_CA_BUNDLE").value_or("")};
}

}  // namespace vipd::node
