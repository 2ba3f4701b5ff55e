// Sync groups: routers that are Active together, or none of them is.
//
// Each has its own election with its own peers, because each may lose its own network. They are tied together at three places:
//  - A Backup whose Active_Down_Timer has run out waits until those of all others have. When the adverts of one router alone
//    are lost, nothing moves: both nodes would claim a part of the group.
//  - When one is no longer Active, for whatever reason, the others hand over in the same turn, with priority 0.
//  - What keeps one from taking part keeps all from it, and what moves the priority of one moves that of all.
// It is a rule for this node alone; nothing of it is on the wire. The peers that have the same group come to the same end.

#include "agent/node/node_impl.hpp"
#include "common/ensure.hpp"

#include <algorithm>

namespace vipd::node {

void node::impl::form_groups()
{
    groups_.clear();
    for (auto& r : routers_) {
        r.router->join({});
    }
    for (const auto& entry : configuration_->sync_groups) {
        std::vector<std::uint32_t> group;
        for (const auto& name : entry.routers) {
            const auto index = find_router(name);
            ENSURE(index.has_value());  // the configuration was checked
            routers_[*index].router->join(entry.name);
            group.push_back(*index);
        }
        level_priorities(group);
        groups_.push_back(std::move(group));
    }
    share_weights();
}

void node::impl::share_weights()
{
    for (auto& r : routers_) {
        r.router->set_weights_of_group(0);
    }
    for (const auto& group : groups_) {
        int sum = 0;
        for (const auto index : group) {
            sum += routers_[index].router->own_weights();
        }
        for (const auto index : group) {
            auto& router = *routers_[index].router;
            router.set_weights_of_group(sum - router.own_weights());
        }
    }
}

found_obstacle node::impl::obstacle_of(const virtual_router& r) const
{
    auto found = r.find_obstacle(links_, aside_);
    if (!found.empty() || r.group().empty()) {
        return found;
    }
    for (const auto& other : routers_) {
        const auto& member = *other.router;
        if (member.group() != r.group()) {
            continue;
        }
        const auto its = member.find_obstacle(links_, aside_);
        // What one knows comes before what another does not know yet.
        if (!its.empty() && (found.empty() || (its.is_known && !found.is_known))) {
            found.what =
                "router '" + member.configuration().name + "' of its sync group '" + r.group() + "' takes no part: " + its.what;
            found.is_known = its.is_known;
        }
    }
    return found;
}

void node::impl::keep_groups_together(instant now)
{
    for (const auto& group : groups_) {
        const bool concerned = all_touched_ || std::ranges::any_of(group, [&](std::uint32_t index) {
                                   return std::ranges::find(touched_, index) != touched_.end();
                               });
        if (concerned) {
            keep_together(now, group);
        }
    }
}

void node::impl::keep_together(instant now, const std::vector<std::uint32_t>& group)
{
    const auto is_active = [&](std::uint32_t index) { return routers_[index].router->state() == vrrp::state::active; };
    const auto active = std::ranges::count_if(group, is_active);
    if (active == std::ssize(group)) {
        return;
    }
    if (active > 0) {
        const auto left = *std::ranges::find_if_not(group, is_active);
        note_group(group, vrrp::state::backup,
                   "router '" + routers_[left].router->configuration().name + "' is no longer Active");
        for (const auto index : group) {
            if (is_active(index)) {
                routers_[index].router->follow_group_to_backup(now, links_, adverts_);
                touched_.push_back(index);
            }
        }
        return;
    }
    auto due = time_point::min();
    for (const auto index : group) {
        const auto since = routers_[index].router->waits_for_group_since();
        if (!since) {
            return;
        }
        due = std::max(due, *since);
    }
    note_group(group, vrrp::state::active, "none of its routers hears a better Active");
    for (const auto index : group) {
        routers_[index].router->follow_group_to_active(now, due, links_, adverts_);
        touched_.push_back(index);
    }
}

// Before its routers are told, one by one, what keeps them out.
void node::impl::note_groups_that_leave()
{
    for (const auto& group : groups_) {
        const bool is_active = std::ranges::any_of(
            group, [&](std::uint32_t index) { return routers_[index].router->state() == vrrp::state::active; });
        if (!is_active) {
            continue;
        }
        for (const auto index : group) {
            const auto& router = *routers_[index].router;
            if (const auto obstacle = router.find_obstacle(links_, aside_); !obstacle.empty()) {
                note_group(group, vrrp::state::initialize,
                           "router '" + router.configuration().name + "' takes no part: " + obstacle.what);
                break;
            }
        }
    }
}

void node::impl::note_group(const std::vector<std::uint32_t>& group, vrrp::state to, const std::string& reason)
{
    std::string names;
    for (const auto index : group) {
        names.append(names.empty() ? "" : " ").append(routers_[index].router->configuration().name);
    }
    journal_.record(
        log_level::info, "sync_group", {},
        {{"group", routers_[group.front()].router->group()}, {"to", to_string(to)}, {"routers", names}, {"reason", reason}});
}

std::string node::impl::why_it_waits(const virtual_router& r) const
{
    if (r.group().empty() || !r.waits_for_group_since()) {
        return {};
    }
    for (const auto& other : routers_) {
        const auto& member = *other.router;
        if (member.group() == r.group() && !member.waits_for_group_since()) {
            const auto active = member.active_elsewhere();
            return "it could be Active, and waits for router '" + member.configuration().name + "' of its sync group '" +
                   r.group() + "'" + (active ? ", which hears " + active->to_string() : "");
        }
    }
    return {};
}

}  // namespace vipd::node
