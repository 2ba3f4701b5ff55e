#pragma once

// The forms of names, ids and paths, and how a value of the file is shown in a message.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vipd::config {

// Without control characters and not longer than `size_max` bytes: what a file holds must not redraw the reader's terminal.
std::string printable(std::string_view text, std::size_t size_max = 64);

// "\"text\"", printable.
std::string in_quotes(std::string_view text);

// "a", "a or b", "a, b or c".
std::string join_with_or(std::span<const std::string> items);

// The candidate that `word` was probably meant to be; empty when none is near enough.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// Where the first byte is that does not begin a character of UTF-8 (RFC 3629); npos when there is none.
std::size_t find_invalid_utf8(std::string_view text);

bool has_no_control_character(std::string_view text);

// 1 to 64 of A-Z a-z 0-9 . _ - and not dots alone: names stand in URLs, metrics and log lines as they are.
bool is_router_name(std::string_view text);

// As the kernel allows them: 1 to 15 bytes without '/', ':' or white space, and not "." or "..".
bool is_interface_name(std::string_view text);

// `prefix` and 8 to 17 lower-case hexadecimal digits: is_aws_id("rtb-0a1b2c3d", "rtb-").
bool is_aws_id(std::string_view text, std::string_view prefix);

// Lower-case letters, digits and dashes, 1 to 64.
bool is_region(std::string_view text);

// Begins with '/' and has no control character.
bool is_absolute_path(std::string_view text);

// 1 to 15 bytes, which is all that the kernel keeps of it.
bool is_process_name(std::string_view text);

// What may stand behind "Host:": a name or an address, with or without a port.
bool is_host_header(std::string_view text);

}  // namespace vipd::config
