#pragma once

#include <functional>
#include <map>
#include <string>

namespace vipd::cloud {

using tag_map = std::map<std::string, std::string, std::less<>>;

}  // namespace vipd::cloud
