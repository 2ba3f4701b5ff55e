#include "tests/cloud/request_parsers.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vipd::cloud {

api_error missing(std::string_view parameter)
{
    return {"MissingParameter", "The request must contain the parameter " + std::string(parameter)};
}

api_result<std::string> parse_id(const std::string& text, const id_form& form)
{
    if (form.prefix.empty()) {
        return text;
    }
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

api_result<unsigned> parse_count(const std::string& text, std::string_view wire_name)
{
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        return api_error{"InvalidParameterValue",
                         "Value (" + text + ") for parameter " + std::string(wire_name) + " is invalid. Expecting an integer."};
    }
    return value;
}

namespace {

constexpr std::string_view api_version = "2016-11-15";

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

// Names of types have no form of their own.
constexpr id_form any_form{"", ""};

struct action_entry {
    std::string_view name;
    api_result<any_call> (*parse)(query_form&);
    bool has_dry_run = true;
};

constexpr std::array<action_entry, 21> actions{{
    {"DescribeRouteTables",
     [](query_form& f) {
         return describe<describe_route_tables>(f, "RouteTableId", table_form, {5, 100, true});
     }},
    {"DescribeNetworkInterfaces",
     [](query_form& f) {
         static_cast<void>(f.boolean("IncludeManagedResources"));  // there are none
         return describe<describe_network_interfaces>(f, "NetworkInterfaceId", interface_form, {5, 1000, false});
     }},
    {"DescribeInstances",
     [](query_form& f) {
         return describe<describe_instances>(f, "InstanceId", instance_form, {5, 1000, false});
     }},
    {"DescribeInstanceStatus", [](query_form& f) { return widen(parse_instance_status(f)); }},
    {"DescribeInstanceTypes",
     [](query_form& f) {
         return describe<describe_instance_types>(f, "InstanceType", any_form, {5, 100, false});
     }},
    {"DescribeAddresses", parse_describe_addresses},
    {"DescribeSecurityGroups",
     [](query_form& f) {
         return describe<describe_security_groups>(f, "GroupId", group_form, {5, 1000, false});
     }},
    {"DescribeSubnets",
     [](query_form& f) {
         return describe<describe_subnets>(f, "SubnetId", subnet_form, {5, 1000, true});
     }},
    {"DescribeVpcs",
     [](query_form& f) {
         return describe<describe_vpcs>(f, "VpcId", vpc_form, {5, 1000, true});
     }},
    {"ReplaceRoute", [](query_form& f) { return widen(parse_change(f, route_verb::replace)); }},
    {"CreateRoute", [](query_form& f) { return widen(parse_change(f, route_verb::create)); }},
    {"DeleteRoute", [](query_form& f) { return widen(parse_change(f, route_verb::remove)); }},
    {"ModifyNetworkInterfaceAttribute", parse_modify_interface},
    {"AttachNetworkInterface", parse_attach},
    {"DetachNetworkInterface", parse_detach},
    {"AssignPrivateIpAddresses", [](query_form& f) { return parse_assign(f, ip_family::v4); }, false},
    {"UnassignPrivateIpAddresses", [](query_form& f) { return parse_unassign(f, ip_family::v4); }, false},
    {"AssignIpv6Addresses", [](query_form& f) { return parse_assign(f, ip_family::v6); }, false},
    {"UnassignIpv6Addresses", [](query_form& f) { return parse_unassign(f, ip_family::v6); }, false},
    {"AssociateAddress", parse_associate},
    {"DisassociateAddress", parse_disassociate},
}};

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
    const auto* known = std::ranges::find(actions, *action, &action_entry::name);
    if (known == actions.end()) {
        return api_error{"InvalidAction", "The action " + *action + " is not valid for this web service."};
    }
    auto call = known->parse(form);
    if (!call) {
        return call.error();
    }
    bool dry_run = false;
    if (known->has_dry_run) {
        const auto asked = form.boolean("DryRun");
        if (!asked) {
            return asked.error();
        }
        dry_run = asked->value_or(false);
    }
    if (const auto name = form.unknown_parameter()) {
        return api_error{"UnknownParameter", "The parameter " + *name + " is not recognized"};
    }
    return ec2_request{*action, std::move(*call), dry_run};
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
