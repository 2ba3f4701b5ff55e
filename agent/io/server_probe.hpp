#pragma once

// One look at a server: a connection that is accepted, or one HTTP request with its answer. Never one of those to EC2: each has
// a connection of its own, which ends with the look, within its deadline.
//
// An answer is judged when it is whole, or when 64 KiB of its body have come: what stands in it does not matter. After a whole
// answer, and after a connection that was accepted, it is closed in good order, because many servers log or count a reset as
// an attack or a fault. What was given up is reset, so that the server stops sending.

#include "agent/config/track.hpp"
#include "agent/health/probe.hpp"
#include "agent/io/outgoing_connection.hpp"
#include "agent/io/resolver.hpp"
#include "agent/io/response_reader.hpp"
#include "common/time.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vipd::io {

class server_probe final : public outgoing_connection::listener {
public:
    static constexpr response_reader::limits answer_max{16U << 10U, 64U << 10U};

    struct owner {
        // Once, and last: it may destroy the probe.
        virtual void on_server_probe_ended(health::probe_ended&& how) = 0;

    protected:
        ~owner() = default;
    };

    // `target` outlives it. `http`: none for a connection alone.
    server_probe(health::check_id id, boost::asio::io_context& context, connection_target& target,
                 std::optional<config::http_check> http, owner& to);
    ~server_probe();

    void begin(resolver& names, std::shared_ptr<const tls_context> tls, duration timeout);

private:
    void on_open(connection_id id) override;
    void on_open_failed(connection_id id, const error& cause) override;
    void on_ready(connection_id id) override;
    void on_alarm(connection_id id) override;

    void go_on();
    bool write_some();
    void read_some();
    void judge(unsigned status);
    void fail(health::probe_outcome outcome, std::string why);
    void end(health::probe_ended&& how);

    health::check_id id_;
    std::optional<config::http_check> http_;
    owner& to_;
    duration timeout_{};
    time_point give_up_ = never;
    std::string request_;
    std::size_t written_ = 0;
    response_reader reader_{answer_max};
    bool is_open_ = false;
    std::shared_ptr<outgoing_connection> connection_;
};

}  // namespace vipd::io
