#include "agent/io/log_line.hpp"

#include "agent/status/text.hpp"
#include "common/overloaded.hpp"

#include <boost/json.hpp>

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
    return boost::json::serialize(object);
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
