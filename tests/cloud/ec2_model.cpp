// The rules about routes, and what happens to instances and tables without the API.

#include "tests/cloud/ec2_model.hpp"

#include <algorithm>

namespace vipd::cloud {

namespace {

api_error different_networks(const route_table& table, const std::string& target)
{
    return {"InvalidParameterValue",
            "route table " + table.id.str() + " and interface " + target + " belong to different networks"};
}

// Every prefix that is inside `outer`, itself included.
bool covers(const ip_prefix& outer, const ip_prefix& inner)
{
    return inner.length() >= outer.length() && outer.contains(inner.address());
}

bool is_cidr_of_family(const route& r, ip_family family)
{
    const auto* prefix = std::get_if<ip_prefix>(&r.destination);
    return prefix != nullptr && prefix->family() == family;
}

}  // namespace

api_result<resources> ec2_model::named(const change_route& call) const
{
    const auto* table = primary().table(call.table);
    if (table == nullptr) {
        return api_error{"InvalidRouteTableID.NotFound", "The routeTable ID '" + call.table.str() + "' does not exist"};
    }
    return resources{{"route-table", call.table.str(), &table->tags, table->vpc}};
}

api_result<void> ec2_model::apply(const occasion& when, const change_route& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    const auto& table = *primary().table(call.table);
    switch (call.verb) {
        case route_verb::replace:
            return replace(when.now.steady, table, call);
        case route_verb::create:
            return create(when.now.steady, table, call);
        case route_verb::remove:
            return remove(when.now.steady, table, call);
    }
    return {};
}

api_result<route_target> ec2_model::check_target(const change_route& call, const route_table& table) const
{
    auto target = call.target;
    if (target.id.starts_with("i-")) {
        if (primary().machine(instance_id{target.id}) == nullptr) {
            return api_error{"InvalidInstanceID.NotFound", "The instance ID '" + target.id + "' does not exist"};
        }
        const auto interfaces = primary().interfaces_of(instance_id{target.id});
        if (interfaces.size() != 1) {
            return api_error{"InvalidInstanceID", "There are multiple interfaces attached to instance '" + target.id +
                                                      "'. Please specify an interface ID for the operation instead."};
        }
        target.id = interfaces.front()->id.str();
    }
    if (target.is_interface()) {
        const auto* interface = primary().interface(target.interface());
        if (interface == nullptr) {
            return api_error{"InvalidNetworkInterfaceID.NotFound",
                             "The networkInterface ID '" + target.id + "' does not exist"};
        }
        if (state_.vpc_of(*interface) != table.vpc) {
            return different_networks(table, target.id);
        }
    }
    return target;
}

// VPC user guide, "Subnet route tables": a destination inside the VPC has to be a whole subnet's and go to an interface, and
// the link-local ranges of EC2's own services cannot be routed at all.
api_result<void> ec2_model::check_destination(const change_route& call, const route_target& target,
                                              const route_table& table) const
{
    if (const auto* list = std::get_if<prefix_list_id>(&call.destination)) {
        if (!state_.prefix_lists.contains(*list)) {
            return api_error{"InvalidPrefixListID.NotFound", "The prefix list ID '" + list->str() + "' does not exist"};
        }
        return {};
    }
    const auto& prefix = std::get<ip_prefix>(call.destination);
    const auto text = prefix.to_string();
    for (const auto* reserved : {"169.254.168.0/22", "fd00:ec2::/32"}) {
        if (covers(*ip_prefix::parse(reserved), prefix)) {
            return api_error{"InvalidParameterValue", "The destination CIDR block " + text + " is reserved for AWS services."};
        }
    }
    const auto& cidrs = state_.vpcs.at(table.vpc).cidrs;
    const auto inside = std::ranges::find_if(cidrs, [&](const ip_prefix& cidr) { return covers(cidr, prefix); });
    if (inside == cidrs.end() && table.is_of_gateway()) {
        // VPC user guide, "Gateway route tables". The words are ours.
        return api_error{"InvalidParameterValue", "The route table " + table.id.str() +
                                                      " is associated with a gateway: the destination " + text +
                                                      " is not within this VPC's CIDR blocks."};
    }
    if (inside == cidrs.end()) {
        return {};
    }
    if (!target.is_interface() && !target.is_local() && !target.id.starts_with("nat-") && !target.id.starts_with("vpce-")) {
        return api_error{"InvalidParameterValue",
                         "The destination CIDR block " + text +
                             " is equal to or more specific than one of this VPC's CIDR blocks. This route "
                             "can target only an interface or an instance."};
    }
    const bool is_subnet = std::ranges::any_of(state_.subnets, [&](const auto& entry) {
        return entry.second.vpc == table.vpc && std::ranges::find(entry.second.cidrs, prefix) != entry.second.cidrs.end();
    });
    if (prefix != *inside && !is_subnet) {
        return api_error{"InvalidParameterValue", "Route destination doesn't match any subnet CIDR blocks."};
    }
    return {};
}

api_result<void> ec2_model::replace(time_point now, const route_table& table, const change_route& call)
{
    const auto target = check_target(call, table);
    if (!target) {
        return target.error();
    }
    if (table.static_route(call.destination) == nullptr) {
        if (const auto possible = check_destination(call, *target, table); !possible) {
            return possible;
        }
        return api_error{"InvalidParameterValue", "There is no route defined for '" + to_string(call.destination) +
                                                      "' in the route table. Use CreateRoute instead."};
    }
    put_route(now, call.table, {call.destination, *target, table.static_route(call.destination)->origin});
    return {};
}

api_result<void> ec2_model::create(time_point now, const route_table& table, const change_route& call)
{
    const auto target = check_target(call, table);
    if (!target) {
        return target.error();
    }
    const auto* present = table.static_route(call.destination);
    if (present != nullptr && present->target == *target) {
        return {};
    }
    if (present != nullptr) {
        return api_error{"RouteAlreadyExists", "The route identified by " + to_string(call.destination) + " already exists."};
    }
    if (const auto possible = check_destination(call, *target, table); !possible) {
        return possible;
    }
    if (const auto* prefix = std::get_if<ip_prefix>(&call.destination)) {
        const auto count = std::ranges::count_if(table.routes, [&](const route& r) {
            return r.origin == route_origin::create_route && is_cidr_of_family(r, prefix->family());
        });
        if (count >= static_cast<std::ptrdiff_t>(state_.routes_per_table_max)) {
            return api_error{"RouteLimitExceeded", "The maximum number of routes has been reached."};
        }
    }
    put_route(now, call.table, {call.destination, *target, route_origin::create_route});
    return {};
}

api_result<void> ec2_model::remove(time_point now, const route_table& table, const change_route& call)
{
    const auto* present = table.static_route(call.destination);
    if (present == nullptr) {
        return api_error{"InvalidRoute.NotFound", "no route with destination-cidr-block " + to_string(call.destination) +
                                                      " in route table " + call.table.str()};
    }
    if (present->target.is_local()) {
        return api_error{"InvalidParameterValue",
                         "cannot remove local route " + to_string(call.destination) + " in route table " + call.table.str()};
    }
    remove_route(now, call.table, call.destination);
    return {};
}

bool ec2_model::add_table(time_point now, route_table table)
{
    const auto id = table.id;
    if (primary().table(id) != nullptr || !state_.vpcs.contains(table.vpc)) {
        return false;
    }
    state_.tables[id].put(now, std::move(table));
    return true;
}

bool ec2_model::remove_table(time_point now, const route_table_id& id)
{
    if (primary().table(id) == nullptr) {
        return false;
    }
    state_.tables[id].remove(now);
    return true;
}

bool ec2_model::put_route(time_point now, const route_table_id& table, const route& value)
{
    const auto* present = primary().table(table);
    if (present == nullptr) {
        return false;
    }
    auto changed = *present;
    const auto old = std::ranges::find_if(changed.routes, [&](const route& r) {
        return r.destination == value.destination && r.is_static() == value.is_static();
    });
    if (old == changed.routes.end()) {
        changed.routes.push_back(value);
    } else {
        *old = value;
    }
    state_.tables[table].put(now, std::move(changed));
    return true;
}

bool ec2_model::remove_route(time_point now, const route_table_id& table, const route_destination& destination)
{
    const auto* present = primary().table(table);
    if (present == nullptr) {
        return false;
    }
    auto changed = *present;
    const auto removed =
        std::erase_if(changed.routes, [&](const route& r) { return r.is_static() && r.destination == destination; });
    state_.tables[table].put(now, std::move(changed));
    return removed > 0;
}

}  // namespace vipd::cloud
