#pragma once

// What a program writes, as lines of the log. Whoever writes more than is reasonable is cut short: its line, and then itself.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vipd::hooks {

class output_lines {
public:
    static constexpr std::size_t line_bytes_max = 1000;
    static constexpr std::uint64_t lines_max = 100;  // of one run

    // Calls line(text) for each line that has ended and may be told; empty ones are passed over.
    template <class Line>
    void take(std::string_view bytes, Line&& line)
    {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            keep(bytes.substr(0, end));
            if (end == std::string_view::npos) {
                return;
            }
            if (has_begun_) {
                finish(line);
            }
            bytes.remove_prefix(end + 1);
        }
    }

    // The last one may lack its end.
    template <class Line>
    void end(Line&& line)
    {
        if (has_begun_) {
            finish(line);
        }
    }

    [[nodiscard]] std::uint64_t told() const { return told_; }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    void keep(std::string_view bytes)
    {
        has_begun_ = has_begun_ || !bytes.empty();
        if (told_ < lines_max) {
            partial_.append(bytes.substr(0, line_bytes_max - partial_.size()));
        }
    }

    template <class Line>
    void finish(Line&& line)
    {
        if (told_ < lines_max) {
            ++told_;
            line(std::string_view{partial_});
        } else {
            ++dropped_;
        }
        partial_.clear();
        has_begun_ = false;
    }

    std::string partial_;
    bool has_begun_ = false;
    std::uint64_t told_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace vipd::hooks
