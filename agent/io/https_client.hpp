#pragma once

// HTTP requests to the cloud, over verified TLS, and to IMDS and the container endpoint, over plain TCP.
//
// Connections are kept per origin: as many idle ones as keep_warm() asks for, opened ahead, replaced before the server would
// close them, opened again with backoff when they fail. A request that finds a warm one is on its way when start() returns.
// A request that finds none waits for the next connection that becomes ready, and one is opened for it; mutating ones wait
// before the others. A request that gets no answer at all takes the connections with it that have rested since before it, and
// later ones begin at the name's next address.
//
// Every exchange is bounded: in time (connect and whole), in the size of the head (16 KiB) and of the body. Redirects are
// answers like any other: nobody follows them. A request is written at most once; only one of which the kernel has
// demonstrably taken no byte moves on to another connection.

#include "agent/aws/http_message.hpp"
#include "agent/io/resolver.hpp"
#include "common/log.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace vipd::io {

class https_client {
public:
    struct owner {
        // Asked right before the first byte of a mutating request is written; false drops it unsent. Asked again when the
        // socket took a part only, before the rest is written; false then resets the connection, and the outcome is unknown.
        virtual bool may_begin(aws::http_exchange_id id) = 0;
        // Once for every start(), possibly before it returns; never after cancel().
        virtual void on_http_finished(aws::http_exchange_id id, aws::http_result&& result) = 0;

    protected:
        ~owner() = default;
    };

    // Everything that could be different in a test.
    struct limits {
        std::size_t head_bytes_max = 16U << 10U;
        // EC2 closes a connection that was idle for some 20 s; ours are replaced before.
        duration idle_max = std::chrono::seconds{15};
        duration overlap_max = std::chrono::seconds{3};  // of one that has grown old and the one that replaces it
        duration plain_idle_max = std::chrono::seconds{2};
        duration connect_time_max = std::chrono::seconds{1};  // of warm connections; TLS included
    };

    // Fails when the CA certificates cannot be read.
    static result<std::unique_ptr<https_client>> create(boost::asio::io_context& context, resolver& names, owner& to,
                                                        const std::string& ca_bundle, std::uint64_t seed, log_sink& log,
                                                        const limits& l);

    virtual ~https_client() = default;

    virtual void start(aws::http_exchange&& exchange) = 0;
    // Nothing follows. A request that was begun is reset on the wire before this returns.
    virtual void cancel(aws::http_exchange_id id) = 0;
    virtual void keep_warm(const aws::http_origin& origin, unsigned connections) = 0;
    // For connections from here on.
    virtual result<void> trust(const std::string& ca_bundle) = 0;

    [[nodiscard]] virtual std::size_t idle_connections(const aws::http_origin& origin) const = 0;

protected:
    https_client() = default;
};

}  // namespace vipd::io
