// Route tables, and what all answers have in common.

#include "tests/cloud/ec2_answer.hpp"

#include "tests/cloud/ec2_xml.hpp"

namespace vipd::cloud {

using namespace xml;

namespace {

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
