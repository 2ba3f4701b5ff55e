// Parameters of the calls that change a route.

#include "tests/cloud/request_parsers.hpp"

#include <array>

namespace vipd::cloud {

namespace {

api_result<route_destination> parse_destination(query_form& form)
{
    const auto v4 = form.text("DestinationCidrBlock");
    const auto v6 = form.text("DestinationIpv6CidrBlock");
    const auto list = form.text("DestinationPrefixListId");
    const int given = (v4 ? 1 : 0) + (v6 ? 1 : 0) + (list ? 1 : 0);
    if (given == 0) {
        return missing("destinationCidrBlock");
    }
    if (given > 1) {
        return api_error{"InvalidParameterCombination",
                         "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock or "
                         "destinationPrefixListId"};
    }
    if (list) {
        return route_destination{prefix_list_id{*list}};
    }
    const auto& text = v4 ? *v4 : *v6;
    const auto prefix = ip_prefix::parse(text);
    if (!prefix || text.find('/') == std::string::npos || prefix->address().is_v4() != v4.has_value()) {
        return api_error{"InvalidParameterValue", "Value (" + text + ") for parameter " +
                                                      (v4 ? "destinationCidrBlock" : "destinationIpv6CidrBlock") +
                                                      " is invalid. This is not a valid CIDR block."};
    }
    return route_destination{prefix->canonical()};
}

api_result<route_target> parse_target(query_form& form, route_verb verb)
{
    constexpr std::array<std::string_view, 12> names{"NetworkInterfaceId",
                                                     "InstanceId",
                                                     "GatewayId",
                                                     "NatGatewayId",
                                                     "TransitGatewayId",
                                                     "VpcEndpointId",
                                                     "VpcPeeringConnectionId",
                                                     "EgressOnlyInternetGatewayId",
                                                     "LocalGatewayId",
                                                     "CarrierGatewayId",
                                                     "CoreNetworkArn",
                                                     "OdbNetworkArn"};
    std::vector<route_target> given;
    for (const auto name : names) {
        if (auto value = form.text(name)) {
            given.push_back({std::move(*value)});
        }
    }
    if (verb == route_verb::replace && form.text("LocalTarget") == "true") {
        given.push_back({"local"});
    }
    if (given.size() != 1) {
        return api_error{given.empty() ? "MissingParameter" : "InvalidParameterCombination",
                         "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, "
                         "vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, "
                         "carrierGatewayId, vpcEndpointId or instanceId"};
    }
    if (form.text("NetworkInterfaceId")) {
        const auto id = parse_id(given.front().id, interface_form);
        if (!id) {
            return id.error();
        }
    }
    return given.front();
}

}  // namespace

api_result<change_route> parse_change(query_form& form, route_verb verb)
{
    const auto table = required_id(form, "RouteTableId", table_form);
    if (!table) {
        return table.error();
    }
    const auto destination = parse_destination(form);
    if (!destination) {
        return destination.error();
    }
    change_route change{verb, route_table_id{*table}, *destination, {}};
    if (verb != route_verb::remove) {
        const auto target = parse_target(form, verb);
        if (!target) {
            return target.error();
        }
        change.target = *target;
    }
    return change;
}

}  // namespace vipd::cloud
