// What the neighbours of an Active are told of its addresses, and when they have to be told again.

#include "agent/node/virtual_router.hpp"

namespace vipd::node {

using namespace std::chrono_literals;

namespace {

// A peer that goes on sending lower adverts is one story, not one every interval: for the log as for hooks and neighbours.
constexpr duration lower_priority_pause = 10s;

}  // namespace

std::vector<takeover::announcement> virtual_router::take_announcements(time_point now, const net::link_table& links)
{
    for (const auto& arrived : local_.take_arrived()) {
        if (configuration_.announce && state() == vrrp::state::active) {
            announcer_.begin(now, *configuration_.announce, arrived, configuration_.interface);
        }
    }
    auto due = announcer_.take_due(now, links);
    announcements_sent_ += due.size();
    return due;
}

void virtual_router::note_lower_priority(time_point now, const vrrp::heard_lower_priority& lower)
{
    takeover_.suspect(now);
    const bool is_over = lower.priority == vrrp::priority_releasing;
    if (!is_over && lower_priority_told_at_ != time_point::min() && now - lower_priority_told_at_ < lower_priority_pause) {
        return;
    }
    // The neighbours may have believed the other one last.
    for (const auto& entry : configuration_.addresses_on_node()) {
        if (configuration_.announce) {
            announcer_.begin(now, *configuration_.announce, entry, configuration_.interface);
        }
    }
    if (is_over) {
        return;
    }
    lower_priority_told_at_ = now;
    journal_.record(log_level::warning, "lower_priority_advert", configuration_.name,
                    {{"from", lower.source.to_string()},
                     {"priority", lower.priority},
                     {"action", "answered, and the resources are read back"}});
    tell_hooks(config::hook_event::lower_priority_advert);
}

}  // namespace vipd::node
