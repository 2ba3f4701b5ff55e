#pragma once

// Which EC2 calls wait and which are under way. Mutating ones go first: what moves an address must not stand behind a
// read-back. Within each kind the order is that of the calls.

#include "agent/aws/cloud_session.hpp"
#include "agent/aws/ec2_call.hpp"
#include "common/time.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace vipd::aws {

struct waiting_call {
    ec2_call_id id;
    ec2_call what;
    time_point issued{};
    time_point give_up = never;  // when the session is not ready by then
};

struct sent_call {
    waiting_call call;
    std::uint64_t keys_generation = 0;  // which credentials it was signed with
    duration skew{};                    // what was added to our clock when it was signed
};

class call_queue {
public:
    // `under_way_max` at least 1.
    explicit call_queue(unsigned under_way_max);

    void add(waiting_call call);

    // Takes the call whose turn it is; none while its places are taken. mark_sent() has to follow.
    std::optional<waiting_call> next();
    void mark_sent(http_exchange_id exchange, sent_call call);
    std::optional<sent_call> finish(http_exchange_id exchange);

    struct removed {
        bool was_waiting = false;
        std::optional<http_exchange_id> exchange;  // it was under way
    };
    removed remove(ec2_call_id id);

    // Takes every waiting call whose time to give up has come.
    std::vector<waiting_call> take_expired(time_point now);
    [[nodiscard]] time_point first_expiry() const;

    [[nodiscard]] bool can_send() const;
    [[nodiscard]] std::size_t waiting() const { return mutating_.size() + reads_.size(); }
    [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }
    [[nodiscard]] std::optional<ec2_call_id> call_of(http_exchange_id exchange) const;

private:
    [[nodiscard]] bool can_send_read() const;

    std::size_t under_way_max_;
    std::size_t reads_under_way_ = 0;
    std::deque<waiting_call> mutating_;
    std::deque<waiting_call> reads_;
    std::map<http_exchange_id, sent_call> under_way_;
};

}  // namespace vipd::aws
