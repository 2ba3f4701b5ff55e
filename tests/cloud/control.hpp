#pragma once

// The hand of whoever runs the simulation, as HTTP requests with JSON: what the control endpoint of cloudsim serves. Pure, so
// that a simulation without sockets can be steered by the same words. tests/cloudsim/README.md lists the requests.

#include "agent/aws/http_message.hpp"
#include "tests/cloud/simulated_cloud.hpp"

namespace vipd::cloud {

aws::http_response handle_control(simulated_cloud& cloud, const instant& now, const aws::http_request& request);

}  // namespace vipd::cloud
