#pragma once

// The HTTP endpoint's server. It is a guest on the loop that sends adverts: each of its steps is one short handler, and nothing
// that a client does or does not do makes one longer.
//
// At most 64 connections: a further one takes the place of the TCP connection that has been idle longest, then of the oldest
// event stream; when all are in the middle of a request it is turned away. One from the Unix socket is not: it takes the place
// of the oldest TCP connection whatever that is doing, and none from TCP takes its. A request has 5 s from its first byte to
// the last of its answer (event streams: each piece), 8 KiB of headers and status::request_body_size_max of body; the framing
// of a chunked body has 1 KiB beside them. Requests on one connection are answered in order.

#include "agent/io/file_descriptor.hpp"
#include "agent/io/http_handler.hpp"
#include "common/log.hpp"

#include <cstdint>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace vipd::io {

class http_server {
public:
    struct limits {
        std::size_t connections_max = 64;
        std::uint32_t head_bytes_max = 8U << 10U;
        duration request_time_max = std::chrono::seconds{5};
        duration idle_time_max = std::chrono::seconds{75};  // above the scrape intervals that are usual
    };

    http_server(boost::asio::io_context& context, http_handler& handler, log_sink& log, const limits& l);
    ~http_server();

    // Accepts from here on.
    void serve(file_descriptor listener, bool is_unix_socket);

    [[nodiscard]] std::uint64_t request_count() const;
    [[nodiscard]] std::size_t connection_count() const;

    class impl;

private:
    std::shared_ptr<impl> impl_;
};

}  // namespace vipd::io
