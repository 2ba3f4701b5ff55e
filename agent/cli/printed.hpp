#pragma once

#include <string>

namespace vipd::cli {

// Exit codes of every subcommand but run.
inline constexpr int exit_success = 0;
inline constexpr int exit_failure = 1;  // what was asked for is wrong, was refused, or could not be reached
inline constexpr int exit_usage = 2;    // the command line itself is wrong

// What a subcommand says, and how it ends. The commands of this folder are functions to this; main prints it.
struct printed {
    std::string out;
    std::string err;
    int exit_code = exit_success;
};

}  // namespace vipd::cli
