#include "agent/aws/web_identity.hpp"

#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "agent/aws/xml.hpp"

#include <fmt/format.h>

namespace vipd::aws {

namespace {

error sts_error(const http_response& response, const pugi::xml_node& root)
{
    const auto node = root.child("Error");
    const auto code = clean_text(child_text(node, "Code"), 80);
    if (code.empty()) {
        return {error_class::unavailable, fmt::format("STS answered with status {}", response.status)};
    }
    const bool denied =
        response.status >= 400 && response.status < 500 && code != "IDPCommunicationError" && code != "Throttling";
    return {denied ? error_class::denied : error_class::unavailable,
            fmt::format("STS refused AssumeRoleWithWebIdentity: {}: {}", code, clean_text(child_text(node, "Message"), 200))};
}

}  // namespace

result<std::optional<web_identity_source>> web_identity_from(const environment& variables)
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

result<http_exchange> assume_role_request(const web_identity_source& source, const http_origin& sts, std::string_view token)
{
    const auto trimmed = trim(token);
    if (!is_header_value(trimmed)) {
        return error{error_class::malformed, fmt::format("{} holds no web identity token", clean_text(source.token_file, 200))};
    }
    http_exchange exchange;
    exchange.origin = sts;
    exchange.request.method = "POST";
    exchange.request.headers = {{"Host", host_header(sts)},
                                {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    exchange.request.body =
        fmt::format("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}&WebIdentityToken={}",
                    percent_encode(source.role_arn), percent_encode(source.session_name), percent_encode(trimmed));
    exchange.body_size_max = 64U << 10U;
    return exchange;
}

result<credentials> read_assume_role_answer(const http_result& result)
{
    if (const auto* failure = std::get_if<http_failure>(&result.outcome)) {
        return error{failure->cause.kind, fmt::format("STS: {}", clean_text(failure->cause.text, 200))};
    }
    const auto& response = std::get<http_response>(result.outcome);
    pugi::xml_document document;
    const bool readable = parse_xml(response.body, document) == xml_verdict::readable;
    const auto root = document.document_element();
    if (response.status != 200) {
        return sts_error(response, readable ? root : pugi::xml_node{});
    }
    const auto node = root.child("AssumeRoleWithWebIdentityResult").child("Credentials");
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

}  // namespace vipd::aws
