#include "tests/cloud/state_json.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

namespace {

boost::json::object tags_json(const tag_map& tags)
{
    boost::json::object out;
    for (const auto& [key, value] : tags) {
        out[key] = value;
    }
    return out;
}

boost::json::object table_json(const route_table& table, const replica& from)
{
    boost::json::object routes;
    for (const auto& r : table.routes) {
        const auto* interface = from.interface(r.target.interface());
        const auto* machine = interface == nullptr ? nullptr : from.machine_of(*interface);
        // A static route wins over a propagated one of the same destination.
        if (r.is_static() || !routes.contains(to_string(r.destination))) {
            routes[to_string(r.destination)] = {{"target", r.target.id},
                                                {"node", machine == nullptr ? std::string{} : machine->name},
                                                {"state", from.is_blackhole(r.target) ? "blackhole" : "active"},
                                                {"origin", to_string(r.origin)}};
        }
    }
    return routes;
}

boost::json::array addresses_json(const std::vector<ip_address>& addresses)
{
    boost::json::array out;
    for (const auto& address : addresses) {
        out.emplace_back(address.to_string());
    }
    return out;
}

// Flat, because that is what tests compare; an interface that is attached to nothing has an empty instance.
boost::json::object interface_json(const network_interface& interface)
{
    const attachment attached = interface.attached.value_or(attachment{});
    boost::json::array groups;
    for (const auto& group : interface.groups) {
        groups.emplace_back(group.str());
    }
    return {{"mac", interface.mac},
            {"subnet", interface.subnet.str()},
            {"addresses", addresses_json(interface.addresses)},
            {"ipv6_addresses", addresses_json(interface.addresses6)},
            {"source_dest_check", interface.source_dest_check},
            {"status", interface.status()},
            {"instance", attached.instance.str()},
            {"attachment", attached.id},
            {"device_index", attached.device_index},
            {"delete_on_termination", attached.delete_on_termination},
            {"security_groups", std::move(groups)},
            {"tags", tags_json(interface.tags)}};
}

boost::json::object elastic_ip_json(const elastic_ip& address)
{
    return {{"public_ip", address.public_address.to_string()},
            {"association", address.association},
            {"interface", address.interface.str()},
            {"private_address", address.is_associated() ? address.private_address.to_string() : std::string{}}};
}

}  // namespace

boost::json::object routes_json(const ec2_model& model)
{
    boost::json::object out;
    const auto from = model.primary();
    for (const auto& [id, versions] : model.state().tables) {
        if (const auto* table = versions.current()) {
            out[id.str()] = table_json(*table, from);
        }
    }
    return out;
}

boost::json::object state_json(simulated_cloud& cloud, time_point now)
{
    const auto from = cloud.model().primary();
    boost::json::object tables;
    for (const auto& [id, versions] : from.state.tables) {
        if (const auto* table = versions.current()) {
            tables[id.str()] = {
                {"vpc", table->vpc.str()}, {"tags", tags_json(table->tags)}, {"routes", table_json(*table, from)}};
        }
    }
    boost::json::object interfaces;
    for (const auto& [id, versions] : from.state.interfaces) {
        if (const auto* interface = versions.current()) {
            interfaces[id.str()] = interface_json(*interface);
        }
    }
    boost::json::object elastic_ips;
    for (const auto& [id, versions] : from.state.elastic_ips) {
        if (const auto* address = versions.current()) {
            elastic_ips[id.str()] = elastic_ip_json(*address);
        }
    }
    boost::json::object instances;
    for (const auto& [id, versions] : from.state.instances) {
        if (const auto* machine = versions.current()) {
            instances[id.str()] = {{"name", machine->name},
                                   {"state", to_string(machine->state)},
                                   {"role", machine->role},
                                   {"type", machine->type.str()},
                                   {"impaired", machine->impaired}};
        }
    }
    boost::json::object buckets;
    for (const auto& [name, filling] : cloud.buckets().levels(now)) {
        buckets[name] = {{"level", filling.level},
                         {"capacity", filling.size.capacity},
                         {"refill_per_second", filling.size.refill_per_second}};
    }
    boost::json::object policies;
    for (const auto& [principal, statements] : cloud.policies()) {
        policies[principal] = to_json(statements);
    }
    boost::json::array faults;
    for (const auto& [id, value] : cloud.faults().all()) {
        faults.push_back(to_json(id, value));
    }
    return {{"region", from.state.region},         {"account", from.state.account},         {"route_tables", std::move(tables)},
            {"interfaces", std::move(interfaces)}, {"elastic_ips", std::move(elastic_ips)}, {"instances", std::move(instances)},
            {"buckets", std::move(buckets)},       {"policies", std::move(policies)},       {"faults", std::move(faults)}};
}

}  // namespace vipd::cloud
