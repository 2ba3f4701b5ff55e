#include "agent/cli/json_view.hpp"

#include "agent/config/text.hpp"

namespace vipd::cli {

const boost::json::value* member(const boost::json::value& at, std::string_view name)
{
    const auto* const object = at.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text_of(const boost::json::value& at, std::string_view name)
{
    const auto* const found = member(at, name);
    const auto* const text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string() : config::printable({text->data(), text->size()}, 500);
}

std::optional<double> number_of(const boost::json::value& at, std::string_view name)
{
    const auto* const found = member(at, name);
    if (found == nullptr || !found->is_number()) {
        return std::nullopt;
    }
    return found->to_number<double>();
}

bool truth_of(const boost::json::value& at, std::string_view name)
{
    const auto* const found = member(at, name);
    return found != nullptr && found->is_bool() && found->get_bool();
}

const boost::json::array& list_of(const boost::json::value& at, std::string_view name)
{
    static const boost::json::array nothing;
    const auto* const found = member(at, name);
    const auto* const list = found == nullptr ? nullptr : found->if_array();
    return list == nullptr ? nothing : *list;
}

std::string or_dash(std::string text)
{
    return text.empty() ? "-" : std::move(text);
}

}  // namespace vipd::cli
