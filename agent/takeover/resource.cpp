#include "agent/takeover/resource.hpp"

#include "common/overloaded.hpp"

#include <algorithm>
#include <string_view>

namespace vipd::takeover {

namespace {

using place = sighting::place;

const aws::network_interface* only_interface(const query_view& view)
{
    return view.interfaces.size() == 1 ? &view.interfaces.begin()->second : nullptr;
}

bool has_address(const aws::network_interface& interface, const ip_address& address)
{
    return std::ranges::find(interface.addresses, address) != interface.addresses.end();
}

sighting nowhere()
{
    sighting s;
    s.where = place::nowhere;
    s.serves_nobody = true;
    s.owner = "none";
    return s;
}

sighting at_interface(const aws::network_interface_id& interface, bool is_target)
{
    sighting s;
    s.where = is_target ? place::here : place::elsewhere;
    s.owner = s.taken_by = interface.str();
    s.interface = interface;
    return s;
}

std::optional<sighting> look(const route_in_table& what, const query_view& view)
{
    const auto table = view.tables.find(what.table);
    if (table == view.tables.end()) {
        return std::nullopt;
    }
    const auto found = table->second.routes.find(what.destination);
    return sighting_of(what, found == table->second.routes.end() ? nullptr : &found->second);
}

std::optional<sighting> look(const secondary_address& what, const query_view& view)
{
    // Where the VPC is not known, one of another may have the same address.
    const auto target = view.interfaces.find(what.target);
    if (target != view.interfaces.end() && has_address(target->second, what.address)) {
        return at_interface(what.target, true);
    }
    for (const auto& [id, interface] : view.interfaces) {
        if (has_address(interface, what.address)) {
            return at_interface(id, false);
        }
    }
    return nowhere();
}

std::optional<sighting> look(const elastic_ip& what, const query_view& view)
{
    const auto found = view.elastic_addresses.find(what.allocation);
    if (found == view.elastic_addresses.end()) {
        return std::nullopt;
    }
    const auto& address = found->second;
    if (address.interface.empty()) {
        return nowhere();
    }
    const bool is_right_address = !what.private_address || what.private_address == address.private_address;
    auto s = at_interface(address.interface, address.interface == what.target && is_right_address);
    if (address.private_address) {
        s.owner += " (" + address.private_address->to_string() + ")";
    }
    return s;
}

std::optional<sighting> look(const floating_interface& what, const query_view& view)
{
    const auto* interface = only_interface(view);
    if (interface == nullptr) {
        return std::nullopt;
    }
    if (!interface->attachment || interface->attachment->state == aws::attachment_state::detached) {
        auto s = nowhere();
        s.interface = interface->id;
        return s;
    }
    const auto& attachment = *interface->attachment;
    const bool is_mine = attachment.instance == what.instance;
    sighting s;
    s.interface = interface->id;
    s.attachment = attachment.id;
    s.owner = s.taken_by = attachment.instance.empty() ? "an instance of another account" : attachment.instance.str();
    s.delete_on_termination = attachment.delete_on_termination;
    switch (attachment.state) {
        case aws::attachment_state::detaching:
            s.where = place::leaving;
            s.owner += " (detaching)";
            break;
        case aws::attachment_state::attaching:
            s.where = is_mine ? place::arriving : place::elsewhere;
            s.owner += " (attaching)";
            break;
        case aws::attachment_state::attached:
        case aws::attachment_state::detached:
        case aws::attachment_state::unknown:
            s.where = is_mine ? place::here : place::elsewhere;
            break;
    }
    return s;
}

std::optional<aws::ec2_call> call_for(const route_in_table& what, const std::optional<sighting>& seen)
{
    if (seen && seen->where == place::nowhere) {
        return aws::create_route{what.table, what.destination, what.target};
    }
    return aws::replace_route{what.table, what.destination, what.target};
}

std::optional<aws::ec2_call> call_for(const secondary_address& what, const std::optional<sighting>& seen)
{
    if (what.address.is_v4()) {
        return aws::assign_private_ip_address{what.target, what.address};
    }
    if (seen && seen->where == place::elsewhere) {
        return aws::unassign_ipv6_address{seen->interface, what.address};
    }
    return aws::assign_ipv6_address{what.target, what.address};
}

std::optional<aws::ec2_call> call_for(const elastic_ip& what, const std::optional<sighting>& /*seen*/)
{
    return aws::associate_address{what.allocation, what.target, what.private_address};
}

std::optional<aws::ec2_call> call_for(const floating_interface& what, const std::optional<sighting>& seen)
{
    if (seen && seen->where == place::nowhere) {
        return aws::attach_network_interface{seen->interface, what.instance, what.device_index.value_or(1)};
    }
    if (seen && seen->where == place::elsewhere) {
        return aws::detach_network_interface{seen->attachment};
    }
    return std::nullopt;
}

}  // namespace

resource_name name_of(const resource& what)
{
    return std::visit(overloaded{
                          [](const route_in_table& r) {
                              return resource_name{r.destination.to_string(), r.table.str()};
                          },
                          [](const secondary_address& r) {
                              return resource_name{r.address.to_string(), {}};
                          },
                          [](const elastic_ip& r) {
                              return resource_name{r.allocation.str(), {}};
                          },
                          [](const floating_interface& r) {
                              return resource_name{describe_query(r.match), {}};
                          },
                      },
                      what);
}

std::string target_of(const resource& what)
{
    return std::visit(overloaded{
                          [](const floating_interface& r) { return r.instance.str(); },
                          [](const auto& r) { return r.target.str(); },
                      },
                      what);
}

status::resource_kind kind_of(const resource& what)
{
    return std::visit(overloaded{
                          [](const route_in_table&) { return status::resource_kind::route; },
                          [](const secondary_address&) { return status::resource_kind::secondary_ip; },
                          [](const elastic_ip&) { return status::resource_kind::elastic_ip; },
                          [](const floating_interface&) { return status::resource_kind::network_interface; },
                      },
                      what);
}

std::string name_for_people(const resource& what, const query_view* view)
{
    auto name = name_of(what).for_people();
    std::string given;
    if (view != nullptr) {
        std::visit(overloaded{
                       [&](const route_in_table& r) {
                           const auto found = view->tables.find(r.table);
                           given = found == view->tables.end() ? std::string{} : found->second.name;
                       },
                       [&](const secondary_address&) {},
                       [&](const elastic_ip& r) {
                           const auto found = view->elastic_addresses.find(r.allocation);
                           given = found == view->elastic_addresses.end() ? std::string{} : found->second.public_ip;
                       },
                       [&](const floating_interface&) {
                           const auto* interface = only_interface(*view);
                           given = interface == nullptr || interface->id.str() == name ? std::string{} : interface->id.str();
                       },
                   },
                   what);
    }
    return given.empty() ? name : name + " (" + given + ")";
}

bool was_asked(const resource& what, const query_view& view)
{
    const auto* route = std::get_if<route_in_table>(&what);
    return route == nullptr || view.destinations.contains(route->destination);
}

std::optional<sighting> look_for(const resource& what, const query_view& view)
{
    return std::visit([&](const auto& r) { return look(r, view); }, what);
}

sighting sighting_of(const route_in_table& what, const aws::route* seen)
{
    sighting s;
    s.owner = describe_owner(seen);
    s.serves_nobody = seen == nullptr || seen->propagated || seen->state == aws::route_state::blackhole;
    if (seen == nullptr || seen->propagated) {
        // A propagated route cannot be replaced; a static one beside it decides.
        s.where = place::nowhere;
        return s;
    }
    const bool works = seen->state == aws::route_state::active || seen->state == aws::route_state::unknown;
    s.where = seen->interface == what.target && works ? place::here : place::elsewhere;
    s.interface = seen->interface;
    s.taken_by = seen->interface.empty() ? seen->target : seen->interface.str();
    return s;
}

std::string misfit(const resource& what, const query_view& view)
{
    return std::visit(
        overloaded{
            [&](const route_in_table&) {
                return std::string{"EC2 lists no such route table; check tables in [[router.route]]"};
            },
            [&](const secondary_address&) { return std::string{}; },
            [&](const elastic_ip& r) {
                return "EC2 lists no Elastic IP " + r.allocation.str() + "; check allocation in [[router.elastic_ip]]";
            },
            [&](const floating_interface& r) {
                const auto count = view.interfaces.size();
                return (count == 0 ? std::string{"no interface matches "} : std::to_string(count) + " interfaces match ") +
                       describe_query(r.match) + "; match in [[router.eni]] has to name exactly one";
            },
        },
        what);
}

bool is_absent(const resource& what, const query_view& view)
{
    return !std::holds_alternative<floating_interface>(what) || view.interfaces.empty();
}

std::optional<aws::ec2_call> next_call(const resource& what, const std::optional<sighting>& seen)
{
    return std::visit([&](const auto& r) { return call_for(r, seen); }, what);
}

std::optional<aws::ec2_call> forced_call(const resource& what, const sighting& seen)
{
    if (!std::holds_alternative<floating_interface>(what) || seen.where != place::leaving) {
        return std::nullopt;
    }
    return aws::detach_network_interface{seen.attachment, true};
}

bool is_target(const resource& what, const sighting& seen)
{
    return std::visit(overloaded{
                          // The instance is always this one.
                          [&](const floating_interface&) { return seen.where == place::here; },
                          [&](const auto& r) { return r.target == seen.interface; },
                      },
                      what);
}

std::optional<aws::ec2_call> amending_call(const resource& what, const sighting& seen)
{
    if (!std::holds_alternative<floating_interface>(what) || seen.where != place::here || !seen.delete_on_termination) {
        return std::nullopt;
    }
    return aws::keep_on_termination{seen.interface, seen.attachment};
}

accepted_step step_of(const aws::ec2_call& call)
{
    if (std::holds_alternative<aws::unassign_ipv6_address>(call)) {
        return accepted_step::freed;
    }
    const bool goes_on = std::holds_alternative<aws::detach_network_interface>(call) ||
                         std::holds_alternative<aws::attach_network_interface>(call);
    return goes_on ? accepted_step::moving : accepted_step::arrived;
}

bool is_another_step(const aws::ec2_call& a, const aws::ec2_call& b)
{
    if (a.index() != b.index()) {
        return true;
    }
    const auto* const detach = std::get_if<aws::detach_network_interface>(&a);
    return detach != nullptr && detach->attachment != std::get<aws::detach_network_interface>(b).attachment;
}

std::string plan_line(const resource& what, const sighting& seen)
{
    const auto where = name_of(what).for_people();
    if (seen.where == place::here) {
        return "= " + where + ": stays at " + target_of(what);
    }
    const auto call = next_call(what, seen);
    if (!call) {
        return "~ " + where + ": is on its way, " + seen.owner;
    }
    if (seen.where == place::nowhere) {
        return "+ " + where + ": " + std::string{aws::action_name(*call)} + " to " + target_of(what) + " (found " + seen.owner +
               ")";
    }
    return "~ " + where + ": " + std::string{aws::action_name(*call)} + " from " + seen.owner + " to " + target_of(what);
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

}  // namespace vipd::takeover
