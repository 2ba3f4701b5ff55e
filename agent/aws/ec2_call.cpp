#include "agent/aws/ec2_call.hpp"

#include "agent/aws/text.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::aws {

namespace {

// The parameter names are EC2's own, irregular as they are (its API model's queryName, else the capitalised location name).
class form {
public:
    explicit form(std::string_view action) : text_("Action=") { text_.append(action).append("&Version=2016-11-15"); }

    void add(std::string_view key, std::string_view value)
    {
        text_.append("&").append(percent_encode(key)).append("=").append(percent_encode(value));
    }

    // A filter without values is not sent: EC2 refuses it.
    template <class Range, class Projection>
    void add_filter(std::string_view name, const Range& values, Projection to_text)
    {
        if (std::ranges::empty(values)) {
            return;
        }
        ++filters_;
        add(fmt::format("Filter.{}.Name", filters_), name);
        unsigned position = 0;
        for (const auto& value : values) {
            add(fmt::format("Filter.{}.Value.{}", filters_, ++position), to_text(value));
        }
    }

    void add_filter(std::string_view name, const std::string& value)
    {
        add_filter(name, std::vector<std::string>{value}, [](const std::string& v) { return v; });
    }

    void add_page(unsigned results_max, const std::string& next_token)
    {
        add("MaxResults", fmt::format("{}", results_max));
        if (!next_token.empty()) {
            add("NextToken", next_token);
        }
    }

    std::string take() { return std::move(text_); }

private:
    std::string text_;
    unsigned filters_ = 0;
};

template <class Change>
void add_route(form& f, const Change& change)
{
    f.add("RouteTableId", change.table.str());
    std::visit(overloaded{
                   [&](const ip_prefix& prefix) {
                       f.add(prefix.family() == ip_family::v4 ? "DestinationCidrBlock" : "DestinationIpv6CidrBlock",
                             prefix.to_string());
                   },
                   [&](const std::string& prefix_list) { f.add("DestinationPrefixListId", prefix_list); },
               },
               change.destination.value);
    f.add("NetworkInterfaceId", change.target.str());
    if (change.dry_run) {
        f.add("DryRun", "true");
    }
}

}  // namespace

std::string route_destination::to_string() const
{
    return std::visit(overloaded{
                          [](const ip_prefix& prefix) { return prefix.to_string(); },
                          [](const std::string& prefix_list) { return prefix_list; },
                      },
                      value);
}

std::string_view action_name(const ec2_call& call)
{
    return std::visit(overloaded{
                          [](const describe_route_tables&) { return "DescribeRouteTables"; },
                          [](const replace_route&) { return "ReplaceRoute"; },
                          [](const create_route&) { return "CreateRoute"; },
                          [](const describe_network_interfaces&) { return "DescribeNetworkInterfaces"; },
                          [](const disable_source_dest_check&) { return "ModifyNetworkInterfaceAttribute"; },
                      },
                      call);
}

bool is_mutating(const ec2_call& call)
{
    return std::visit(overloaded{
                          [](const describe_route_tables&) { return false; },
                          [](const replace_route& c) { return !c.dry_run; },
                          [](const create_route& c) { return !c.dry_run; },
                          [](const describe_network_interfaces&) { return false; },
                          [](const disable_source_dest_check&) { return true; },
                      },
                      call);
}

std::string encode_form(const ec2_call& call)
{
    form f{action_name(call)};
    const auto id_text = [](const auto& id) { return id.str(); };
    std::visit(overloaded{
                   [&](const describe_route_tables& c) {
                       f.add_filter("route-table-id", c.ids, id_text);
                       if (c.vpc) {
                           f.add_filter("vpc-id", c.vpc->str());
                       }
                       for (const auto& tag : c.tags) {
                           f.add_filter("tag:" + tag.key, tag.value);
                       }
                       f.add_page(std::clamp(c.results_max, 5U, 100U), c.next_token);
                   },
                   [&](const replace_route& c) { add_route(f, c); },
                   [&](const create_route& c) { add_route(f, c); },
                   [&](const describe_network_interfaces& c) {
                       // NetworkInterfaceId.N would exclude MaxResults, and an unpaginated call falls into EC2's smaller
                       // throttling bucket.
                       f.add_filter("network-interface-id", c.ids, id_text);
                       f.add_page(100, c.next_token);
                   },
                   [&](const disable_source_dest_check& c) {
                       f.add("NetworkInterfaceId", c.interface.str());
                       f.add("SourceDestCheck.Value", "false");
                   },
               },
               call);
    return f.take();
}

}  // namespace vipd::aws
