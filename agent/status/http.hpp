#pragma once

// What the HTTP endpoint answers, without HTTP's wire: a request comes in as plain values, the answer goes out as plain values
// or, when it could be long, as a source of chunks that the server draws from between turns of the loop. No call here takes
// longer than about 200 us, whatever the number of routers.
//
// Reading is open to whoever can connect. Changes (POST) are accepted from the Unix socket only, where the kernel has checked
// who connects; a web page that a browser was lured to can therefore change nothing, whatever its Host header says.
//
// The server around it owes:
//  - bounds on the request (head and body; a target longer than target_size_max is answered 414 here) and deadlines;
//  - Content-Length for a string body; for a source chunked coding (HTTP/1.1) or close at the end (HTTP/1.0);
//  - for HEAD the head alone: respond() answers HEAD as it answers GET, and no chunk of a source needs to be drawn;
//  - all headers of http_reply::headers, as they are.

#include "agent/config/config.hpp"
#include "agent/status/snapshot.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::status {

inline constexpr std::size_t target_size_max = 1024;        // bytes
inline constexpr std::size_t request_body_size_max = 4096;  // bytes; what the server should let through
inline constexpr std::size_t event_streams_max = 6;         // at a time; one more is answered 503

struct http_request {
    std::string method;         // as sent; methods are case-sensitive
    std::string target;         // as sent, in origin form: "/v1/events?after=7"
    std::string host;           // Host; empty when there was none
    std::string accept;         // Accept; empty when there was none
    std::string last_event_id;  // Last-Event-ID: a browser that reconnects to an event stream
    std::string body;
    bool from_unix_socket = false;
};

// Nothing to send at this moment. Ask again after this long, or earlier when the node has just done something; zero: in the
// next turn of the loop.
struct not_yet {
    duration ask_again{};
};
struct finished {};
using body_chunk = std::variant<std::string, not_yet, finished>;

// A body in pieces. Dropped at any time when the client goes away. It must not outlive the responder's node_view.
class body_source {
public:
    body_source() = default;
    body_source(const body_source&) = delete;
    body_source& operator=(const body_source&) = delete;
    virtual ~body_source() = default;

    // A chunk is never empty. After `finished` it is not called again.
    virtual body_chunk next(instant now) = 0;
};

struct http_reply {
    unsigned status = 200;
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;  // Cache-Control, Allow, ...; never Content-Type or -Length
    std::variant<std::string, std::unique_ptr<body_source>> body;
};

// What the endpoint may see. The adaptor forwards to node::node and to the shell's own counters.
class node_view {
public:
    node_view() = default;
    node_view(const node_view&) = delete;
    node_view& operator=(const node_view&) = delete;
    virtual ~node_view() = default;

    [[nodiscard]] virtual status::node node_snapshot(instant now) const = 0;
    [[nodiscard]] virtual status::process process_snapshot(instant now) const = 0;
    [[nodiscard]] virtual std::size_t router_count() const = 0;
    [[nodiscard]] virtual std::optional<std::uint32_t> find_router(std::string_view name) const = 0;
    [[nodiscard]] virtual status::router router_snapshot(instant now, std::uint32_t router) const = 0;
    // Oldest first, with number > after; bounded by the node's history.
    [[nodiscard]] virtual std::vector<event> events_after(std::uint64_t number) const = 0;
    [[nodiscard]] virtual std::uint64_t generation() const = 0;
    [[nodiscard]] virtual std::vector<std::string> plan(instant now, std::uint32_t router) const = 0;
};

// What an operator may ask for. Each call returns a sentence for the operator; an error's class decides the status: not_found
// 404, malformed and out_of_range 422 (the configuration is wrong), unavailable 503, everything else 409 (right, but not at
// this moment).
class operator_commands {
public:
    operator_commands() = default;
    operator_commands(const operator_commands&) = delete;
    operator_commands& operator=(const operator_commands&) = delete;
    virtual ~operator_commands() = default;

    // One router, or all of them when the name is empty. The name exists. An error when nothing is handed over.
    virtual result<std::string> step_down(instant now, std::string_view router) = 0;
    virtual result<std::string> set_maintenance(instant now, bool on) = 0;
    // 1..254, or none for the configured one. The router exists.
    virtual result<std::string> set_priority(instant now, std::string_view router, std::optional<std::uint8_t> priority) = 0;
    // Reads the configuration file again, checks it and applies it or refuses it whole. The error's text may have several
    // lines: it is shown to an operator as it is.
    virtual result<std::string> reload(instant now) = 0;
    // Begins to make room for the program that is installed now, without a transition.
    virtual result<std::string> restart(instant now) = 0;
};

class responder {
public:
    // Both outlive the responder and every body it has handed out. `socket` is the path that changes are accepted on.
    responder(node_view& view, operator_commands& commands, std::string socket = config::http_section{}.socket);
    ~responder();

    http_reply respond(instant now, const http_request& request);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vipd::status
