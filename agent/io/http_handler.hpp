#pragma once

// Who answers the requests that the HTTP server reads: the pure responder of agent/status, or a test.

#include "agent/status/http.hpp"
#include "common/time.hpp"

namespace vipd::io {

struct http_handler {
    // In a few hundred microseconds at most; what takes longer is handed back as a source of chunks.
    virtual status::http_reply respond(instant now, const status::http_request& request) = 0;

protected:
    ~http_handler() = default;
};

}  // namespace vipd::io
