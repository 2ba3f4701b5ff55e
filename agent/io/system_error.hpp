#pragma once

#include "common/result.hpp"

#include <string>
#include <string_view>

#include <system_error>

namespace vipd::io {

// "opening /run/vipd/vipd.sock: Permission denied"
inline error system_error(error_class kind, std::string_view doing, int error_number)
{
    return {kind, std::string{doing} + ": " + std::system_category().message(error_number)};
}

}  // namespace vipd::io
