#pragma once

// Which programs may be run for [router.hooks], and as whom. The error's text goes on after the name.

#include "agent/config/hooks.hpp"
#include "agent/config/load.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>

namespace vipd::io {

// A user with all its groups. Asks the system's databases, which may be on the network: when a configuration is read, never
// when a program is started.
result<config::account> find_account(const std::string& user);

// Whether nobody but root and the user it runs as (none: vipd's own) can change the program, by itself or by the folders that
// lead to it: whoever could would have that user's rights. Of class not_found when it is not there, or is no program.
result<void> check_program(const std::string& path, const std::optional<config::account>& user);

// What a configuration is read with on this machine.
config::surroundings this_machine();

}  // namespace vipd::io
