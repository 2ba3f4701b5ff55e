#include "tests/sim/history.hpp"

#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <bit>

namespace vipd::sim {

void history::add(time_point at, std::string_view who, const log_record& record)
{
    mix(record.event);
    for (const auto& field : record.fields) {
        std::visit(overloaded{[&](std::string_view text) { mix(text); },
                              [&](double value) { mix(std::bit_cast<std::uint64_t>(value)); },
                              [&](std::int64_t value) { mix(static_cast<std::uint64_t>(value)); },
                              [&](bool value) { mix(static_cast<std::uint64_t>(value)); }},
                   field.value);
    }
    add(at, who, [&] { return fmt::format("{} {}", to_string(record.level), format_log_line(record)); });
}

void history::tell(time_point at, std::string_view who, const std::string& text)
{
    tell_(fmt::format("{:12.6f} {:<8} {}", to_seconds(at - start_), who, text));
}

}  // namespace vipd::sim
