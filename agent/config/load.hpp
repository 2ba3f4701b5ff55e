#pragma once

// TOML text to a checked configuration, or every reason why not.

#include "agent/config/config.hpp"
#include "common/result.hpp"

#include <functional>
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

// Fetches a key that the configuration names; the error says what is wrong with its file.
using key_reader = std::function<result<vrrp::hmac_secret>(const std::string& path)>;

// Never throws; reports all errors in the order of the file.
std::variant<loaded, std::vector<finding>> load(std::string_view text, std::string_view file_name,
                                                const key_reader& read_key = {});

}  // namespace vipd::config
