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
    return vrrp::effective_priority(base_priority(), weights());
}

void virtual_router::note_runtime_priority(std::string_view reason)
{
    journal_.record(log_level::info, "runtime_priority", configuration_.name,
                    {{"set", runtime_priority_ ? std::to_string(*runtime_priority_) : "default"},
                     {"configured", configuration_.priority},
                     {"reason", reason}});
}

void virtual_router::set_priority(instant now, std::optional<std::uint8_t> priority, const net::link_table& links,
                                  advert_queue& adverts)
{
    runtime_priority_ = priority;
    note_runtime_priority("an operator asked for it");
    follow_priority(now, priority ? "an operator has set it" : "an operator has taken back what was set", links, adverts);
}

void virtual_router::drop_runtime_priority(std::string_view reason)
{
    if (runtime_priority_) {
        runtime_priority_.reset();
        note_runtime_priority(reason);
    }
}

void virtual_router::keep_runtime_priority(const config::router& next)
{
    if (next.priority != configuration_.priority) {
        drop_runtime_priority("a reload has changed the configured one");
    }
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
