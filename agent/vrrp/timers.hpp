#pragma once

// The timers of RFC 9568 section 6.1 and RFC 3768 section 6.1. All of it in nanoseconds: in whole centiseconds, the unit of the
// wire, Skew_Time of a short interval is zero for every priority, and Backups that should take turns fire together.

#include "agent/vrrp/types.hpp"
#include "common/time.hpp"

#include <cstdint>

namespace vipd::vrrp {

// How much later than the others a Backup of this priority takes over: the higher the priority, the less.
//   v3: (256 - priority) / 256 of the interval that was learned from the Active
//   v2: (256 - priority) / 256 of one second, whatever the interval
// `priority` is the node's own, 1..255.
duration skew_time(version protocol_version, std::uint8_t priority, duration active_advert_interval);

// How long a Backup hears nothing before it takes over: `down_timer_adverts` intervals (3 in the RFCs) and the skew.
duration active_down_interval(version protocol_version, std::uint8_t priority, duration active_advert_interval,
                              unsigned down_timer_adverts);

// How late the next advert of an Active may be: then the quickest of Backups, which has the highest priority that is not the
// owner's, takes over.
duration lateness_max(version protocol_version, duration advert_interval, unsigned down_timer_adverts);

// Whoever listens and is later than that for a timer has slept. It is the same, but no less than one interval: with a single
// advert to wait for, the above is no longer than a busy loop may take, and a Backup that is late has nothing to give up.
duration listener_lateness_max(version protocol_version, duration advert_interval, unsigned down_timer_adverts);

// An upper bound of the above over all priorities, which none reaches: whoever waits that long lets every Backup go first.
duration longest_down_interval(version protocol_version, duration active_advert_interval, unsigned down_timer_adverts);

}  // namespace vipd::vrrp
