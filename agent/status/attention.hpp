#pragma once

// What a person who was woken up should look at first, in words: derived from the snapshots alone.

#include "agent/config/config.hpp"
#include "agent/status/snapshot.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vipd::status {

enum class urgency : std::uint8_t {
    note,      // worth knowing
    warning,   // something does not work as configured; the virtual addresses may still be served
    critical,  // an address is, or is about to be, where it should not be
};
std::string_view to_string(urgency level);

struct finding {
    urgency level = urgency::note;
    std::string router;  // empty for the node
    std::string text;    // what is the matter, and what to do where there is something to do
};

// The kernel tells of an address once, when it changes, so an address has no such bound.
using config::confirmed_age_expected;
inline constexpr duration clock_skew_noticed = std::chrono::seconds{60};
inline constexpr duration clock_skew_refused = std::chrono::minutes{5};  // SigV4: AWS refuses a request that is older
inline constexpr duration credentials_life_expected =
    std::chrono::minutes{4};  // instance roles are renewed 5 min before their end

std::vector<finding> findings(const node& n, const process& p, wall_time now);
std::vector<finding> findings(const router& r);

}  // namespace vipd::status
