#include "agent/status/text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vipd::status {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_continuation(std::string_view text, std::size_t i)
{
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
}

// The length of the well-formed sequence at `i` (table 3-7 of the Unicode Standard), or 0.
std::size_t sequence_length(std::string_view text, std::size_t i)
{
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
        return 1;
    }
    const unsigned second = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (first >= 0xC2 && first <= 0xDF) {
        return is_continuation(text, i + 1) ? 2 : 0;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        const bool overlong = first == 0xE0 && second < 0xA0;
        const bool surrogate = first == 0xED && second > 0x9F;
        return !overlong && !surrogate && is_continuation(text, i + 1) && is_continuation(text, i + 2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool overlong = first == 0xF0 && second < 0x90;
        const bool too_high = first == 0xF4 && second > 0x8F;
        const bool continued = is_continuation(text, i + 1) && is_continuation(text, i + 2) && is_continuation(text, i + 3);
        return !overlong && !too_high && continued ? 4 : 0;
    }
    return 0;
}

// Of a well-formed sequence of three bytes.
std::uint32_t code_point_of_three(std::string_view s)
{
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(s[i])); };
    return ((byte(0) & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
}

bool is_control_or_reordering(std::string_view sequence)
{
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) {
        return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
    }
    if (sequence.size() == 2) {
        return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;  // C1 controls
    }
    if (sequence.size() == 3) {
        const std::uint32_t point = code_point_of_three(sequence);
        return (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    }
    return false;
}

}  // namespace

std::string valid_utf8(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(text, i);
        if (length == 0) {
            out += replacement;
            ++i;
        } else {
            out += text.substr(i, length);
            i += length;
        }
    }
    return out;
}

void append_html(std::string& out, std::string_view text)
{
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(text, i);
        if (length == 0 || is_control_or_reordering(text.substr(i, length))) {
            out += replacement;
            i += length == 0 ? 1 : length;
            continue;
        }
        switch (text[i]) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += text.substr(i, length);
        }
        i += length;
    }
}

std::string html(std::string_view text)
{
    std::string out;
    append_html(out, text);
    return out;
}

std::string percent_encode(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        if (letter || digit || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string human_duration(duration d)
{
    using namespace std::chrono;
    if (d < duration::zero()) {
        // The most negative value has no opposite; one nanosecond does not matter here.
        return "-" + human_duration(d == duration::min() ? duration::max() : -d);
    }
    if (d < 10ms) {
        return fmt::format("{:.3g} ms", to_milliseconds(d));
    }
    if (d < 1s) {
        return fmt::format("{} ms", duration_cast<milliseconds>(d).count());
    }
    if (d < 1min) {
        // Cut, never rounded up: 59.96 s must not be shown as "60.0 s".
        const auto tenths = duration_cast<milliseconds>(d).count() / 100;
        return fmt::format("{}.{} s", tenths / 10, tenths % 10);
    }
    const auto whole_seconds = duration_cast<seconds>(d).count();
    if (d < 1h) {
        return fmt::format("{} min {} s", whole_seconds / 60, whole_seconds % 60);
    }
    if (d < 24h) {
        return fmt::format("{} h {} min", whole_seconds / 3600, whole_seconds / 60 % 60);
    }
    return fmt::format("{} d {} h", whole_seconds / 86400, whole_seconds / 3600 % 24);
}

std::string format_utc(wall_time at)
{
    using namespace std::chrono;
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const auto time = duration_cast<microseconds>(at - day).count();
    const auto whole_seconds = time / 1'000'000;
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), whole_seconds / 3600,
                       whole_seconds / 60 % 60, whole_seconds % 60, time % 1'000'000);
}

}  // namespace vipd::status
