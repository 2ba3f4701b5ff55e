#include "agent/aws/ini.hpp"

#include "agent/aws/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace vipd::aws {

namespace {

bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

// Up to the first # or ; that follows white space.
std::string_view without_comment(std::string_view value)
{
    for (std::size_t i = 1; i < value.size(); ++i) {
        if ((value[i] == '#' || value[i] == ';') && is_space(value[i - 1])) {
            return trim(value.substr(0, i));
        }
    }
    return value;
}

// "profile  'my name'" -> "profile my name": runs of space become one and quotes go, as the CLI reads it.
std::string section_name(std::string_view header)
{
    std::string name;
    for (const char c : trim(header)) {
        if (is_space(c)) {
            if (!name.ends_with(' ')) {
                name.push_back(' ');
            }
        } else if (c != '"' && c != '\'') {
            name.push_back(c);
        }
    }
    return name;
}

error broken(std::string_view file, std::size_t line, std::string_view why)
{
    return {error_class::malformed, fmt::format("{}:{}: {}", file, line, why)};
}

class ini_parser {
public:
    explicit ini_parser(std::string_view file) : file_(file) {}

    result<ini_file> parse(std::string_view text)
    {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            ++line_;
            if (auto problem = take_line(text.substr(0, end))) {
                return std::move(*problem);
            }
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return std::move(sections_);
    }

private:
    std::optional<error> take_line(std::string_view line)
    {
        const bool indented = !line.empty() && is_space(line.front());
        const auto content = trim(line);
        if (content.empty() || content.front() == '#' || content.front() == ';') {
            return std::nullopt;
        }
        if (content.front() == '[' && !indented) {
            return take_section(content);
        }
        return take_property(content, indented);
    }

    std::optional<error> take_section(std::string_view content)
    {
        const auto close = content.find(']');
        const auto after = close == std::string_view::npos ? std::string_view{} : trim(content.substr(close + 1));
        if (close == std::string_view::npos || !(after.empty() || after.front() == '#' || after.front() == ';')) {
            return broken(file_, line_, "a section header must end with ]");
        }
        const auto name = section_name(content.substr(1, close - 1));
        if (name.empty()) {
            return broken(file_, line_, "a section needs a name, such as [default] or [profile web]");
        }
        section_ = &sections_[name];
        parent_.clear();
        return std::nullopt;
    }

    std::optional<error> take_property(std::string_view content, bool indented)
    {
        if (section_ == nullptr) {
            return broken(file_, line_, "there must be a section such as [default] before the first key");
        }
        const auto equals = content.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            // The second line of a value: legal, and never part of what vipd reads.
            return indented && !parent_.empty()
                       ? std::nullopt
                       : std::optional{broken(file_, line_, "expected KEY = VALUE, [section] or a comment")};
        }
        const auto key = to_lower(trim(content.substr(0, equals)));
        const auto value = without_comment(trim(content.substr(equals + 1)));
        if (indented && !parent_.empty()) {
            if ((*section_)[parent_].empty()) {
                (*section_)[parent_ + "." + key] = value;
            }
            return std::nullopt;
        }
        (*section_)[key] = value;
        parent_ = key;
        return std::nullopt;
    }

    std::string_view file_;
    std::size_t line_ = 0;
    ini_file sections_;
    ini_section* section_ = nullptr;
    std::string parent_;  // the last key without indentation
};

}  // namespace

result<ini_file> parse_ini(std::string_view text, std::string_view file)
{
    if (text.starts_with("\xef\xbb\xbf")) {
        text.remove_prefix(3);
    }
    return ini_parser{file}.parse(text);
}

std::string value_of(const ini_section& section, std::string_view key)
{
    const auto found = section.find(key);
    return found == section.end() ? std::string{} : found->second;
}

}  // namespace vipd::aws
