#pragma once

// What one tracker makes of its check.

#include "agent/config/track.hpp"
#include "agent/health/check.hpp"
#include "agent/vrrp/effective_priority.hpp"

#include <algorithm>
#include <string>

namespace vipd::health {

struct verdict {
    tracker_state state = tracker_state::unknown;
    std::string reason;    // why not, while it is not well
    int contribution = 0;  // to the priority

    // Without an answer nothing is known to be well.
    [[nodiscard]] bool is_well() const { return state == tracker_state::well; }
};

// `of`: null when it has not been begun. `assumed`: what counts until the first answer.
inline verdict judge(const config::tracker& t, const check* of, bool assumed)
{
    verdict v;
    v.state = of == nullptr ? tracker_state::unknown : of->state();
    v.reason = v.state == tracker_state::unknown ? "it has not been looked at yet" : of->reason();
    if (v.state == tracker_state::unknown && assumed) {
        v.state = tracker_state::well;
    }
    if (t.what.kind() != config::track_kind::file) {
        v.contribution = t.weight ? vrrp::contribution(*t.weight, v.is_well()) : 0;
        return v;
    }
    const auto number = of == nullptr || of->state() != tracker_state::well ? 0 : of->number();
    if (t.weight) {
        constexpr std::int64_t most = config::track_weight_max;
        // The number first, so that the product cannot overflow.
        const auto bounded = std::clamp<std::int64_t>(number, -most, most);
        v.contribution = static_cast<int>(std::clamp<std::int64_t>(bounded * *t.weight, -most, most));
    } else if (number != 0) {
        v.state = tracker_state::failing;
        v.reason = "the file says " + std::to_string(number);
    }
    return v;
}

}  // namespace vipd::health
