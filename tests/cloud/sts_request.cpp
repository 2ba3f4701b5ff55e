#include "tests/cloud/sts_request.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace vipd::cloud {

namespace {

constexpr std::string_view api_version = "2011-06-15";

api_error invalid(std::string_view value, std::string_view member, std::string_view constraint)
{
    return {"ValidationError", "1 validation error detected: Value '" + std::string(value) + "' at '" + std::string(member) +
                                   "' failed to satisfy constraint: " + std::string(constraint)};
}

bool is_word(std::string_view text, std::string_view punctuation)
{
    return std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               punctuation.find(c) != std::string_view::npos;
    });
}

api_result<std::string> required(query_form& form, std::string_view name, std::string_view member, std::size_t size_min,
                                 std::size_t size_max)
{
    auto text = form.text(name);
    if (!text) {
        return api_error{"ValidationError", "1 validation error detected: Value null at '" + std::string(member) +
                                                "' failed to satisfy constraint: Member must not be null"};
    }
    if (text->size() < size_min || text->size() > size_max) {
        return invalid(*text, member,
                       "Member must have length between " + std::to_string(size_min) + " and " + std::to_string(size_max));
    }
    return std::move(*text);
}

api_result<std::chrono::seconds> parse_lifetime(query_form& form)
{
    const auto text = form.text("DurationSeconds");
    if (!text) {
        return std::chrono::seconds{std::chrono::hours{1}};
    }
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failure != std::errc{} || end != text->data() + text->size() || value < 900 || value > 43200) {
        return invalid(*text, "durationSeconds", "Member must have value between 900 and 43200");
    }
    return std::chrono::seconds{value};
}

api_result<role_session> parse_session(query_form& form)
{
    role_session session;
    auto arn = required(form, "RoleArn", "roleArn", 20, 2048);
    auto name = required(form, "RoleSessionName", "roleSessionName", 2, 64);
    const auto lifetime = parse_lifetime(form);
    if (!arn || !name || !lifetime) {
        return !arn ? arn.error() : !name ? name.error() : lifetime.error();
    }
    if (!is_word(*name, "+=,.@-")) {
        return invalid(*name, "roleSessionName", "Member must satisfy regular expression pattern: [\\w+=,.@-]*");
    }
    return role_session{std::move(*arn), std::move(*name), *lifetime};
}

api_result<sts_call> parse_call(query_form& form, const std::string& action)
{
    if (action == "GetCallerIdentity") {
        return sts_call{get_caller_identity{}};
    }
    if (action != "AssumeRole" && action != "AssumeRoleWithWebIdentity") {
        return api_error{"InvalidAction", "Could not find operation " + action + " for version " + std::string(api_version)};
    }
    auto session = parse_session(form);
    if (!session) {
        return session.error();
    }
    if (action == "AssumeRoleWithWebIdentity") {
        auto token = required(form, "WebIdentityToken", "webIdentityToken", 4, 20'000);
        if (!token) {
            return token.error();
        }
        return sts_call{assume_role_with_web_identity{std::move(*session), std::move(*token)}};
    }
    auto external_id = form.text("ExternalId").value_or("");
    if (!is_word(external_id, "+=,.@:/-") || external_id.size() == 1 || external_id.size() > 1224) {
        return invalid(external_id, "externalId", "Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*");
    }
    return sts_call{assume_role{std::move(*session), std::move(external_id)}};
}

}  // namespace

api_result<sts_call> parse_sts_request(query_form& form)
{
    const auto action = form.text("Action").value_or("");
    if (const auto version = form.text("Version"); version != api_version) {
        return api_error{"NoSuchVersion", "The requested version (" + version.value_or("") + ") of service sts does not exist"};
    }
    auto call = parse_call(form, action);
    if (call) {
        if (const auto unknown = form.unknown_parameter()) {
            return api_error{"ValidationError", "The parameter " + *unknown + " is not recognized"};
        }
    }
    return call;
}

}  // namespace vipd::cloud
