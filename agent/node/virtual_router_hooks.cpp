// When a virtual router has its hooks told, and of what.

#include "agent/node/virtual_router.hpp"

#include <algorithm>

namespace vipd::node {

namespace {

// What adverts list, and what this node has beside that, such as an address of the other family.
std::vector<ip_address> addresses_of(const config::router& r)
{
    auto all = r.advertised_addresses;
    for (const auto& entry : r.addresses_on_node()) {
        if (std::ranges::find(all, entry.address.address()) == all.end()) {
            all.push_back(entry.address.address());
        }
    }
    return all;
}

}  // namespace

void virtual_router::tell_hooks(config::hook_event event)
{
    if (!configuration_.hooks) {
        return;
    }
    const auto addresses = addresses_of(configuration_);
    hooks_.happened(*configuration_.hooks, {.event = event,
                                            .router = configuration_.name,
                                            .vrid = configuration_.vrid,
                                            .state = state(),
                                            .previous_state = previous_state_,
                                            .epoch = last_epoch_,
                                            .reason = reason_,
                                            .priority = effective_priority(),
                                            .addresses = addresses,
                                            .interface = configuration_.interface,
                                            .source = source_,
                                            .active_address = state() == vrrp::state::active ? source_ : active_elsewhere()});
}

void virtual_router::tell_role(config::hook_event role)
{
    if (role_told_ == role && role != config::hook_event::active) {
        return;
    }
    role_told_ = role;
    ownership_told_ = false;
    tell_hooks(role);
}

void virtual_router::tell_standing(time_point now, standing_aside aside, bool is_known)
{
    const auto role = aside.leaves_in_order() ? config::hook_event::stopping : config::hook_event::fault;
    if (role_told_ == role || (role == config::hook_event::fault && !is_known)) {
        return;
    }
    if (role_told_ == config::hook_event::fault) {
        previous_state_ = vrrp::state::initialize;
    }
    if (role == config::hook_event::stopping) {
        hooks_.stop(now);
    }
    tell_role(role);
}

bool virtual_router::owns_everything(const net::link_table& links) const
{
    // What is not resolved yet may be the link of an interface that has just been attached.
    return state() == vrrp::state::active && unresolved_.empty() && local_.all_here(links) &&
           (!configuration_.moves_in_cloud() || takeover_.confirmed());
}

void virtual_router::look_for_ownership(const net::link_table& links)
{
    if (!ownership_told_ && owns_everything(links)) {
        ownership_told_ = true;
        tell_hooks(config::hook_event::owned);
    }
}

}  // namespace vipd::node
