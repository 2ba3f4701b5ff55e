#include "agent/aws/session_plan.hpp"

#include <fmt/format.h>

namespace vipd::aws {

namespace {

bool is_true(std::optional<std::string_view> text)
{
    return text && equal_ignoring_case(*text, "true");
}

bool flag(bool in_settings, const environment& variables, std::string_view name, bool in_profile)
{
    const auto variable = variables.get(name);
    return in_settings || (variable ? is_true(variable) : in_profile);
}

std::string region_of(const session_settings& settings, const environment& variables, const profile_settings& profile)
{
    if (!settings.region.empty()) {
        return settings.region;
    }
    for (const auto* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
        if (const auto region = variables.get(name)) {
            return std::string{*region};
        }
    }
    return profile.region;
}

std::optional<std::string> endpoint_url_of(const environment& variables, std::string_view own_variable,
                                           const std::string& in_profile)
{
    if (is_true(variables.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))) {
        return std::nullopt;
    }
    for (const auto name : {own_variable, std::string_view{"AWS_ENDPOINT_URL"}}) {
        if (const auto url = variables.get(name)) {
            return std::string{*url};
        }
    }
    return in_profile.empty() ? std::nullopt : std::optional{in_profile};
}

result<std::optional<http_origin>> imds_of(const session_settings& settings, const environment& variables,
                                           const profile_settings& profile)
{
    if (is_true(variables.get("AWS_EC2_METADATA_DISABLED"))) {
        return std::optional<http_origin>{};
    }
    std::string url = settings.imds_endpoint.value_or("");
    std::string_view said_by = "imds_endpoint";
    if (url.empty()) {
        url = variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("");
        said_by = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    }
    if (url.empty()) {
        url = profile.imds_endpoint;
        said_by = "ec2_metadata_service_endpoint in the profile";
    }
    if (url.empty()) {
        const auto mode = variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or(profile.imds_endpoint_mode);
        const bool v6 = equal_ignoring_case(mode, "ipv6");
        if (!v6 && !mode.empty() && !equal_ignoring_case(mode, "ipv4")) {
            return error{error_class::out_of_range,
                         fmt::format("the IMDS endpoint mode is \"{}\"; allowed are IPv4 and IPv6", mode.substr(0, 40))};
        }
        return std::optional{http_origin{false, v6 ? "fd00:ec2::254" : "169.254.169.254", 80}};
    }
    auto origin = parse_origin(url, true);
    if (!origin) {
        return error{origin.error().kind, fmt::format("{}: {}", said_by, origin.error().text)};
    }
    return std::optional{std::move(*origin)};
}

}  // namespace

session_plan plan_session(const session_settings& settings, const environment& variables,
                          const result<profile_settings>& profile)
{
    const auto& said = profile ? *profile : profile_settings{};
    session_plan plan;
    plan.region = region_of(settings, variables, said);
    plan.ec2.service = "ec2";
    plan.ec2.override_url =
        settings.endpoint ? settings.endpoint : endpoint_url_of(variables, "AWS_ENDPOINT_URL_EC2", said.ec2_endpoint_url);
    plan.sts.service = "sts";
    plan.sts.override_url = endpoint_url_of(variables, "AWS_ENDPOINT_URL_STS", said.sts_endpoint_url);
    for (auto* endpoint : {&plan.ec2, &plan.sts}) {
        endpoint->fips = flag(settings.fips, variables, "AWS_USE_FIPS_ENDPOINT", said.fips);
        endpoint->dual_stack = flag(settings.dual_stack, variables, "AWS_USE_DUALSTACK_ENDPOINT", said.dual_stack);
    }
    plan.imds = imds_of(settings, variables, said);
    plan.credentials =
        choose_credentials(variables, choose_profile(settings.profile, variables), profile, plan.imds && !*plan.imds);
    return plan;
}

}  // namespace vipd::aws
