#pragma once

// What passes between the machine that decides about hooks and the shell that runs them.

#include "agent/config/hooks.hpp"
#include "common/strong_id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vipd::hooks {

using process_id = strong_number<struct process_tag>;

// --- outputs ---

// A program in a session and process group of its own, with nothing of vipd's but its limits: see io/child_processes.
struct start_process {
    process_id id;
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // "NAME=value"; PATH and LANG are added
    std::optional<config::account> user;   // none: vipd's own
    bool is_vipd_itself = false;           // whoever may change that file may do worse than have it run
};

enum class process_signal : std::uint8_t { terminate, kill };

// To its whole process group.
struct signal_process {
    process_id id;
    process_signal what = process_signal::terminate;
};

using hook_output = std::variant<start_process, signal_process>;

// --- inputs ---

// What it wrote to standard output or standard error, as it came.
struct process_output {
    process_id id;
    std::string bytes;
};

enum class process_end : std::uint8_t {
    exited,     // code: its exit status
    signalled,  // code: the signal's number
    not_started,
};

struct process_ended {
    process_id id;
    process_end how = process_end::exited;
    int code = 0;
    std::string why;           // it was not started
    bool left_others = false;  // processes of its group went on, and were ended
};

}  // namespace vipd::hooks
