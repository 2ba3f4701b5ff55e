#pragma once

// What filters.cpp and its neighbours share: a table of what each filter looks at, and how a list of filters is held against
// it.

#include "tests/cloud/filters.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

using filter_values = std::vector<std::string>;

// What a filter looks at: the object's values of that name. An object without any does not match.
template <class T>
using field_table = std::map<std::string, std::function<filter_values(const T&, const replica&)>, std::less<>>;

std::string yes_or_no(bool value);
bool any_matches(const filter_values& found, const filter_values& patterns);
// "tag:KEY" and "tag-key", which nearly all objects have; nothing for other names.
std::optional<filter_values> tag_values(std::string_view name, const tag_map& tags);
std::string zone_of(const subnet_id& id, const replica& from);

// The values of the items that have one.
template <class Items, class F>
filter_values collect(const Items& items, F value_of)
{
    filter_values found;
    for (const auto& item : items) {
        if (std::string value = value_of(item); !value.empty()) {
            found.push_back(std::move(value));
        }
    }
    return found;
}

template <class Items>
filter_values texts_of(const Items& items)
{
    return collect(items, [](const auto& item) { return item.to_string(); });
}

template <class T>
api_result<bool> match_all(const std::vector<filter>& filters, const field_table<T>& fields, const T& object,
                           const replica& from)
{
    bool all = true;
    for (const auto& [name, patterns] : filters) {
        std::optional<filter_values> found;
        if constexpr (requires { object.tags; }) {
            found = tag_values(name, object.tags);
        }
        if (!found) {
            const auto field = fields.find(name);
            if (field == fields.end()) {
                return api_error{"InvalidParameterValue", "The filter '" + name + "' is invalid"};
            }
            found = field->second(object, from);
        }
        all = all && any_matches(*found, patterns);
    }
    return all;
}

}  // namespace vipd::cloud
