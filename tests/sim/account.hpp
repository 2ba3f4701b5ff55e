#pragma once

#include "tests/cloud/topology.hpp"
#include "tests/sim/options.hpp"

namespace vipd::sim {

// An account with one VPC: a machine for each of the options', a stranger that has nothing to do with them, and the tables.
cloud::topology make_account(const cluster_options& options, time_point now);

std::string mac_of(std::size_t machine);
std::string mac_of_floating();
cloud::instance_id instance_of(std::size_t machine);
std::string role_of(std::size_t machine);

}  // namespace vipd::sim
