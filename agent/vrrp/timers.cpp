#include "agent/vrrp/timers.hpp"

#include "common/ensure.hpp"

#include <algorithm>
#include <chrono>

namespace vipd::vrrp {

namespace {

// What the skew is a part of.
duration skew_unit(version protocol_version, duration active_advert_interval)
{
    return protocol_version == version::v3 ? active_advert_interval : duration{std::chrono::seconds{1}};
}

}  // namespace

duration skew_time(version protocol_version, std::uint8_t priority, duration active_advert_interval)
{
    ENSURE(priority > 0);
    return skew_unit(protocol_version, active_advert_interval) * (256 - priority) / 256;
}

duration active_down_interval(version protocol_version, std::uint8_t priority, duration active_advert_interval,
                              unsigned down_timer_adverts)
{
    return active_advert_interval * down_timer_adverts + skew_time(protocol_version, priority, active_advert_interval);
}

duration lateness_max(version protocol_version, duration advert_interval, unsigned down_timer_adverts)
{
    return active_down_interval(protocol_version, priority_owner - 1, advert_interval, down_timer_adverts) - advert_interval;
}

duration listener_lateness_max(version protocol_version, duration advert_interval, unsigned down_timer_adverts)
{
    return std::max(lateness_max(protocol_version, advert_interval, down_timer_adverts), advert_interval);
}

duration longest_down_interval(version protocol_version, duration active_advert_interval, unsigned down_timer_adverts)
{
    return active_advert_interval * down_timer_adverts + skew_unit(protocol_version, active_advert_interval);
}

}  // namespace vipd::vrrp
