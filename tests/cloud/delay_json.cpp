#include "tests/cloud/delay_json.hpp"

namespace vipd::cloud {

duration from_ms(double milliseconds)
{
    return std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>(milliseconds));
}

delay read_delay(json_reader& reader, std::string_view key)
{
    const auto* value = reader.raw(key);
    if (value == nullptr || value->is_number()) {
        return delay::fixed(from_ms(reader.number(key, 0)));
    }
    json_reader parts(*value, reader.place() + "." + std::string(key));
    const auto low = parts.number("low", 0);
    const delay out{from_ms(low), from_ms(parts.number("high", low)), from_ms(parts.number("mean", 0))};
    parts.finish();
    if (const auto problem = parts.problem()) {
        reader.fail(key, problem->text);
    }
    return out;
}

}  // namespace vipd::cloud
