#pragma once

// Bytes of an HTTP client to requests for the responder, or to what such a client is answered. Bounded in head and body
// whatever is sent and however it is cut. No I/O: the server feeds it from sockets, the fuzzer from a file.

#include "agent/status/http.hpp"
#include "common/bytes.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace vipd::io {

class request_reader {
public:
    enum class progress : std::uint8_t { need_more, done, failed };

    struct received {
        status::http_request request;
        unsigned version = 11;  // of HTTP: 10 or 11
        bool keep_alive = false;
    };
    struct refusal {
        unsigned status = 0;
        std::string text;
    };

    // The bound of the body is status::request_body_size_max. That of the head holds for each chunk's head and the trailer too.
    request_reader(std::uint32_t head_bytes_max, bool from_unix_socket);
    ~request_reader();

    // Not to be called again after a failure. Requests that follow at once are kept: after take(), put({}) goes on with them.
    progress put(byte_view bytes);

    // When done.
    received take();
    // When failed.
    [[nodiscard]] const refusal& problem() const;
    // Not a byte of the next request has come.
    [[nodiscard]] bool is_idle() const;
    // What is held back of a head, a chunk's head or further requests.
    [[nodiscard]] std::size_t bytes_kept() const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vipd::io
