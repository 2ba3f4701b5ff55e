#include "agent/node/virtual_router.hpp"

#include "agent/vrrp/timers.hpp"
#include "common/overloaded.hpp"

#include <algorithm>
#include <utility>

namespace vipd::node {

namespace {

using namespace std::chrono_literals;

std::vector<ip_address> addresses_of(const std::vector<vrrp::peer_rule>& peers)
{
    std::vector<ip_address> all;
    for (const auto& peer : peers) {
        all.push_back(peer.address);
    }
    return all;
}

}  // namespace

virtual_router::virtual_router(const config::router& configuration, std::uint64_t seed, status::journal& journal,
                               takeover::interface_registers& interfaces, const takeover::local_needs& needs,
                               const ec2_path& path, const std::optional<aws::notice>& notice,
                               const health::check_set& checks) :
    configuration_(configuration),
    journal_(journal),
    path_(path),
    notice_(notice),
    checks_(checks),
    takeover_(configuration.name, seed, journal, interfaces),
    local_(configuration.name, seed + 1, journal, needs),
    hooks_(configuration.name, journal)
{
    for (const auto& peer : configuration_.peers) {
        peers_.push_back({peer.address, std::nullopt, 0});
    }
    inbound_.set_peers(addresses_of(configuration_.peers));
    make_verifier();
}

// Made anew or changed: what it remembers of the peers outlives a reload.
void virtual_router::make_verifier()
{
    const auto& hmac = configuration_.auth.hmac;
    if (!hmac) {
        verifier_.reset();
        return;
    }
    const auto senders = addresses_of(configuration_.peers);
    if (verifier_ == nullptr) {
        verifier_ = std::make_shared<vrrp::verifier>(*hmac, senders);
    } else {
        verifier_->change(*hmac, senders);
    }
}

void virtual_router::change_auth(instant now, bool is_other)
{
    make_verifier();
    const auto& hmac = configuration_.auth.hmac;
    if (!is_other) {
        return;
    }
    if (hmac && signer_) {
        signer_->change(*hmac, now);
    }
    if (hmac) {
        journal_.record(log_level::info, "auth", configuration_.name,
                        {{"mode", to_string(hmac->mode)}, {"active_key", hmac->active_key}, {"keys", hmac->keys.size()}});
    } else {
        journal_.record(log_level::info, "auth", configuration_.name,
                        {{"mode", configuration_.auth.password ? "password" : "none"}});
    }
}

vrrp::election_settings virtual_router::election_settings() const
{
    return {.protocol_version = configuration_.version,
            .source = source_.value_or(ip_address{}),
            .priority = effective_priority(),
            .advert_interval = configuration_.advert_interval,
            .down_timer_adverts = configuration_.down_timer_adverts,
            .preempt = configuration_.preempt,
            .preempt_delay = configuration_.preempt_delay};
}

void virtual_router::make_templates()
{
    templates_.clear();
    if (!source_) {
        return;
    }
    const vrrp::advert_content content{.protocol_version = configuration_.version,
                                       .vrid = configuration_.vrid,
                                       .priority = configuration_.priority,
                                       .interval = configuration_.advert_interval,
                                       .addresses = configuration_.advertised_addresses,
                                       .password = configuration_.auth.password ? &*configuration_.auth.password : nullptr};
    for (const auto& peer : configuration_.peers) {
        templates_.emplace_back(content, *source_, peer.address, configuration_.checksum);
    }
}

void virtual_router::configure(instant now, const config::router& configuration, const net::link_table& links,
                               advert_queue& adverts)
{
    if (configuration == configuration_) {
        return;
    }
    note_awake(now.steady);  // by the settings with which it slept, if it did
    assume_of_new_trackers(configuration);
    keep_runtime_priority(configuration);
    listen_anew_when_others_are_let_in(configuration);
    const auto family = [](const config::router& r) { return r.peers.front().address.family(); };
    // The address that it speaks from may be written down, or left to the interface that has it.
    const bool is_other_source = configuration.source ? configuration.source != (source_ ? source_ : configuration_.source)
                                                      : configuration.interface != configuration_.interface ||
                                                            family(configuration) != family(configuration_);
    const bool new_election =
        configuration.version != configuration_.version || configuration.vrid != configuration_.vrid || is_other_source;
    if (new_election) {
        leave(now, false, links, adverts);
        if (election_) {
            counters_before_ = sum(counters_before_, election_->counters());
        }
        election_.reset();
        source_.reset();
        first_source_.reset();
        // What a predecessor knew it knew of another router on the wire.
        predecessor_.reset();
        learned_interval_.reset();
    } else if (state() == vrrp::state::active) {
        // A peer that is no longer told would otherwise wait out its down timer against a node that is alive.
        std::erase_if(templates_, [&](const vrrp::advert_template& t) {
            return std::ranges::any_of(configuration.peers, [&](const auto& p) { return p.address == t.destination(); });
        });
        send(now, vrrp::priority_releasing, adverts);
    }
    if (source_ && configuration_.source && !configuration.source) {
        first_source_ = source_;
    }
    const bool other_auth = configuration.auth != configuration_.auth;
    configuration_ = configuration;
    change_auth(now, other_auth);
    std::vector<peer_state> peers;
    for (const auto& peer : configuration_.peers) {
        const auto old = std::ranges::find(peers_, peer.address, &peer_state::address);
        peers.push_back(old == peers_.end() ? peer_state{peer.address, std::nullopt, 0} : *old);
    }
    peers_ = std::move(peers);
    inbound_.set_peers(addresses_of(configuration_.peers));
    make_templates();
    local_.want(wanted_on_node());
    if (election_) {
        election_->change(now.steady, election_settings(), election_outputs_);
        apply(now, links, adverts);
    }
}

std::vector<takeover::local_item> virtual_router::wanted_on_node() const
{
    auto all = takeover::local_items(configuration_);
    all.insert(all.end(), of_interfaces_.begin(), of_interfaces_.end());
    return all;
}

bool virtual_router::want_of_interfaces(std::vector<takeover::local_item> items)
{
    if (items == of_interfaces_) {
        return false;
    }
    of_interfaces_ = std::move(items);
    if (local_started_) {
        local_.want(wanted_on_node());
    }
    return true;
}

bool virtual_router::find_twin(claimed_keys& claimed)
{
    const auto before = std::exchange(twin_, {});
    if (source_) {
        for (const auto& peer : configuration_.peers) {
            const auto found = claimed.find({peer.address, *source_, configuration_.vrid});
            if (found != claimed.end()) {
                twin_ = found->second;
            }
        }
        for (const auto& peer : configuration_.peers) {
            if (twin_.empty()) {
                claimed.emplace(advert_key{peer.address, *source_, configuration_.vrid}, configuration_.name);
            }
        }
    }
    return twin_ != before;
}

bool virtual_router::look_around(instant now, const net::link_table& links, const std::vector<ip_address>& virtual_addresses,
                                 claimed_keys& claimed, advert_queue& adverts)
{
    auto source = source_;
    if (links.complete()) {
        found_source_ = find_source(links, virtual_addresses);
        source = found_source_ && !found_source_->tentative ? std::optional{found_source_->address.address()} : std::nullopt;
    }
    const bool source_changed = source != source_;
    if (source_changed && election_) {
        // Priority 0 carries the old source. When that has gone the kernel refuses it, and the peers wait for their timers.
        leave(now, true, links, adverts);
        counters_before_ = sum(counters_before_, election_->counters());
        election_.reset();
    }
    source_ = source;
    if (source_changed) {
        make_templates();
        // Nothing that was sent to another address, or for the router that this one was before a reload, would have been heard.
        hears_since_.reset();
    }
    if (source && !first_source_) {
        first_source_ = source;
    }
    const bool twin_changed = find_twin(claimed);
    if (links.complete() && !local_started_) {
        local_started_ = true;
        local_.want(wanted_on_node());
        succeed_on_node(now.steady, links);
        local_.start(now.steady, links);
    }
    return source_changed || twin_changed;
}

void virtual_router::leave(instant now, bool fault, const net::link_table& links, advert_queue& adverts)
{
    if (!election_) {
        return;
    }
    if (fault) {
        election_->fault(now.steady, election_outputs_);
    } else {
        election_->shutdown(now.steady, election_outputs_);
    }
    apply(now, links, adverts);
    // After a stall addresses were kept for longer, in case it should be Active again. It will not.
    local_.end_drain(now.steady + configuration_.drain);
}

void virtual_router::send(instant now, std::uint8_t priority, advert_queue& adverts)
{
    if (templates_.empty()) {
        return;
    }
    const auto interval = configuration_.advert_interval;
    byte_view trailer;
    if (const auto& hmac = configuration_.auth.hmac; hmac && hmac->mode != vrrp::hmac_mode::receive_only) {
        if (!signer_) {
            signer_.emplace(*hmac, now, signed_last_);
        }
        // One for all: what differs between peers is not signed.
        trailer = signer_->sign(templates_.front().message(priority, interval), *source_, now);
    }
    for (auto& t : templates_) {
        adverts.push(index_, *source_, t.destination(),
                     trailer.empty() ? t.message(priority, interval) : t.message(priority, interval, trailer));
        ++adverts_sent_;
    }
}

void virtual_router::note_heard(time_point now, const vrrp::heard_advert& advert)
{
    for (auto& peer : peers_) {
        if (peer.address == advert.source) {
            peer.heard_at = now;
            peer.priority = advert.priority;
        }
    }
    switch (inbound_.heard(now, advert.source)) {
        case inbound_watch::verdict::nothing_new:
            break;
        case inbound_watch::verdict::rule_missing:
            journal_.record(
                log_level::error, "inbound_blocked", configuration_.name,
                {{"peer", advert.source.to_string()},
                 {"sign", "its adverts arrive for ten minutes after this node has sent something, and then no more"},
                 {"remedy", status::inbound_blocked_remedy}});
            break;
        case inbound_watch::verdict::rule_there:
            journal_.record(log_level::info, "inbound_blocked", configuration_.name,
                            {{"peer", advert.source.to_string()}, {"state", "over"}});
            break;
    }
}

// How long one that is no longer Active has to wait before it knows that somebody else is: after a stall, or when it has handed
// over to peers that may not be there. Until then it serves what arrives.
duration virtual_router::may_return_within(vrrp::transition_reason reason) const
{
    // By its own interval: an advert that ended the silence may have told of a much longer one.
    const auto& own = election_->settings();
    switch (reason) {
        case vrrp::transition_reason::stalled:
            return vrrp::active_down_interval(own.protocol_version, own.priority, own.advert_interval, own.down_timer_adverts);
        case vrrp::transition_reason::stepped_down:
        case vrrp::transition_reason::sync_group:
            return vrrp::longest_down_interval(own.protocol_version, own.advert_interval, own.down_timer_adverts);
        default:
            return duration::zero();
    }
}

void virtual_router::apply_transition(time_point now, const vrrp::transition& t, const net::link_table& links)
{
    const auto reason = to_string(t.reason);
    if (t.reason == vrrp::transition_reason::resumed) {
        takeover_.resume_active(now, last_epoch_);
    } else if (t.to == vrrp::state::active) {
        ++last_epoch_;
        local_.become_active(now, links);
        if (const auto& heard = election_->last_heard(); heard && heard->priority != vrrp::priority_releasing) {
            takeover_.heard_rival(heard->at, election_->is_outranked_by(heard->source, heard->priority));
        } else {
            takeover_.heard_no_rival();
        }
        takeover_.become_active(now, t.due, last_epoch_);
        if (t.reason == vrrp::transition_reason::no_advert) {
            inbound_.took_over(now, 2 * configuration_.advert_interval);
        }
    } else if (t.from == vrrp::state::active) {
        active_known_at_ = now;
        takeover_.leave_active();
        announcer_.stop();
        local_.leave_active(now + may_return_within(t.reason) + configuration_.drain);
        if (t.reason == vrrp::transition_reason::heard_better && !configuration_.moves_in_cloud()) {
            // Nothing in the cloud has to follow first: traffic finds the new Active at once, and two holders of an address on
            // one network would disturb each other.
            local_.end_drain(now);
        }
    }
    if (t.to == vrrp::state::active) {
        learned_interval_.reset();
    }
    reason_ = explain(t);
    journal_.record(log_level::info, "transition", configuration_.name,
                    {{"from", to_string(t.from)},
                     {"to", to_string(t.to)},
                     {"reason", reason},
                     {"epoch", last_epoch_},
                     {"priority", effective_priority()},
                     {"late_ms", std::max(duration::zero(), now - t.due)}});
    previous_state_ = t.from;
    if (t.to != vrrp::state::initialize && t.reason != vrrp::transition_reason::resumed) {
        tell_role(t.to == vrrp::state::active ? config::hook_event::active : config::hook_event::backup);
    }
}

void virtual_router::apply(instant now, const net::link_table& links, advert_queue& adverts)
{
    for (const auto& output : election_outputs_) {
        std::visit(overloaded{
                       [&](const vrrp::send_advert& o) {
                           send(now, o.priority, adverts);
                           inbound_.sent(now.steady);
                       },
                       [&](const vrrp::transition& o) { apply_transition(now.steady, o, links); },
                       [&](const vrrp::heard_lower_priority& o) { note_lower_priority(now.steady, o); },
                   },
                   output);
    }
    election_outputs_.clear();
}

void virtual_router::hear(instant now, const vrrp::heard_advert& advert, const net::link_table& links, advert_queue& adverts)
{
    note_awake(now.steady);
    note_heard(now.steady, advert);
    if (advert.priority != vrrp::priority_releasing) {
        active_known_at_ = now.steady;
        if (!configuration_.preempt || advert.priority >= effective_priority()) {
            patient_until_ = now.steady;
        }
    }
    if (election_) {
        election_->handle(now.steady, advert, election_outputs_);
        apply(now, links, adverts);
    }
    const bool tells_interval = configuration_.version == vrrp::version::v3 && advert.priority != vrrp::priority_releasing;
    if (tells_interval && state() != vrrp::state::active) {
        learned_interval_ = advert.interval;
    }
    if (local_.draining() && advert.priority != vrrp::priority_releasing) {
        // Somebody else is Active: traffic is on its way to it, or finds it at once where no route has to follow.
        local_.end_drain(now.steady + (configuration_.moves_in_cloud() ? configuration_.drain : duration::zero()));
    }
}

void virtual_router::handle_timeout(instant now, const net::link_table& links, advert_queue& adverts)
{
    note_awake(now.steady);
    if (election_ && election_->next_wakeup().at <= now.steady) {
        election_->handle_timeout(now.steady, election_outputs_);
        apply(now, links, adverts);
    }
    if (takeover_.next_wakeup().at <= now.steady) {
        takeover_.handle_timeout(now.steady);
    }
    if (local_.next_wakeup().at <= now.steady) {
        local_.handle_timeout(now.steady, links);
    }
    if (hooks_.next_wakeup().at <= now.steady) {
        hooks_.handle_timeout(now.steady);
    }
}

bool virtual_router::step_down(instant now, const net::link_table& links, advert_queue& adverts)
{
    if (!election_) {
        return false;
    }
    const bool was_active = election_->step_down(now.steady, election_outputs_);
    // Also when it was not: it may have found out just now that it stood still.
    apply(now, links, adverts);
    return was_active;
}

wakeup virtual_router::next_wakeup() const
{
    const auto election = state() == vrrp::state::initialize ? listening() : election_->next_wakeup();
    const auto local = earliest(local_.next_wakeup(), announcer_.next_wakeup());
    return earliest(earliest(election, hooks_.next_wakeup()), earliest(takeover_.next_wakeup(), local));
}

std::optional<vrrp::router_rule> virtual_router::rule() const
{
    if (!source_ || !twin_.empty()) {
        return std::nullopt;
    }
    return vrrp::router_rule{.protocol_version = configuration_.version,
                             .vrid = configuration_.vrid,
                             .source = *source_,
                             .peers = configuration_.peers,
                             .addresses = configuration_.advertised_addresses,
                             .advert_interval = configuration_.advert_interval,
                             .password = configuration_.auth.password,
                             .signatures = verifier_};
}

bool virtual_router::has_left(const net::link_table& links) const
{
    return state() == vrrp::state::initialize && local_.settled(links) && hooks_.idle();
}

}  // namespace vipd::node
