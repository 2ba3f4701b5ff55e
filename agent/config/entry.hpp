#pragma once

// What the checks look at: a struct beside the table of the file that it was read from.

#include "agent/config/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::config {

// One table of the file and what was read from it.
template <class Section>
struct entry {
    const Section& value;
    const node& at;
    std::string path;

    [[nodiscard]] const node* key(std::string_view name) const
    {
        const auto* const members = at.as_table();
        return members == nullptr ? nullptr : find(*members, name);
    }
    // Where the value is, or where it is missing.
    [[nodiscard]] std::size_t where(std::string_view name) const
    {
        const auto* const value_node = key(name);
        return value_node == nullptr ? at.offset : value_node->offset;
    }
    [[nodiscard]] std::string path_to(std::string_view name) const { return fmt::format("{}.{}", path, name); }
};

// Whether these keys were read as they stand, or are absent and need not be there.
template <class Section>
bool is_sound(const reading& r, const entry<Section>& e, std::string_view section,
              std::initializer_list<std::string_view> names)
{
    return e.at.as_table() != nullptr && std::ranges::all_of(names, [&](std::string_view name) {
               const auto* const value = e.key(name);
               return value == nullptr ? find_key(section, name)->need == presence::optional : !r.is_broken(*value);
           });
}

// Calls visit(entry) for each element of a list that was read from key `name` of `parent`.
template <class Parent, class Element, class Visit>
void for_each_entry(const entry<Parent>& parent, std::string_view name, const std::vector<Element>& elements, Visit visit)
{
    const auto* const value = parent.key(name);
    const auto* const nodes = value == nullptr ? nullptr : value->as_list();
    if (nodes == nullptr || nodes->size() != elements.size()) {
        return;
    }
    const auto prefix = parent.path.empty() ? std::string(name) : parent.path_to(name);
    for (std::size_t i = 0; i < elements.size(); ++i) {
        visit(entry<Element>{elements[i], (*nodes)[i], fmt::format("{}[{}]", prefix, i)});
    }
}

// Likewise, without those that are wrong by themselves: one wrong element does not hide what is wrong with the others.
template <class Parent, class Element, class Visit>
void for_each_sound_entry(const reading& r, const entry<Parent>& parent, std::string_view name,
                          const std::vector<Element>& elements, Visit visit)
{
    for_each_entry(parent, name, elements, [&](const entry<Element>& e) {
        if (!r.is_broken(e.at)) {
            visit(e);
        }
    });
}

}  // namespace vipd::config
