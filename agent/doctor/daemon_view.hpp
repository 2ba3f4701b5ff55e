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

struct seen_router {
    std::string name;
    std::string state;  // "Active", "Backup", "Initialize"
    std::vector<seen_peer> peers;
};

struct daemon_view {
    bool runs = false;
    std::string problem;  // why nothing is known of one that may run; empty when there is none
    std::vector<seen_router> routers;

    [[nodiscard]] const seen_router* find(std::string_view name) const;
};

// Of the body of /v1/status.
daemon_view read_daemon_status(std::string_view body);

}  // namespace vipd::doctor
