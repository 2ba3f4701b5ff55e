// What a virtual router says of itself.

#include "agent/node/virtual_router.hpp"
#include "agent/vrrp/effective_priority.hpp"

#include <algorithm>

namespace vipd::node {

std::string virtual_router::explain(const vrrp::transition& t) const
{
    const auto& heard = election_->last_heard();
    const auto who = heard ? heard->source.to_string() + " (priority " + std::to_string(heard->priority) + ")" : "another node";
    switch (t.reason) {
        case vrrp::transition_reason::startup:
            return t.to == vrrp::state::active ? "it owns the address (priority 255)"
                                               : "it has started, and listens for an Active";
        case vrrp::transition_reason::no_advert: {
            const auto waited = std::chrono::round<std::chrono::milliseconds>(t.silence);
            return "no advert for " + std::to_string(waited.count()) + " ms";
        }
        case vrrp::transition_reason::preempted_lower:
            return "its priority is higher than that of " + who;
        case vrrp::transition_reason::active_released:
            return "the last Active handed over";
        case vrrp::transition_reason::heard_better:
            return who + " is the better one";
        case vrrp::transition_reason::stepped_down:
            return "an operator asked it to step down";
        case vrrp::transition_reason::stalled: {
            const auto late = std::chrono::round<std::chrono::milliseconds>(t.silence);
            return "this node stood still (its advert was " + std::to_string(late.count()) +
                   " ms late), so another may be Active by now: it listens first";
        }
        case vrrp::transition_reason::resumed:
            return "the vipd that was restarted here was Active";
        case vrrp::transition_reason::sync_group:
            return "another router of sync group '" + group_ + "' is no longer Active";
        case vrrp::transition_reason::shutdown:
        case vrrp::transition_reason::fault:
            return obstacle_;
    }
    return {};
}

std::optional<ip_address> virtual_router::active_elsewhere() const
{
    if (state() != vrrp::state::backup) {
        return std::nullopt;
    }
    // What was heard before it was Active itself says nothing about now.
    const auto& heard = election_->last_heard();
    const bool is_known = heard && heard->priority != vrrp::priority_releasing;
    const auto peer = is_known ? std::ranges::find(peers_, heard->source, &peer_state::address) : peers_.end();
    return peer != peers_.end() && peer->heard_at >= election_->since() ? std::optional{peer->address} : std::nullopt;
}

std::optional<status::hmac> virtual_router::hmac_snapshot() const
{
    const auto& hmac = configuration_.auth.hmac;
    if (!hmac) {
        return std::nullopt;
    }
    status::hmac out{hmac->mode, hmac->against_replay, hmac->window, hmac->active_key, {}};
    for (const auto& key : hmac->keys) {
        out.keys.push_back(key.id);
    }
    return out;
}

status::router virtual_router::snapshot(time_point now, const net::link_table& links, const takeover::world& world,
                                        const vrrp::admission_counters& received) const
{
    status::router r;
    r.name = configuration_.name;
    r.vrid = configuration_.vrid;
    r.version = static_cast<unsigned>(configuration_.version);
    r.interface = configuration_.interface;
    r.source = source_;
    r.state = state();
    r.state_reason = reason_;
    r.sync_group = group_;
    r.epoch = last_epoch_;
    r.priority = configuration_.priority;
    r.runtime_priority = runtime_priority_;
    r.effective_priority = obstacle_.empty() ? effective_priority() : 0;
    r.priority_total = vrrp::priority_total(base_priority(), weights());
    if (obstacle_.empty() && r.effective_priority != r.priority) {
        r.priority_reason = explain_priority();
    }
    r.preempt = configuration_.preempt;
    r.advert_interval = configuration_.advert_interval;
    r.has_password = configuration_.auth.password.has_value();
    r.signatures = hmac_snapshot();
    r.election = counters_before_;
    if (election_) {
        r.state_age = now - election_->since();
        r.active_advert_interval = election_->active_advert_interval();
        r.active_down_interval = election_->active_down_interval();
        r.election = sum(counters_before_, election_->counters());
        if (r.state == vrrp::state::active) {
            r.active_address = source_;
            r.active_priority = effective_priority();
        } else if (const auto& heard = election_->last_heard(); heard && heard->priority != vrrp::priority_releasing) {
            r.active_address = heard->source;
            r.active_priority = heard->priority;
        }
    }
    for (const auto& peer : peers_) {
        r.peers.push_back({peer.address, peer.heard_at ? std::optional{now - *peer.heard_at} : std::nullopt, peer.priority,
                           inbound_.is_missing(peer.address)});
    }
    local_.snapshot(links, r.resources);
    takeover_.snapshot(now, world, r.resources);
    r.resources.insert(r.resources.end(), unresolved_.begin(), unresolved_.end());
    if (configuration_.hooks) {
        hooks_.snapshot(now, *configuration_.hooks, r.hooks);
    }
    r.trackers = tracker_snapshots(now);
    r.received = received;
    r.adverts_sent = adverts_sent_;
    r.announcements_sent = announcements_sent_;
    r.adverts_send_errors = adverts_not_sent_;
    r.takeovers = takeover_.times();
    r.last_takeover = takeover_.last_takeover();
    return r;
}

}  // namespace vipd::node
