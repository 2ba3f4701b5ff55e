#pragma once

// AWS Signature Version 4 for header-signed requests.

#include "agent/aws/http_message.hpp"
#include "common/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vipd::aws {

struct credentials {
    std::string access_key_id;
    std::string secret_access_key;
    std::string session_token;            // empty for long-term keys
    std::optional<wall_time> expiration;  // none for long-term keys

    friend bool operator==(const credentials&, const credentials&) = default;
};

struct signing_scope {
    std::string_view region;
    std::string_view service;  // "ec2", "sts"
};

// Adds X-Amz-Date, X-Amz-Security-Token (when there is a token) and Authorization. Every header that is in the request by then
// is signed, save those that a proxy may change. Host must be there.
void sign(http_request& request, const signing_scope& scope, const credentials& keys, wall_time now);

// The pieces, for tests against published vectors.
std::string canonical_request(const http_request& request);
std::string string_to_sign(const std::string& canonical, const signing_scope& scope, wall_time now);

// "20260101T000000Z"
std::string format_amz_date(wall_time time);

// Lower-case hex SHA-256.
std::string sha256_hex(std::string_view text);

}  // namespace vipd::aws
