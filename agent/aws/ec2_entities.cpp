#include "agent/aws/ec2_entities.hpp"

#include "agent/aws/text.hpp"
#include "agent/aws/xml.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace vipd::aws {

namespace {

template <class Id>
Id id_of(const pugi::xml_node& node, const char* name)
{
    const auto text = child_text(node, name);
    return is_plain_id(text) ? Id{std::string{text}} : Id{};
}

template <class Id>
std::vector<Id> ids_of(const pugi::xml_node& set, const char* name)
{
    std::vector<Id> ids;
    for (const auto& item : set.children("item")) {
        if (auto id = id_of<Id>(item, name); !id.empty()) {
            ids.push_back(std::move(id));
        }
    }
    return ids;
}

std::string text_of(const pugi::xml_node& node, const char* name, std::size_t bytes_max = 128)
{
    return clean_text(child_text(node, name), bytes_max);
}

std::optional<route_destination> destination_of(const pugi::xml_node& item)
{
    for (const char* name : {"destinationCidrBlock", "destinationIpv6CidrBlock"}) {
        const auto text = child_text(item, name);
        if (!text.empty()) {
            const auto prefix = ip_prefix::parse(text);
            return prefix ? std::optional{route_destination::cidr(*prefix)} : std::nullopt;
        }
    }
    const auto list = child_text(item, "destinationPrefixListId");
    return is_plain_id(list) ? std::optional{route_destination::prefix_list(std::string{list})} : std::nullopt;
}

route_state state_of(std::string_view text)
{
    if (text == "active") {
        return route_state::active;
    }
    if (text == "blackhole") {
        return route_state::blackhole;
    }
    return text == "filtered" ? route_state::filtered : route_state::unknown;
}

// A route by an interface that is attached names the instance as well, so the interface is looked for first.
std::string target_of(const pugi::xml_node& item)
{
    constexpr std::array targets = {
        "networkInterfaceId",     "gatewayId",      "natGatewayId",     "transitGatewayId",
        "vpcPeeringConnectionId", "localGatewayId", "carrierGatewayId", "egressOnlyInternetGatewayId",
        "coreNetworkArn",         "odbNetworkArn",  "ipAddress",        "instanceId"};
    for (const char* name : targets) {
        auto text = text_of(item, name, 256);
        if (!text.empty()) {
            return text;
        }
    }
    return {};
}

// A route whose destination cannot be read cannot be the one that is looked for.
std::vector<route> routes_of(const pugi::xml_node& table)
{
    std::vector<route> routes;
    for (const auto& item : table.child("routeSet").children("item")) {
        auto destination = destination_of(item);
        if (!destination) {
            continue;
        }
        const auto origin = child_text(item, "origin");
        routes.push_back({
            .destination = std::move(*destination),
            .interface = id_of<network_interface_id>(item, "networkInterfaceId"),
            .target = target_of(item),
            .state = state_of(child_text(item, "state")),
            .propagated = origin == "EnableVgwRoutePropagation" || origin == "Advertisement",
        });
    }
    return routes;
}

std::string name_tag_of(const pugi::xml_node& item)
{
    for (const auto& tag : item.child("tagSet").children("item")) {
        if (child_text(tag, "key") == "Name") {
            return text_of(tag, "value", 256);
        }
    }
    return {};
}

bool has_gateway(const pugi::xml_node& table)
{
    for (const auto& association : table.child("associationSet").children("item")) {
        const auto state = child_text(association.child("associationState"), "state");
        if (!child_text(association, "gatewayId").empty() && state != "disassociated") {
            return true;
        }
    }
    return false;
}

// The token goes back to EC2 as it came; it is opaque, and only bounded.
std::optional<std::string> next_token_of(const pugi::xml_node& root)
{
    const auto token = child_text(root, "nextToken");
    return token.size() <= 4096 ? std::optional{std::string{token}} : std::nullopt;
}

attachment_state attachment_state_of(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, attachment_state>, 4> states = {
        {{"attaching", attachment_state::attaching},
         {"attached", attachment_state::attached},
         {"detaching", attachment_state::detaching},
         {"detached", attachment_state::detached}}};
    for (const auto& [word, state] : states) {
        if (text == word) {
            return state;
        }
    }
    return attachment_state::unknown;
}

std::optional<interface_attachment> attachment_of(const pugi::xml_node& interface)
{
    const auto node = interface.child("attachment");
    interface_attachment attachment;
    attachment.id = id_of<attachment_id>(node, "attachmentId");
    if (attachment.id.empty()) {
        return std::nullopt;
    }
    attachment.instance = id_of<instance_id>(node, "instanceId");
    const auto index = child_text(node, "deviceIndex");
    std::from_chars(index.data(), index.data() + index.size(), attachment.device_index);
    attachment.state = attachment_state_of(child_text(node, "status"));
    attachment.delete_on_termination = child_text(node, "deleteOnTermination") == "true";
    return attachment;
}

void add_addresses(std::vector<ip_address>& out, const pugi::xml_node& set, const char* name)
{
    for (const auto& item : set.children("item")) {
        const auto address = ip_address::parse(child_text(item, name));
        if (!address) {
            continue;
        }
        // EC2 lists the primary one first, and does not promise it.
        out.insert(child_text(item, "primary") == "true" ? out.begin() : out.end(), *address);
    }
}

}  // namespace

request_id request_id_of(const pugi::xml_node& root)
{
    return id_of<request_id>(root, "requestId");
}

std::optional<route_tables_page> read_route_tables(const pugi::xml_node& root)
{
    const auto set = root.child("routeTableSet");
    auto token = next_token_of(root);
    if (!set || !token) {
        return std::nullopt;
    }
    route_tables_page page;
    page.next_token = std::move(*token);
    for (const auto& item : set.children("item")) {
        route_table table;
        table.id = id_of<route_table_id>(item, "routeTableId");
        table.vpc = id_of<vpc_id>(item, "vpcId");
        table.name = name_tag_of(item);
        table.routes = routes_of(item);
        table.of_gateway = has_gateway(item);
        if (table.id.empty()) {
            return std::nullopt;
        }
        page.tables.push_back(std::move(table));
    }
    return page;
}

std::optional<network_interfaces_page> read_network_interfaces(const pugi::xml_node& root)
{
    const auto set = root.child("networkInterfaceSet");
    auto token = next_token_of(root);
    if (!set || !token) {
        return std::nullopt;
    }
    network_interfaces_page page;
    page.next_token = std::move(*token);
    for (const auto& item : set.children("item")) {
        network_interface interface;
        interface.id = id_of<network_interface_id>(item, "networkInterfaceId");
        interface.vpc = id_of<vpc_id>(item, "vpcId");
        interface.subnet = id_of<subnet_id>(item, "subnetId");
        interface.availability_zone = text_of(item, "availabilityZone");
        interface.mac = to_lower(text_of(item, "macAddress"));
        interface.name = name_tag_of(item);
        interface.source_dest_check = child_text(item, "sourceDestCheck") != "false";
        interface.attachment = attachment_of(item);
        add_addresses(interface.addresses, item.child("privateIpAddressesSet"), "privateIpAddress");
        add_addresses(interface.addresses, item.child("ipv6AddressesSet"), "ipv6Address");
        interface.groups = ids_of<security_group_id>(item.child("groupSet"), "groupId");
        interface.requester_managed = child_text(item, "requesterManaged") == "true";
        if (interface.id.empty()) {
            return std::nullopt;
        }
        page.interfaces.push_back(std::move(interface));
    }
    return page;
}

std::optional<elastic_addresses> read_elastic_addresses(const pugi::xml_node& root)
{
    const auto set = root.child("addressesSet");
    if (!set) {
        return std::nullopt;
    }
    elastic_addresses found;
    for (const auto& item : set.children("item")) {
        elastic_address address;
        address.allocation = id_of<allocation_id>(item, "allocationId");
        address.public_ip = text_of(item, "publicIp");
        address.name = name_tag_of(item);
        address.interface = id_of<network_interface_id>(item, "networkInterfaceId");
        if (const auto private_address = ip_address::parse(child_text(item, "privateIpAddress"))) {
            address.private_address = *private_address;
        }
        if (address.allocation.empty()) {
            continue;  // of EC2-Classic's time: it has none, so nobody asked for it
        }
        found.all.push_back(std::move(address));
    }
    return found;
}

}  // namespace vipd::aws
