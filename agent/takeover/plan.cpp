#include "agent/takeover/plan.hpp"

namespace vipd::takeover {

route_action plan_route(const aws::network_interface_id& wanted, const aws::route* seen)
{
    if (seen == nullptr || seen->propagated) {
        return route_action::create;
    }
    const bool works = seen->state == aws::route_state::active || seen->state == aws::route_state::unknown;
    return seen->interface == wanted && works ? route_action::none : route_action::replace;
}

std::string describe_owner(const aws::route* seen)
{
    if (seen == nullptr) {
        return "none";
    }
    std::string owner = seen->interface.empty() ? seen->target : seen->interface.str();
    if (owner.empty()) {
        owner = "unknown";
    }
    if (seen->state == aws::route_state::blackhole) {
        owner += " (blackhole)";
    }
    if (seen->propagated) {
        owner += " (propagated)";
    }
    return owner;
}

std::string describe_query(const table_query& query)
{
    std::string text;
    const auto add = [&](const char* between, const std::string& more) { text += (text.empty() ? "" : between) + more; };
    for (const auto& id : query.ids) {
        add(", ", id.str());
    }
    if (query.vpc) {
        add(", ", query.vpc->str());
    }
    for (const auto& tag : query.tags) {
        add(" with ", "tag " + tag.key + "=" + tag.value);
    }
    return text;
}

}  // namespace vipd::takeover
