#pragma once

#include "agent/config/config.hpp"
#include "common/result.hpp"

#include <cstdint>

namespace vipd::node {

// Whether a running node can take `next` in place of `old`. Routers may change in any way; what belongs to the process
// (listeners, real time, the log, how EC2 is reached) needs a restart, and the error says which of them it is. The session with
// AWS belongs to the process, too, and lives on while no router has a route.
enum class session_kind : std::uint8_t {
    none,              // begins with the first configuration that has a route
    without_identity,  // was not asked to find out who this instance is, and never will be
    with_identity,
};
result<void> check_reload(const config::configuration& old, const config::configuration& next, session_kind session);

}  // namespace vipd::node
