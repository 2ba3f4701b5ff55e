#pragma once

// HTTP messages as values, for everything that vipd asks: EC2, STS, IMDS and the container credential endpoint. The core builds
// and reads them; how they travel is the shell's.

#include "common/result.hpp"
#include "common/strong_id.hpp"
#include "common/time.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::aws {

// Where a request goes. `host` is a name or an IP literal (IPv6 without brackets).
struct http_origin {
    bool tls = true;  // false for IMDS and the container endpoint only; never as a fallback
    std::string host;
    std::uint16_t port = 443;

    friend auto operator<=>(const http_origin&, const http_origin&) = default;
};

// "ec2.eu-west-1.amazonaws.com", "[fd00:ec2::254]", with ":port" when it is not the scheme's own: the Host header.
std::string host_header(const http_origin& origin);

// "https://ec2.eu-west-1.amazonaws.com:8443"; for messages and for configuration.
std::string to_string(const http_origin& origin);

struct http_header {
    std::string name;
    std::string value;
    friend bool operator==(const http_header&, const http_header&) = default;
};

inline bool equal_ignoring_case(std::string_view a, std::string_view b)
{
    constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

inline std::optional<std::string_view> find_header(const std::vector<http_header>& headers, std::string_view name)
{
    const auto found = std::ranges::find_if(headers, [&](const http_header& h) { return equal_ignoring_case(h.name, name); });
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>{found->value};
}

// `headers` has Host already; Content-Length and Connection are added where the request is written.
struct http_request {
    std::string method = "GET";
    std::string target = "/";  // path and query, encoded
    std::vector<http_header> headers;
    std::string body;
};

struct http_response {
    unsigned status = 0;
    std::vector<http_header> headers;
    std::string body;
};

// What became of a request that has no complete answer. The difference decides whether it may be repeated blindly.
struct http_failure {
    // False: not one byte of the request was handed to the transport; it has certainly had no effect.
    bool may_have_arrived = false;
    error cause;
};

struct http_result {
    std::variant<http_response, http_failure> outcome;
    time_point started{};           // handed to the client
    time_point first_byte = never;  // of the request, when one was written
    time_point finished{};
};

// --- what the shell is asked to do ---

using http_exchange_id = strong_number<struct http_exchange_tag>;

struct http_exchange {
    http_exchange_id id;
    http_origin origin;
    http_request request;
    // A mutating request asks node::permit() right before its first byte is written, and is reset when it is cancelled.
    bool mutating = false;
    duration time_max = std::chrono::seconds{3};  // for all of it: connect, TLS, request, answer
    duration connect_time_max = std::chrono::seconds{1};
    std::size_t body_size_max = 4U << 20U;
};

}  // namespace vipd::aws
