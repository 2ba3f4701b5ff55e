// How a virtual router goes on where the one of the process before this one was.

#include "agent/node/virtual_router.hpp"
#include "agent/vrrp/timers.hpp"

#include <algorithm>
#include <utility>

namespace vipd::node {

void virtual_router::succeed(const router_succession& predecessor)
{
    last_epoch_ = predecessor.epoch;
    signed_last_ = predecessor.signed_last;
    patient_until_ = predecessor.patient_until.value_or(time_point::min());  // the start was the predecessor's
    // As after a reload: what is new to a router that takes part is taken for well.
    const auto names = [](const std::vector<std::string>& all, const std::string& name) {
        return std::ranges::find(all, name) != all.end();
    };
    const auto& unwell = predecessor.unwell_trackers;
    for (const auto& tracker : configuration_.trackers) {
        auto& assumed = assumed_[tracker.name];
        assumed.is_well = names(predecessor.well_trackers, tracker.name) || (unwell && !names(*unwell, tracker.name));
        if (const auto number = predecessor.numbers.find(tracker.name); number != predecessor.numbers.end()) {
            assumed.number = number->second;
        }
    }
    role_told_ = predecessor.role_told;
    known_interfaces_ = predecessor.interfaces;
    left_drain_until_ = predecessor.drain_until;
    const bool is_same = predecessor.vrid == configuration_.vrid && predecessor.version == configuration_.version &&
                         predecessor.source && predecessor.source->family() == configuration_.peers.front().address.family();
    if (is_same) {
        learned_interval_ = predecessor.learned_interval;
        // Which address it speaks from follows from the interface, unless it is configured: the peers know that one.
        first_source_ = predecessor.source;
    }
    if (predecessor.advert_due && is_same) {
        predecessor_ = predecessor;
    }
}

void virtual_router::succeed(const priority_succession& predecessor)
{
    runtime_priority_ = predecessor.priority;
    if (predecessor.configured != configuration_.priority) {
        drop_runtime_priority("the configured one has changed with the restart");
    }
}

router_succession virtual_router::leave_behind(time_point now) const
{
    std::vector<std::string> well;
    std::vector<std::string> unwell;
    std::map<std::string, std::int64_t> numbers;
    for (const auto& tracker : configuration_.trackers) {
        const auto v = verdict_of(tracker);
        (v.is_well() ? well : unwell).push_back(tracker.name);
        if (v.number != 0) {
            numbers.emplace(tracker.name, v.number);
        }
    }
    const bool takes_part = state() != vrrp::state::initialize;
    const bool is_active = is_active_for_certain(now);
    return router_succession{.name = configuration_.name,
                             .vrid = configuration_.vrid,
                             .version = configuration_.version,
                             .source = source_,
                             .epoch = last_epoch_,
                             .advert_due = is_active ? std::optional{election_->advert_due()} : std::nullopt,
                             .is_owned = ownership_told_,
                             .well_trackers = std::move(well),
                             .unwell_trackers = takes_part ? std::optional{std::move(unwell)} : std::nullopt,
                             .signed_last = signer_ ? signer_->last() : signed_last_,
                             .role_told = role_told_,
                             .numbers = std::move(numbers),
                             .interfaces = known_interfaces_,
                             .learned_interval = learned_interval_,
                             .believed_until = is_active ? std::optional{election_->believed_until()} : std::nullopt,
                             .drain_until = local_.drain_until(),
                             .patient_until = patient_until_ > now ? patient_until_ : std::nullopt};
}

void virtual_router::succeed_on_node(time_point now, const net::link_table& links)
{
    if (predecessor_) {
        // What a predecessor left behind would be removed by a Backup.
        local_.become_active(now, links);
    } else if (left_drain_until_) {
        const auto& c = configuration_;
        // No later than it could have become by this configuration.
        const auto latest = now + vrrp::longest_down_interval(c.version, c.advert_interval, c.down_timer_adverts) + c.drain;
        local_.go_on_draining(std::min(*left_drain_until_, latest));
    }
}

void virtual_router::give_up_succession(time_point now)
{
    if (predecessor_ && local_started_) {
        predecessor_.reset();
        local_.leave_active(now + configuration_.drain);
    }
}

bool virtual_router::resume(instant now, const net::link_table& links, advert_queue& adverts)
{
    if (!predecessor_) {
        return false;
    }
    const auto& c = configuration_;
    const auto believed_until = predecessor_->believed_until.value_or(
        *predecessor_->advert_due + vrrp::lateness_max(c.version, c.advert_interval, c.down_timer_adverts));
    if (predecessor_->source != source_ || !election_->resume(now.steady, believed_until, election_outputs_)) {
        give_up_succession(now.steady);
        return false;
    }
    const auto predecessor = std::exchange(predecessor_, std::nullopt);
    // Nothing has happened that a hook would have to hear of. An older version has not said which role was told.
    role_told_ = config::hook_event::active;
    ownership_told_ = predecessor->is_owned;
    apply(now, links, adverts);
    return true;
}

}  // namespace vipd::node
