#pragma once

// What an absent key means when other keys of the same router say it.

#include "agent/config/config.hpp"

namespace vipd::config {

// Routes without an interface get the router's; routers without advertised addresses get those of their [[router.address]],
// then those of their [[router.secondary_ip]], then the host destinations of their [[router.route]], as far as they are of the
// family that the adverts travel in.
void complete(configuration& all);

}  // namespace vipd::config
