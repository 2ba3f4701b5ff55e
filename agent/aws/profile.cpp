#include "agent/aws/profile.hpp"

#include "agent/aws/http_message.hpp"

namespace vipd::aws {

namespace {

bool is_true(const std::string& text)
{
    return equal_ignoring_case(text, "true");
}

void read_endpoints(const ini_file& config_file, const ini_section& config, profile_settings& out)
{
    const auto services = value_of(config, "services");
    const auto section = services.empty() ? config_file.end() : config_file.find("services " + services);
    const auto general = value_of(config, "endpoint_url");
    const auto choose = [&](std::string_view key) {
        auto specific = section == config_file.end() ? std::string{} : value_of(section->second, key);
        return specific.empty() ? general : specific;
    };
    out.ec2_endpoint_url = choose("ec2.endpoint_url");
    out.sts_endpoint_url = choose("sts.endpoint_url");
}

}  // namespace

profile_settings read_profile(const shared_file_pair& files, std::string_view name)
{
    const auto sections = find_profile(files, name);
    const auto& config = sections.config;
    profile_settings out;
    out.exists = sections.exists;
    out.chain = read_chain(files, name);
    out.region = value_of(config, "region");
    out.imds_endpoint = value_of(config, "ec2_metadata_service_endpoint");
    out.imds_endpoint_mode = value_of(config, "ec2_metadata_service_endpoint_mode");
    out.fips = is_true(value_of(config, "use_fips_endpoint"));
    out.dual_stack = is_true(value_of(config, "use_dualstack_endpoint"));
    read_endpoints(files.config, config, out);
    return out;
}

}  // namespace vipd::aws
