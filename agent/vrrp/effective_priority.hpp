#pragma once

// The priority that takes part in the election: the configured one and what is added or subtracted by circumstances, as
// keepalived's trackers do it. The sum is kept as it is, so that two weights which clamp it undo each other exactly; what is
// sent is between 1 and 254. The address owner's 255 is exempt: it owns the address whatever else holds.

#include "agent/vrrp/types.hpp"

#include <algorithm>
#include <cstdint>

namespace vipd::vrrp {

// What a weight contributes: a positive one while all is well, a negative one while it is not.
constexpr int contribution(int weight, bool is_well)
{
    return (weight > 0) == is_well ? weight : 0;
}

constexpr int priority_total(std::uint8_t configured, int weights)
{
    return configured == priority_owner ? configured : configured + weights;
}

constexpr std::uint8_t effective_priority(std::uint8_t configured, int weights)
{
    const int total = priority_total(configured, weights);
    return configured == priority_owner ? configured : static_cast<std::uint8_t>(std::clamp(total, 1, priority_owner - 1));
}

}  // namespace vipd::vrrp
