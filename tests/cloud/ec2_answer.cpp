#include "tests/cloud/ec2_answer.hpp"

#include <pugixml.hpp>

namespace vipd::cloud {

namespace {

constexpr const char* name_space = "http://ec2.amazonaws.com/doc/2016-11-15/";

struct string_writer : pugi::xml_writer {
    std::string text;
    void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
};

std::string serialised(const pugi::xml_document& document)
{
    string_writer writer;
    document.save(writer, "    ", pugi::format_indent, pugi::encoding_utf8);
    return std::move(writer.text);
}

void add(pugi::xml_node parent, const char* name, std::string_view text)
{
    parent.append_child(name).append_child(pugi::node_pcdata).set_value(std::string(text).c_str());
}

void add_unless_empty(pugi::xml_node parent, const char* name, std::string_view text)
{
    if (!text.empty()) {
        add(parent, name, text);
    }
}

std::string yes_or_no(bool value)
{
    return value ? "true" : "false";
}

// An answer under construction: the root with its namespace and the request's id.
class answer {
public:
    answer(std::string_view action, std::string_view request_id)
    {
        document_.append_child(pugi::node_declaration).append_attribute("version").set_value("1.0");
        document_.first_child().append_attribute("encoding").set_value("UTF-8");
        root_ = document_.append_child((std::string(action) + "Response").c_str());
        root_.append_attribute("xmlns").set_value(name_space);
        add(root_, "requestId", request_id);
    }
    [[nodiscard]] pugi::xml_node root() const { return root_; }
    [[nodiscard]] std::string text() const { return serialised(document_); }

private:
    pugi::xml_document document_;
    pugi::xml_node root_;
};

void add_tags(pugi::xml_node parent, const tag_map& tags)
{
    auto set = parent.append_child("tagSet");
    for (const auto& [key, value] : tags) {
        auto item = set.append_child("item");
        add(item, "key", key);
        add(item, "value", value);
    }
}

// Which element a target's id goes into.
const char* target_element(std::string_view id)
{
    struct kind {
        std::string_view prefix;
        const char* element;
    };
    for (const auto& [prefix, element] :
         {kind{"eni-", "networkInterfaceId"}, kind{"nat-", "natGatewayId"}, kind{"tgw-", "transitGatewayId"},
          kind{"pcx-", "vpcPeeringConnectionId"}, kind{"eigw-", "egressOnlyInternetGatewayId"}, kind{"lgw-", "localGatewayId"},
          kind{"cagw-", "carrierGatewayId"}, kind{"arn:", "coreNetworkArn"}}) {
        if (id.starts_with(prefix)) {
            return element;
        }
    }
    return "gatewayId";
}

void add_route(pugi::xml_node set, const route& r, const replica& from)
{
    auto item = set.append_child("item");
    const auto* prefix = std::get_if<ip_prefix>(&r.destination);
    const char* name = prefix == nullptr           ? "destinationPrefixListId"
                       : prefix->address().is_v4() ? "destinationCidrBlock"
                                                   : "destinationIpv6CidrBlock";
    add(item, name, to_string(r.destination));
    // A route to an attached interface shows the instance too.
    const auto* interface = from.interface(r.target.interface());
    if (interface != nullptr && interface->attached) {
        add(item, "instanceId", interface->attached->instance.str());
        add(item, "instanceOwnerId", from.state.account);
    }
    add(item, target_element(r.target.id), r.target.id);
    add(item, "state", from.is_blackhole(r.target) ? "blackhole" : "active");
    add(item, "origin", to_string(r.origin));
}

void add_association(pugi::xml_node set, const route_table_association& association, const route_table& table)
{
    auto item = set.append_child("item");
    add(item, "routeTableAssociationId", association.id);
    add(item, "routeTableId", table.id.str());
    add_unless_empty(item, "subnetId", association.subnet.str());
    add_unless_empty(item, "gatewayId", association.gateway);
    add(item, "main", yes_or_no(association.main));
    add(item.append_child("associationState"), "state", "associated");
}

void add_table(pugi::xml_node set, const route_table& table, const replica& from)
{
    auto item = set.append_child("item");
    add(item, "routeTableId", table.id.str());
    add(item, "vpcId", table.vpc.str());
    add(item, "ownerId", from.state.account);
    auto routes = item.append_child("routeSet");
    for (const auto& r : table.routes) {
        add_route(routes, r, from);
    }
    auto associations = item.append_child("associationSet");
    for (const auto& association : table.associations) {
        add_association(associations, association, table);
    }
    auto gateways = item.append_child("propagatingVgwSet");
    for (const auto& gateway : table.propagating_gateways) {
        add(gateways.append_child("item"), "gatewayId", gateway);
    }
    add_tags(item, table.tags);
}

void add_attachment(pugi::xml_node parent, const attachment& attached, const replica& from)
{
    auto node = parent.append_child("attachment");
    add(node, "attachmentId", attached.id);
    add(node, "instanceId", attached.instance.str());
    add(node, "instanceOwnerId", from.state.account);
    add(node, "deviceIndex", std::to_string(attached.device_index));
    add(node, "networkCardIndex", "0");
    add(node, "status", "attached");
    add(node, "attachTime", "2026-01-01T00:00:00.000Z");
    add(node, "deleteOnTermination", yes_or_no(attached.device_index == 0));
}

void add_addresses(pugi::xml_node parent, const network_interface& interface)
{
    auto set = parent.append_child("privateIpAddressesSet");
    for (const auto& address : interface.addresses) {
        auto item = set.append_child("item");
        add(item, "privateIpAddress", address.to_string());
        add(item, "primary", yes_or_no(address == interface.addresses.front()));
    }
    auto set6 = parent.append_child("ipv6AddressesSet");
    for (const auto& address : interface.addresses6) {
        add(set6.append_child("item"), "ipv6Address", address.to_string());
    }
}

void add_interface(pugi::xml_node set, const network_interface& interface, const replica& from)
{
    auto item = set.append_child("item");
    add(item, "networkInterfaceId", interface.id.str());
    add(item, "subnetId", interface.subnet.str());
    add(item, "vpcId", from.state.vpc_of(interface).str());
    const auto* where = from.state.find_subnet(interface.subnet);
    add(item, "availabilityZone", where == nullptr ? "" : where->zone);
    add(item, "description", interface.description);
    add(item, "ownerId", from.state.account);
    add(item, "requesterManaged", "false");
    add(item, "status", interface.attached ? "in-use" : "available");
    add(item, "macAddress", interface.mac);
    if (!interface.addresses.empty()) {
        add(item, "privateIpAddress", interface.addresses.front().to_string());
    }
    add(item, "sourceDestCheck", yes_or_no(interface.source_dest_check));
    item.append_child("groupSet");
    if (interface.attached) {
        add_attachment(item, *interface.attached, from);
    }
    add_addresses(item, interface);
    add_tags(item, interface.tags);
    add(item, "interfaceType", "interface");
}

void add_state(pugi::xml_node parent, instance_state state)
{
    auto node = parent.append_child("instanceState");
    add(node, "code", std::to_string(static_cast<unsigned>(state)));
    add(node, "name", to_string(state));
}

void add_instance(pugi::xml_node set, const instance& machine, const replica& from)
{
    auto item = set.append_child("item");
    const auto interfaces = from.interfaces_of(machine.id);
    const auto* where = from.state.find_subnet(machine.subnet);
    add(item, "instanceId", machine.id.str());
    add_state(item, machine.state);
    add(item, "instanceType", machine.type);
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

}  // namespace

std::string answer_xml(std::string_view request_id, const page<route_table>& tables, const replica& from)
{
    const answer out("DescribeRouteTables", request_id);
    auto set = out.root().append_child("routeTableSet");
    for (const auto* table : tables.items) {
        add_table(set, *table, from);
    }
    add_unless_empty(out.root(), "nextToken", tables.next_token);
    return out.text();
}

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
        const char* health = machine->state == instance_state::running ? "ok" : "not-applicable";
        add(item.append_child("systemStatus"), "status", health);
        add(item.append_child("instanceStatus"), "status", health);
    }
    add_unless_empty(out.root(), "nextToken", instances.next_token);
    return out.text();
}

std::string done_xml(std::string_view request_id, std::string_view action)
{
    const answer out(action, request_id);
    add(out.root(), "return", "true");
    return out.text();
}

// The root has no namespace and the id is spelt RequestID: EC2's own inconsistency.
std::string error_xml(std::string_view request_id, const api_error& error)
{
    pugi::xml_document document;
    document.append_child(pugi::node_declaration).append_attribute("version").set_value("1.0");
    document.first_child().append_attribute("encoding").set_value("UTF-8");
    auto root = document.append_child("Response");
    auto node = root.append_child("Errors").append_child("Error");
    add(node, "Code", error.code);
    add(node, "Message", error.message);
    add(root, "RequestID", request_id);
    return serialised(document);
}

}  // namespace vipd::cloud
