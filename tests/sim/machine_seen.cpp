// What is seen of a machine and of the process on it.

#include "tests/sim/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {

using namespace std::chrono_literals;

// All of the routers that must not be changed by what is discarded.
std::string machine::fingerprint(instant at) const
{
    const auto next = process_->next_wakeup();
    auto text = fmt::format("next {} {}", next.at.time_since_epoch().count(), next.why);
    for (std::size_t i = 0; i < routers(); ++i) {
        const auto s = process_->router_snapshot(at, static_cast<std::uint32_t>(i));
        text += fmt::format("; {} ({}), epoch {}, priority {}, Active {} with {}, interval {}, down after {}",
                            to_string(s.state), s.state_reason, s.epoch, s.effective_priority,
                            s.active_address ? s.active_address->to_string() : "none", s.active_priority,
                            s.active_advert_interval.count(), s.active_down_interval.count());
        for (const auto& peer : s.peers) {
            text += fmt::format(", {} heard {} with {}", peer.address.to_string(),
                                peer.last_heard_age ? peer.last_heard_age->count() : -1, peer.last_priority);
        }
    }
    return text;
}

// What a process is, and what it wants and is about to do.
std::string machine::everything(instant at) const
{
    auto text = fingerprint(at);
    const auto all = process_->snapshot(at);
    text += fmt::format("; {} calls wait", all.aws ? all.aws->calls_queued : 0);
    for (std::size_t i = 0; i < routers(); ++i) {
        const auto s = process_->router_snapshot(at, static_cast<std::uint32_t>(i));
        text += fmt::format("; preempt {}, {} trackers", s.preempt, s.trackers.size());
        for (const auto& r : s.resources) {
            text += fmt::format(", {} is {}", r.name, to_string(r.state));
        }
    }
    return text;
}

duration machine::recent_pause() const
{
    const bool is_recent = resumed_at_ != time_point::min() && events_.now() - resumed_at_ < 1min;
    return is_recent ? resumed_at_ - paused_at_ : duration::zero();
}

status::router machine::snapshot(std::size_t router) const
{
    return process_->router_snapshot(now(), static_cast<std::uint32_t>(router));
}

std::size_t machine::calls_waiting() const
{
    const auto all = process_->snapshot(now());
    return all.aws ? all.aws->calls_queued : 0;
}

bool machine::has_unread_release() const
{
    return std::ranges::any_of(received_, [](const datagram& d) { return d.message.size() > 2 && d.message[2] == 0; });
}

time_point machine::spoke_to(const ip_address& peer) const
{
    const auto found = spoke_to_.find(peer);
    return found == spoke_to_.end() ? time_point::min() : found->second;
}

}  // namespace vipd::sim
