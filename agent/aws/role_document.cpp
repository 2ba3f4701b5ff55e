#include "agent/aws/role_document.hpp"

#include "agent/aws/json.hpp"
#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"

#include <fmt/format.h>

namespace vipd::aws {

result<credentials> parse_role_document(std::string_view body, std::string_view where)
{
    const auto object = parse_json_object(body, fmt::format("the answer of {}", where));
    if (!object) {
        return object.error();
    }
    const auto code = json_text(*object, "Code");
    if (!code.empty() && code != "Success") {
        return error{error_class::unavailable, fmt::format("{} gave no credentials: {} {}", where, clean_text(code, 80),
                                                           clean_text(json_text(*object, "Message"), 160))};
    }
    credentials keys;
    keys.access_key_id = json_text(*object, "AccessKeyId");
    keys.secret_access_key = json_text(*object, "SecretAccessKey");
    keys.session_token = json_text(*object, "Token");
    for (const auto* text : {&keys.access_key_id, &keys.secret_access_key, &keys.session_token}) {
        if (!is_header_value(*text)) {
            return error{
                error_class::malformed,
                fmt::format("the answer of {} lacks AccessKeyId, SecretAccessKey or Token, or they are no such texts", where)};
        }
    }
    const auto expiration = json_text(*object, "Expiration");
    if (!expiration.empty()) {
        keys.expiration = parse_iso8601(expiration);
        if (!keys.expiration) {
            return error{error_class::malformed, fmt::format("the answer of {} has an Expiration that is no time: \"{}\"",
                                                             where, clean_text(expiration, 60))};
        }
    }
    return keys;
}

}  // namespace vipd::aws
