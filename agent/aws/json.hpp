#pragma once

// JSON of a stranger: parsed with a bound on nesting, and read without exceptions.

#include "common/result.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>

namespace vipd::aws {

// `what` names the document in the error, which never repeats the document itself: it may hold secrets.
result<boost::json::object> parse_json_object(std::string_view text, std::string_view what);
result<boost::json::array> parse_json_array(std::string_view text, std::string_view what);

// The string member `key`; empty when it is absent, null or something else. Valid as long as the object.
std::string_view json_text(const boost::json::object& object, std::string_view key);

}  // namespace vipd::aws
