#pragma once

// How many interfaces an instance takes, and how many addresses each of them (EC2 user guide, "Maximum IP addresses per network
// interface").

#include "common/strong_id.hpp"

#include <map>

namespace vipd::cloud {

using instance_type_name = strong_id<struct instance_type_tag>;  // "t3.micro"

struct instance_type {
    instance_type_name id;
    unsigned interfaces_max = 2;  // of all network cards together
    unsigned ipv4_addresses_per_interface = 2;
    unsigned ipv6_addresses_per_interface = 2;
    unsigned network_cards = 1;
};

// A few of AWS's; a topology may add others, or change these.
std::map<instance_type_name, instance_type> documented_instance_types();

}  // namespace vipd::cloud
