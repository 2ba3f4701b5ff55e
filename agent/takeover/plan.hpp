#pragma once

// The difference between what is wanted and what EC2 last said, for one register: one destination in one route table. A
// register holds one target at a time, which is why a route can be moved but never be at two nodes at once within a table.

#include "agent/aws/ec2_reply.hpp"
#include "agent/takeover/desired.hpp"

#include <optional>
#include <string>

namespace vipd::takeover {

enum class route_action : std::uint8_t {
    none,     // it is there and works
    create,   // there is none, or only a propagated one, which a static route overrides
    replace,  // it points elsewhere, or into a black hole
};

// `seen` is null when the table has no route for the destination.
route_action plan_route(const aws::network_interface_id& wanted, const aws::route* seen);

// Who has it, for people: "eni-...", "eni-... (blackhole)", "none".
std::string describe_owner(const aws::route* seen);

// Which tables, for people: "vpc-1 with tag Role=private".
std::string describe_query(const table_query& query);

}  // namespace vipd::takeover
