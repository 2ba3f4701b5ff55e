#pragma once

// Answers that are wrong on purpose: what a broken proxy, a broken server or an enemy in the middle could send to an
// authenticated client. (Reliability goals, fault catalogue rows 16, 21, 22.)

#include "agent/aws/http_message.hpp"
#include "common/random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vipd::cloud {

enum class hostile_kind : std::uint8_t {
    // the connection ends before the announced end; size: bytes of the body that arrive, 0 is half
    truncated,
    // a complete HTTP message with the XML cut off; size as above
    cut,
    // never ends
    endless,
    // `size` bytes (100 MB) of well-formed XML
    large,
    // `size` (100,000) elements inside one another
    deep,
    // entities that expand to gigabytes
    entity_bomb,
    // the right body as text/html
    wrong_type,
    // 307 to another host
    redirect,
    // `size` (1,000) random bytes
    garbage,
    // well-formed, of something else
    wrong_root,
    // 200 and nothing
    empty,
    // 200 with an error document inside
    error_in_success,
    // bytes that are no UTF-8 in a text
    invalid_utf8,
    // a byte order mark, CDATA, comments, processing instructions: odd and legal
    odd_xml,
    // each element twice
    duplicated,
    // the remaining are below HTTP's grammar: what is written is not a message
    bad_chunks,
    // Content-Length says more than comes, and the connection stays open; size: how much more (100)
    length_too_large,
    // a stream of 100 Continue
    informational_storm,
    // one header of `size` bytes (1 MB)
    huge_header,
    // no HTTP at all
    no_http,
};

std::string_view to_string(hostile_kind kind);
std::optional<hostile_kind> parse_hostile_kind(std::string_view text);

// What is written to the connection. Either an HTTP message (`head` with its body) or, when `raw` is there, these bytes as they
// are.
struct wire_answer {
    aws::http_response head;
    std::optional<std::string> raw;
    // After that, `filler` this many times (max: until the client goes), then `tail`.
    std::string filler;
    std::uint64_t filler_count = 0;
    std::string tail;
    // Content-Length, where it is not simply the size of what follows.
    std::optional<std::uint64_t> announced_length;
    enum class ending : std::uint8_t { keep_alive, close, hang } end = ending::keep_alive;
};

inline constexpr std::uint64_t endless = UINT64_MAX;

wire_answer make_hostile(hostile_kind kind, std::uint64_t size, aws::http_response honest, random_source& random);

}  // namespace vipd::cloud
