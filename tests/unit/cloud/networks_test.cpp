// What the calls say that describe networks and instance types.

#include "tests/unit/cloud/moves_fixture.hpp"

namespace vipd::cloud {

using lines = std::vector<std::string>;
using networks = moves_test;

TEST_F(networks, a_security_group_shows_what_it_lets_in_and_from_whom)
{
    const auto document = get("DescribeSecurityGroups", {{"GroupId.1", "sg-0aaaaaaaaaaaaaaa1"}});
    const auto group = document.select_node("//securityGroupInfo/item").node();
    EXPECT_STREQ(group.child_value("groupName"), "vipd");
    EXPECT_STREQ(group.child_value("groupDescription"), "nodes");
    EXPECT_STREQ(group.child_value("vpcId"), "vpc-0aaaaaaaaaaaaaaa1");
    const auto vrrp = group.select_node("ipPermissions/item[ipProtocol='112']").node();
    EXPECT_STREQ(vrrp.child("groups").child("item").child_value("groupId"), "sg-0aaaaaaaaaaaaaaa1");
    EXPECT_STREQ(vrrp.child("groups").child("item").child_value("userId"), "123456789012");
    EXPECT_FALSE(vrrp.child("fromPort")) << "only protocols with ports have them";
    const auto tcp = group.select_node("ipPermissions/item[ipProtocol='tcp']").node();
    EXPECT_STREQ(tcp.child_value("fromPort"), "80");
    EXPECT_STREQ(tcp.child_value("toPort"), "90");
    EXPECT_STREQ(tcp.child("ipRanges").child("item").child_value("cidrIp"), "0.0.0.0/0");
    EXPECT_STREQ(tcp.child("ipv6Ranges").child("item").child_value("cidrIpv6"), "::/0");
    EXPECT_STREQ(group.child("ipPermissionsEgress").child("item").child_value("ipProtocol"), "-1");
}

TEST_F(networks, a_rule_may_name_a_prefix_list)
{
    const auto listed = texts("DescribeSecurityGroups", filter("ip-permission.prefix-list-id", "pl-0aaaaaaaaaaaaaaa1"),
                              "//ipPermissions/item/prefixListIds/item/prefixListId");
    EXPECT_EQ(listed, lines{"pl-0aaaaaaaaaaaaaaa1"});
}

TEST_F(networks, what_another_service_manages_cannot_be_attached)
{
    EXPECT_STREQ(described(managed).child_value("requesterManaged"), "true");
    EXPECT_STREQ(described(interface_a).child_value("requesterManaged"), "false");
    EXPECT_EQ(attach(managed, node_a, 1), "400 OperationNotPermitted");
}

TEST_F(networks, security_groups_are_found)
{
    const auto found = [&](const parameters& values) {
        return texts("DescribeSecurityGroups", values, "//securityGroupInfo/item/groupId");
    };
    EXPECT_EQ(found({}).size(), 2U);
    EXPECT_EQ(found(filter("ip-permission.protocol", "112")), lines{"sg-0aaaaaaaaaaaaaaa1"});
    EXPECT_EQ(found(filter("ip-permission.group-id", "sg-0aaaaaaaaaaaaaaa1")), lines{"sg-0aaaaaaaaaaaaaaa1"});
    EXPECT_EQ(found(filter("group-name", "oth*")), lines{"sg-0aaaaaaaaaaaaaaa2"});
    EXPECT_EQ(found(filter("vpc-id", "vpc-0aaaaaaaaaaaaaaa2")), lines{});
    EXPECT_EQ(message("DescribeSecurityGroups", {{"GroupId.1", "sg-0ccccccccccccccc1"}}),
              "The security group 'sg-0ccccccccccccccc1' does not exist");
}

TEST_F(networks, an_interface_names_its_groups)
{
    const auto item = described(interface_a).child("groupSet").child("item");
    EXPECT_STREQ(item.child_value("groupId"), "sg-0aaaaaaaaaaaaaaa1");
    EXPECT_STREQ(item.child_value("groupName"), "vipd");
}

TEST_F(networks, a_subnet_shows_its_zone_ranges_and_free_addresses)
{
    const auto document = get("DescribeSubnets", {{"SubnetId.1", "subnet-0aaaaaaaaaaaaaaa1"}});
    const auto item = document.select_node("//subnetSet/item").node();
    EXPECT_STREQ(item.child_value("vpcId"), "vpc-0aaaaaaaaaaaaaaa1");
    EXPECT_STREQ(item.child_value("availabilityZone"), "eu-west-1a");
    EXPECT_STREQ(item.child_value("availabilityZoneId"), "euw1-az1");
    EXPECT_STREQ(item.child_value("cidrBlock"), "10.0.1.0/24");
    EXPECT_STREQ(item.child("ipv6CidrBlockAssociationSet").child("item").child_value("ipv6CidrBlock"), "2001:db8:0:1::/64");
    EXPECT_STREQ(item.child_value("availableIpAddressCount"), "247") << "five are EC2's, four are taken";
    EXPECT_STREQ(item.child_value("subnetArn"), "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-0aaaaaaaaaaaaaaa1");
    const auto found = [&](const std::string& name, const std::string& value) {
        return texts("DescribeSubnets", filter(name, value), "//subnetSet/item/subnetId").size();
    };
    EXPECT_EQ(found("vpc-id", "vpc-0aaaaaaaaaaaaaaa1"), 3U);
    EXPECT_EQ(found("availability-zone", "eu-west-1a"), 3U);
    EXPECT_EQ(found("cidr-block", "10.0.*"), 3U);
    EXPECT_EQ(found("tag:Name", "a"), 1U);
    EXPECT_EQ(verdict("DescribeSubnets", {{"SubnetId.1", "subnet-0ccccccccccccccc1"}}), "400 InvalidSubnetID.NotFound");
}

TEST_F(networks, a_vpc_shows_its_ranges)
{
    const auto document = get("DescribeVpcs", {{"VpcId.1", "vpc-0aaaaaaaaaaaaaaa1"}});
    const auto item = document.select_node("//vpcSet/item").node();
    EXPECT_STREQ(item.child_value("cidrBlock"), "10.0.0.0/16");
    EXPECT_STREQ(item.child("cidrBlockAssociationSet").child("item").child_value("cidrBlock"), "10.0.0.0/16");
    EXPECT_STREQ(item.child("cidrBlockAssociationSet").child("item").child("cidrBlockState").child_value("state"),
                 "associated");
    EXPECT_STREQ(item.child("ipv6CidrBlockAssociationSet").child("item").child_value("ipv6CidrBlock"), "2001:db8::/56");
    EXPECT_EQ(texts("DescribeVpcs", filter("cidr", "10.9.0.0/16"), "//vpcSet/item/vpcId"), lines{"vpc-0aaaaaaaaaaaaaaa2"});
    EXPECT_EQ(verdict("DescribeVpcs", {{"VpcId.1", "vpc-0ccccccccccccccc1"}}), "400 InvalidVpcID.NotFound");
}

TEST_F(networks, an_instance_type_says_how_much_it_takes)
{
    const auto document = get("DescribeInstanceTypes", {{"InstanceType.1", "t3.small"}});
    const auto info = document.select_node("//instanceTypeSet/item/networkInfo").node();
    EXPECT_STREQ(info.child_value("maximumNetworkInterfaces"), "3");
    EXPECT_STREQ(info.child_value("ipv4AddressesPerInterface"), "4");
    EXPECT_STREQ(info.child_value("ipv6AddressesPerInterface"), "2") << "the topology says so";
    EXPECT_STREQ(info.child_value("maximumNetworkCards"), "1");
    EXPECT_EQ(
        texts("DescribeInstanceTypes", filter("instance-type", "p4d.*"), "//networkInfo/networkCards/item/networkCardIndex"),
        (lines{"0", "1", "2", "3"}));
    EXPECT_EQ(verdict("DescribeInstanceTypes", {{"InstanceType.1", "t9.huge"}}), "400 InvalidInstanceType");
}

}  // namespace vipd::cloud
