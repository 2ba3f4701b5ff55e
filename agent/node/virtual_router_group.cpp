// What a virtual router does because of the others of its sync group. When it does is said in node_groups.cpp.

#include "agent/node/virtual_router.hpp"

namespace vipd::node {

void virtual_router::join(std::string_view group)
{
    group_ = group;
    if (election_) {
        election_->wait_for_group(!group_.empty());
    }
}

void virtual_router::weights_of_group_changed(instant now, const net::link_table& links, advert_queue& adverts)
{
    follow_priority(now, "its sync group has changed", links, adverts);
}

std::optional<time_point> virtual_router::waits_for_group_since() const
{
    return election_ && election_->is_waiting() ? std::optional{election_->waiting_since()} : std::nullopt;
}

void virtual_router::wait_for_other_group(time_point since)
{
    if (election_) {
        election_->wait_for_other_group(since);
    }
}

void virtual_router::follow_group_to_active(instant now, time_point due, const net::link_table& links, advert_queue& adverts)
{
    election_->follow_group_to_active(now.steady, due, election_outputs_);
    apply(now, links, adverts);
}

void virtual_router::follow_group_to_backup(instant now, const net::link_table& links, advert_queue& adverts)
{
    election_->follow_group_to_backup(now.steady, election_outputs_);
    apply(now, links, adverts);
}

}  // namespace vipd::node
