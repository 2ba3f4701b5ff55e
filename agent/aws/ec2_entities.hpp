#pragma once

// What EC2 describes, read from its XML.

#include "agent/aws/ec2_reply.hpp"

#include <pugixml.hpp>

#include <optional>

namespace vipd::aws {

// Empty when there is none.
request_id request_id_of(const pugi::xml_node& root);

// Each is absent where an element that every answer has is missing: half an answer must not look like an empty account.
std::optional<route_tables_page> read_route_tables(const pugi::xml_node& root);
std::optional<network_interfaces_page> read_network_interfaces(const pugi::xml_node& root);
std::optional<elastic_addresses> read_elastic_addresses(const pugi::xml_node& root);
std::optional<vpcs> read_vpcs(const pugi::xml_node& root);
std::optional<subnets> read_subnets(const pugi::xml_node& root);
std::optional<security_groups> read_security_groups(const pugi::xml_node& root);
std::optional<instance_types> read_instance_types(const pugi::xml_node& root);

}  // namespace vipd::aws
