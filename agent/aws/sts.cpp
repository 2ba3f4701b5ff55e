#include "agent/aws/sts.hpp"

#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "agent/aws/xml.hpp"

#include <fmt/format.h>

namespace vipd::aws {

namespace {

http_exchange request_to(const sts_place& sts, std::string body)
{
    http_exchange exchange;
    exchange.origin = sts.origin;
    exchange.request.method = "POST";
    exchange.request.headers = {{"Host", host_header(sts.origin)},
                                {"User-Agent", "vipd/" VIPD_VERSION},
                                {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    exchange.request.body = std::move(body);
    exchange.body_size_max = 64U << 10U;
    return exchange;
}

struct sts_refusal {
    error_class kind = error_class::unavailable;
    std::string code;  // empty when the answer has none
    std::string text;
};

sts_refusal read_refusal(const http_response& response, const pugi::xml_node& root)
{
    const auto node = root.child("Error");
    auto code = clean_text(child_text(node, "Code"), 80);
    if (code.empty()) {
        return {error_class::unavailable, {}, fmt::format("STS answered with status {}", response.status)};
    }
    const bool denied =
        response.status >= 400 && response.status < 500 && code != "IDPCommunicationError" && code != "Throttling";
    auto text = fmt::format("{}: {}", code, clean_text(child_text(node, "Message"), 200));
    return {denied ? error_class::denied : error_class::unavailable, std::move(code), std::move(text)};
}

result<credentials> read_credentials(const pugi::xml_node& node)
{
    credentials keys;
    keys.access_key_id = child_text(node, "AccessKeyId");
    keys.secret_access_key = child_text(node, "SecretAccessKey");
    keys.session_token = child_text(node, "SessionToken");
    keys.expiration = parse_iso8601(child_text(node, "Expiration"));
    for (const auto* text : {&keys.access_key_id, &keys.secret_access_key, &keys.session_token}) {
        if (!is_header_value(*text)) {
            return error{error_class::malformed, "the answer of STS holds no credentials that can be used"};
        }
    }
    if (!keys.expiration) {
        return error{error_class::malformed, "the answer of STS has no Expiration that is a time"};
    }
    return keys;
}

// `explain` makes an error of a refusal.
template <class Explain>
result<credentials> read_answer(const http_result& result, const char* response_name, const char* result_name,
                                const Explain& explain)
{
    if (const auto* failure = std::get_if<http_failure>(&result.outcome)) {
        return error{failure->cause.kind, fmt::format("STS: {}", clean_text(failure->cause.text, 200))};
    }
    const auto& response = std::get<http_response>(result.outcome);
    pugi::xml_document document;
    const bool readable = parse_xml(response.body, document) == xml_verdict::readable;
    if (response.status != 200) {
        return explain(read_refusal(response, readable ? document.document_element() : pugi::xml_node{}));
    }
    return read_credentials(document.child(response_name).child(result_name).child("Credentials"));
}

}  // namespace

result<http_exchange> web_identity_request(const web_identity_source& source, const sts_place& sts, std::string_view token)
{
    const auto trimmed = trim(token);
    if (!is_header_value(trimmed)) {
        return error{error_class::malformed, fmt::format("{} holds no web identity token", clean_text(source.token_file, 200))};
    }
    return request_to(
        sts,
        fmt::format("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}&WebIdentityToken={}",
                    percent_encode(source.role_arn), percent_encode(source.session_name), percent_encode(trimmed)));
}

result<credentials> read_web_identity_answer(const http_result& result)
{
    return read_answer(
        result, "AssumeRoleWithWebIdentityResponse", "AssumeRoleWithWebIdentityResult", [](const sts_refusal& refusal) {
            return error{refusal.kind,
                         refusal.code.empty() ? refusal.text : "STS refused AssumeRoleWithWebIdentity: " + refusal.text};
        });
}

http_exchange assume_role_request(const assumed_role& role, const sts_place& sts, const credentials& keys, wall_time now)
{
    auto body = fmt::format("Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName={}", percent_encode(role.role_arn),
                            percent_encode(role.session_name));
    if (!role.external_id.empty()) {
        body += "&ExternalId=" + percent_encode(role.external_id);
    }
    if (role.duration_seconds != 0) {
        body += fmt::format("&DurationSeconds={}", role.duration_seconds);
    }
    auto exchange = request_to(sts, std::move(body));
    sign(exchange.request, {sts.region, "sts"}, keys, now);
    return exchange;
}

result<credentials> read_assume_role_answer(const assumed_role& role, const http_result& result)
{
    auto keys = read_answer(result, "AssumeRoleResponse", "AssumeRoleResult", [&](const sts_refusal& refusal) {
        // IAM does not say which of the two policies was missing, nor that the external id was wrong.
        const auto* const remedy = refusal.code == "AccessDenied"
                                       ? " (the caller's policy has to allow sts:AssumeRole on the role, and the role's trust "
                                         "policy the caller, with this external_id if it asks for one)"
                                       : "";
        return error{refusal.kind, refusal.text + remedy};
    });
    if (!keys) {
        return error{keys.error().kind, fmt::format("the profile \"{}\" cannot assume {}: {}", clean_text(role.profile, 60),
                                                    clean_text(role.role_arn, 120), keys.error().text)};
    }
    return keys;
}

}  // namespace vipd::aws
