#pragma once

#include "common/result.hpp"

#include <string>

namespace vipd::io {

// The text of a configuration file. A file that is longer than a configuration may be is refused without being read whole.
result<std::string> read_config_file(const std::string& path);

}  // namespace vipd::io
