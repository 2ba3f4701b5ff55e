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

template <class Source>
maybe_plan as_plan(result<std::optional<Source>> source)
{
    if (!source) {
        return source.error();
    }
    return *source ? std::optional{credential_plan{std::move(**source)}} : std::nullopt;
}

result<std::optional<from_environment>> keys_in_environment(const environment& variables)
{
    const auto id = variables.get("AWS_ACCESS_KEY_ID");
    const auto secret = variables.get("AWS_SECRET_ACCESS_KEY");
    if (!id && !secret) {
        return std::optional<from_environment>{};
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
    return std::optional{from_environment{std::move(keys)}};
}

result<std::optional<web_identity_source>> token_in_environment(const environment& variables)
{
    const auto file = variables.get("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (!file) {
        return std::optional<web_identity_source>{};
    }
    const auto role = variables.get("AWS_ROLE_ARN");
    if (!role) {
        return error{error_class::malformed,
                     "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both, or neither"};
    }
    web_identity_source source{.role_arn = std::string{*role}, .token_file = std::string{*file}};
    if (const auto session = variables.get("AWS_ROLE_SESSION_NAME")) {
        source.session_name = *session;
    }
    return std::optional{std::move(source)};
}

// The source was named, so that there being none is an error.
template <class Source>
result<first_source> required(result<std::optional<Source>> source, const named_source& named, std::string_view missing)
{
    if (!source) {
        return source.error();
    }
    if (!*source) {
        return error{error_class::not_found,
                     fmt::format("the profile \"{}\" takes its credentials from the {}", named.profile, missing)};
    }
    return first_source{std::move(**source)};
}

result<first_source> follow(const named_source& named, const environment& variables, bool imds_disabled)
{
    switch (named.where) {
        case named_source::place::environment:
            return required(keys_in_environment(variables), named,
                            "environment (credential_source), where AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
        case named_source::place::container:
            return required(container_from(variables), named,
                            "container endpoint (credential_source), but neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
                            "AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
        case named_source::place::instance_role:
            break;
    }
    const auto role = imds_disabled ? std::nullopt : std::optional{from_instance_role{}};
    return required(result<std::optional<from_instance_role>>{role}, named,
                    "instance's role (credential_source), which AWS_EC2_METADATA_DISABLED forbids");
}

maybe_plan follow(const profile_chain& chain, const environment& variables, bool imds_disabled)
{
    const auto first = std::visit(
        overloaded{
            [](const std::monostate&) -> result<std::optional<first_source>> { return std::optional<first_source>{}; },
            [&](const keys_in_profile& p) -> result<std::optional<first_source>> {
                return std::optional<first_source>{from_profile{p.profile, shared_files_of(variables)}};
            },
            [&](const named_source& p) -> result<std::optional<first_source>> {
                auto source = follow(p, variables, imds_disabled);
                return source ? result<std::optional<first_source>>{std::move(*source)} : source.error();
            },
            [](const web_identity_source& p) -> result<std::optional<first_source>> { return std::optional<first_source>{p}; },
        },
        chain.first);
    if (!first) {
        return first.error();
    }
    return *first ? std::optional{credential_plan{**first, chain.roles}} : std::nullopt;
}

maybe_plan chain_of_profile(const environment& variables, const profile_choice& choice, const result<profile_settings>& profile,
                            bool imds_disabled)
{
    if (!profile) {
        return profile.error();
    }
    if (!profile->exists && (choice.in_settings || choice.in_environment)) {
        const auto files = shared_files_of(variables);
        return error{error_class::not_found,
                     fmt::format("the profile \"{}\" that {} names is neither in \"{}\" nor in \"{}\"", choice.name,
                                 choice.in_settings ? "the configuration" : "AWS_PROFILE", files.credentials, files.config)};
    }
    return profile->chain ? follow(*profile->chain, variables, imds_disabled) : profile->chain.error();
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
    if (!plan.roles.empty()) {
        return credential_source::assumed_role;
    }
    return std::visit(overloaded{
                          [](const from_environment&) { return credential_source::environment; },
                          [](const from_profile&) { return credential_source::profile; },
                          [](const container_source&) { return credential_source::container; },
                          [](const from_instance_role&) { return credential_source::instance_role; },
                          [](const web_identity_source&) { return credential_source::web_identity; },
                      },
                      plan.first);
}

std::string role_arn_of(const credential_plan& plan)
{
    if (!plan.roles.empty()) {
        return plan.roles.back().role_arn;
    }
    const auto* const token = std::get_if<web_identity_source>(&plan.first);
    return token == nullptr ? std::string{} : token->role_arn;
}

bool needs_imds(const credential_plan& plan)
{
    return std::holds_alternative<from_instance_role>(plan.first);
}

bool needs_sts(const credential_plan& plan)
{
    return !plan.roles.empty() || std::holds_alternative<web_identity_source>(plan.first);
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
    const auto from_keys = [&] { return as_plan(keys_in_environment(variables)); };
    const auto from_token = [&] { return as_plan(token_in_environment(variables)); };
    const auto from_files = [&] { return chain_of_profile(variables, choice, profile, imds_disabled); };
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
    return credential_plan{.first = from_instance_role{}};
}

}  // namespace vipd::aws
