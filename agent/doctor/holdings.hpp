#pragma once

// What this node would have once every entry of every router has moved here: two entries that each fit alone need not fit
// together.

#include "agent/aws/ec2_reply.hpp"
#include "agent/aws/ids.hpp"
#include "agent/doctor/evidence.hpp"
#include "common/ip.hpp"

#include <map>
#include <set>

namespace vipd::doctor {

struct holdings {
    // Of [[router.secondary_ip]], as far as they are resolved: which interface has them then.
    std::map<ip_address, aws::network_interface_id> secondary_addresses;
    // Of [[router.eni]], as far as EC2 has shown them.
    std::set<aws::network_interface_id> interfaces;
};

holdings holdings_of(const evidence& known);

// How many addresses of that family the interface has then.
unsigned addresses_at(const aws::network_interface& target, ip_family family, const holdings& all);

}  // namespace vipd::doctor
