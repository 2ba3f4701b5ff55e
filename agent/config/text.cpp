#include "agent/config/text.hpp"

#include "common/control_characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace vipd::config {

namespace {

bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_alphanumeric(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

// Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

// How many bytes the character at the front has; 0 when it is none. The second byte's range rules out what is longer than
// needed, surrogates, and what is above U+10FFFF.
std::size_t character_size(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = at(0);
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (text.size() < size) {
        return 0;
    }
    const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at(1) < low || at(1) > high) {
        return 0;
    }
    for (std::size_t i = 2; i < size; ++i) {
        if (at(i) < 0x80 || at(i) > 0xbf) {
            return 0;
        }
    }
    return size;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text)
{
    for (std::size_t at = 0; at < text.size();) {
        const auto size = character_size(text.substr(at));
        if (size == 0) {
            return at;
        }
        at += size;
    }
    return std::string_view::npos;
}

std::string printable(std::string_view text, std::size_t size_max)
{
    std::string shown;
    const bool is_cut = text.size() > size_max;
    if (is_cut) {
        // Not in the middle of a character.
        std::size_t size = size_max;
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) {
            --size;
        }
        text = text.substr(0, size);
    }
    std::size_t of_control = 0;  // bytes that are left of a control character
    for (std::size_t i = 0; i < text.size(); ++i) {
        of_control = of_control > 0 ? of_control : control_character_size(text.substr(i));
        if (of_control > 0) {
            --of_control;
            fmt::format_to(std::back_inserter(shown), "\\x{:02x}", static_cast<unsigned char>(text[i]));
        } else {
            shown.push_back(text[i]);
        }
    }
    return is_cut ? shown + "..." : shown;
}

std::string in_quotes(std::string_view text)
{
    return "\"" + printable(text) + "\"";
}

std::string join_with_or(std::span<const std::string> items)
{
    std::string joined;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) {
            joined += i + 1 == items.size() ? " or " : ", ";
        }
        joined += items[i];
    }
    return joined;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates)
{
    if (word.size() > 64) {
        return {};
    }
    std::string_view best;
    // A third of the letters may be wrong; one always may.
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto candidate : candidates) {
        const auto distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

bool has_no_control_character(std::string_view text)
{
    return !has_control_character(text);
}

bool is_router_name(std::string_view text)
{
    return !text.empty() && text.size() <= 64 && text.find_first_not_of('.') != std::string_view::npos &&
           std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_interface_name(std::string_view text)
{
    constexpr auto is_allowed = [](char c) { return c != '/' && c != ':' && c != ' '; };
    return !text.empty() && text.size() <= 15 && text != "." && text != ".." && has_no_control_character(text) &&
           std::ranges::all_of(text, is_allowed);
}

bool is_aws_id(std::string_view text, std::string_view prefix)
{
    constexpr auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return text.size() >= 8 && text.size() <= 17 && std::ranges::all_of(text, is_hex);
}

bool is_region(std::string_view text)
{
    return !text.empty() && text.size() <= 64 &&
           std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_process_name(std::string_view text)
{
    return !text.empty() && text.size() <= 15 && has_no_control_character(text);
}

bool is_host_header(std::string_view text)
{
    constexpr auto is_allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || is_lower_or_digit(c) || std::string_view{".-_:[]"}.find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, is_allowed);
}

bool is_absolute_path(std::string_view text)
{
    return text.starts_with('/') && has_no_control_character(text);
}

}  // namespace vipd::config
