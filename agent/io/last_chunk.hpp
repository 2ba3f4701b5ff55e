#pragma once

#include <cstddef>
#include <string_view>

namespace vipd::io {

// Beast asserts that the whole of a last chunk is there when it sees the beginning of one: what is read of a chunked body has
// to wait until there is as much. No chunked body ends with less.
template <class Parser>
bool awaits_last_chunk(const Parser& parser, std::size_t bytes_unread)
{
    constexpr std::string_view last_chunk = "0\r\n\r\n";
    return parser.is_header_done() && parser.chunked() && bytes_unread < last_chunk.size();
}

}  // namespace vipd::io
