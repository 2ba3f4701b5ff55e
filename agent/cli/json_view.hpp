#pragma once

// Looks into JSON that another version of the daemon may have written: what is absent or of another type is a dash or zero,
// never an error. Texts come back without control characters.

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace vipd::cli {

// Null when `at` is no object or has no such member.
const boost::json::value* member(const boost::json::value& at, std::string_view name);

// Empty when it is absent, null or no text.
std::string text_of(const boost::json::value& at, std::string_view name);

std::optional<double> number_of(const boost::json::value& at, std::string_view name);

// False when it is absent.
bool truth_of(const boost::json::value& at, std::string_view name);

// An empty list when it is absent.
const boost::json::array& list_of(const boost::json::value& at, std::string_view name);

// "-" for an empty text.
std::string or_dash(std::string text);

}  // namespace vipd::cli
