#pragma once

// Signature Version 4 from the server's side, written from AWS's description of the algorithm and not from agent/aws/sigv4, so
// that the two check each other.

#include "agent/aws/http_message.hpp"
#include "tests/cloud/access_key.hpp"
#include "tests/cloud/api_error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_mac_ctx_st;  // OpenSSL's EVP_MAC_CTX

namespace vipd::cloud {

enum class signature_verdict : std::uint8_t {
    valid,
    missing,          // no Authorization header
    malformed,        // one that is not of SigV4's form, or lacks a part
    unknown_key,      // an access key id that nobody was given
    wrong_token,      // X-Amz-Security-Token absent, superfluous, or not the key's
    expired_key,      // temporary credentials after their end
    wrong_date,       // signed more than 15 minutes ago or ahead
    wrong_scope,      // another region, service or day
    unsigned_header,  // host, or an x-amz-* header, is not among the signed ones
    mismatch,         // the signature is not the one that the key gives for this request
};
std::string_view to_string(signature_verdict verdict);

struct signature_check {
    signature_verdict verdict = signature_verdict::missing;
    std::string access_key_id;        // as claimed
    const access_key* key = nullptr;  // of a key that is known, whatever the verdict
    std::string detail;               // for a mismatch: what was expected to be signed
};

struct signature_scope {
    std::string_view region;
    std::string_view service;
};

inline constexpr duration signature_window = std::chrono::minutes{15};

// OpenSSL's HMAC-SHA256 with its key in place.
class signing_key {
public:
    using digest = std::array<std::uint8_t, 32>;
    explicit signing_key(const digest& key);
    [[nodiscard]] digest sign(std::string_view text) const;

private:
    struct free_context {
        void operator()(evp_mac_ctx_st* context) const;
    };
    std::unique_ptr<evp_mac_ctx_st, free_context> context_;
};

// Signing keys that were derived before, for whoever verifies by the thousand: a key serves a day, region and service.
class signing_keys {
public:
    const signing_key& derive(const std::string& secret, const std::string& day, const std::string& region,
                              const std::string& service);

private:
    static constexpr std::size_t size_max = 64;
    std::map<std::array<std::string, 4>, signing_key> derived_;
};

signature_check verify_signature(const aws::http_request& request, const signature_scope& scope, const key_ring& keys,
                                 wall_time now, signing_keys& derived);
// With keys derived for this request alone.
signature_check verify_signature(const aws::http_request& request, const signature_scope& scope, const key_ring& keys,
                                 wall_time now);

// How EC2 words it; none for `valid`.
std::optional<api_error> signature_error(const signature_check& check, const signature_scope& scope);

}  // namespace vipd::cloud
