#pragma once

// One connection to an origin, from the name to the verified TLS channel, and then the readiness of its socket. It knows
// nothing of requests and pools.

#include "agent/aws/http_message.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/file_descriptor.hpp"
#include "agent/io/resolver.hpp"
#include "agent/io/transport.hpp"
#include "common/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vipd::io {

struct socket_address;

using connection_id = std::uint64_t;

// What connections to one origin share; outlives them.
struct connection_target {
    aws::http_origin origin = {};
    // Tried first: the address that answered last, or the one after an address that fell silent.
    std::optional<ip_address> first_address;
    kept_session session;
    bool opens_at_once = false;       // open() may end before it returns, where the address is this machine's own
    std::string certified_name = {};  // that the certificate has to carry; empty: the origin's host
    // Bytes that nobody has acknowledged for so long end the connection, in milliseconds; zero: nothing does but its user.
    unsigned unacknowledged_max_ms = 0;
};

// Kept in a shared_ptr, because a completion that the reactor has queued already finds out by it that the connection is gone.
class outgoing_connection : public std::enable_shared_from_this<outgoing_connection> {
public:
    // Called from open() at the earliest; each may destroy the connection.
    struct listener {
        virtual void on_open(connection_id id) = 0;
        virtual void on_open_failed(connection_id id, const error& cause) = 0;
        // What wait_for() asked for has come.
        virtual void on_ready(connection_id id) = 0;
        // What set_alarm() asked for.
        virtual void on_alarm(connection_id id) = 0;

    protected:
        ~listener() = default;
    };

    outgoing_connection(connection_id id, boost::asio::io_context& context, connection_target& target, listener& to);
    ~outgoing_connection();
    outgoing_connection(const outgoing_connection&) = delete;
    outgoing_connection& operator=(const outgoing_connection&) = delete;

    // Resolves, connects (to one address after the other) and shakes hands, all until `give_up`.
    void open(resolver& names, std::shared_ptr<const tls_context> tls, time_point give_up);

    // --- once it is open ---
    [[nodiscard]] transport& wire() { return *wire_; }
    // Nothing has come that nobody asked for, and the other side has not closed.
    [[nodiscard]] bool is_quiet();
    void wait_for(transport::status wanted);
    void set_alarm(time_point at);
    void clear_alarm() { alarm_.clear(); }
    // In this turn, with a reset: nothing that the kernel still holds is delivered.
    void reset();
    // Nothing comes from the other side any more: later connections begin at the address after this one's.
    void step_on();

private:
    enum class stage : std::uint8_t { resolving, connecting, handshaking, open };

    void on_addresses(const resolver::answer& found);
    void connect_next();
    void ask_again(const socket_address& to);
    void on_connect_ended();
    void set_opening_alarm(time_point at);
    void on_attempt_failed(const std::string& cause);
    void shake_hands();
    void on_opening_too_slow();
    void fail(error_class kind, const std::string& cause);
    void stop_watching();
    void on_readiness(bool reading);
    [[nodiscard]] const ip_address& address() const;

    connection_id id_;
    connection_target& target_;
    listener& to_;
    stage stage_ = stage::resolving;
    std::shared_ptr<const tls_context> tls_;  // while opening
    std::vector<ip_address> addresses_;
    std::size_t first_ = 0;
    std::size_t attempts_ = 0;
    time_point give_up_ = never;
    file_descriptor socket_;  // while connecting; then the wire's
    std::unique_ptr<transport> wire_;
    boost::asio::posix::stream_descriptor watch_;
    bool waits_for_read_ = false;
    bool waits_for_write_ = false;
    deadline alarm_;
};

}  // namespace vipd::io
