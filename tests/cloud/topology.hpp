#pragma once

// The file that says what the simulated account holds.

#include "common/result.hpp"
#include "tests/cloud/access_key.hpp"
#include "tests/cloud/iam.hpp"
#include "tests/cloud/policy.hpp"
#include "tests/cloud/state.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

struct topology {
    cloud_state state;
    std::vector<access_key> keys;  // long-term ones; an instance's come from its role
    iam_state iam;
    std::map<std::string, policy> policies;  // by principal: "user/alice", "role/vipd"; absent ones may do everything
};

// What is there at the start is there since `now`.
result<topology> parse_topology(std::string_view json, time_point now);

// Three nodes in two zones, an interface and an Elastic IP that are nobody's; `cloudsim --example` prints it.
std::string_view example_topology();

// One table, from {"id", "vpc", "main", "subnets", "gateways", "tags", "routes", ...}; shared with the control endpoint.
// `taken` gives the VPCs and subnets that may be named.
class json_reader;
route_table read_route_table(json_reader& reader, const cloud_state& known);

}  // namespace vipd::cloud
