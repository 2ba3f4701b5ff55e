#pragma once

// AWS Signature Version 4 for header-signed requests.

#include "agent/aws/http_message.hpp"
#include "common/result.hpp"
#include "common/sha256.hpp"
#include "common/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// The same, with the derived key kept: it depends on the secret, the day and the scope alone, and is most of the work. One per
// scope that is signed for.
class signer {
public:
    void sign(http_request& request, const signing_scope& scope, const credentials& keys, wall_time now);

private:
    std::string secret_;
    std::string credential_scope_;
    std::optional<hmac_sha256_key> key_;
};

// What an Authorization header claims; the other side's view of a signed request.
struct authorization {
    std::string access_key_id;
    std::string date;  // "20260101"
    std::string region;
    std::string service;
    std::vector<std::string> signed_headers;  // lower-case, in the order of the header
    std::string signature;                    // 64 lower-case hexadecimal digits
};

result<authorization> parse_authorization(std::string_view header);

// The signature that `request` has to carry for the claim to be true, from its own X-Amz-Date, the headers that the claim
// lists, and the secret of the claimed key. An error when a listed header is missing, when Host or an X-Amz- header is not
// listed, or when the dates disagree.
result<std::string> expected_signature(const http_request& request, const authorization& claim, std::string_view secret);

// The pieces, for tests against published vectors.
std::string canonical_request(const http_request& request);
std::string string_to_sign(const std::string& canonical, const signing_scope& scope, wall_time now);

// "20260101T000000Z"
std::string format_amz_date(wall_time time);

// Lower-case hex SHA-256.
std::string sha256_hex(std::string_view text);

}  // namespace vipd::aws
