#pragma once

// Characters that a terminal obeys and does not show.

#include <cstddef>
#include <string_view>

namespace vipd {

// How many bytes of UTF-8 the control character at the front has: one for C0 and DEL, two for C1 (U+0080 to U+009F, of which
// U+009B begins escape sequences as "ESC [" does); 0 when there is none.
constexpr std::size_t control_character_size(std::string_view text)
{
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0xffU; };
    if (at(0) < 0x20 || at(0) == 0x7f) {
        return 1;
    }
    return at(0) == 0xc2 && at(1) >= 0x80 && at(1) < 0xa0 ? 2 : 0;
}

constexpr bool has_control_character(std::string_view text)
{
    for (; !text.empty(); text.remove_prefix(1)) {
        if (control_character_size(text) != 0) {
            return true;
        }
    }
    return false;
}

}  // namespace vipd
