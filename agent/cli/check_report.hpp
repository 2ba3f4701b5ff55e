#pragma once

#include "agent/cli/printed.hpp"
#include "agent/config/load.hpp"

#include <string_view>
#include <variant>
#include <vector>

namespace vipd::cli {

// `vipd check`: every finding on a line of its own that editors understand ("vipd.toml:12:8: error: ..."), or one line that
// says what the file holds.
printed check_report(std::string_view text, std::string_view file);
// The same of what loading the file has given.
printed check_report(const std::variant<config::loaded, std::vector<config::finding>>& checked, std::string_view file);

}  // namespace vipd::cli
