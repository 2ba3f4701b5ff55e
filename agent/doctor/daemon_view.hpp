#pragma once

// What the daemon of this node says of itself, as far as doctor looks at it. Another version may have written it.

#include "common/ip.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::doctor {

struct seen_peer {
    ip_address address;
    std::optional<double> last_heard_age_seconds;  // none: never
    bool inbound_blocked = false;
};

// One that is well is none to speak of.
struct seen_tracker {
    std::string name;
    std::string reason;
    bool has_weight = false;  // one without keeps the router out
};

struct seen_router {
    std::string name;
    std::string state;  // "Active", "Backup", "Initialize"
    std::vector<seen_peer> peers;
    std::string state_reason = {};
    std::optional<double> state_age_seconds = {};
    std::optional<double> active_down_interval_seconds = {};
    std::vector<seen_tracker> failing_trackers = {};
};

struct daemon_view {
    bool runs = false;
    std::string problem;  // why nothing is known of one that may run; empty when there is none
    std::vector<seen_router> routers;
    bool maintenance = false;

    [[nodiscard]] const seen_router* find(std::string_view name) const;
};

// Of the body of /v1/status.
daemon_view read_daemon_status(std::string_view body);

}  // namespace vipd::doctor
