#include "tests/cloud/query_form.hpp"

#include <algorithm>
#include <charconv>

namespace vipd::cloud {

namespace {

std::optional<unsigned> parse_number(std::string_view digits)
{
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return failure == std::errc{} && end == digits.data() + digits.size() ? std::optional{value} : std::nullopt;
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string percent_decode(std::string_view text)
{
    const auto is_plain = [](char c) { return c != '%' && c != '+'; };
    if (std::ranges::all_of(text, is_plain)) {
        return std::string(text);
    }
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

query_form::query_form(std::string_view encoded)
{
    while (!encoded.empty()) {
        const auto field = encoded.substr(0, encoded.find('&'));
        encoded.remove_prefix(std::min(encoded.size(), field.size() + 1));
        if (field.empty()) {
            continue;
        }
        const auto equals = field.find('=');
        fields_.emplace_back(percent_decode(field.substr(0, equals)),
                             equals == std::string_view::npos ? std::string{} : percent_decode(field.substr(equals + 1)));
    }
}

std::optional<std::string> query_form::text(std::string_view name)
{
    const auto found = std::ranges::find(fields_, name, &std::pair<std::string, std::string>::first);
    if (found == fields_.end()) {
        return std::nullopt;
    }
    read_.insert(found->first);
    return found->second;
}

api_result<std::optional<bool>> query_form::boolean(std::string_view name)
{
    const auto value = text(name);
    if (!value) {
        return std::optional<bool>{};
    }
    if (*value == "true" || *value == "false") {
        return std::optional{*value == "true"};
    }
    return api_error{"InvalidParameterValue", "Invalid value '" + *value + "' for " + std::string(name)};
}

std::map<unsigned, std::size_t> query_form::numbered(std::string_view name) const
{
    std::map<unsigned, std::size_t> places;
    for (std::size_t place = 0; place < fields_.size(); ++place) {
        const std::string_view key = fields_[place].first;
        if (key.size() > name.size() + 1 && key.starts_with(name) && key[name.size()] == '.') {
            if (const auto number = parse_number(key.substr(name.size() + 1))) {
                places[*number] = place;
            }
        }
    }
    return places;
}

std::vector<std::string> query_form::list(std::string_view name)
{
    std::vector<std::string> values;
    for (const auto& [number, place] : numbered(name)) {
        read_.insert(fields_[place].first);
        values.push_back(fields_[place].second);
    }
    return values;
}

std::vector<std::string> query_form::peek_list(std::string_view name) const
{
    std::vector<std::string> values;
    for (const auto& [number, place] : numbered(name)) {
        values.push_back(fields_[place].second);
    }
    return values;
}

std::vector<query_form::filter> query_form::filters()
{
    std::map<unsigned, filter> numbered;
    for (const auto& [key, value] : fields_) {
        constexpr std::string_view prefix = "Filter.";
        constexpr std::string_view suffix = ".Name";
        if (key.starts_with(prefix) && key.ends_with(suffix) && key.size() > prefix.size() + suffix.size()) {
            const auto digits = std::string_view(key).substr(prefix.size(), key.size() - prefix.size() - suffix.size());
            if (const auto number = parse_number(digits)) {
                numbered[*number] = {value, list(std::string(prefix) + std::string(digits) + ".Value")};
                read_.insert(key);
            }
        }
    }
    std::vector<filter> found;
    for (auto& [number, one] : numbered) {
        found.push_back(std::move(one));
    }
    return found;
}

std::optional<std::string> query_form::unknown_parameter() const
{
    const auto found = std::ranges::find_if(fields_, [&](const auto& field) { return !read_.contains(field.first); });
    return found == fields_.end() ? std::nullopt : std::optional{found->first};
}

std::string query_form::peek(std::string_view name) const
{
    const auto found = std::ranges::find(fields_, name, &std::pair<std::string, std::string>::first);
    return found == fields_.end() ? std::string{} : found->second;
}

}  // namespace vipd::cloud
