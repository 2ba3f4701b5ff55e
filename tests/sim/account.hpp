#pragma once

#include "tests/cloud/topology.hpp"
#include "tests/sim/options.hpp"

namespace vipd::sim {

// An account with one VPC: a machine for each of the options', a stranger that has nothing to do with them, and the tables.
cloud::topology make_account(const cluster_options& options, time_point now);

cloud::vpc_id the_vpc();
// What the routes of a router are for, as EC2 has it.
cloud::route_destination destination_of(const cluster_options& options, std::size_t router = 0);

std::string mac_of(std::size_t machine);
std::string mac_of_floating();
cloud::instance_id instance_of(std::size_t machine);
std::string role_of(std::size_t machine);

}  // namespace vipd::sim
