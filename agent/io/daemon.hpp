#pragma once

// The two ways in which the command line starts the shell.

#include <string>

namespace vipd::io {

struct run_options {
    std::string config_file;
};

// The daemon, in the foreground, until SIGTERM or SIGINT. Returns the exit code.
int run_daemon(const run_options& options);

// Reads the cloud once and prints what a takeover would change; mutates nothing. Returns the exit code.
int run_plan(const run_options& options);

}  // namespace vipd::io
