#pragma once

#include "agent/config/config.hpp"
#include "common/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vipd::io {

// The text of a configuration file. A file that is longer than a configuration may be is refused without being read whole.
result<std::string> read_config_file(const std::string& path);

struct loaded_file {
    std::shared_ptr<const config::configuration> configuration;
    std::vector<std::string> warnings;
};

// Read and checked. The error's text has a line for every finding, and is `malformed` then.
result<loaded_file> load_config_file(const std::string& path);

}  // namespace vipd::io
