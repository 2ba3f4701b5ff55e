#pragma once

// What a configuration asks of this process beyond what every process may do. Each error says what is missing, and the remedy.

#include "agent/config/config.hpp"
#include "common/result.hpp"

namespace vipd::io {

// To run programs as the users that it names, and to end them.
result<void> may_switch_users(const config::configuration& c);

// All of it, but for the sockets of adverts, whose opening shows it.
result<void> may_do(const config::configuration& c);

}  // namespace vipd::io
