#pragma once

// What one tracker makes of its check.

#include "agent/config/track.hpp"
#include "agent/health/check.hpp"
#include "agent/vrrp/effective_priority.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace vipd::health {

// What counts of a tracker until the first answer.
struct assumption {
    bool is_well = false;
    std::int64_t number = 0;  // of a file
};

struct verdict {
    tracker_state state = tracker_state::unknown;
    std::string reason;       // why not, while it is not well
    int contribution = 0;     // to the priority
    std::int64_t number = 0;  // of a file

    // Without an answer nothing is known to be well.
    [[nodiscard]] bool is_well() const { return state == tracker_state::well; }
};

// `of`: null when it has not been begun.
inline verdict judge(const config::tracker& t, const check* of, const assumption& assumed)
{
    verdict v;
    v.state = of == nullptr ? tracker_state::unknown : of->state();
    v.reason = v.state == tracker_state::unknown ? "it has not been looked at yet" : of->reason();
    const bool is_answered = v.state != tracker_state::unknown;
    if (!is_answered && assumed.is_well) {
        v.state = tracker_state::well;
    }
    if (t.what.kind() != config::track_kind::file) {
        v.contribution = t.weight ? vrrp::contribution(*t.weight, v.is_well()) : 0;
        return v;
    }
    if (!is_answered) {
        v.number = assumed.number;
    } else if (v.is_well()) {
        v.number = of->number();
    }
    if (t.weight) {
        constexpr std::int64_t most = config::track_weight_max;
        // The number first, so that the product cannot overflow.
        const auto bounded = std::clamp<std::int64_t>(v.number, -most, most);
        v.contribution = static_cast<int>(std::clamp<std::int64_t>(bounded * *t.weight, -most, most));
    } else if (is_answered && v.number != 0) {
        v.state = tracker_state::failing;
        v.reason = "the file says " + std::to_string(v.number);
    }
    return v;
}

}  // namespace vipd::health
