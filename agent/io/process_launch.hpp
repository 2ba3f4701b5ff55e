#pragma once

#include "agent/hooks/process.hpp"
#include "agent/io/file_descriptor.hpp"
#include "common/result.hpp"

#include <sys/types.h>

namespace vipd::io {

struct launched_process {
    pid_t id = -1;           // of its process group as well
    file_descriptor end;     // pidfd: readable when it has ended
    file_descriptor output;  // of standard output and error; does not block
    file_descriptor errors;  // why the program was not run, in words; does not block, and ends with execve()
};

// Nothing of vipd's goes along but its limits: no descriptor, no signal's disposition or mask, no real-time priority, no
// ambient capability, no variable but PATH and LANG. It dies with vipd. The program is looked at once more (io/hook_program),
// by the user that it runs as.
result<launched_process> launch(const hooks::start_process& what);

}  // namespace vipd::io
