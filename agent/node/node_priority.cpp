// A priority that an operator has set in place of the configured one. It belongs to a router, and to all of a sync group alike:
// routers with different priorities would win their elections apart, and the group would stay where it is for ever.

#include "agent/node/node_impl.hpp"
#include "common/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::node {

result<std::vector<std::uint32_t>> node::impl::find_concerned(const set_priority& wanted) const
{
    const auto index = find_router(wanted.router);
    if (!index) {
        return error{error_class::not_found, "there is no router " + wanted.router};
    }
    const auto& router = *routers_[*index].router;
    if (router.configuration().priority == vrrp::priority_owner) {
        return error{error_class::unsupported,
                     fmt::format("router {} is the address owner, whose priority is always {}: set address_owner = false and a "
                                 "priority below that in the configuration, and reload",
                                 wanted.router, vrrp::priority_owner)};
    }
    for (const auto& group : groups_) {
        if (std::ranges::find(group, *index) != group.end()) {
            return group;
        }
    }
    return std::vector{*index};
}

result<std::string> node::impl::can_set_priority(const set_priority& wanted) const
{
    const auto concerned = find_concerned(wanted);
    if (!concerned) {
        return concerned.error();
    }
    const auto& router = *routers_[concerned->front()].router;
    std::string whose = "router " + wanted.router;
    if (!router.group().empty()) {
        whose = "sync group " + router.group() + " (";
        for (const auto index : *concerned) {
            whose.append(index == concerned->front() ? "" : ", ").append(routers_[index].router->configuration().name);
        }
        whose += ")";
    }
    const unsigned configured = router.configuration().priority;
    if (!wanted.priority) {
        return router.runtime_priority()
                   ? fmt::format("{}: the priority is {} again, as configured", whose, configured)
                   : fmt::format("{}: the priority was not set at run time, and stays {}, as configured", whose, configured);
    }
    return fmt::format(
        "{}: the priority is {} (configured: {}) until it is set to default, a reload changes what is configured, or "
        "the daemon ends",
        whose, *wanted.priority, configured);
}

void node::impl::apply_priority(instant now, const set_priority& wanted)
{
    ENSURE(!wanted.priority || (*wanted.priority > 0 && *wanted.priority < vrrp::priority_owner));
    const auto concerned = find_concerned(wanted);
    if (!concerned) {
        return;  // can_set_priority() says why
    }
    for (const auto index : *concerned) {
        routers_[index].router->set_priority(now, wanted.priority, links_, adverts_);
        touched_.push_back(index);
    }
}

void node::impl::level_priorities(const std::vector<std::uint32_t>& group)
{
    const auto priority_of = [&](std::uint32_t index) { return routers_[index].router->runtime_priority(); };
    const bool is_level =
        std::ranges::all_of(group, [&](std::uint32_t index) { return priority_of(index) == priority_of(group.front()); });
    for (const auto index : group) {
        if (!is_level) {
            routers_[index].router->drop_runtime_priority("not every router of its sync group had it");
        }
    }
}

}  // namespace vipd::node
