#include "common/duration_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace vipd {

namespace {

struct unit {
    std::string_view name;
    std::uint64_t nanoseconds;
};

// Ascending; format_duration() counts on it.
constexpr std::array<unit, 6> units{{
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};
constexpr const unit& second = units[3];
constexpr const unit& minute = units[4];
constexpr const unit& hour = units[5];

constexpr auto value_max = static_cast<std::uint64_t>(duration_text_max.count());

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& rest)
{
    const auto end = std::ranges::find_if_not(rest, is_digit);
    const auto digits = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    rest.remove_prefix(digits.size());
    return digits;
}

error malformed(std::string_view text, std::string_view why)
{
    return {error_class::malformed,
            "'" + std::string(text.substr(0, 64)) + "' is not a duration: " + std::string(why) +
                "; allowed is a number with the unit ns, us, ms, s, m or h and no space, such as 200ms, "
                "1.5s or 1h"};
}

error too_long(std::string_view text)
{
    return {error_class::out_of_range, "'" + std::string(text.substr(0, 64)) + "' is too long; the longest duration is " +
                                           format_duration(duration_text_max)};
}

// "500" behind the point of seconds is 500,000,000; the digits end where the nanoseconds do.
result<std::uint64_t> parse_fraction(std::string_view text, std::string_view digits, std::uint64_t unit_nanoseconds)
{
    std::uint64_t nanoseconds = 0;
    std::uint64_t place = unit_nanoseconds;
    for (const char digit : digits) {
        if (digit == '0') {
            place /= 10;
            continue;
        }
        if (place == 0 || place % 10 != 0) {
            return malformed(text, "it is not a whole number of nanoseconds");
        }
        place /= 10;
        nanoseconds += static_cast<std::uint64_t>(digit - '0') * place;
    }
    return nanoseconds;
}

}  // namespace

result<duration> parse_duration(std::string_view text)
{
    auto rest = text;
    const auto whole = take_digits(rest);
    if (whole.empty()) {
        return malformed(text, "it does not start with a digit");
    }
    std::string_view fraction;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        fraction = take_digits(rest);
        if (fraction.empty()) {
            return malformed(text, "there is no digit behind the point");
        }
    }
    if (rest.empty()) {
        return malformed(text, "it has no unit");
    }
    const auto* const u = std::ranges::find(units, rest, &unit::name);
    if (u == units.end()) {
        return malformed(text, "'" + std::string(rest.substr(0, 16)) + "' is not a unit");
    }

    std::uint64_t count = 0;
    for (const char digit : whole) {
        count = count * 10 + static_cast<std::uint64_t>(digit - '0');
        if (count > value_max / u->nanoseconds) {
            return too_long(text);
        }
    }
    const auto behind_point = parse_fraction(text, fraction, u->nanoseconds);
    if (!behind_point) {
        return behind_point.error();
    }
    const std::uint64_t nanoseconds = count * u->nanoseconds + *behind_point;
    if (nanoseconds > value_max) {
        return too_long(text);
    }
    return duration{static_cast<duration::rep>(nanoseconds)};
}

std::string format_duration(duration d)
{
    const bool is_negative = d < duration::zero();
    const auto count = static_cast<std::uint64_t>(d.count());
    const std::uint64_t nanoseconds = is_negative ? std::uint64_t{0} - count : count;

    const unit* u = &second;
    if (nanoseconds == 0) {
        u = &second;
    } else if (nanoseconds % hour.nanoseconds == 0) {
        u = &hour;
    } else if (nanoseconds % minute.nanoseconds == 0) {
        u = &minute;
    } else {
        while (u->nanoseconds > nanoseconds) {
            --u;
        }
    }

    std::string text = is_negative ? "-" : "";
    text += std::to_string(nanoseconds / u->nanoseconds);
    std::uint64_t rest = nanoseconds % u->nanoseconds;
    if (rest != 0) {
        text.push_back('.');
        for (std::uint64_t place = u->nanoseconds / 10; rest != 0; place /= 10) {
            text.push_back(static_cast<char>('0' + rest / place));
            rest %= place;
        }
    }
    return text.append(u->name);
}

}  // namespace vipd
