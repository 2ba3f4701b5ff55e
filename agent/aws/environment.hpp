#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vipd::aws {

// The AWS_* variables of the process as they were at the start, and HOME; handed in by the shell, because the core reads no
// environment.
struct environment {
    std::map<std::string, std::string, std::less<>> variables;

    // Absent and empty are the same, as in AWS's own tools.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const
    {
        const auto found = variables.find(name);
        return found == variables.end() || found->second.empty() ? std::nullopt
                                                                 : std::optional<std::string_view>{found->second};
    }
};

}  // namespace vipd::aws
