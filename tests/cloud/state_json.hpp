#pragma once

// The state for people and checkers.

#include "tests/cloud/simulated_cloud.hpp"

#include <boost/json/fwd.hpp>

namespace vipd::cloud {

// {"rtb-...": {"172.16.1.100/32": {"target": "eni-...", "node": "node-a", "state": "active"}}}
boost::json::object routes_json(const ec2_model& model);
boost::json::object state_json(simulated_cloud& cloud, time_point now);

}  // namespace vipd::cloud
