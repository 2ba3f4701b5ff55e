// Whether a virtual router takes part, what keeps it out, and since when it has listened meanwhile.

#include "agent/node/virtual_router.hpp"
#include "agent/vrrp/timers.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace vipd::node {

found_obstacle virtual_router::find_obstacle(const net::link_table& links, standing_aside aside) const
{
    if (aside.dropped) {
        return {"it is no longer configured"};
    }
    if (aside.stopping) {
        return {"vipd is stopping"};
    }
    if (aside.maintenance) {
        return {"maintenance is on"};
    }
    if (auto of_network = find_network_obstacle(links); !of_network.empty()) {
        return {std::move(of_network)};
    }
    auto failing = find_tracker(health::tracker_state::failing);
    return failing.empty() ? found_obstacle{find_tracker(health::tracker_state::unknown), false}
                           : found_obstacle{std::move(failing)};
}

std::string virtual_router::find_network_obstacle(const net::link_table& links) const
{
    if (!links.complete()) {
        return "the kernel's list of interfaces has not been read yet";
    }
    if (!configuration_.interface.empty()) {
        const auto* link = links.find_link(configuration_.interface);
        if (link == nullptr) {
            return "there is no interface '" + configuration_.interface + "'";
        }
        if (!link->up) {
            return "interface '" + configuration_.interface + "' is down";
        }
        if (!link->running) {
            return "interface '" + configuration_.interface + "' has no carrier";
        }
    }
    if (!source_) {
        return explain_missing_source();
    }
    if (!twin_.empty()) {
        return "router '" + twin_ + "' has the same vrid, peer and source address " + source_->to_string() +
               ": their adverts could not be told apart; choose another vrid, or give both a source";
    }
    return {};
}

void virtual_router::take_part(instant now, const net::link_table& links, standing_aside aside, const found_obstacle& found,
                               advert_queue& adverts)
{
    const auto& obstacle = found.what;
    if (obstacle != obstacle_ && has_been_started_ && is_news_) {
        journal_.record(
            obstacle.empty() ? log_level::info : log_level::warning, "standing", configuration_.name,
            {{"takes_part", obstacle.empty()}, {"reason", obstacle.empty() ? "nothing stands against it" : obstacle}});
    }
    obstacle_ = obstacle;
    note_awake(now.steady);
    hears_since_ = find_network_obstacle(links).empty() ? hears_since_.value_or(now.steady) : std::optional<time_point>{};
    if (hears_since_) {
        patient_until_ = std::min(patient_until_.value_or(never), *hears_since_ + configuration_.startup_delay);
    }
    if (!obstacle_.empty()) {
        if (state() != vrrp::state::initialize) {
            leave(now, !aside.leaves_in_order(), links, adverts);
        }
        give_up_succession(now.steady);
        reason_ = obstacle_;
        // Before the kernel's list has been read and the trackers have had their first answers nothing is known to be wrong.
        tell_standing(now.steady, aside, links.complete() && found.is_known);
    } else if (state() == vrrp::state::initialize) {
        const bool is_first = !has_been_started_;
        start_election();
        if (!resume(now, links, adverts)) {
            // It may have been kept out by what keeps no advert from it.
            const auto silence_from = std::max({hears_since_.value_or(now.steady), active_known_at_, *patient_until_});
            // The silence of an Active is counted by that one's interval. Who begins to listen only now counts by its own.
            const bool is_of_active = is_first || silence_from != now.steady || active_known_at_ == now.steady;
            election_->startup(now.steady, silence_from, is_of_active ? learned_interval_ : std::nullopt, election_outputs_);
            apply(now, links, adverts);
        }
    }
}

void virtual_router::start_election()
{
    if (!election_) {
        election_.emplace(election_settings());
        election_->wait_for_group(!group_.empty());
    }
    has_been_started_ = true;
}

// One that slept cannot have heard anybody meanwhile. What it is late for tells: its election's timer or, while it takes no
// part, the time by which it wakes up for nothing else.
void virtual_router::note_awake(time_point now)
{
    const auto& c = configuration_;
    const auto due = state() == vrrp::state::initialize ? listening().at : election_->next_wakeup().at;
    const auto interval = std::min(c.advert_interval, learned_interval_.value_or(c.advert_interval));
    if (hears_since_ && now - due > vrrp::listener_lateness_max(c.version, interval, c.down_timer_adverts)) {
        hears_since_ = now;
    }
    awake_at_ = now;
}

// What vrrp::admission turns away, beside what makes it another router on the wire.
void virtual_router::listen_anew_when_others_are_let_in(const config::router& next)
{
    const auto& c = configuration_;
    const bool is_other_pace = next.version == vrrp::version::v2 && next.advert_interval != c.advert_interval;
    if (next.peers != c.peers || next.auth != c.auth || is_other_pace) {
        hears_since_.reset();
    }
}

wakeup virtual_router::listening() const
{
    const auto& c = configuration_;
    return hears_since_ ? wakeup{awake_at_ + vrrp::longest_down_interval(c.version, c.advert_interval, c.down_timer_adverts),
                                 "listening"}
                        : wakeup{};
}

}  // namespace vipd::node
