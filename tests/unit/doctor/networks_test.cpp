#include "agent/doctor/networks.hpp"

#include <gtest/gtest.h>

namespace vipd::doctor {

namespace {

ip_prefix prefix(std::string_view text)
{
    return *ip_prefix::parse(text);
}

ip_address address(std::string_view text)
{
    return *ip_address::parse(text);
}

const std::vector<ip_prefix> vpc = {prefix("10.0.0.0/16"), prefix("2001:db8::/56")};
const std::vector<aws::subnet> subnets = {{aws::subnet_id{"subnet-1"}, "eu-west-1a", {prefix("10.0.1.0/24")}},
                                          {aws::subnet_id{"subnet-2"}, "eu-west-1b", {prefix("2001:db8:0:1::/64")}}};

TEST(networks, a_destination_outside_of_the_vpc_is_free)
{
    EXPECT_EQ(place_of(prefix("172.16.1.100/32"), vpc, subnets), place_of_destination::outside);
    EXPECT_EQ(place_of(prefix("fd12::1/128"), vpc, subnets), place_of_destination::outside);
    // Wider than the VPC is not inside of it.
    EXPECT_EQ(place_of(prefix("10.0.0.0/8"), vpc, subnets), place_of_destination::outside);
}

TEST(networks, a_destination_inside_has_to_be_a_whole_subnet)
{
    EXPECT_EQ(place_of(prefix("10.0.1.100/32"), vpc, subnets), place_of_destination::inside);
    EXPECT_EQ(place_of(prefix("10.0.1.0/24"), vpc, subnets), place_of_destination::whole_subnet);
    EXPECT_EQ(place_of(prefix("10.0.1.7/24"), vpc, subnets), place_of_destination::whole_subnet);
    EXPECT_EQ(place_of(prefix("10.0.2.0/24"), vpc, subnets), place_of_destination::inside);
    EXPECT_EQ(place_of(prefix("10.0.0.0/16"), vpc, subnets), place_of_destination::whole_vpc);
    EXPECT_EQ(place_of(prefix("2001:db8:0:1::5/128"), vpc, subnets), place_of_destination::inside);
    EXPECT_EQ(place_of(prefix("2001:db8:0:1::/64"), vpc, subnets), place_of_destination::whole_subnet);
}

const aws::security_group_id own_group{"sg-1"};
const party peer{address("10.0.2.10"), {own_group, aws::security_group_id{"sg-2"}}};

aws::security_group_rule rule(std::string protocol)
{
    return {std::move(protocol), {}, {}, {}};
}

TEST(networks, vrrp_passes_by_range_or_by_group)
{
    auto by_range = rule("112");
    by_range.cidrs = {prefix("10.0.2.0/24")};
    EXPECT_EQ(passage_of({by_range}, peer), passage::open);
    by_range.cidrs = {prefix("10.0.3.0/24"), prefix("::/0")};
    EXPECT_EQ(passage_of({by_range}, peer), passage::closed);

    auto by_group = rule("-1");
    by_group.groups = {own_group};
    EXPECT_EQ(passage_of({by_group}, peer), passage::open);
    by_group.groups = {aws::security_group_id{"sg-9"}};
    EXPECT_EQ(passage_of({by_group}, peer), passage::closed);
}

TEST(networks, rules_of_other_protocols_do_not_count)
{
    for (const auto* protocol : {"tcp", "udp", "icmp", "51", "1", "11"}) {
        auto other = rule(protocol);
        other.cidrs = {prefix("0.0.0.0/0")};
        EXPECT_EQ(passage_of({other}, peer), passage::closed) << protocol;
    }
    EXPECT_EQ(passage_of({}, peer), passage::closed);
}

TEST(networks, a_prefix_list_is_unclear_unless_another_rule_is_clear)
{
    auto by_list = rule("112");
    by_list.prefix_lists = {"pl-1"};
    EXPECT_EQ(passage_of({by_list}, peer), passage::unclear);
    auto by_range = rule("112");
    by_range.cidrs = {prefix("10.0.2.10/32")};
    EXPECT_EQ(passage_of({by_list, by_range}, peer), passage::open);
}

}  // namespace

}  // namespace vipd::doctor
