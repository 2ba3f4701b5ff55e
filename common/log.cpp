#include "common/log.hpp"

#include "common/control_characters.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd {

namespace {

constexpr std::size_t line_size_max = 2000;

bool needs_quotes(std::string_view text)
{
    return text.empty() || has_control_character(text) ||
           std::ranges::any_of(text, [](char c) { return c == ' ' || c == '"' || c == '\\' || c == '='; });
}

void append_quoted(std::string& line, std::string_view text)
{
    line.push_back('"');
    std::size_t of_control = 0;  // bytes that are left of a control character
    for (std::size_t i = 0; i < text.size(); ++i) {
        of_control = of_control > 0 ? of_control : control_character_size(text.substr(i));
        const char c = text[i];
        if (of_control > 0) {
            --of_control;
            fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
        } else if (c == '"' || c == '\\') {
            line.push_back('\\');
            line.push_back(c);
        } else {
            line.push_back(c);
        }
    }
    line.push_back('"');
}

void append_value(std::string& line, const log_field& field)
{
    std::visit(overloaded{
                   [&](std::string_view text) {
                       const auto bounded = text.substr(0, line_size_max);
                       if (needs_quotes(bounded)) {
                           append_quoted(line, bounded);
                       } else {
                           line.append(bounded);
                       }
                   },
                   [&](std::int64_t number) { fmt::format_to(std::back_inserter(line), "{}", number); },
                   [&](double number) { fmt::format_to(std::back_inserter(line), "{:.3f}", number); },
                   [&](bool truth) { line.append(truth ? "true" : "false"); },
               },
               field.value);
}

}  // namespace

std::string_view to_string(log_level level)
{
    switch (level) {
        case log_level::debug:
            return "debug";
        case log_level::info:
            return "info";
        case log_level::warning:
            return "warning";
        case log_level::error:
            return "error";
    }
    return "unknown";
}

std::string format_log_line(const log_record& record)
{
    std::string line;
    line.reserve(256);
    line.append("event=").append(record.event);
    for (const auto& field : record.fields) {
        line.push_back(' ');
        line.append(field.key).push_back('=');
        append_value(line, field);
        if (line.size() > line_size_max) {
            line.resize(line_size_max);
            line.append("...");
            break;
        }
    }
    return line;
}

}  // namespace vipd
