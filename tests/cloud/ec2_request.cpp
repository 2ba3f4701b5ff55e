#include "tests/cloud/ec2_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vipd::cloud {

namespace {

constexpr std::string_view api_version = "2016-11-15";

api_error missing(std::string_view parameter)
{
    return {"MissingParameter", "The request must contain the parameter " + std::string(parameter)};
}

// What an id of a kind looks like, and what EC2 calls one that does not look like it.
struct id_form {
    std::string_view prefix;
    std::string_view malformed_code;
};
constexpr id_form table_form{"rtb-", "InvalidRouteTableId.Malformed"};
constexpr id_form interface_form{"eni-", "InvalidNetworkInterfaceId.Malformed"};
constexpr id_form instance_form{"i-", "InvalidInstanceID.Malformed"};

// The prefix and 8 or 17 hexadecimal digits.
api_result<std::string> parse_id(const std::string& text, const id_form& form)
{
    const auto digits = text.starts_with(form.prefix) ? std::string_view(text).substr(form.prefix.size()) : std::string_view{};
    const bool is_hex = std::ranges::all_of(digits, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!is_hex || (digits.size() != 8 && digits.size() != 17)) {
        return api_error{std::string(form.malformed_code),
                         "Invalid id: \"" + text + "\" (expecting \"" + std::string(form.prefix) + "...\")"};
    }
    return text;
}

api_result<std::string> required_id(query_form& form, std::string_view name, const id_form& shape)
{
    const auto text = form.text(name);
    return text ? parse_id(*text, shape) : missing(name);
}

struct page_limits {
    unsigned min, max;
    bool with_ids;  // whether ids and MaxResults may be in one request
};

api_result<describe_query> parse_query(query_form& form, std::string_view id_name, const id_form& shape, page_limits limits)
{
    describe_query query;
    for (const auto& text : form.list(id_name)) {
        const auto id = parse_id(text, shape);
        if (!id) {
            return id.error();
        }
        query.ids.push_back(*id);
    }
    query.filters = form.filters();
    query.next_token = form.text("NextToken").value_or("");
    if (const auto text = form.text("MaxResults")) {
        unsigned value = 0;
        const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
        if (failure != std::errc{} || end != text->data() + text->size() || value < limits.min || value > limits.max) {
            return api_error{"InvalidParameterValue", "Value ( " + *text +
                                                          " ) for parameter maxResults is invalid. Expecting a value "
                                                          "between " +
                                                          std::to_string(limits.min) + " and " + std::to_string(limits.max) +
                                                          "."};
        }
        if (!limits.with_ids && !query.ids.empty()) {
            return api_error{"InvalidParameterCombination",
                             "The parameter maxResults cannot be used with the parameter " + std::string(id_name)};
        }
        query.results_max = value;
    }
    return query;
}

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

api_result<set_source_dest_check> parse_modify_interface(query_form& form)
{
    const auto id = required_id(form, "NetworkInterfaceId", interface_form);
    if (!id) {
        return id.error();
    }
    const auto on = form.boolean("SourceDestCheck.Value");
    if (!on) {
        return on.error();
    }
    if (!*on) {
        return missing("attribute; the model of EC2 knows SourceDestCheck only");
    }
    return set_source_dest_check{network_interface_id{*id}, **on};
}

api_result<describe_instance_status> parse_instance_status(query_form& form)
{
    const auto all = form.boolean("IncludeAllInstances");
    if (!all) {
        return all.error();
    }
    const auto query = parse_query(form, "InstanceId", instance_form, {5, 1000, false});
    if (!query) {
        return query.error();
    }
    return describe_instance_status{*query, all->value_or(false)};
}

using any_call = decltype(ec2_request::call);

template <class T>
api_result<any_call> widen(const api_result<T>& parsed)
{
    return parsed ? api_result<any_call>(any_call{*parsed}) : api_result<any_call>(parsed.error());
}

template <class Call>
api_result<any_call> describe(query_form& form, std::string_view id_name, const id_form& shape, page_limits limits)
{
    const auto query = parse_query(form, id_name, shape, limits);
    return query ? api_result<any_call>(any_call{Call{*query}}) : api_result<any_call>(query.error());
}

api_result<any_call> parse_call(const std::string& action, query_form& form)
{
    if (action == "DescribeRouteTables") {
        return describe<describe_route_tables>(form, "RouteTableId", table_form, {5, 100, true});
    }
    if (action == "DescribeNetworkInterfaces") {
        return describe<describe_network_interfaces>(form, "NetworkInterfaceId", interface_form, {5, 1000, false});
    }
    if (action == "DescribeInstances") {
        return describe<describe_instances>(form, "InstanceId", instance_form, {5, 1000, false});
    }
    if (action == "DescribeInstanceStatus") {
        return widen(parse_instance_status(form));
    }
    if (action == "ReplaceRoute") {
        return widen(parse_change(form, route_verb::replace));
    }
    if (action == "CreateRoute") {
        return widen(parse_change(form, route_verb::create));
    }
    if (action == "DeleteRoute") {
        return widen(parse_change(form, route_verb::remove));
    }
    if (action == "ModifyNetworkInterfaceAttribute") {
        return widen(parse_modify_interface(form));
    }
    return api_error{"InvalidAction", "The action " + action + " is not valid for this web service."};
}

}  // namespace

api_result<ec2_request> parse_ec2_request(query_form& form)
{
    const auto action = form.text("Action");
    if (!action) {
        return missing("Action");
    }
    if (const auto version = form.text("Version"); version != api_version) {
        return api_error{"NoSuchVersion",
                         "The requested version '" + version.value_or("") + "' of service AmazonEC2 does not exist"};
    }
    const auto call = parse_call(*action, form);
    if (!call) {
        return call.error();
    }
    const auto dry_run = form.boolean("DryRun");
    if (!dry_run) {
        return dry_run.error();
    }
    if (const auto name = form.unknown_parameter()) {
        return api_error{"UnknownParameter", "The parameter " + *name + " is not recognized"};
    }
    return ec2_request{*action, *call, dry_run->value_or(false)};
}

std::string authorised_resource(const ec2_request& request)
{
    return std::visit(overloaded{[](const change_route& change) { return change.table.str(); },
                                 [](const set_source_dest_check& change) { return change.interface.str(); },
                                 [](const auto&) { return std::string("*"); }},
                      request.call);
}

std::string throttle_bucket(const ec2_request& request)
{
    const auto small = [&](const describe_query& query) {
        // Whether ids alone count is not documented; the smaller bucket is the safe assumption for whoever is tested.
        const bool narrowed = !query.filters.empty() || query.results_max || !query.next_token.empty();
        return narrowed ? request.action : request.action + " (unfiltered)";
    };
    return std::visit(overloaded{[&](const describe_network_interfaces& call) { return small(call.query); },
                                 [&](const describe_instances& call) { return small(call.query); },
                                 [&](const describe_instance_status& call) { return small(call.query); },
                                 [&](const auto&) { return request.action; }},
                      request.call);
}

}  // namespace vipd::cloud
