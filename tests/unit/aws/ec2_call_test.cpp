#include "agent/aws/ec2_call.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::aws {
namespace {

const route_table_id table{"rtb-0123456789abcdef0"};
const network_interface_id eni{"eni-0123456789abcdef0"};

route_destination cidr(const char* text)
{
    return route_destination::cidr(ip_prefix::parse(text).value());
}

TEST(ec2_call, replace_route_names_exactly_one_destination_and_the_interface)
{
    EXPECT_EQ(encode_form(replace_route{table, cidr("198.51.100.10/32"), eni}),
              "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-0123456789abcdef0&"
              "DestinationCidrBlock=198.51.100.10%2F32&NetworkInterfaceId=eni-0123456789abcdef0");
    EXPECT_EQ(encode_form(replace_route{table, cidr("2001:db8::1/128"), eni}),
              "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-0123456789abcdef0&"
              "DestinationIpv6CidrBlock=2001%3Adb8%3A%3A1%2F128&NetworkInterfaceId=eni-0123456789abcdef0");
    EXPECT_EQ(encode_form(replace_route{table, route_destination::prefix_list("pl-1"), eni}),
              "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-0123456789abcdef0&"
              "DestinationPrefixListId=pl-1&NetworkInterfaceId=eni-0123456789abcdef0");
}

TEST(ec2_call, create_route_has_the_same_parameters_and_a_dry_run_says_so)
{
    EXPECT_EQ(encode_form(create_route{table, cidr("198.51.100.10/32"), eni, true}),
              "Action=CreateRoute&Version=2016-11-15&RouteTableId=rtb-0123456789abcdef0&"
              "DestinationCidrBlock=198.51.100.10%2F32&NetworkInterfaceId=eni-0123456789abcdef0&DryRun=true");
}

TEST(ec2_call, route_tables_are_named_by_filter_so_that_one_unknown_id_fails_nothing)
{
    EXPECT_EQ(
        encode_form(describe_route_tables{.ids = {table, route_table_id{"rtb-2"}}, .vpc = {}, .tags = {}, .next_token = {}}),
        "Action=DescribeRouteTables&Version=2016-11-15&Filter.1.Name=route-table-id&"
        "Filter.1.Value.1=rtb-0123456789abcdef0&Filter.1.Value.2=rtb-2&MaxResults=100");
}

TEST(ec2_call, vpc_and_tags_are_combined_and_wildcards_are_encoded_as_they_stand)
{
    EXPECT_EQ(encode_form(describe_route_tables{.ids = {},
                                                .vpc = vpc_id{"vpc-1"},
                                                .tags = {{"Name", "private-*"}, {"team&x", "a b?"}},
                                                .next_token = "to/ken==",
                                                .results_max = 50}),
              "Action=DescribeRouteTables&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&"
              "Filter.2.Name=tag%3AName&Filter.2.Value.1=private-%2A&Filter.3.Name=tag%3Ateam%26x&Filter.3.Value.1=a%20b%3F&"
              "MaxResults=50&NextToken=to%2Fken%3D%3D");
}

TEST(ec2_call, the_page_size_stays_within_what_ec2_allows)
{
    const auto form_with = [](unsigned results_max) {
        return encode_form(
            describe_route_tables{.ids = {}, .vpc = {}, .tags = {}, .next_token = {}, .results_max = results_max});
    };
    EXPECT_EQ(form_with(1), "Action=DescribeRouteTables&Version=2016-11-15&MaxResults=5");
    EXPECT_EQ(form_with(1000), "Action=DescribeRouteTables&Version=2016-11-15&MaxResults=100");
}

TEST(ec2_call, interfaces_are_named_by_filter_because_ids_exclude_pages)
{
    EXPECT_EQ(encode_form(describe_network_interfaces{.ids = {eni}, .address = {}, .vpc = {}, .tags = {}, .next_token = {}}),
              "Action=DescribeNetworkInterfaces&Version=2016-11-15&Filter.1.Name=network-interface-id&"
              "Filter.1.Value.1=eni-0123456789abcdef0&MaxResults=100");
}

TEST(ec2_call, interfaces_are_found_by_an_address_of_theirs_or_by_tags_in_a_vpc)
{
    describe_network_interfaces by_address;
    by_address.address = ip_address::v4(10, 0, 1, 100);
    EXPECT_EQ(encode_form(by_address),
              "Action=DescribeNetworkInterfaces&Version=2016-11-15&"
              "Filter.1.Name=addresses.private-ip-address&Filter.1.Value.1=10.0.1.100&MaxResults=100");
    by_address.address = ip_address::parse("2001:db8::64").value();
    EXPECT_NE(encode_form(by_address).find("Filter.1.Name=ipv6-addresses.ipv6-address&Filter.1.Value.1=2001%3Adb8%3A%3A64&"),
              std::string::npos);
    describe_network_interfaces by_tag;
    by_tag.vpc = vpc_id{"vpc-1"};
    by_tag.tags = {{"Name", "floating"}};
    EXPECT_NE(encode_form(by_tag).find("Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&"
                                       "Filter.2.Name=tag%3AName&Filter.2.Value.1=floating&"),
              std::string::npos);
}

TEST(ec2_call, an_interface_is_attached_at_card_0_and_detached_by_the_id_of_its_attachment)
{
    EXPECT_EQ(encode_form(attach_network_interface{eni, instance_id{"i-1"}, 2}),
              "Action=AttachNetworkInterface&Version=2016-11-15&NetworkInterfaceId=eni-0123456789abcdef0&InstanceId=i-1&"
              "DeviceIndex=2&NetworkCardIndex=0");
    EXPECT_EQ(encode_form(detach_network_interface{attachment_id{"eni-attach-1"}}),
              "Action=DetachNetworkInterface&Version=2016-11-15&AttachmentId=eni-attach-1");
    EXPECT_EQ(encode_form(detach_network_interface{attachment_id{"eni-attach-1"}, true, true}),
              "Action=DetachNetworkInterface&Version=2016-11-15&AttachmentId=eni-attach-1&Force=true&DryRun=true");
    EXPECT_EQ(encode_form(keep_on_termination{eni, attachment_id{"eni-attach-1"}}),
              "Action=ModifyNetworkInterfaceAttribute&Version=2016-11-15&NetworkInterfaceId=eni-0123456789abcdef0&"
              "Attachment.AttachmentId=eni-attach-1&Attachment.DeleteOnTermination=false");
}

TEST(ec2_call, addresses_are_taken_from_where_they_are)
{
    EXPECT_EQ(encode_form(assign_private_ip_address{eni, ip_address::v4(10, 0, 1, 100)}),
              "Action=AssignPrivateIpAddresses&Version=2016-11-15&NetworkInterfaceId=eni-0123456789abcdef0&"
              "PrivateIpAddress.1=10.0.1.100&AllowReassignment=true");
    EXPECT_EQ(encode_form(assign_ipv6_address{eni, ip_address::parse("2001:db8::64").value()}),
              "Action=AssignIpv6Addresses&Version=2016-11-15&NetworkInterfaceId=eni-0123456789abcdef0&"
              "Ipv6Addresses.1=2001%3Adb8%3A%3A64");
    EXPECT_EQ(encode_form(unassign_ipv6_address{eni, ip_address::parse("2001:db8::64").value()}),
              "Action=UnassignIpv6Addresses&Version=2016-11-15&NetworkInterfaceId=eni-0123456789abcdef0&"
              "Ipv6Addresses.1=2001%3Adb8%3A%3A64");
    EXPECT_EQ(encode_form(associate_address{allocation_id{"eipalloc-1"}, eni, ip_address::v4(10, 0, 1, 100)}),
              "Action=AssociateAddress&Version=2016-11-15&AllocationId=eipalloc-1&NetworkInterfaceId=eni-0123456789abcdef0&"
              "PrivateIpAddress=10.0.1.100&AllowReassociation=true");
    EXPECT_EQ(encode_form(associate_address{allocation_id{"eipalloc-1"}, eni, {}, true}),
              "Action=AssociateAddress&Version=2016-11-15&AllocationId=eipalloc-1&NetworkInterfaceId=eni-0123456789abcdef0&"
              "AllowReassociation=true&DryRun=true");
    EXPECT_EQ(encode_form(describe_addresses{{allocation_id{"eipalloc-1"}}}),
              "Action=DescribeAddresses&Version=2016-11-15&Filter.1.Name=allocation-id&Filter.1.Value.1=eipalloc-1");
}

TEST(ec2_call, source_dest_check_is_a_wrapped_attribute)
{
    EXPECT_EQ(encode_form(disable_source_dest_check{eni}),
              "Action=ModifyNetworkInterfaceAttribute&Version=2016-11-15&NetworkInterfaceId=eni-0123456789abcdef0&"
              "SourceDestCheck.Value=false");
}

TEST(ec2_call, hostile_text_cannot_add_a_parameter)
{
    const auto form = encode_form(replace_route{route_table_id{"x&DryRun=false"}, route_destination::prefix_list("a=b"), eni});
    EXPECT_EQ(form.find("&DryRun"), std::string::npos);
    EXPECT_NE(form.find("RouteTableId=x%26DryRun%3Dfalse&"), std::string::npos);
}

TEST(ec2_call, dry_runs_and_describes_change_nothing)
{
    EXPECT_TRUE(is_mutating(replace_route{table, cidr("10.0.0.1/32"), eni}));
    EXPECT_TRUE(is_mutating(create_route{table, cidr("10.0.0.1/32"), eni}));
    EXPECT_TRUE(is_mutating(disable_source_dest_check{eni}));
    EXPECT_TRUE(is_mutating(attach_network_interface{}));
    EXPECT_TRUE(is_mutating(detach_network_interface{}));
    EXPECT_TRUE(is_mutating(keep_on_termination{}));
    EXPECT_TRUE(is_mutating(assign_private_ip_address{}));
    EXPECT_TRUE(is_mutating(assign_ipv6_address{}));
    EXPECT_TRUE(is_mutating(unassign_ipv6_address{}));
    EXPECT_TRUE(is_mutating(associate_address{}));
    EXPECT_FALSE(is_mutating(associate_address{.allocation = {}, .interface = {}, .private_address = {}, .dry_run = true}));
    EXPECT_FALSE(is_mutating(describe_addresses{}));
    EXPECT_FALSE(is_mutating(replace_route{table, cidr("10.0.0.1/32"), eni, true}));
    EXPECT_FALSE(is_mutating(create_route{table, cidr("10.0.0.1/32"), eni, true}));
    EXPECT_FALSE(is_mutating(describe_route_tables{}));
    EXPECT_FALSE(is_mutating(describe_network_interfaces{}));
}

TEST(ec2_call, a_dry_run_is_the_same_call_and_says_so_in_its_body)
{
    const std::vector<ec2_call> with_dry_run = {
        replace_route{table, cidr("10.0.0.1/32"), eni},
        create_route{table, cidr("10.0.0.1/32"), eni},
        disable_source_dest_check{eni},
        attach_network_interface{eni, instance_id{"i-1"}},
        detach_network_interface{attachment_id{"eni-attach-1"}},
        keep_on_termination{eni, attachment_id{"eni-attach-1"}},
        associate_address{.allocation = allocation_id{"eipalloc-1"}, .interface = eni, .private_address = {}},
    };
    for (const auto& call : with_dry_run) {
        const auto dry = dry_run_of(call);
        ASSERT_TRUE(dry) << action_name(call);
        EXPECT_EQ(encode_form(*dry), encode_form(call) + "&DryRun=true");
        EXPECT_FALSE(is_mutating(*dry)) << action_name(call);
        EXPECT_TRUE(is_mutating(call)) << action_name(call);
    }
    // EC2 has none of these, and what only asks needs none.
    for (const ec2_call& call :
         {ec2_call{assign_private_ip_address{eni, ip_address::v4(10, 0, 1, 100)}}, ec2_call{assign_ipv6_address{}},
          ec2_call{unassign_ipv6_address{}}, ec2_call{describe_route_tables{}}, ec2_call{describe_vpcs{}}}) {
        EXPECT_FALSE(dry_run_of(call)) << action_name(call);
    }
}

template <std::size_t... I>
std::vector<ec2_call> one_of_each(std::index_sequence<I...> /*all*/)
{
    return {ec2_call{std::variant_alternative_t<I, ec2_call>{}}...};
}

// Whoever has no permit to change anything may send what is not mutating. So this is looked at for every call there is.
TEST(ec2_call, what_is_not_mutating_only_describes_or_says_dry_run_in_its_body)
{
    for (const auto& call : one_of_each(std::make_index_sequence<std::variant_size_v<ec2_call>>{})) {
        const auto is_harmless = [](const ec2_call& c) {
            const auto form = encode_form(c);
            return form.starts_with("Action=Describe") || form.find("&DryRun=true") != std::string::npos;
        };
        EXPECT_EQ(is_mutating(call), !is_harmless(call)) << encode_form(call);
        if (const auto dry = dry_run_of(call)) {
            EXPECT_TRUE(is_harmless(*dry)) << encode_form(*dry);
            EXPECT_EQ(action_name(*dry), action_name(call));
        }
    }
}

TEST(ec2_call, networks_are_described_by_filters_so_that_what_is_missing_is_no_error)
{
    EXPECT_EQ(encode_form(describe_vpcs{{vpc_id{"vpc-1"}}}),
              "Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1");
    EXPECT_EQ(encode_form(describe_subnets{vpc_id{"vpc-1"}}),
              "Action=DescribeSubnets&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1");
    EXPECT_EQ(encode_form(describe_security_groups{{security_group_id{"sg-1"}, security_group_id{"sg-2"}}}),
              "Action=DescribeSecurityGroups&Version=2016-11-15&Filter.1.Name=group-id&Filter.1.Value.1=sg-1&"
              "Filter.1.Value.2=sg-2");
    EXPECT_EQ(encode_form(describe_instance_types{"t3.micro"}),
              "Action=DescribeInstanceTypes&Version=2016-11-15&Filter.1.Name=instance-type&Filter.1.Value.1=t3.micro");
    EXPECT_TRUE(is_describe(describe_vpcs{}));
}

TEST(ec2_call, destinations_are_canonical_as_ec2_stores_them)
{
    EXPECT_EQ(cidr("100.68.0.18/18").to_string(), "100.68.0.0/18");
    EXPECT_EQ(cidr("100.68.0.18/18"), cidr("100.68.0.0/18"));
    EXPECT_EQ(route_destination::prefix_list("pl-1").to_string(), "pl-1");
}

}  // namespace
}  // namespace vipd::aws
