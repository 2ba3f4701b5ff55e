#pragma once

// What `vipd --help` and `vipd COMMAND --help` say.

#include <span>
#include <string>
#include <string_view>

namespace vipd::cli {

struct command_help {
    std::string_view name;
    std::string_view summary;   // one line, in the list of commands
    std::string_view examples;  // behind the options: lines of "  $ ..." and what they do
};

// In the order of the list.
std::span<const command_help> commands();

// The name exists.
const command_help& help_of(std::string_view name);

// What to say when `word` is no command; empty when it is one.
std::string unknown_command(std::string_view word);

std::string_view overview();

// Behind the list of commands.
std::string_view overview_examples();

// "vipd 0.1.0 (g++ 12.2.0, Boost 1.81, OpenSSL 3.0.15)"
std::string version_text();

inline constexpr std::string_view default_config_file = "/etc/vipd/vipd.toml";

}  // namespace vipd::cli
