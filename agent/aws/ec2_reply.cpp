#include "agent/aws/ec2_reply.hpp"

#include "agent/aws/clock_skew.hpp"
#include "agent/aws/ec2_entities.hpp"
#include "agent/aws/ec2_error.hpp"
#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "agent/aws/xml.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

namespace vipd::aws {

namespace {

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
                          [&](const describe_addresses&) { return as_value(read_elastic_addresses(root)); },
                          [&](const describe_vpcs&) { return as_value(read_vpcs(root)); },
                          [&](const describe_subnets&) { return as_value(read_subnets(root)); },
                          [&](const describe_security_groups&) { return as_value(read_security_groups(root)); },
                          [&](const describe_instance_types&) { return as_value(read_instance_types(root)); },
                          [&](const auto&) { return read_done(root); },
                      },
                      call);
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
    reply.request = request_id_of(root);
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
        case ec2_error_class::outdated:
            return "outdated";
        case ec2_error_class::index_taken:
            return "index_taken";
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
