#pragma once

#include "common/log.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::test {

// Keeps every line, so that a test can say what an operator would have read.
class recording_log : public log_sink {
public:
    void write(const log_record& record) override
    {
        lines.push_back(std::string(to_string(record.level)) + " " + format_log_line(record));
    }

    // Lines that contain every one of the given pieces.
    [[nodiscard]] std::size_t count(std::initializer_list<std::string_view> pieces) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(lines, [&](const std::string& line) {
            return std::ranges::all_of(pieces, [&](std::string_view p) { return line.find(p) != std::string::npos; });
        }));
    }

    std::vector<std::string> lines;
};

}  // namespace vipd::test
