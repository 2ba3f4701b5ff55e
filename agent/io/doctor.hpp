#pragma once

#include <string>

namespace vipd::io {

struct doctor_options {
    std::string config_file;
    std::string socket;  // of the daemon that may be running here; empty: the configuration's
    bool as_json = false;
};

// Asks the kernel, the instance metadata service and EC2 whether the configuration would work here; changes nothing. Returns
// the exit code.
int run_doctor(const doctor_options& options);

}  // namespace vipd::io
