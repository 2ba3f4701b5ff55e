#include "agent/aws/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace vipd::aws {

namespace {

result<boost::json::value> parse_json(std::string_view text, std::string_view what)
{
    boost::json::parse_options options;
    options.max_depth = 16;
    boost::json::error_code problem;
    auto value = boost::json::parse({text.data(), text.size()}, problem, {}, options);
    if (problem) {
        return error{error_class::malformed, fmt::format("{} is no JSON: {}", what, problem.message())};
    }
    return value;
}

}  // namespace

result<boost::json::object> parse_json_object(std::string_view text, std::string_view what)
{
    auto value = parse_json(text, what);
    if (!value) {
        return value.error();
    }
    if (!value->is_object()) {
        return error{error_class::malformed, fmt::format("{} is JSON, but no object", what)};
    }
    return std::move(value->as_object());
}

result<boost::json::array> parse_json_array(std::string_view text, std::string_view what)
{
    auto value = parse_json(text, what);
    if (!value) {
        return value.error();
    }
    if (!value->is_array()) {
        return error{error_class::malformed, fmt::format("{} is JSON, but no array", what)};
    }
    return std::move(value->as_array());
}

std::string_view json_text(const boost::json::object& object, std::string_view key)
{
    const auto* const value = object.if_contains({key.data(), key.size()});
    const auto* const text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string_view{} : std::string_view{text->data(), text->size()};
}

}  // namespace vipd::aws
