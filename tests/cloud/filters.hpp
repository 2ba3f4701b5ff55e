#pragma once

// EC2's filters: every filter has to match, a filter matches when one of its values does, and values may hold the wildcards
// * (any run) and ? (any one character), which a backslash makes literal.

#include "tests/cloud/query_form.hpp"
#include "tests/cloud/state.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

bool matches_wildcard(std::string_view pattern, std::string_view text);

using filter = query_form::filter;

// An unknown filter name is an error, as it is in EC2.
api_result<bool> matches(const std::vector<filter>& filters, const route_table& table, const replica& from);
api_result<bool> matches(const std::vector<filter>& filters, const network_interface& interface, const replica& from);
api_result<bool> matches(const std::vector<filter>& filters, const instance& machine, const replica& from);
api_result<bool> matches(const std::vector<filter>& filters, const elastic_ip& address, const replica& from);
api_result<bool> matches(const std::vector<filter>& filters, const vpc& one, const replica& from);
api_result<bool> matches(const std::vector<filter>& filters, const subnet& one, const replica& from);
api_result<bool> matches(const std::vector<filter>& filters, const security_group& group, const replica& from);
api_result<bool> matches(const std::vector<filter>& filters, const instance_type& type, const replica& from);

}  // namespace vipd::cloud
