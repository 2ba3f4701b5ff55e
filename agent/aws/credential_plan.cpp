#include "agent/aws/credential_plan.hpp"

#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace vipd::aws {

namespace {

using maybe_plan = result<std::optional<credential_plan>>;

maybe_plan none()
{
    return std::optional<credential_plan>{};
}

maybe_plan some(credential_plan plan)
{
    return std::optional{std::move(plan)};
}

template <class Source>
maybe_plan as_plan(result<std::optional<Source>> source)
{
    if (!source) {
        return source.error();
    }
    return *source ? some(std::move(**source)) : none();
}

maybe_plan keys_in_environment(const environment& variables)
{
    const auto id = variables.get("AWS_ACCESS_KEY_ID");
    const auto secret = variables.get("AWS_SECRET_ACCESS_KEY");
    if (!id && !secret) {
        return none();
    }
    if (!id || !secret) {
        return error{error_class::malformed, fmt::format("{} is set and {} is not; set both, or neither",
                                                         id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                                                         id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID")};
    }
    credentials keys;
    keys.access_key_id = *id;
    keys.secret_access_key = *secret;
    const auto token = variables.get("AWS_SESSION_TOKEN");
    keys.session_token = (token ? token : variables.get("AWS_SECURITY_TOKEN")).value_or("");
    if (!is_header_value(*id) || (!keys.session_token.empty() && !is_header_value(keys.session_token))) {
        return error{error_class::malformed, "AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN has spaces or control characters"};
    }
    if (const auto expiration = variables.get("AWS_CREDENTIAL_EXPIRATION")) {
        keys.expiration = parse_iso8601(*expiration);
    }
    return some(from_environment{std::move(keys)});
}

maybe_plan keys_in_profile(const environment& variables, const profile_choice& choice, const result<profile_settings>& profile)
{
    if (!profile) {
        return profile.error();
    }
    const auto files = shared_files_of(variables);
    if (!profile->exists && (choice.in_settings || choice.in_environment)) {
        return error{error_class::not_found,
                     fmt::format("the profile \"{}\" that {} names is neither in \"{}\" nor in \"{}\"", choice.name,
                                 choice.in_settings ? "the configuration" : "AWS_PROFILE", files.credentials, files.config)};
    }
    if (!profile->unsupported.empty()) {
        return error{error_class::unsupported, profile->unsupported};
    }
    if (profile->web_identity) {
        return some(*profile->web_identity);
    }
    return profile->keys ? some(from_profile{choice.name, files}) : none();
}

std::string in_home(std::string_view path, const environment& variables)
{
    const auto home = variables.get("HOME");
    if (!path.starts_with("~/")) {
        return std::string{path};
    }
    return home ? fmt::format("{}/{}", *home, path.substr(2)) : std::string{};
}

}  // namespace

shared_files shared_files_of(const environment& variables)
{
    return {.credentials = in_home(variables.get("AWS_SHARED_CREDENTIALS_FILE").value_or("~/.aws/credentials"), variables),
            .config = in_home(variables.get("AWS_CONFIG_FILE").value_or("~/.aws/config"), variables)};
}

credential_source source_of(const credential_plan& plan)
{
    return std::visit(overloaded{
                          [](const from_environment&) { return credential_source::environment; },
                          [](const from_profile&) { return credential_source::profile; },
                          [](const container_source&) { return credential_source::container; },
                          [](const from_instance_role&) { return credential_source::instance_role; },
                          [](const web_identity_source&) { return credential_source::web_identity; },
                      },
                      plan);
}

profile_choice choose_profile(const std::string& in_settings, const environment& variables)
{
    if (!in_settings.empty()) {
        return {.name = in_settings, .in_settings = true};
    }
    for (const auto* variable : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
        if (const auto name = variables.get(variable)) {
            return {.name = std::string{*name}, .in_environment = true};
        }
    }
    return {.name = "default"};
}

result<credential_plan> choose_credentials(const environment& variables, const profile_choice& choice,
                                           const result<profile_settings>& profile, bool imds_disabled)
{
    const auto from_keys = [&] { return keys_in_environment(variables); };
    const auto from_token = [&] { return as_plan(web_identity_from(variables)); };
    const auto from_files = [&] { return keys_in_profile(variables, choice, profile); };
    const auto from_container = [&] { return as_plan(container_from(variables)); };
    maybe_plan plan = none();
    const auto try_next = [&](const auto& source) {
        if (plan && !*plan) {
            plan = source();
        }
    };
    if (!choice.in_settings) {
        try_next(from_keys);
        try_next(from_token);
    }
    try_next(from_files);
    try_next(from_container);
    if (!plan) {
        return plan.error();
    }
    if (*plan) {
        return std::move(**plan);
    }
    if (imds_disabled) {
        return error{error_class::not_found,
                     "no credentials: neither the environment, a profile nor a container endpoint has any, and "
                     "AWS_EC2_METADATA_DISABLED forbids the instance's role"};
    }
    return credential_plan{from_instance_role{}};
}

}  // namespace vipd::aws
