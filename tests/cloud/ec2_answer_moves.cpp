// Interfaces, instances, Elastic IPs, and what the calls that move them answer.

#include "tests/cloud/ec2_answer.hpp"
#include "tests/cloud/ec2_xml.hpp"
#include "tests/cloud/wire_time.hpp"

namespace vipd::cloud {

using namespace xml;

namespace {

void add_attachment(pugi::xml_node parent, const attachment& attached, const replica& from)
{
    auto node = parent.append_child("attachment");
    add(node, "attachmentId", attached.id);
    add(node, "instanceId", attached.instance.str());
    add(node, "instanceOwnerId", from.state.account);
    add(node, "deviceIndex", std::to_string(attached.device_index));
    add(node, "networkCardIndex", std::to_string(attached.network_card_index));
    add(node, "status", to_string(attached.status));
    add(node, "attachTime", iso_time(attached.since));
    add(node, "deleteOnTermination", yes_or_no(attached.delete_on_termination));
}

void add_association(pugi::xml_node parent, const elastic_ip* elastic, const replica& from)
{
    if (elastic == nullptr) {
        return;
    }
    auto node = parent.append_child("association");
    add(node, "allocationId", elastic->id.str());
    add(node, "associationId", elastic->association);
    add(node, "ipOwnerId", from.state.account);
    add(node, "publicIp", elastic->public_address.to_string());
}

void add_addresses(pugi::xml_node parent, const network_interface& interface, const replica& from)
{
    auto set = parent.append_child("privateIpAddressesSet");
    for (const auto& address : interface.addresses) {
        auto item = set.append_child("item");
        add(item, "privateIpAddress", address.to_string());
        add(item, "primary", yes_or_no(interface.is_primary(address)));
        add_association(item, from.associated_with(interface.id, address), from);
    }
    auto set6 = parent.append_child("ipv6AddressesSet");
    for (const auto& address : interface.addresses6) {
        auto item = set6.append_child("item");
        add(item, "ipv6Address", address.to_string());
        add(item, "isPrimaryIpv6", "false");
    }
}

void add_groups(pugi::xml_node parent, const network_interface& interface, const replica& from)
{
    auto set = parent.append_child("groupSet");
    for (const auto& id : interface.groups) {
        const auto group = from.state.security_groups.find(id);
        auto item = set.append_child("item");
        add(item, "groupId", id.str());
        add(item, "groupName", group == from.state.security_groups.end() ? "" : group->second.name);
    }
}

void add_interface(pugi::xml_node set, const network_interface& interface, const replica& from)
{
    auto item = set.append_child("item");
    add(item, "networkInterfaceId", interface.id.str());
    add(item, "subnetId", interface.subnet.str());
    add(item, "vpcId", from.state.vpc_of(interface).str());
    if (const auto* where = from.state.find_subnet(interface.subnet)) {
        add(item, "availabilityZone", where->zone);
        add(item, "availabilityZoneId", zone_id(from.state.region, where->zone));
    }
    add(item, "description", interface.description);
    add(item, "ownerId", from.state.account);
    add(item, "requesterManaged", yes_or_no(interface.requester_managed));
    add(item.append_child("operator"), "managed", "false");
    add(item, "status", interface.status());
    add(item, "macAddress", interface.mac);
    if (!interface.addresses.empty()) {
        add(item, "privateIpAddress", interface.addresses.front().to_string());
    }
    add(item, "sourceDestCheck", yes_or_no(interface.source_dest_check));
    add_groups(item, interface, from);
    if (interface.attached) {
        add_attachment(item, *interface.attached, from);
    }
    if (!interface.addresses.empty()) {
        add_association(item, from.associated_with(interface.id, interface.addresses.front()), from);
    }
    add_addresses(item, interface, from);
    item.append_child("ipv4PrefixSet");
    item.append_child("ipv6PrefixSet");
    add_tags(item, interface.tags);
    add(item, "interfaceType", "interface");
}

void add_state(pugi::xml_node parent, instance_state state)
{
    auto node = parent.append_child("instanceState");
    add(node, "code", std::to_string(static_cast<unsigned>(state)));
    add(node, "name", to_string(state));
}

// Why it is not running, in the words of an API call.
void add_state_reason(pugi::xml_node parent, instance_state state)
{
    if (state == instance_state::stopping || state == instance_state::stopped || state == instance_state::shutting_down ||
        state == instance_state::terminated) {
        auto node = parent.append_child("stateReason");
        add(node, "code", "Client.UserInitiatedShutdown");
        add(node, "message", "Client.UserInitiatedShutdown: User initiated shutdown");
    }
}

void add_instance(pugi::xml_node set, const instance& machine, const replica& from)
{
    auto item = set.append_child("item");
    const auto interfaces = from.interfaces_of(machine.id);
    const auto* where = from.state.find_subnet(machine.subnet);
    add(item, "instanceId", machine.id.str());
    add_state(item, machine.state);
    add_state_reason(item, machine.state);
    add(item, "instanceType", machine.type.str());
    if (machine.spot) {
        add(item, "instanceLifecycle", "spot");
    }
    add(item.append_child("placement"), "availabilityZone", where == nullptr ? "" : where->zone);
    add(item, "subnetId", machine.subnet.str());
    add(item, "vpcId", where == nullptr ? "" : where->vpc.str());
    if (!interfaces.empty()) {
        if (!interfaces.front()->addresses.empty()) {
            add(item, "privateIpAddress", interfaces.front()->addresses.front().to_string());
        }
        add(item, "sourceDestCheck", yes_or_no(interfaces.front()->source_dest_check));
    }
    add_tags(item, machine.tags);
    auto interface_set = item.append_child("networkInterfaceSet");
    for (const auto* interface : interfaces) {
        add_interface(interface_set, *interface, from);
    }
}

void add_elastic_ip(pugi::xml_node set, const elastic_ip& address, const replica& from)
{
    auto item = set.append_child("item");
    add(item, "publicIp", address.public_address.to_string());
    add(item, "allocationId", address.id.str());
    add(item, "domain", "vpc");
    add(item, "publicIpv4Pool", "amazon");
    add(item, "networkBorderGroup", from.state.region);
    add_tags(item, address.tags);
    if (!address.is_associated()) {
        return;
    }
    add(item, "associationId", address.association);
    add(item, "networkInterfaceId", address.interface.str());
    add(item, "networkInterfaceOwnerId", from.state.account);
    add(item, "privateIpAddress", address.private_address.to_string());
    const auto* interface = from.interface(address.interface);
    if (interface != nullptr && interface->attached) {
        add(item, "instanceId", interface->attached->instance.str());
    }
}

}  // namespace

std::string answer_xml(std::string_view request_id, const page<network_interface>& interfaces, const replica& from)
{
    const answer out("DescribeNetworkInterfaces", request_id);
    auto set = out.root().append_child("networkInterfaceSet");
    for (const auto* interface : interfaces.items) {
        add_interface(set, *interface, from);
    }
    add_unless_empty(out.root(), "nextToken", interfaces.next_token);
    return out.text();
}

std::string answer_xml(std::string_view request_id, const page<instance>& instances, const replica& from)
{
    const answer out("DescribeInstances", request_id);
    auto set = out.root().append_child("reservationSet");
    for (const auto* machine : instances.items) {
        auto reservation = set.append_child("item");
        add(reservation, "reservationId", "r-" + machine->id.str().substr(2));
        add(reservation, "ownerId", from.state.account);
        add_instance(reservation.append_child("instancesSet"), *machine, from);
    }
    add_unless_empty(out.root(), "nextToken", instances.next_token);
    return out.text();
}

std::string status_xml(std::string_view request_id, const page<instance>& instances, const replica& from)
{
    const answer out("DescribeInstanceStatus", request_id);
    auto set = out.root().append_child("instanceStatusSet");
    for (const auto* machine : instances.items) {
        auto item = set.append_child("item");
        const auto* where = from.state.find_subnet(machine->subnet);
        add(item, "instanceId", machine->id.str());
        add(item, "availabilityZone", where == nullptr ? "" : where->zone);
        add_state(item, machine->state);
        const char* health = machine->state != instance_state::running ? "not-applicable"
                             : machine->impaired                       ? "impaired"
                                                                       : "ok";
        add(item.append_child("systemStatus"), "status", health);
        add(item.append_child("instanceStatus"), "status", health);
    }
    add_unless_empty(out.root(), "nextToken", instances.next_token);
    return out.text();
}

std::string answer_xml(std::string_view request_id, const page<elastic_ip>& addresses, const replica& from)
{
    const answer out("DescribeAddresses", request_id);
    auto set = out.root().append_child("addressesSet");
    for (const auto* address : addresses.items) {
        add_elastic_ip(set, *address, from);
    }
    return out.text();
}

std::string changed_xml(std::string_view request_id, std::string_view action, const attached_interface& done)
{
    const answer out(action, request_id);
    add(out.root(), "attachmentId", done.attachment);
    add(out.root(), "networkCardIndex", std::to_string(done.network_card_index));
    return out.text();
}

std::string changed_xml(std::string_view request_id, std::string_view action, const assigned_addresses& done)
{
    const answer out(action, request_id);
    add(out.root(), "networkInterfaceId", done.interface.str());
    if (action == "AssignIpv6Addresses") {
        auto set = out.root().append_child("assignedIpv6Addresses");
        for (const auto& address : done.addresses) {
            add(set, "item", address.to_string());
        }
        return out.text();
    }
    auto set = out.root().append_child("assignedPrivateIpAddressesSet");
    for (const auto& address : done.addresses) {
        add(set.append_child("item"), "privateIpAddress", address.to_string());
    }
    add(out.root(), "return", "true");
    return out.text();
}

// Of IPv4 nothing is told.
std::string changed_xml(std::string_view request_id, std::string_view action, const unassigned_addresses& done)
{
    if (action != "UnassignIpv6Addresses") {
        return done_xml(request_id, action);
    }
    const answer out(action, request_id);
    add(out.root(), "networkInterfaceId", done.interface.str());
    auto set = out.root().append_child("unassignedIpv6Addresses");
    for (const auto& address : done.addresses) {
        add(set, "item", address.to_string());
    }
    return out.text();
}

std::string changed_xml(std::string_view request_id, std::string_view action, const associated_address& done)
{
    const answer out(action, request_id);
    add(out.root(), "return", "true");
    add(out.root(), "associationId", done.association);
    return out.text();
}

}  // namespace vipd::cloud
