#pragma once

// How a process makes room for a new one of the same node without ending: execve() keeps the process id (so the service manager
// sees no end), the capabilities and the real-time priority, and closes every socket. What the new program has to know is in a
// sealed file in memory, whose descriptor is the only one that stays open.

#include "agent/node/succession.hpp"
#include "common/log.hpp"
#include "common/result.hpp"

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace vipd::io {

// The program that this process runs, as a path: what an upgrade puts there is what becomes of it. Asked at the start, because
// afterwards the kernel says that it was deleted.
result<std::string> own_program();

// Whether it is there and may be run.
result<void> can_become(const std::string& program);

// Returns only when it failed; this process goes on then as if it had not been asked.
error become(const std::string& program, const std::vector<std::string>& arguments, const node::succession& left);

// Signals for which a daemon has handlers. A handler does not survive execve(), and the default action of each of these is the
// end of the process without a word to anybody; one that is held back does, until the successor has handlers of its own.
inline constexpr std::array handled_signals = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
void hold_back_signals();
void let_signals_through();

// Children of this process that it has not begun: programs of the one before it, which were killed. Asked for before there are
// any others, and none where the kernel does not tell (CONFIG_PROC_CHILDREN).
std::vector<pid_t> inherited_children();
// Takes off the list whoever has ended: nobody else waits for them.
void collect(std::vector<pid_t>& children);

// What the program before this one has left; none when this is no successor. What cannot be understood is logged and passed
// over.
std::optional<node::succession> inherited(log_sink& log);

}  // namespace vipd::io
