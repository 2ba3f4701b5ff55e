#pragma once

// TOML text to a checked configuration, or every reason why not.

#include "agent/config/config.hpp"
#include "common/result.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::config {

// One thing that is wrong (or, among warnings, unwise), where, and what is allowed instead.
struct finding {
    std::size_t line = 0;    // from 1; 0 when it has no place
    std::size_t column = 0;  // from 1
    std::string key;         // "router[0].advert_interval"
    std::string text;        // "found 0 ms; allowed are 10 ms to 40950 ms"
};

// "vipd.toml:12:19: router[0].advert_interval: found ..."
std::string to_string(const finding& f, std::string_view file);

struct loaded {
    configuration value;
    std::vector<finding> warnings;
};

// What a file names and this machine has. Each error goes on after the name; what is not given cannot be had.
struct surroundings {
    std::function<result<vrrp::hmac_secret>(const std::string& path)> read_key;
    std::function<result<account>(const std::string& user)> find_account;
    // Whether a program may be run as that user, or as vipd's own. An error of class not_found is a warning only: the program
    // may be there when it is needed, and a node that does not start for the lack of a hook protects nobody.
    std::function<result<void>(const std::string& path, const std::optional<account>& user)> check_program;
};

// Never throws; reports all errors in the order of the file.
std::variant<loaded, std::vector<finding>> load(std::string_view text, std::string_view file_name,
                                                const surroundings& machine = {});

}  // namespace vipd::config
