#pragma once

// The dialect of INI in which AWS's two shared files are written: comments start with # or ; (also after a value and white
// space), and indented lines below a key without a value are properties of that key.
// [AWS SDKs and Tools Reference Guide, "Shared config and credentials files"]

#include "common/result.hpp"

#include <map>
#include <string>
#include <string_view>

namespace vipd::aws {

// Section header as written, without brackets ("profile web") -> key ("region", "ec2.endpoint_url") -> value. Keys are
// lower-case. What is said twice is merged, and the later one wins.
using ini_section = std::map<std::string, std::string, std::less<>>;
using ini_file = std::map<std::string, ini_section, std::less<>>;

// `file` names it in errors, with the line.
result<ini_file> parse_ini(std::string_view text, std::string_view file);

// Empty when the key is not there.
std::string value_of(const ini_section& section, std::string_view key);

}  // namespace vipd::aws
