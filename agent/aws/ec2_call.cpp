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

    void add_vpc_and_tags(const std::optional<vpc_id>& vpc, const std::vector<tag_filter>& tags)
    {
        if (vpc) {
            add_filter("vpc-id", vpc->str());
        }
        for (const auto& tag : tags) {
            add_filter("tag:" + tag.key, tag.value);
        }
    }

    void add_page(unsigned results_max, const std::string& next_token)
    {
        add("MaxResults", fmt::format("{}", results_max));
        if (!next_token.empty()) {
            add("NextToken", next_token);
        }
    }

    void add_dry_run(bool wanted)
    {
        if (wanted) {
            add("DryRun", "true");
        }
    }

    std::string take() { return std::move(text_); }

private:
    std::string text_;
    unsigned filters_ = 0;
};

constexpr auto id_text = [](const auto& id) { return id.str(); };

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
    f.add_dry_run(change.dry_run);
}

template <class Change>
void add_ipv6_address(form& f, const Change& change)
{
    f.add("NetworkInterfaceId", change.interface.str());
    f.add("Ipv6Addresses.1", change.address.to_string());
}

void encode(form& f, const describe_route_tables& c)
{
    f.add_filter("route-table-id", c.ids, id_text);
    f.add_vpc_and_tags(c.vpc, c.tags);
    f.add_page(std::clamp(c.results_max, 5U, 100U), c.next_token);
}

void encode(form& f, const replace_route& c)
{
    add_route(f, c);
}

void encode(form& f, const create_route& c)
{
    add_route(f, c);
}

void encode(form& f, const describe_network_interfaces& c)
{
    // NetworkInterfaceId.N would exclude MaxResults, and an unpaginated call falls into EC2's smaller throttling bucket.
    f.add_filter("network-interface-id", c.ids, id_text);
    if (c.address) {
        f.add_filter(c.address->is_v4() ? "addresses.private-ip-address" : "ipv6-addresses.ipv6-address",
                     c.address->to_string());
    }
    f.add_vpc_and_tags(c.vpc, c.tags);
    f.add_page(std::clamp(c.results_max, 5U, 1000U), c.next_token);
}

// Filters again, and not VpcId.N: what does not exist is then absent from the answer, and not an error.
void encode(form& f, const describe_vpcs& c)
{
    f.add_filter("vpc-id", c.ids, id_text);
}

void encode(form& f, const describe_subnets& c)
{
    f.add_filter("vpc-id", c.vpc.str());
}

void encode(form& f, const describe_security_groups& c)
{
    f.add_filter("group-id", c.ids, id_text);
}

void encode(form& f, const describe_instance_types& c)
{
    f.add_filter("instance-type", c.type);
}

void encode(form& f, const disable_source_dest_check& c)
{
    f.add("NetworkInterfaceId", c.interface.str());
    f.add("SourceDestCheck.Value", "false");
    f.add_dry_run(c.dry_run);
}

// Unlike AllocationId.N a filter does not fail for one that is unknown.
void encode(form& f, const describe_addresses& c)
{
    f.add_filter("allocation-id", c.ids, id_text);
}

void encode(form& f, const attach_network_interface& c)
{
    f.add("NetworkInterfaceId", c.interface.str());
    f.add("InstanceId", c.instance.str());
    f.add("DeviceIndex", fmt::format("{}", c.device_index));
    // Said and not left out: EC2 has taken the default for another card on instance types with several.
    f.add("NetworkCardIndex", "0");
    f.add_dry_run(c.dry_run);
}

void encode(form& f, const detach_network_interface& c)
{
    f.add("AttachmentId", c.attachment.str());
    if (c.force) {
        f.add("Force", "true");
    }
    f.add_dry_run(c.dry_run);
}

void encode(form& f, const keep_on_termination& c)
{
    f.add("NetworkInterfaceId", c.interface.str());
    f.add("Attachment.AttachmentId", c.attachment.str());
    f.add("Attachment.DeleteOnTermination", "false");
    f.add_dry_run(c.dry_run);
}

void encode(form& f, const assign_private_ip_address& c)
{
    f.add("NetworkInterfaceId", c.interface.str());
    f.add("PrivateIpAddress.1", c.address.to_string());
    f.add("AllowReassignment", "true");
}

void encode(form& f, const assign_ipv6_address& c)
{
    add_ipv6_address(f, c);
}

void encode(form& f, const unassign_ipv6_address& c)
{
    add_ipv6_address(f, c);
}

void encode(form& f, const associate_address& c)
{
    f.add("AllocationId", c.allocation.str());
    f.add("NetworkInterfaceId", c.interface.str());
    if (c.private_address) {
        f.add("PrivateIpAddress", c.private_address->to_string());
    }
    f.add("AllowReassociation", "true");
    f.add_dry_run(c.dry_run);
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
                          [](const describe_addresses&) { return "DescribeAddresses"; },
                          [](const attach_network_interface&) { return "AttachNetworkInterface"; },
                          [](const detach_network_interface&) { return "DetachNetworkInterface"; },
                          [](const keep_on_termination&) { return "ModifyNetworkInterfaceAttribute"; },
                          [](const assign_private_ip_address&) { return "AssignPrivateIpAddresses"; },
                          [](const assign_ipv6_address&) { return "AssignIpv6Addresses"; },
                          [](const unassign_ipv6_address&) { return "UnassignIpv6Addresses"; },
                          [](const associate_address&) { return "AssociateAddress"; },
                          [](const describe_vpcs&) { return "DescribeVpcs"; },
                          [](const describe_subnets&) { return "DescribeSubnets"; },
                          [](const describe_security_groups&) { return "DescribeSecurityGroups"; },
                          [](const describe_instance_types&) { return "DescribeInstanceTypes"; },
                      },
                      call);
}

bool is_describe(const ec2_call& call)
{
    return action_name(call).starts_with("Describe");
}

bool is_mutating(const ec2_call& call)
{
    return std::visit(
        [&](const auto& c) {
            if constexpr (requires { c.dry_run; }) {
                return !c.dry_run;
            } else {
                return !is_describe(call);
            }
        },
        call);
}

std::optional<ec2_call> dry_run_of(const ec2_call& call)
{
    return std::visit(
        [](auto c) -> std::optional<ec2_call> {
            if constexpr (requires { c.dry_run; }) {
                c.dry_run = true;
                return c;
            } else {
                return std::nullopt;
            }
        },
        call);
}

std::string encode_form(const ec2_call& call)
{
    form f{action_name(call)};
    std::visit([&](const auto& c) { encode(f, c); }, call);
    return f.take();
}

}  // namespace vipd::aws
