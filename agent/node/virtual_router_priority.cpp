// What a virtual router's priority follows from beside its configuration, and what a change of that leads to.

#include "agent/node/virtual_router.hpp"
#include "agent/vrrp/effective_priority.hpp"

namespace vipd::node {

int virtual_router::weight_of_path() const
{
    return !configuration_.moves_in_cloud() ? 0 : vrrp::contribution(configuration_.api_weight, path_.works());
}

std::uint8_t virtual_router::effective_priority() const
{
    if (notice_ && configuration_.priority != vrrp::priority_owner) {
        return 1;
    }
    return vrrp::effective_priority(configuration_.priority, weights());
}

void virtual_router::path_changed(instant now, const net::link_table& links, advert_queue& adverts)
{
    follow_priority(now, path_.works() ? "the path to EC2 works again" : "the path to EC2 is broken", links, adverts);
}

void virtual_router::notice_changed(instant now, const net::link_table& links, advert_queue& adverts)
{
    follow_priority(now, notice_ ? "EC2 is about to take this instance away" : "EC2 has called it off", links, adverts);
    if (notice_ && configuration_.priority != vrrp::priority_owner) {
        step_down(now, links, adverts);
    }
}

void virtual_router::follow_priority(instant now, std::string_view reason, const net::link_table& links, advert_queue& adverts)
{
    if (!election_ || election_->settings().priority == effective_priority()) {
        return;
    }
    if (is_news_) {
        journal_.record(log_level::warning, "priority", configuration_.name,
                        {{"from", election_->settings().priority},
                         {"to", effective_priority()},
                         {"configured", configuration_.priority},
                         {"reason", reason}});
    }
    election_->change(now.steady, election_settings(), election_outputs_);
    apply(now, links, adverts);
}

}  // namespace vipd::node
