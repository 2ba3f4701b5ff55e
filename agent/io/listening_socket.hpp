#pragma once

// The sockets on which the HTTP endpoint is reached.

#include "agent/config/config.hpp"
#include "agent/io/file_descriptor.hpp"
#include "common/result.hpp"

#include <string>

namespace vipd::io {

// Errors name the address and the remedy.
result<file_descriptor> listen_on(const config::tcp_listener& where);

// Mode 0660: root and the group of the process may connect. Makes the folder when it is missing. A socket that a dead daemon
// has left is replaced; one on which somebody answers is an error.
result<file_descriptor> listen_on(const std::string& socket_path);

}  // namespace vipd::io
