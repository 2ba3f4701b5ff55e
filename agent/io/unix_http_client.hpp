#pragma once

// One question to the daemon of this machine, for a process that has nothing else to do: it blocks, for 3 s at most.

#include "agent/cli/http_text.hpp"
#include "common/result.hpp"

#include <string>

namespace vipd::io {

result<cli::http_reply> ask_daemon(const std::string& socket_path, const cli::http_request& request);

}  // namespace vipd::io
