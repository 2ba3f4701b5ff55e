#pragma once

// The connections to one origin: as many idle ones as are wanted, replaced before the server would close them, opened again
// with pauses when they fail, and one more for every request that waits. What a request is, the pool does not know.

#include "agent/aws/http_message.hpp"
#include "agent/io/deadline.hpp"
#include "agent/io/outgoing_connection.hpp"
#include "agent/io/pool_policy.hpp"
#include "agent/io/resolver.hpp"
#include "agent/io/transport.hpp"
#include "common/backoff.hpp"
#include "common/log.hpp"
#include "common/random.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace vipd::io {

class connection_pool final : public outgoing_connection::listener {
public:
    struct owner {
        // Requests without a connection.
        [[nodiscard]] virtual std::size_t waiting_for(const connection_pool& pool) const = 0;
        // Connections have come or gone: leases may be had, and balance() wants to be called.
        virtual void on_pool_changed(connection_pool& pool) = 0;
        // One more could not be opened; fewer are on their way than before.
        virtual void on_open_failed(connection_pool& pool, const error& cause) = 0;
        // A leased connection has what wait_for() asked for.
        virtual void on_lease_ready(connection_id id) = 0;

    protected:
        ~owner() = default;
    };

    // What all pools share; outlives them.
    struct surroundings {
        boost::asio::io_context& context;
        resolver& names;
        log_sink& log;
        random_source random;
        std::shared_ptr<const tls_context> tls;
        duration idle_max{};
        duration overlap_max{};
        duration plain_idle_max{};
        duration connect_time_max{};
        connection_id last_connection = 0;
    };

    connection_pool(const aws::http_origin& origin, surroundings& around, owner& to);

    [[nodiscard]] const aws::http_origin& origin() const { return target_.origin; }

    void keep_warm(std::size_t connections);
    // Opens what the waiting requests and the warmth need.
    void balance();
    // Fewer connections are being opened than requests wait.
    [[nodiscard]] bool is_short() const;

    // An idle connection whose other side is still there; nothing when there is none.
    std::optional<connection_id> lease(bool mutating);
    // After an exchange that left it as it was before.
    void give_back(connection_id id);
    void close(connection_id id) { members_.erase(id); }
    [[nodiscard]] outgoing_connection& at(connection_id id) { return *members_.at(id).link; }

    // A request on this one got no answer at all: what rests since before `begun` may be as dead, and the address is suspect.
    void distrust(connection_id silent, time_point begun);
    // Connections were made under conditions that are no longer those of `surroundings`: none of them gets another request.
    void renew();

    [[nodiscard]] std::size_t idle_count() const { return idle().size(); }

private:
    enum class stage : std::uint8_t { opening, idle, leased };

    struct member {
        std::shared_ptr<outgoing_connection> link;
        std::shared_ptr<const tls_context> made_under;
        stage at = stage::opening;
        time_point last_used{};
        bool was_used = false;
        bool to_be_replaced = false;
    };

    void on_open(connection_id id) override;
    void on_open_failed(connection_id id, const error& cause) override;
    void on_ready(connection_id id) override;
    void on_alarm(connection_id id) override;

    void rest(connection_id id);
    void on_idle_readable(connection_id id);
    void pause();
    [[nodiscard]] pool_counts count() const;
    [[nodiscard]] std::vector<connection_id> idle() const;

    connection_target target_;
    surroundings& around_;
    owner& to_;
    std::size_t warm_ = 0;
    backoff backoff_{{std::chrono::milliseconds{200}, std::chrono::seconds{5}}};
    deadline warm_again_;                      // while it is set no warm connection is opened
    std::map<connection_id, member> members_;  // in the order in which they were opened
};

}  // namespace vipd::io
