#pragma once

// Adverts on time on a node whose processors are busy: SCHED_FIFO and memory that is not paged out. Whatever is not allowed is
// reported, and vipd goes on without it.

#include "common/log.hpp"

namespace vipd::io {

struct realtime_state {
    bool scheduling = false;
    bool memory_locked = false;
};

// The guard: a loop that computes for a second without a pause loses its priority (SIGXCPU, handled here) instead of the
// machine losing a processor.
realtime_state enter_realtime(log_sink& log);

// For a process that is not to be in real time: gives back what one before it, whose place it has taken by execve(), was given
// by enter_realtime(). A priority that whoever started vipd has set stays.
void leave_realtime();

// The guard has struck since the last call.
bool has_lost_realtime();

}  // namespace vipd::io
