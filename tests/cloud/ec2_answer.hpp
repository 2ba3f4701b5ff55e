#pragma once

// EC2's answers as XML (ec2Query, 2016-11-15).

#include "tests/cloud/api_error.hpp"
#include "tests/cloud/ec2_model.hpp"

#include <string>
#include <string_view>

namespace vipd::cloud {

std::string answer_xml(std::string_view request_id, const page<route_table>& tables, const replica& from);
std::string answer_xml(std::string_view request_id, const page<network_interface>& interfaces, const replica& from);
std::string answer_xml(std::string_view request_id, const page<instance>& instances, const replica& from);
std::string status_xml(std::string_view request_id, const page<instance>& instances, const replica& from);
// "<ReplaceRouteResponse ...><requestId/><return>true</return>..."
std::string done_xml(std::string_view request_id, std::string_view action);
std::string error_xml(std::string_view request_id, const api_error& error);

}  // namespace vipd::cloud
