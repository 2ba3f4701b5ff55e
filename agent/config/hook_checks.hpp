#pragma once

// What is wrong with [router.hooks], and with any program that vipd is to run.

#include "agent/config/entry.hpp"

#include <optional>
#include <string>

namespace vipd::config {

// The user that key `user` of the table at `s` names.
bool find_user(reading& r, const spot& s, const std::string& name, std::optional<account>& out);

// Whether others could change the program of a command. One that is not there is a warning.
void check_program(reading& r, std::size_t offset, const std::string& path, const command& c,
                   const std::optional<account>& user);

void check_hooks(reading& r, const entry<router>& e);

}  // namespace vipd::config
