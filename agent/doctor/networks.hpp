#pragma once

// Judgements about networks, as functions of what EC2 has described. No text, no state.

#include "agent/aws/ec2_reply.hpp"
#include "agent/aws/ids.hpp"
#include "common/ip.hpp"

#include <cstdint>
#include <vector>

namespace vipd::doctor {

bool covers(const ip_prefix& outer, const ip_prefix& inner);

// Of the prefixes the one that has all of `what`; null when none has.
const ip_prefix* find_covering(const std::vector<ip_prefix>& prefixes, const ip_prefix& what);

// Where a route's destination lies, which decides whether EC2 takes the route (VPC user guide, "Subnet route tables"). Ranges
// that EC2 keeps for itself are no destinations: the configuration refuses them.
enum class place_of_destination : std::uint8_t {
    outside,       // of every CIDR of the VPC: an overlay address, routed as one likes
    whole_subnet,  // a subnet's CIDR: may be led to an interface
    whole_vpc,     // a CIDR of the VPC: the local route itself would be led elsewhere
    inside,        // a part of the VPC that is no whole subnet: refused
};
place_of_destination place_of(const ip_prefix& destination, const std::vector<ip_prefix>& vpc,
                              const std::vector<aws::subnet>& subnets);

// An interface as the other side's security groups see it.
struct party {
    ip_address address;
    std::vector<aws::security_group_id> groups;
};

enum class passage : std::uint8_t {
    open,
    unclear,  // only a prefix list may let it in, and its entries have not been read
    closed,
};

// Whether the rules let protocol 112 pass from, or to, the other party. Rules of all groups of an interface count together.
passage passage_of(const std::vector<aws::security_group_rule>& rules, const party& other);

}  // namespace vipd::doctor
