// What a topology says of instances, interfaces and Elastic IPs.

#include "tests/cloud/topology_parts.hpp"

#include <algorithm>

namespace vipd::cloud {

namespace {

void read_types(json_reader& root, cloud_state& state)
{
    for (auto& item : root.items("instance_types")) {
        const instance_type_name id{item.required_text("name")};
        auto& type = state.instance_types.try_emplace(id, instance_type{id}).first->second;
        const auto read = [&](std::string_view key, unsigned& value) { value = static_cast<unsigned>(item.count(key, value)); };
        read("interfaces_max", type.interfaces_max);
        read("ipv4_addresses_per_interface", type.ipv4_addresses_per_interface);
        read("ipv6_addresses_per_interface", type.ipv6_addresses_per_interface);
        read("network_cards", type.network_cards);
        if (type.network_cards == 0 || type.interfaces_max == 0) {
            item.fail("", "an instance has at least one network card and one interface");
        }
        item.finish();
    }
}

network_interface read_interface(json_reader& item, const cloud_state& state)
{
    network_interface one;
    one.id = network_interface_id{item.required_text("id")};
    one.subnet = subnet_id{item.required_text("subnet")};
    one.mac = item.required_text("mac");
    one.addresses = read_addresses(item, "addresses");
    one.addresses6 = read_addresses(item, "ipv6_addresses");
    one.source_dest_check = item.boolean("source_dest_check", true);
    one.requester_managed = item.boolean("requester_managed", false);
    one.description = item.text("description");
    one.tags = read_tags(item);
    for (auto& name : item.texts("security_groups")) {
        security_group_id id{std::move(name)};
        if (!state.security_groups.contains(id)) {
            item.fail("security_groups", "'" + id.str() + "' is not one of the security groups");
        }
        one.groups.push_back(std::move(id));
    }
    if (state.find_subnet(one.subnet) == nullptr) {
        item.fail("subnet", "'" + one.subnet.str() + "' is not one of the subnets");
    }
    return one;
}

// The interfaces of an instance, the first of which is its primary one.
void read_attached(json_reader& item, cloud_state& state, instance& one, time_point now)
{
    unsigned next_index = 0;
    for (auto& part : item.items("interfaces")) {
        auto interface = read_interface(part, state);
        attachment attached;
        attached.id = "eni-attach-" + interface.id.str().substr(std::min<std::size_t>(4, interface.id.str().size()));
        attached.instance = one.id;
        attached.device_index = static_cast<unsigned>(part.count("device_index", next_index));
        attached.network_card_index = static_cast<unsigned>(part.count("network_card_index", 0));
        // As EC2 has it for the interfaces that an instance is launched with.
        attached.delete_on_termination = part.boolean("delete_on_termination", true);
        if (next_index == 0) {
            one.subnet = interface.subnet;
        }
        next_index = attached.device_index + 1;
        interface.attached = attached;
        part.finish();
        state.interfaces[interface.id].put(now, interface);
    }
    if (next_index == 0) {
        item.fail("interfaces", "needs at least one");
    }
}

void read_instances(json_reader& root, cloud_state& state, time_point now)
{
    for (auto& item : root.items("instances")) {
        instance one;
        one.id = instance_id{item.required_text("id")};
        one.name = item.text("name", one.id.str());
        one.type = instance_type_name{item.text("type", one.type.str())};
        one.role = item.text("role");
        one.spot = item.boolean("spot", false);
        one.impaired = item.boolean("impaired", false);
        one.tags = read_tags(item);
        one.tags.try_emplace("Name", one.name);
        if (const auto state_name = parse_instance_state(item.text("state", "running"))) {
            one.state = *state_name;
        } else {
            item.fail("state", "has to be pending, running, shutting-down, terminated, stopping or stopped");
        }
        read_attached(item, state, one, now);
        item.finish();
        state.instances[one.id].put(now, one);
    }
}

void read_elastic_ips(json_reader& root, cloud_state& state, time_point now)
{
    for (auto& item : root.items("elastic_ips")) {
        elastic_ip one;
        one.id = allocation_id{item.required_text("id")};
        one.tags = read_tags(item);
        const auto text = item.required_text("public_ip");
        if (const auto address = ip_address::parse(text); address && address->is_v4()) {
            one.public_address = *address;
        } else {
            item.fail("public_ip", "'" + text + "' is not an IPv4 address");
        }
        const network_interface_id interface {
            item.text("interface")
        };
        const auto held_by = state.interfaces.find(interface);
        const auto* held = held_by == state.interfaces.end() ? nullptr : held_by->second.current();
        if (held != nullptr && !held->addresses.empty()) {
            const auto where = item.text("private_address", held->addresses.front().to_string());
            const auto address = ip_address::parse(where);
            if (!address || !held->has(*address)) {
                item.fail("private_address", "'" + where + "' is not an address of " + interface.str());
            } else {
                one.private_address = *address;
            }
            one.interface = interface;
            one.association = "eipassoc-" + one.id.str().substr(std::min<std::size_t>(9, one.id.str().size()));
        } else if (!interface.empty()) {
            item.fail("interface", "'" + interface.str() + "' is not one of the interfaces with an IPv4 address");
        }
        item.finish();
        state.elastic_ips[one.id].put(now, one);
    }
}

}  // namespace

void read_machines(json_reader& root, cloud_state& state, time_point now)
{
    read_types(root, state);
    read_instances(root, state, now);
    for (auto& item : root.items("interfaces")) {
        const auto interface = read_interface(item, state);
        item.finish();
        state.interfaces[interface.id].put(now, interface);
    }
    read_elastic_ips(root, state, now);
}

}  // namespace vipd::cloud
