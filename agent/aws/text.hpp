#pragma once

// Small rules about text that several parts of this folder share: AWS's percent-encoding, and what of a stranger's text may
// reach a log line, a status page or a request header.

#include <string>
#include <string_view>

namespace vipd::aws {

// Every byte outside A-Za-z0-9-_.~ becomes %XX with upper-case digits, as SigV4 and the form encoding of EC2 want it.
std::string percent_encode(std::string_view text);

// The same, but '/' stays.
std::string percent_encode_path(std::string_view path);

// %XX becomes its byte; a '%' that no two digits follow stays as it is.
std::string percent_decode(std::string_view text);

// Without the spaces, tabs and line ends at both ends.
std::string_view trim(std::string_view text);

std::string to_lower(std::string_view text);

// One line of at most `bytes_max` bytes: control characters become spaces, bytes that are not UTF-8 become '?', and the cut
// never splits a character.
std::string clean_text(std::string_view text, std::size_t bytes_max);

// Whether the text can be a header's value as it stands: printable ASCII, not empty. Guards against a split header.
bool is_header_value(std::string_view text);

// Letters, digits, '-', '_' and '.', 1 to 128 of them: what AWS's resource ids, regions and zones are made of.
bool is_plain_id(std::string_view text);

// A resource's id as EC2 gives them out: the prefix and a hyphen, then 8 or 17 letters and digits (EC2 User Guide, "Resource
// IDs"). So half of one is none.
bool is_resource_id(std::string_view text, std::string_view prefix);

// "0a:1b:2c:3d:4e:5f", in lower case.
bool is_mac(std::string_view text);

}  // namespace vipd::aws
