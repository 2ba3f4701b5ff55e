#pragma once

// The source/destination check of an interface that is the target of routes. With the check on, EC2 drops every packet for an
// address that is not the interface's own, and a route moved to it leads nowhere: so it is read, complained of, and switched
// off when the configuration asks for it, by the Active only.

#include "agent/aws/cloud_session.hpp"
#include "agent/status/snapshot.hpp"
#include "common/backoff.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vipd::takeover {

class interface_register {
public:
    interface_register(aws::network_interface_id id, bool may_disable) : id_(std::move(id)), may_disable_(may_disable) {}

    void allow(bool may_disable) { may_disable_ = may_disable; }
    void become_active(time_point now);
    void leave_active();
    // Returns whether this view is the first that finds the check on: worth one warning.
    bool see(time_point now, bool check_is_on);
    std::optional<aws::ec2_call> issue(time_point now);
    void answered(time_point now, const aws::ec2_reply& reply, random_source& random);

    [[nodiscard]] wakeup next_wakeup() const;
    // Whether anything is left to do for a takeover to be complete.
    [[nodiscard]] bool busy() const { return active_ && may_disable_ && check_is_on_.value_or(false); }
    [[nodiscard]] status::resource snapshot(time_point now) const;

private:
    aws::network_interface_id id_;
    bool may_disable_;
    bool active_ = false;
    bool in_flight_ = false;
    std::optional<bool> check_is_on_;
    time_point seen_at_{};
    time_point retry_at_{};
    backoff pause_{{std::chrono::seconds{1}, std::chrono::seconds{60}}};
    token_bucket budget_{5.0, 0.5};
    std::uint64_t mutating_calls_ = 0;
    std::uint64_t failures_ = 0;
    std::string last_error_;
};

}  // namespace vipd::takeover
