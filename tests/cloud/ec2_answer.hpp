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
std::string answer_xml(std::string_view request_id, const page<elastic_ip>& addresses, const replica& from);
std::string answer_xml(std::string_view request_id, const page<vpc>& vpcs, const replica& from);
std::string answer_xml(std::string_view request_id, const page<subnet>& subnets, const replica& from);
std::string answer_xml(std::string_view request_id, const page<security_group>& groups, const replica& from);
std::string answer_xml(std::string_view request_id, const page<instance_type>& types, const replica& from);
std::string status_xml(std::string_view request_id, const page<instance>& instances, const replica& from);
// Of a call that tells more than that it has succeeded.
std::string changed_xml(std::string_view request_id, std::string_view action, const attached_interface& done);
std::string changed_xml(std::string_view request_id, std::string_view action, const assigned_addresses& done);
std::string changed_xml(std::string_view request_id, std::string_view action, const unassigned_addresses& done);
std::string changed_xml(std::string_view request_id, std::string_view action, const associated_address& done);
// "<ReplaceRouteResponse ...><requestId/><return>true</return>..."
std::string done_xml(std::string_view request_id, std::string_view action);
std::string error_xml(std::string_view request_id, const api_error& error);

}  // namespace vipd::cloud
