#pragma once

// Reads the interfaces that routes point to, once a minute, for their source/destination check. One for all routers.

#include "agent/aws/cloud_session.hpp"
#include "common/backoff.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vipd::takeover {

class interface_watch {
public:
    explicit interface_watch(std::uint64_t seed) : random_(seed) {}

    void watch(time_point now, const std::set<aws::network_interface_id>& ids);
    void handle_timeout(time_point now);
    // What was found, when the answer was one.
    std::vector<aws::network_interface> handle(time_point now, const aws::ec2_reply& reply);

    std::optional<aws::describe_network_interfaces> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;
    [[nodiscard]] const std::string& last_error() const { return last_error_; }

private:
    random_source random_;
    std::set<aws::network_interface_id> ids_;
    time_point next_read_ = never;
    bool under_way_ = false;
    bool call_wanted_ = false;
    backoff pause_{{std::chrono::seconds{1}, std::chrono::seconds{60}}};
    std::string last_error_;
};

}  // namespace vipd::takeover
