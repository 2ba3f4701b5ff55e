#include "agent/status/target.hpp"

#include "agent/status/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace vipd::status {

namespace {

std::optional<unsigned> hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<unsigned>(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return static_cast<unsigned>(c - 'A') + 10;
    }
    return std::nullopt;
}

error bad(std::string text)
{
    return {error_class::malformed, std::move(text)};
}

result<std::string> decode(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
        const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
        if (!high || !low) {
            return bad("the target has a '%' that is not followed by two hexadecimal digits; a '%' itself is written %25");
        }
        const unsigned byte = *high * 16 + *low;
        if (byte < 0x20 || byte == 0x7F) {
            return bad(fmt::format("the target has an encoded control character (%{:02X}); no name here has one", byte));
        }
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

// The pieces between separators; one more than there are separators.
std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> out;
    for (;;) {
        const auto at = text.find(separator);
        out.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return out;
        }
        text.remove_prefix(at + 1);
    }
}

// "http://host:port/path" -> "/path"
std::string_view without_authority(std::string_view text)
{
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (text.starts_with(scheme)) {
            const auto end = text.find_first_of("/?", scheme.size());
            const auto rest = end == std::string_view::npos ? std::string_view{} : text.substr(end);
            return rest.empty() ? std::string_view{"/"} : rest;
        }
    }
    return text;
}

result<void> append_query(std::string_view text, request_target& out)
{
    for (const auto item : split(text, '&')) {
        if (item.empty()) {
            continue;
        }
        const auto equals = item.find('=');
        auto name = decode(item.substr(0, equals));
        if (!name) {
            return name.error();
        }
        auto value = decode(equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1));
        if (!value) {
            return value.error();
        }
        out.query.emplace_back(std::move(*name), std::move(*value));
    }
    return {};
}

}  // namespace

std::string_view request_target::parameter(std::string_view name) const
{
    const auto found = std::find_if(query.begin(), query.end(), [&](const auto& item) { return item.first == name; });
    return found == query.end() ? std::string_view{} : std::string_view{found->second};
}

bool request_target::has_parameter(std::string_view name) const
{
    return std::any_of(query.begin(), query.end(), [&](const auto& item) { return item.first == name; });
}

result<request_target> parse_target(std::string_view text)
{
    if (text.size() > target_size_max) {
        return error{error_class::too_large,
                     fmt::format("the target has {} bytes; at most {} are allowed", text.size(), target_size_max)};
    }
    for (const char c : text) {
        if (c <= 0x20 || c >= 0x7F) {
            return bad("the target has a byte that is not printable ASCII; it is written as % and two hexadecimal digits");
        }
        if (c == '#') {
            return bad("the target has a fragment ('#'), which no client sends; a '#' in a name is written %23");
        }
    }
    text = without_authority(text);
    const auto question = text.find('?');
    const auto path = text.substr(0, question);
    if (!path.starts_with('/') && !(path.empty() && question == 0)) {
        return bad("the target does not begin with '/'");
    }
    request_target out;
    for (const auto segment : split(path.empty() ? path : path.substr(1), '/')) {
        auto decoded = decode(segment);
        if (!decoded) {
            return decoded.error();
        }
        if (*decoded == "." || *decoded == "..") {
            return bad("the target has a segment \".\" or \"..\"");
        }
        out.path.push_back(std::move(*decoded));
    }
    if (question != std::string_view::npos) {
        if (auto appended = append_query(text.substr(question + 1), out); !appended) {
            return appended.error();
        }
    }
    return out;
}

}  // namespace vipd::status
