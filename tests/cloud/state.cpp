#include "tests/cloud/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::cloud {

namespace {

constexpr std::array<std::pair<instance_state, std::string_view>, 6> state_names{{
    {instance_state::pending, "pending"},
    {instance_state::running, "running"},
    {instance_state::shutting_down, "shutting-down"},
    {instance_state::terminated, "terminated"},
    {instance_state::stopping, "stopping"},
    {instance_state::stopped, "stopped"},
}};

}  // namespace

std::string_view to_string(instance_state state)
{
    return std::ranges::find(state_names, state, &std::pair<instance_state, std::string_view>::first)->second;
}

std::optional<instance_state> parse_instance_state(std::string_view text)
{
    const auto found = std::ranges::find(state_names, text, &std::pair<instance_state, std::string_view>::second);
    return found == state_names.end() ? std::nullopt : std::optional{found->first};
}

std::string_view to_string(attachment_status status)
{
    switch (status) {
        case attachment_status::attaching:
            return "attaching";
        case attachment_status::attached:
            return "attached";
        case attachment_status::detaching:
            return "detaching";
    }
    return "";
}

bool network_interface::has(const ip_address& address) const
{
    const auto& list = addresses_of(address.family());
    return std::ranges::find(list, address) != list.end();
}

std::string_view network_interface::status() const
{
    return !attached ? "available" : attached->status == attachment_status::attached ? "in-use" : to_string(attached->status);
}

std::string to_string(const route_destination& destination)
{
    return std::visit(overloaded{[](const ip_prefix& prefix) { return prefix.to_string(); },
                                 [](const prefix_list_id& list) { return list.str(); }},
                      destination);
}

std::string_view to_string(route_origin origin)
{
    switch (origin) {
        case route_origin::create_route_table:
            return "CreateRouteTable";
        case route_origin::create_route:
            return "CreateRoute";
        case route_origin::propagation:
            return "EnableVgwRoutePropagation";
        case route_origin::advertisement:
            return "Advertisement";
    }
    return "";
}

const route* route_table::static_route(const route_destination& destination) const
{
    const auto found = std::ranges::find_if(
        routes, [&](const route& candidate) { return candidate.is_static() && candidate.destination == destination; });
    return found == routes.end() ? nullptr : &*found;
}

bool route_table::is_of_gateway() const
{
    return std::ranges::any_of(associations, [](const route_table_association& a) { return !a.gateway.empty(); });
}

std::string_view cloud_state::partition() const
{
    return region.starts_with("cn-") ? "aws-cn" : region.starts_with("us-gov-") ? "aws-us-gov" : "aws";
}

const subnet* cloud_state::find_subnet(const subnet_id& id) const
{
    const auto found = subnets.find(id);
    return found == subnets.end() ? nullptr : &found->second;
}

vpc_id cloud_state::vpc_of(const network_interface& interface) const
{
    const auto* where = find_subnet(interface.subnet);
    return where == nullptr ? vpc_id{} : where->vpc;
}

instance_type cloud_state::type_of(const instance& machine) const
{
    const auto found = instance_types.find(machine.type);
    return found == instance_types.end() ? instance_type{machine.type} : found->second;
}

std::string cloud_state::arn(std::string_view kind, std::string_view id) const
{
    return fmt::format("arn:{}:ec2:{}:{}:{}/{}", partition(), region, account, kind, id);
}

const route_table* replica::table(const route_table_id& id) const
{
    return find_as_of(state.tables, id, as_of);
}

const network_interface* replica::interface(const network_interface_id& id) const
{
    return find_as_of(state.interfaces, id, as_of);
}

const instance* replica::machine(const instance_id& id) const
{
    return find_as_of(state.instances, id, as_of);
}

std::vector<const network_interface*> replica::interfaces_of(const instance_id& id) const
{
    std::vector<const network_interface*> found;
    for (const auto& [name, versions] : state.interfaces) {
        const auto* interface = versions.as_of(as_of);
        if (interface != nullptr && interface->attached && interface->attached->instance == id) {
            found.push_back(interface);
        }
    }
    std::ranges::sort(found, {}, [](const network_interface* interface) { return interface->attached->device_index; });
    return found;
}

const instance* replica::machine_of(const network_interface& interface) const
{
    return interface.attached ? machine(interface.attached->instance) : nullptr;
}

namespace {

// The first of the map's objects that is as wanted, as of a time.
template <class Id, class T, class Wanted>
const T* find_if_as_of(const std::map<Id, versioned<T>>& objects, time_point when, const Wanted& wanted)
{
    for (const auto& [id, versions] : objects) {
        const auto* object = versions.as_of(when);
        if (object != nullptr && wanted(*object)) {
            return object;
        }
    }
    return nullptr;
}

}  // namespace

const network_interface* replica::with_attachment(std::string_view attachment) const
{
    return find_if_as_of(state.interfaces, as_of,
                         [&](const network_interface& i) { return i.attached && i.attached->id == attachment; });
}

const network_interface* replica::holder(const subnet_id& where, const ip_address& address) const
{
    return find_if_as_of(state.interfaces, as_of,
                         [&](const network_interface& i) { return i.subnet == where && i.has(address); });
}

const elastic_ip* replica::elastic(const allocation_id& id) const
{
    return find_as_of(state.elastic_ips, id, as_of);
}

const elastic_ip* replica::with_association(std::string_view association) const
{
    return find_if_as_of(state.elastic_ips, as_of,
                         [&](const elastic_ip& e) { return e.is_associated() && e.association == association; });
}

const elastic_ip* replica::associated_with(const network_interface_id& id, const ip_address& private_address) const
{
    return find_if_as_of(state.elastic_ips, as_of, [&](const elastic_ip& e) {
        return e.is_associated() && e.interface == id && e.private_address == private_address;
    });
}

bool replica::is_blackhole(const route_target& target) const
{
    if (!target.is_interface()) {
        return false;
    }
    const auto* found = interface(target.interface());
    const auto* owner = found == nullptr ? nullptr : machine_of(*found);
    return owner == nullptr || owner->state != instance_state::running;
}

}  // namespace vipd::cloud
