// How a virtual router goes on where the one of the process before this one was.

#include "agent/node/virtual_router.hpp"

#include <algorithm>
#include <utility>

namespace vipd::node {

void virtual_router::succeed(const router_succession& predecessor)
{
    last_epoch_ = predecessor.epoch;
    signed_last_ = predecessor.signed_last;
    patient_until_ = time_point::min();  // the start was the predecessor's
    // As after a reload: what is new to a router that takes part is taken for well.
    const auto names = [](const std::vector<std::string>& all, const std::string& name) {
        return std::ranges::find(all, name) != all.end();
    };
    const auto& unwell = predecessor.unwell_trackers;
    for (const auto& tracker : configuration_.trackers) {
        assumed_well_[tracker.name] =
            names(predecessor.well_trackers, tracker.name) || (unwell && !names(*unwell, tracker.name));
    }
    const bool is_same = predecessor.vrid == configuration_.vrid && predecessor.version == configuration_.version &&
                         predecessor.source.family() == configuration_.peers.front().address.family();
    if (predecessor.advert_due && is_same) {
        predecessor_ = predecessor;
        // Which address it speaks from follows from the interface, unless it is configured: the peers know that one.
        first_source_ = predecessor.source;
    }
}

void virtual_router::succeed(const priority_succession& predecessor)
{
    runtime_priority_ = predecessor.priority;
    if (predecessor.configured != configuration_.priority) {
        drop_runtime_priority("the configured one has changed with the restart");
    }
}

std::optional<router_succession> virtual_router::leave_behind(time_point now) const
{
    if (!source_) {
        return std::nullopt;
    }
    std::vector<std::string> well;
    std::vector<std::string> unwell;
    for (const auto& tracker : configuration_.trackers) {
        (verdict_of(tracker).is_well() ? well : unwell).push_back(tracker.name);
    }
    const bool takes_part = state() != vrrp::state::initialize;
    return router_succession{.name = configuration_.name,
                             .vrid = configuration_.vrid,
                             .version = configuration_.version,
                             .source = *source_,
                             .epoch = last_epoch_,
                             .advert_due = is_active_for_certain(now) ? std::optional{election_->advert_due()} : std::nullopt,
                             .is_owned = ownership_told_,
                             .well_trackers = std::move(well),
                             .unwell_trackers = takes_part ? std::optional{std::move(unwell)} : std::nullopt,
                             .signed_last = signer_ ? signer_->last() : signed_last_};
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
    if (predecessor_->source != source_ || !election_->resume(now.steady, *predecessor_->advert_due, election_outputs_)) {
        give_up_succession(now.steady);
        return false;
    }
    const auto predecessor = std::exchange(predecessor_, std::nullopt);
    // Nothing has happened that a hook would have to hear of.
    role_told_ = config::hook_event::active;
    ownership_told_ = predecessor->is_owned;
    apply(now, links, adverts);
    return true;
}

}  // namespace vipd::node
