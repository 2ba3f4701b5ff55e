#pragma once

#include "agent/config/config.hpp"
#include "common/result.hpp"

namespace vipd::node {

// Whether a running node can take `next` in place of `old`. Routers may change in any way; what belongs to the process
// (listeners, real time, the log, how EC2 is reached) needs a restart, and the error says which of them it is.
result<void> check_reload(const config::configuration& old, const config::configuration& next);

}  // namespace vipd::node
