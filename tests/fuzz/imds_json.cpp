// What IMDS and the container endpoint answer: the identity document, a role's credentials, a list of MAC addresses, notices,
// times.
// What is accepted can be used as a header or in a path as it stands.

#include "agent/aws/identity_probe.hpp"
#include "agent/aws/notice_watch.hpp"
#include "agent/aws/role_document.hpp"
#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "common/ensure.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace vipd::aws;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto identity = parse_identity_document(text)) {
        ENSURE(is_plain_id(identity->region));
        ENSURE(is_plain_id(identity->instance.str()));
    }
    if (const auto keys = parse_role_document(text, "IMDS")) {
        ENSURE(is_header_value(keys->access_key_id));
        ENSURE(is_header_value(keys->session_token));
    } else {
        ENSURE(keys.error().text.size() <= 400);
    }
    for (const auto& mac : parse_mac_list(text)) {
        ENSURE(mac.size() == 17);
    }
    if (const auto time = parse_iso8601(text)) {
        ENSURE(parse_iso8601(format_iso8601(*time)).has_value());
    }
    static_cast<void>(parse_http_date(text));
    static_cast<void>(parse_event_date(text));
    for (std::size_t i = 0; i < notice_kind_count; ++i) {
        const auto read = parse_notice(static_cast<notice_kind>(i), text);
        if (read && *read) {
            ENSURE(!(*read)->what.empty() || (*read)->kind == notice_kind::scheduled_event);
            ENSURE((*read)->kind != notice_kind::scheduled_event || (*read)->at.has_value());
        }
    }
    return 0;
}
