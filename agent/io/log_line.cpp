#include "agent/io/log_line.hpp"

#include "agent/status/text.hpp"
#include "common/control_characters.hpp"
#include "common/overloaded.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace vipd::io {

namespace {

// syslog(3): LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG.
char priority(log_level level)
{
    switch (level) {
        case log_level::error:
            return '3';
        case log_level::warning:
            return '4';
        case log_level::info:
            return '6';
        case log_level::debug:
            return '7';
    }
    return '6';
}

// JSON allows the control characters from U+0080 on as they are; whoever reads lines in a terminal does not.
std::string without_c1(const std::string& json)
{
    std::string text;
    for (std::size_t i = 0; i < json.size(); ++i) {
        if (control_character_size(std::string_view{json}.substr(i)) == 2) {
            ++i;
            fmt::format_to(std::back_inserter(text), "\\u{:04x}", static_cast<unsigned char>(json[i]));
        } else {
            text.push_back(json[i]);
        }
    }
    return text;
}

std::string json_text(const log_record& record, wall_time at)
{
    boost::json::object object;
    object["time"] = status::format_utc(at);
    object["level"] = to_string(record.level);
    object["event"] = record.event;
    for (const auto& field : record.fields) {
        std::visit(overloaded{
                       [&](std::string_view text) { object[field.key] = status::valid_utf8(text); },
                       [&](const auto& value) { object[field.key] = value; },
                   },
                   field.value);
    }
    return without_c1(boost::json::serialize(object));
}

}  // namespace

std::string log_line(const log_record& record, wall_time at, const log_line_style& style)
{
    std::string line;
    if (style.for_journal) {
        line.append("<").append(1, priority(record.level)).append(">");
    }
    if (style.format == config::log_format::json) {
        line.append(json_text(record, at));
    } else {
        if (!style.for_journal) {
            line.append(status::format_utc(at)).append(" ");
        }
        line.append("level=").append(to_string(record.level)).append(" ").append(format_log_line(record));
    }
    line.push_back('\n');
    return line;
}

}  // namespace vipd::io
