#pragma once

// What a program is told: by its environment, and by the arguments of keepalived's notify scripts.

#include "agent/config/hooks.hpp"
#include "agent/vrrp/types.hpp"
#include "common/ip.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::hooks {

// Something has happened to a router, with all that is known of it at that moment.
struct occasion {
    config::hook_event event = config::hook_event::backup;
    std::string_view router = {};
    unsigned vrid = 0;
    vrrp::state state = vrrp::state::initialize;
    vrrp::state previous_state = vrrp::state::initialize;
    std::uint64_t epoch = 0;
    std::string_view reason = {};
    unsigned priority = 0;
    std::span<const ip_address> addresses = {};
    std::string_view interface = {};
    std::optional<ip_address> source = {};
    std::optional<ip_address> active_address = {};
};

// Every variable is always there, empty where nothing is known.
std::vector<std::string> environment_of(const occasion& o);

// "INSTANCE", the name, the state in keepalived's words and the priority; none for what keepalived has no word for.
std::vector<std::string> keepalived_arguments(const occasion& o);

}  // namespace vipd::hooks
