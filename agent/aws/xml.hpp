#pragma once

// XML of a stranger. What EC2 sends is small and flat; a document is measured before a tree is built from it, so that nesting
// and element count are bounded whatever was sent. Document type declarations, and with them entity bombs, are refused.

#include <pugixml.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace vipd::aws {

enum class xml_verdict : std::uint8_t {
    readable,
    too_many_elements,  // well within the size bound, but the tree would be too large; a smaller page may help
    unreadable,
};

inline constexpr unsigned xml_depth_max = 32;
inline constexpr unsigned xml_elements_max = 200'000;

// `out` has a tree only when the answer is `readable`.
xml_verdict parse_xml(std::string_view text, pugi::xml_document& out);

// The text of a child, trimmed; empty when there is none.
std::string_view child_text(const pugi::xml_node& node, const char* name);

}  // namespace vipd::aws
