// Secondary private addresses: who may have them, and how they change hands.

#include "tests/unit/cloud/moves_fixture.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

using std::chrono::milliseconds;
using std::chrono::seconds;
using lines = std::vector<std::string>;

class addresses : public moves_test {
protected:
    static constexpr const char* vip = "10.0.1.100";
    static constexpr const char* vip6 = "2001:db8:0:1::100";

    std::string refusal(const char* interface, const std::string& address)
    {
        return message("AssignPrivateIpAddresses", {{"NetworkInterfaceId", interface}, {"PrivateIpAddress.1", address}});
    }
};

TEST_F(addresses, a_secondary_address_is_given_and_taken_away)
{
    ASSERT_EQ(assign(interface_a, vip), "200");
    EXPECT_EQ(holder(vip), interface_a);
    const auto set = described(interface_a).child("privateIpAddressesSet");
    EXPECT_STREQ(set.first_child().child_value("primary"), "true");
    EXPECT_STREQ(set.last_child().child_value("privateIpAddress"), vip);
    EXPECT_STREQ(set.last_child().child_value("primary"), "false");
    ASSERT_EQ(unassign(interface_a, vip), "200");
    EXPECT_EQ(holder(vip), "");
}

TEST_F(addresses, the_answer_lists_what_was_assigned)
{
    const auto answer = get("AssignPrivateIpAddresses", {{"NetworkInterfaceId", interface_a}, {"PrivateIpAddress.1", vip}});
    const auto root = answer.child("AssignPrivateIpAddressesResponse");
    EXPECT_STREQ(root.child_value("networkInterfaceId"), interface_a);
    EXPECT_STREQ(root.child("assignedPrivateIpAddressesSet").child("item").child_value("privateIpAddress"), vip);
    const auto answer6 = get("AssignIpv6Addresses", {{"NetworkInterfaceId", interface_b}, {"Ipv6Addresses.1", vip6}});
    EXPECT_STREQ(answer6.child("AssignIpv6AddressesResponse").child("assignedIpv6Addresses").child_value("item"), vip6);
    const auto taken = get("UnassignIpv6Addresses", {{"NetworkInterfaceId", interface_b}, {"Ipv6Addresses.1", vip6}});
    EXPECT_STREQ(taken.child("UnassignIpv6AddressesResponse").child("unassignedIpv6Addresses").child_value("item"), vip6);
}

TEST_F(addresses, reassignment_has_to_be_allowed)
{
    ASSERT_EQ(assign(interface_a, vip), "200");
    EXPECT_EQ(assign(interface_b, vip), "400 InvalidParameterValue");
    EXPECT_NE(refusal(interface_b, vip).find("have already been assigned"), std::string::npos);
    EXPECT_EQ(holder(vip), interface_a);
    EXPECT_EQ(assign(interface_b, vip, true), "200");
    EXPECT_EQ(holder(vip), interface_b);
}

TEST_F(addresses, with_reassignment_allowed_what_one_has_already_is_no_error)
{
    ASSERT_EQ(assign(interface_a, vip), "200");
    EXPECT_EQ(assign(interface_a, vip, true), "200");
    EXPECT_EQ(interface(interface_a).addresses.size(), 2U);
}

TEST_F(addresses, a_primary_address_never_moves)
{
    EXPECT_EQ(assign(interface_b, "10.0.1.10", true), "400 InvalidParameterValue");
    EXPECT_NE(refusal(interface_b, "10.0.1.10").find("is the primary address"), std::string::npos);
    EXPECT_EQ(unassign(interface_a, "10.0.1.10"), "400 InvalidParameterValue");
    EXPECT_EQ(holder("10.0.1.10"), interface_a);
}

TEST_F(addresses, they_have_to_lie_in_the_subnet_and_not_be_reserved)
{
    EXPECT_EQ(assign(interface_a, "10.0.2.100"), "400 InvalidParameterValue");
    EXPECT_EQ(refusal(interface_a, "10.0.2.100"), "Address 10.0.2.100 does not fall within the subnet's address range");
    for (const auto* reserved : {"10.0.1.0", "10.0.1.3", "10.0.1.255"}) {
        EXPECT_EQ(refusal(interface_a, reserved),
                  "Address " + std::string(reserved) + " is in subnet's reserved address range");
    }
    EXPECT_EQ(assign(interface_a, "10.0.1.4"), "200");
    EXPECT_EQ(assign(interface_a, "10.0.1.254"), "200");
    EXPECT_EQ(assign(interface_a, "2001:db8:0:2::100"), "400 InvalidParameterValue");
}

TEST_F(addresses, an_interface_has_as_many_as_the_type_of_its_instance_allows)
{
    for (const auto* address : {"10.0.1.101", "10.0.1.102", "10.0.1.103"}) {
        ASSERT_EQ(assign(interface_a, address), "200");
    }
    EXPECT_EQ(assign(interface_a, "10.0.1.104"), "400 PrivateIpAddressLimitExceeded");
    EXPECT_EQ(assign(interface_a, "10.0.1.103", true), "200") << "one that it has needs no room";
    ASSERT_EQ(assign(interface_a, vip6), "200");
    EXPECT_EQ(assign(interface_a, "2001:db8:0:1::101"), "400 PrivateIpAddressLimitExceeded");
}

TEST_F(addresses, ipv6_has_to_be_let_go_before_another_can_have_it)
{
    ASSERT_EQ(assign(interface_a, vip6), "200");
    EXPECT_EQ(assign(interface_b, vip6), "400 InvalidParameterValue");
    EXPECT_EQ(assign(interface_b, vip6, true), "400 UnknownParameter") << "there is no AllowReassignment";
    ASSERT_EQ(unassign(interface_a, vip6), "200");
    EXPECT_EQ(assign(interface_b, vip6), "200");
    EXPECT_EQ(holder(vip6), interface_b);
}

TEST_F(addresses, what_is_not_there_cannot_be_unassigned)
{
    EXPECT_EQ(unassign(interface_a, vip), "400 InvalidParameterValue");
    EXPECT_EQ(message("UnassignPrivateIpAddresses", {{"NetworkInterfaceId", interface_a}, {"PrivateIpAddress.1", vip}}),
              "Some of the specified addresses are not assigned to interface eni-0aaaaaaaaaaaaaaa1");
    EXPECT_EQ(unassign(interface_a, vip6), "400 InvalidParameterValue");
    EXPECT_EQ(unassign("eni-0ccccccccccccccc1", vip), "400 InvalidNetworkInterfaceID.NotFound");
}

TEST_F(addresses, one_that_cannot_be_assigned_keeps_the_others_from_it)
{
    EXPECT_EQ(verdict("AssignPrivateIpAddresses",
                      {{"NetworkInterfaceId", interface_a}, {"PrivateIpAddress.1", vip}, {"PrivateIpAddress.2", "10.0.2.100"}}),
              "400 InvalidParameterValue");
    EXPECT_EQ(holder(vip), "");
}

TEST_F(addresses, parameters_are_checked)
{
    const auto ask_for = [&](const char* action, parameters more) {
        more.emplace_back("NetworkInterfaceId", interface_a);
        return verdict(action, more);
    };
    EXPECT_EQ(ask_for("AssignPrivateIpAddresses", {}), "400 MissingParameter");
    EXPECT_EQ(ask_for("UnassignPrivateIpAddresses", {}), "400 MissingParameter");
    EXPECT_EQ(ask_for("AssignPrivateIpAddresses", {{"PrivateIpAddress.1", vip6}}), "400 InvalidParameterValue");
    EXPECT_EQ(ask_for("AssignIpv6Addresses", {{"Ipv6Addresses.1", vip}}), "400 InvalidParameterValue");
    EXPECT_EQ(ask_for("AssignPrivateIpAddresses", {{"PrivateIpAddress.1", vip}, {"PrivateIpAddress.2", vip}}),
              "400 InvalidParameterValue");
    EXPECT_EQ(ask_for("AssignPrivateIpAddresses", {{"PrivateIpAddress.1", vip}, {"SecondaryPrivateIpAddressCount", "1"}}),
              "400 InvalidParameterCombination");
    EXPECT_EQ(ask_for("AssignPrivateIpAddresses", {{"PrivateIpAddresses.1", vip}}), "400 MissingParameter");
    EXPECT_EQ(ask_for("AssignIpv6Addresses", {{"Ipv6Address.1", vip6}}), "400 MissingParameter");
}

TEST_F(addresses, none_of_these_calls_knows_a_dry_run)
{
    for (const auto* action : {"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"}) {
        EXPECT_EQ(verdict(action, {{"NetworkInterfaceId", interface_a}, {"PrivateIpAddress.1", vip}, {"DryRun", "true"}}),
                  "400 UnknownParameter");
    }
    for (const auto* action : {"AssignIpv6Addresses", "UnassignIpv6Addresses"}) {
        EXPECT_EQ(verdict(action, {{"NetworkInterfaceId", interface_a}, {"Ipv6Addresses.1", vip6}, {"DryRun", "true"}}),
                  "400 UnknownParameter");
    }
    EXPECT_EQ(holder(vip), "");
}

TEST_F(addresses, ec2_chooses_when_it_is_given_a_number)
{
    ASSERT_EQ(
        verdict("AssignPrivateIpAddresses", {{"NetworkInterfaceId", interface_a}, {"SecondaryPrivateIpAddressCount", "2"}}),
        "200");
    EXPECT_EQ(holder("10.0.1.4"), interface_a);
    EXPECT_EQ(holder("10.0.1.5"), interface_a);
    ASSERT_EQ(verdict("AssignIpv6Addresses", {{"NetworkInterfaceId", interface_b}, {"Ipv6AddressCount", "1"}}), "200");
    EXPECT_EQ(interface(interface_b).addresses6.size(), 1U);
    EXPECT_EQ(verdict("AssignIpv6Addresses", {{"NetworkInterfaceId", interface_c}, {"Ipv6AddressCount", "1"}}),
              "400 InvalidParameterValue")
        << "its subnet has no IPv6";
}

TEST_F(addresses, reassignment_takes_its_time_and_an_address_is_never_two_interfaces)
{
    cloud.set_move_times({{}, {}, delay::fixed(seconds{3})});
    ASSERT_EQ(assign(interface_a, vip), "200") << "nobody had it";
    EXPECT_EQ(holder(vip), interface_a);
    ASSERT_EQ(assign(interface_b, vip, true), "200");
    EXPECT_EQ(holder(vip), interface_a);
    pass(seconds{3});
    cloud.handle_timeout(now);
    EXPECT_EQ(holder(vip), interface_b);
    EXPECT_FALSE(interface(interface_a).has(*ip_address::parse(vip)));
}

TEST_F(addresses, of_two_reassignments_the_last_to_come_about_wins)
{
    ASSERT_EQ(assign(interface_a, vip), "200");
    cloud.set_move_times({{}, {}, delay::fixed(seconds{3})});
    ASSERT_EQ(assign(interface_b, vip, true), "200");
    pass(seconds{1});
    ASSERT_EQ(assign(floating, vip, true), "200");
    pass(seconds{2});
    cloud.handle_timeout(now);
    EXPECT_EQ(holder(vip), interface_b);
    pass(seconds{1});
    cloud.handle_timeout(now);
    EXPECT_EQ(holder(vip), floating);
}

TEST_F(addresses, an_elastic_ip_comes_along_with_its_private_address)
{
    ASSERT_EQ(assign(interface_a, vip), "200");
    ASSERT_EQ(associate(elastic, interface_a, vip), "200");
    const auto association = elastic_ip_of(elastic).association;
    ASSERT_EQ(assign(interface_b, vip, true), "200");
    EXPECT_EQ(elastic_ip_of(elastic).interface.str(), interface_b);
    EXPECT_EQ(elastic_ip_of(elastic).association, association);
    const auto shown = described(interface_b).child("privateIpAddressesSet").last_child();
    EXPECT_STREQ(shown.child("association").child_value("publicIp"), "203.0.113.10");
}

TEST_F(addresses, an_elastic_ip_is_nobodys_when_its_private_address_goes)
{
    ASSERT_EQ(assign(interface_a, vip), "200");
    ASSERT_EQ(associate(elastic, interface_a, vip), "200");
    ASSERT_EQ(unassign(interface_a, vip), "200");
    EXPECT_FALSE(elastic_ip_of(elastic).is_associated());
}

TEST_F(addresses, they_move_with_their_interface)
{
    ASSERT_EQ(assign(floating, vip), "200");
    ASSERT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(imds_text("/latest/meta-data/network/interfaces/macs/02:00:00:00:01:50/local-ipv4s"), "10.0.1.50\n10.0.1.100");
    ASSERT_EQ(detach(floating), "200");
    ASSERT_EQ(attach(floating, node_b), "200");
    EXPECT_EQ(imds_text("/latest/meta-data/network/interfaces/macs/02:00:00:00:01:50/local-ipv4s"), "404");
    EXPECT_EQ(imds_text("/latest/meta-data/network/interfaces/macs/02:00:00:00:01:50/local-ipv4s", node_b),
              "10.0.1.50\n10.0.1.100");
}

TEST_F(addresses, a_movement_of_an_address_names_both_interfaces)
{
    ASSERT_EQ(assign(interface_a, vip), "200");
    EXPECT_EQ(movements(), lines{"10.0.1.100 arrived at eni-0aaaaaaaaaaaaaaa1"});
    ASSERT_EQ(associate(elastic, interface_a, vip), "200");
    EXPECT_EQ(movements(), lines{"203.0.113.10 arrived at eni-0aaaaaaaaaaaaaaa1"});
    ASSERT_EQ(assign(interface_b, vip, true), "200");
    EXPECT_EQ(movements(), (lines{"10.0.1.100 left eni-0aaaaaaaaaaaaaaa1", "10.0.1.100 arrived at eni-0aaaaaaaaaaaaaaa2",
                                  "203.0.113.10 left eni-0aaaaaaaaaaaaaaa1", "203.0.113.10 arrived at eni-0aaaaaaaaaaaaaaa2"}));
}

TEST_F(addresses, each_action_draws_from_its_own_bucket)
{
    const auto size = [](const char* name) {
        const auto bucket = documented_bucket(name);
        return std::pair{bucket.capacity, bucket.refill_per_second};
    };
    for (const auto* action : {"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "AssignIpv6Addresses"}) {
        EXPECT_EQ(size(action), (std::pair{100.0, 5.0})) << action;
    }
    for (const auto* action : {"UnassignIpv6Addresses", "AttachNetworkInterface", "DetachNetworkInterface", "AssociateAddress",
                               "DisassociateAddress"}) {
        EXPECT_EQ(size(action), (std::pair{50.0, 5.0})) << action;
    }
    EXPECT_EQ(size("DescribeAddresses"), (std::pair{100.0, 20.0}));
    cloud.buckets().set_level(now.steady, "AssignPrivateIpAddresses", 0);
    EXPECT_EQ(assign(interface_a, vip), "503 RequestLimitExceeded");
    EXPECT_EQ(assign(interface_a, vip6), "200");
}

}  // namespace vipd::cloud
