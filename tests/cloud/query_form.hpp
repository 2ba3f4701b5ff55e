#pragma once

// The ec2Query form of a request: "Action=X&Filter.1.Name=...&Filter.1.Value.1=...". Lists are flattened and numbered from 1.

#include "tests/cloud/api_error.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::cloud {

// Decodes %XX and '+'; a broken escape is kept as it is.
std::string percent_decode(std::string_view text);

class query_form {
public:
    explicit query_form(std::string_view encoded);

    // Each reader marks what it has read, so that unknown_parameter() can name what nobody understands.
    std::optional<std::string> text(std::string_view name);
    api_result<std::optional<bool>> boolean(std::string_view name);
    // The values of Name.1, Name.2, ... in the order of their numbers; gaps are allowed, as in EC2.
    std::vector<std::string> list(std::string_view name);
    // "Filter.N.Name" and "Filter.N.Value.M".
    struct filter {
        std::string name;
        std::vector<std::string> values;
    };
    std::vector<filter> filters();

    [[nodiscard]] std::optional<std::string> unknown_parameter() const;

    // Without marking; for logs.
    [[nodiscard]] std::string peek(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> peek_list(std::string_view name) const;

private:
    // By their numbers: where in fields_ they are.
    [[nodiscard]] std::map<unsigned, std::size_t> numbered(std::string_view name) const;

    std::vector<std::pair<std::string, std::string>> fields_;
    std::set<std::string, std::less<>> read_;
};

}  // namespace vipd::cloud
