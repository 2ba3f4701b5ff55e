#pragma once

// One HTTP/1.1 exchange with the daemon as text: the request that is sent, and what came back until the daemon closed.

#include "common/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vipd::cli {

// The status of 4,096 routers with a hundred resources each is below this.
inline constexpr std::size_t reply_size_max = 256U << 20U;

struct http_request {
    std::string method = "GET";
    std::string target = "/v1/status";  // as it goes onto the wire
    std::string body;                   // JSON; empty for none
};

struct http_reply {
    unsigned status = 0;
    std::string body;
};

// Asks for the connection to be closed behind the answer.
std::string to_text(const http_request& request);

// How the connection ended behind what was received.
enum class ending : std::uint8_t { closed, broken_off };

// The whole of what was received. Content-Length, chunked coding and an end by closing are understood; an answer that ends too
// early is an error. One that says itself where it ends is complete whatever happened to the connection afterwards.
result<http_reply> parse_reply(std::string_view text, ending how = ending::closed);

}  // namespace vipd::cli
