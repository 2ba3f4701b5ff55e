#include "agent/aws/source_fetch.hpp"

#include "agent/aws/role_document.hpp"
#include "agent/aws/text.hpp"
#include "common/ensure.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vipd::aws {

namespace {

constexpr std::string_view role_path = "/latest/meta-data/iam/security-credentials/";

source_fetch::step failed(error_class kind, std::string text)
{
    return result<credentials>{error{kind, std::move(text)}};
}

source_fetch::step asked(result<http_exchange>&& request)
{
    if (!request) {
        return result<credentials>{request.error()};
    }
    return credential_question{std::move(*request)};
}

// IAM allows letters, digits and +=,.@_- in a role's name; all of them may stand in a path.
bool is_role_name(std::string_view text)
{
    return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
        return is_plain_id({&c, 1}) || c == '+' || c == '=' || c == ',' || c == '@';
    });
}

source_fetch::step keys_of_profile(const from_profile& source, const std::string& credentials_text,
                                   const std::string& config_text)
{
    const auto shared = parse_ini(credentials_text, source.files.credentials);
    const auto config = parse_ini(config_text, source.files.config);
    if (!shared || !config) {
        return result<credentials>{shared ? config.error() : shared.error()};
    }
    const auto keys = read_keys({*shared, *config}, source.name);
    if (!keys) {
        return result<credentials>{keys.error()};
    }
    if (!*keys) {
        return failed(error_class::not_found, fmt::format("the profile \"{}\" has no keys any more", source.name));
    }
    return result<credentials>{**keys};
}

}  // namespace

source_fetch::source_fetch(first_source source, std::optional<sts_place> sts) : source_(std::move(source)), sts_(std::move(sts))
{
    ENSURE(sts_ || !std::holds_alternative<web_identity_source>(source_));
}

source_fetch::step source_fetch::begin()
{
    return std::visit(
        overloaded{
            [](const from_environment& p) -> step { return result<credentials>{p.keys}; },
            [](const from_profile& p) -> step { return credential_question{ask_file{p.files.credentials}}; },
            [](const container_source& p) -> step {
                return p.token_file.empty() ? asked(container_request(p, p.token))
                                            : step{credential_question{ask_file{p.token_file}}};
            },
            [](const from_instance_role&) -> step { return credential_question{ask_imds{std::string{role_path}}}; },
            [](const web_identity_source& p) -> step { return credential_question{ask_file{p.token_file}}; },
        },
        source_);
}

source_fetch::step source_fetch::handle(credential_answer&& answer)
{
    if (const auto* http = std::get_if<http_result>(&answer)) {
        const bool is_container = std::holds_alternative<container_source>(source_);
        return is_container ? read_container_answer(*http) : read_web_identity_answer(*http);
    }
    auto& text = std::get<result<std::string>>(answer);
    if (const auto* profile = std::get_if<from_profile>(&source_)) {
        return handle_file(*profile, std::move(text));
    }
    if (std::holds_alternative<from_instance_role>(source_)) {
        return handle_role(std::move(text));
    }
    if (!text) {
        return failed(text.error().kind, "the token file: " + text.error().text);
    }
    if (const auto* container = std::get_if<container_source>(&source_)) {
        return asked(container_request(*container, *text));
    }
    return asked(web_identity_request(std::get<web_identity_source>(source_), *sts_, *text));
}

source_fetch::step source_fetch::handle_file(const from_profile& source, result<std::string>&& content)
{
    if (!content && content.error().kind != error_class::not_found) {
        return result<credentials>{content.error()};
    }
    auto text = content ? std::move(*content) : std::string{};
    if (!second_question_ && !source.files.config.empty()) {
        second_question_ = true;
        first_answer_ = std::move(text);
        return credential_question{ask_file{source.files.config}};
    }
    return second_question_ ? keys_of_profile(source, first_answer_, text) : keys_of_profile(source, text, {});
}

source_fetch::step source_fetch::handle_role(result<std::string>&& body)
{
    if (second_question_) {
        return body ? step{parse_role_document(*body, "IMDS")} : step{result<credentials>{body.error()}};
    }
    if (!body && body.error().kind != error_class::not_found) {
        return result<credentials>{body.error()};
    }
    const auto listed = body ? trim(*body) : std::string_view{};
    const auto role = trim(listed.substr(0, listed.find('\n')));
    if (role.empty()) {
        return failed(error_class::not_found,
                      "the instance has no role: attach an instance profile to it, or configure credentials");
    }
    if (!is_role_name(role)) {
        return failed(error_class::malformed,
                      fmt::format("IMDS names a role \"{}\", which is no role's name", clean_text(role, 60)));
    }
    second_question_ = true;
    return credential_question{ask_imds{fmt::format("{}{}", role_path, role)}};
}

}  // namespace vipd::aws
