#include "agent/io/status_adaptor.hpp"

#include "agent/io/process_facts.hpp"

#include <utility>

namespace vipd::io {

void status_adaptor::set_realtime(bool wanted, const realtime_state& got)
{
    realtime_wanted_ = wanted;
    realtime_ = got;
}

status::http_reply status_adaptor::respond(instant now, const status::http_request& request)
{
    return responder_.respond(now, request);
}

status::node status_adaptor::node_snapshot(instant now) const
{
    auto node = node_.snapshot(now);
    node.configuration_refusals += refused_files_;
    return node;
}

status::process status_adaptor::process_snapshot(instant now) const
{
    auto process = loop_.facts();
    process.loop_lateness_max = loop_.lateness_max(now.steady);
    process.realtime_wanted = realtime_wanted_;
    process.realtime_scheduling = realtime_.scheduling;
    process.realtime_lost = realtime_lost_;
    process.memory_locked = realtime_.memory_locked;
    process.http_requests = server_ == nullptr ? 0 : server_->request_count();
    process.http_connections = server_ == nullptr ? 0 : server_->connection_count();
    process.log_lines_dropped = log_.lines_dropped();
    process.resident_bytes = resident_bytes();
    process.open_files = open_files();
    return process;
}

result<std::string> status_adaptor::step_down(instant, std::string_view router)
{
    auto outlook = node_.can_step_down(router);
    if (outlook) {
        loop_.tell(node::step_down{std::string{router}});
    }
    return outlook;
}

result<std::string> status_adaptor::set_maintenance(instant, bool on)
{
    loop_.tell(node::set_maintenance{on});
    return on ? "maintenance is on: this node takes no part until it is switched off"
              : "maintenance is off: this node takes part again";
}

result<std::string> status_adaptor::set_priority(instant, std::string_view router, std::optional<std::uint8_t> priority)
{
    node::set_priority wanted{std::string{router}, priority};
    auto outlook = node_.can_set_priority(wanted);
    if (outlook) {
        loop_.tell(std::move(wanted));
    }
    return outlook;
}

result<std::string> status_adaptor::reload(instant)
{
    return reload_();
}

result<std::string> status_adaptor::restart(instant)
{
    return restart_();
}

}  // namespace vipd::io
