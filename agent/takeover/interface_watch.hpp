#pragma once

// Reads the interfaces that routes point to, once a minute, for their source/destination check. One for all routers. A read is
// as many calls as the ids need, each with as many pages as EC2 makes of it; what a page shows is worth having by itself. Reads
// that fail are repeated, 5 at once and one a second.

#include "agent/aws/cloud_session.hpp"
#include "agent/takeover/call_pauses.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <cstdint>
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
    // Why the last read failed; empty when it did not.
    [[nodiscard]] const std::string& last_error() const { return last_error_; }

private:
    void go_on(time_point now, const std::string& next_token);
    void fail(time_point now, const std::string& why, aws::ec2_error_class kind);

    random_source random_;
    std::set<aws::network_interface_id> ids_;
    time_point next_read_ = never;
    call_pauses pauses_;
    token_bucket budget_{5.0, 1.0};
    std::string last_error_;
    // The read under way.
    bool under_way_ = false;
    bool call_wanted_ = false;
    std::vector<aws::network_interface_id> reading_;
    std::size_t asked_from_ = 0;  // the first id of the call
    std::string next_token_;
    unsigned pages_ = 0;  // of the call
};

}  // namespace vipd::takeover
