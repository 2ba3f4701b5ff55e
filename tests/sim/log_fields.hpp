#pragma once

// What a record of the log says, as somebody reads it who has nothing else.

#include "common/log.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <variant>

namespace vipd::sim {

// Empty where there is no such field, or none of text.
inline std::string_view text_field(const log_record& record, std::string_view key)
{
    const auto found = std::ranges::find(record.fields, key, &log_field::key);
    const auto* text = found == record.fields.end() ? nullptr : std::get_if<std::string_view>(&found->value);
    return text == nullptr ? std::string_view{} : *text;
}

// Likewise 0.
inline std::int64_t number_field(const log_record& record, std::string_view key)
{
    const auto found = std::ranges::find(record.fields, key, &log_field::key);
    const auto* number = found == record.fields.end() ? nullptr : std::get_if<std::int64_t>(&found->value);
    return number == nullptr ? 0 : *number;
}

}  // namespace vipd::sim
