#include "agent/aws/ec2_reply.hpp"

#include "agent/aws/clock_skew.hpp"
#include "agent/aws/ec2_error.hpp"
#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "agent/aws/xml.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <array>

namespace vipd::aws {

namespace {

template <class Id>
Id id_of(const pugi::xml_node& node, const char* name)
{
    const auto text = child_text(node, name);
    return is_plain_id(text) ? Id{std::string{text}} : Id{};
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

std::string name_tag_of(const pugi::xml_node& table)
{
    for (const auto& tag : table.child("tagSet").children("item")) {
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

// Absent where an element that every answer has is missing: half an answer must not look like an empty account.
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
        interface.availability_zone = text_of(item, "availabilityZone");
        interface.mac = to_lower(text_of(item, "macAddress"));
        interface.source_dest_check = child_text(item, "sourceDestCheck") != "false";
        interface.attached_to = id_of<instance_id>(item.child("attachment"), "instanceId");
        if (interface.id.empty()) {
            return std::nullopt;
        }
        page.interfaces.push_back(std::move(interface));
    }
    return page;
}

using reply_value = decltype(ec2_reply::value);

template <class Page>
std::optional<reply_value> as_value(std::optional<Page>&& page)
{
    return page ? std::optional<reply_value>{std::move(*page)} : std::nullopt;
}

// Actions without a modelled answer say <return>true</return>; one that says anything else there has not done it for certain.
std::optional<reply_value> read_done(const pugi::xml_node& root)
{
    const auto said = child_text(root, "return");
    return said.empty() || said == "true" ? std::optional<reply_value>{done{}} : std::nullopt;
}

std::optional<reply_value> read_success(const ec2_call& call, const pugi::xml_node& root)
{
    if (root.name() != fmt::format("{}Response", action_name(call))) {
        return std::nullopt;
    }
    return std::visit(overloaded{
                          [&](const describe_route_tables&) { return as_value(read_route_tables(root)); },
                          [&](const describe_network_interfaces&) { return as_value(read_network_interfaces(root)); },
                          [&](const replace_route&) { return read_done(root); },
                          [&](const create_route&) { return read_done(root); },
                          [&](const disable_source_dest_check&) { return read_done(root); },
                      },
                      call);
}

bool is_describe(const ec2_call& call)
{
    return std::holds_alternative<describe_route_tables>(call) || std::holds_alternative<describe_network_interfaces>(call);
}

// Something arrived, or may have, and it cannot be read.
ec2_error unreadable(const ec2_call& call, std::string code, std::string_view message)
{
    return {is_mutating(call) ? ec2_error_class::unknown_outcome : ec2_error_class::transient,
            std::move(code),
            clean_text(message, 300),
            {}};
}

ec2_error page_too_large(std::string_view message)
{
    return {ec2_error_class::page_too_large, "too_large", clean_text(message, 300), {}};
}

std::string_view transport_code(error_class kind)
{
    switch (kind) {
        case error_class::timed_out:
            return "timeout";
        case error_class::too_large:
            return "too_large";
        case error_class::cancelled:
            return "cancelled";
        case error_class::denied:
            return "refused";
        case error_class::not_found:
            return "host_not_found";
        case error_class::malformed:
            return "malformed_answer";
        case error_class::unavailable:
        case error_class::out_of_range:
        case error_class::unsupported:
            break;
    }
    return "unreachable";
}

ec2_error decode_failure(const ec2_call& call, const http_failure& failure)
{
    const auto& cause = failure.cause;
    if (!failure.may_have_arrived) {
        return {ec2_error_class::not_sent, std::string{transport_code(cause.kind)}, clean_text(cause.text, 300), {}};
    }
    if (cause.kind == error_class::too_large && is_describe(call)) {
        return page_too_large(cause.text);
    }
    return unreadable(call, std::string{transport_code(cause.kind)}, cause.text);
}

// EC2 calls its XML text/xml; whoever calls it something else, or nothing, is a portal or proxy that stands in between.
bool is_xml_type(std::string_view content_type)
{
    const auto type = trim(content_type.substr(0, content_type.find(';')));
    return equal_ignoring_case(type, "text/xml") || equal_ignoring_case(type, "application/xml");
}

ec2_reply decode_response(const ec2_call& call, const http_response& response)
{
    pugi::xml_document document;
    const auto verdict = parse_xml(response.body, document);
    const auto root = document.document_element();
    ec2_reply reply;
    if (response.status != 200) {
        auto e = read_error(call, response.status, verdict == xml_verdict::readable ? root : pugi::xml_node{});
        reply.request = e.request;
        reply.value = std::move(e);
        return reply;
    }
    const auto type = find_header(response.headers, "content-type").value_or("");
    if (!is_xml_type(type)) {
        reply.value =
            unreadable(call, "unexpected_answer",
                       fmt::format("status 200 with the Content-Type \"{}\", which is not XML", clean_text(type, 60)));
        return reply;
    }
    if (verdict == xml_verdict::too_many_elements && is_describe(call)) {
        reply.value = page_too_large(fmt::format("the answer has more than {} elements", xml_elements_max));
        return reply;
    }
    if (verdict != xml_verdict::readable) {
        reply.value = unreadable(call, "malformed_answer", "the answer is no XML that could be from EC2, or is cut short");
        return reply;
    }
    reply.request = id_of<request_id>(root, "requestId");
    if (auto value = read_success(call, root)) {
        reply.value = std::move(*value);
        return reply;
    }
    auto e = unreadable(call, "unexpected_answer",
                        fmt::format("status 200 with the root element <{}>, or without what {} always answers",
                                    clean_text(root.name(), 60), action_name(call)));
    e.request = reply.request;
    reply.value = std::move(e);
    return reply;
}

}  // namespace

std::string_view to_string(ec2_error_class c)
{
    switch (c) {
        case ec2_error_class::transient:
            return "transient";
        case ec2_error_class::throttled:
            return "throttled";
        case ec2_error_class::credentials:
            return "credentials";
        case ec2_error_class::clock:
            return "clock";
        case ec2_error_class::consistency:
            return "consistency";
        case ec2_error_class::route_missing:
            return "route_missing";
        case ec2_error_class::route_exists:
            return "route_exists";
        case ec2_error_class::denied:
            return "denied";
        case ec2_error_class::invalid:
            return "invalid";
        case ec2_error_class::dry_run_ok:
            return "dry_run_ok";
        case ec2_error_class::page_too_large:
            return "page_too_large";
        case ec2_error_class::unknown_outcome:
            return "unknown_outcome";
        case ec2_error_class::not_sent:
            return "not_sent";
    }
    return "unknown";
}

ec2_reply decode_reply(const ec2_call& call, const http_result& result)
{
    return std::visit(overloaded{
                          [&](const http_failure& failure) {
                              ec2_reply reply;
                              reply.value = decode_failure(call, failure);
                              return reply;
                          },
                          [&](const http_response& response) {
                              auto reply = decode_response(call, response);
                              reply.server_date = date_of(response);
                              return reply;
                          },
                      },
                      result.outcome);
}

}  // namespace vipd::aws
