// Elastic IPs: where they may go, what they displace, and what they cost whoever is asked.

#include "tests/unit/cloud/moves_fixture.hpp"

namespace vipd::cloud {

using lines = std::vector<std::string>;

class elastic_ips : public moves_test {
protected:
    std::string associate_with(parameters values)
    {
        values.emplace_back("AllocationId", elastic);
        return verdict("AssociateAddress", values);
    }
};

TEST_F(elastic_ips, one_goes_to_the_primary_address_unless_another_is_named)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    EXPECT_EQ(elastic_ip_of(elastic).private_address.to_string(), "10.0.1.10");
    ASSERT_EQ(assign(interface_a, "10.0.1.100"), "200");
    ASSERT_EQ(associate(elastic, interface_a, "10.0.1.100"), "200");
    EXPECT_EQ(elastic_ip_of(elastic).private_address.to_string(), "10.0.1.100");
    EXPECT_EQ(associate(elastic, interface_a, "10.0.1.101"), "400 InvalidParameterValue");
}

TEST_F(elastic_ips, a_reassociation_takes_it_from_whoever_has_it)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    const auto first = elastic_ip_of(elastic).association;
    ASSERT_EQ(associate(elastic, interface_b), "200");
    EXPECT_EQ(elastic_ip_of(elastic).interface.str(), interface_b);
    EXPECT_NE(elastic_ip_of(elastic).association, first);
    EXPECT_EQ(verdict("DisassociateAddress", {{"AssociationId", first}}), "400 InvalidAssociationID.NotFound");
    EXPECT_EQ(elastic_ip_of(elastic).interface.str(), interface_b) << "a stale id harms nobody";
}

TEST_F(elastic_ips, the_same_association_again_is_the_same)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    const auto first = elastic_ip_of(elastic).association;
    const auto answer = get("AssociateAddress", {{"AllocationId", elastic}, {"NetworkInterfaceId", interface_a}});
    EXPECT_EQ(answer.child("AssociateAddressResponse").child_value("associationId"), first);
}

TEST_F(elastic_ips, reassociation_can_be_forbidden)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    const parameters to_b{{"AllocationId", elastic}, {"NetworkInterfaceId", interface_b}, {"AllowReassociation", "false"}};
    EXPECT_EQ(verdict("AssociateAddress", to_b), "400 Resource.AlreadyAssociated");
    EXPECT_EQ(
        message("AssociateAddress", to_b),
        "resource eipalloc-0aaaaaaaaaaaaaaa1 is already associated with associate-id " + elastic_ip_of(elastic).association);
    EXPECT_EQ(associate_with({{"NetworkInterfaceId", interface_a}, {"AllowReassociation", "false"}}), "200");
    const parameters onto_a{
        {"AllocationId", other_elastic}, {"NetworkInterfaceId", interface_a}, {"AllowReassociation", "false"}};
    EXPECT_EQ(verdict("AssociateAddress", onto_a), "400 Resource.AlreadyAssociated");
}

TEST_F(elastic_ips, the_one_that_an_address_had_is_displaced)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    ASSERT_EQ(associate(other_elastic, interface_a), "200");
    EXPECT_FALSE(elastic_ip_of(elastic).is_associated());
    EXPECT_EQ(elastic_ip_of(other_elastic).interface.str(), interface_a);
}

TEST_F(elastic_ips, an_instance_stands_for_its_only_interface)
{
    ASSERT_EQ(associate_with({{"InstanceId", node_a}}), "200");
    EXPECT_EQ(elastic_ip_of(elastic).interface.str(), interface_a);
    ASSERT_EQ(attach(floating, node_b), "200");
    EXPECT_EQ(associate_with({{"InstanceId", node_b}}), "400 InvalidInstanceID");
    cloud.model().set_instance_state(now.steady, instance_id{node_a}, instance_state::pending);
    EXPECT_EQ(associate_with({{"InstanceId", node_a}}), "400 IncorrectInstanceState");
}

TEST_F(elastic_ips, the_vpc_needs_an_internet_gateway)
{
    EXPECT_EQ(associate(elastic, interface_d), "400 Gateway.NotAttached");
    EXPECT_EQ(message("AssociateAddress", {{"AllocationId", elastic}, {"NetworkInterfaceId", interface_d}}),
              "Network vpc-0aaaaaaaaaaaaaaa2 is not attached to any internet gateway");
}

TEST_F(elastic_ips, what_is_named_has_to_exist)
{
    EXPECT_EQ(associate("eipalloc-0ccccccccccccccc1", interface_a), "400 InvalidAllocationID.NotFound");
    EXPECT_EQ(associate(elastic, "eni-0ccccccccccccccc1"), "400 InvalidNetworkInterfaceID.NotFound");
    EXPECT_EQ(associate_with({}), "400 MissingParameter");
    EXPECT_EQ(associate_with({{"NetworkInterfaceId", interface_a}, {"InstanceId", node_a}}), "400 InvalidParameterCombination");
    EXPECT_EQ(verdict("DisassociateAddress", {{"AssociationId", "eipassoc-0ccccccccccccccc1"}}),
              "400 InvalidAssociationID.NotFound");
    EXPECT_EQ(verdict("DisassociateAddress", {}), "400 MissingParameter");
}

TEST_F(elastic_ips, one_is_let_go_by_its_association)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    EXPECT_EQ(verdict("DisassociateAddress", {{"AssociationId", elastic_ip_of(elastic).association}}), "200");
    EXPECT_FALSE(elastic_ip_of(elastic).is_associated());
}

TEST_F(elastic_ips, one_goes_with_its_interface_from_instance_to_instance)
{
    ASSERT_EQ(associate(elastic, floating), "200");
    ASSERT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(texts("DescribeAddresses", {}, "//addressesSet/item/instanceId"), lines{node_a});
    ASSERT_EQ(detach(floating), "200");
    EXPECT_EQ(texts("DescribeAddresses", {}, "//addressesSet/item/instanceId"), lines{});
    ASSERT_EQ(attach(floating, node_b), "200");
    EXPECT_EQ(texts("DescribeAddresses", {}, "//addressesSet/item/instanceId"), lines{node_b});
}

TEST_F(elastic_ips, they_are_described_and_found)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    const auto document = get("DescribeAddresses", {{"AllocationId.1", elastic}});
    const auto item = document.select_node("//addressesSet/item").node();
    EXPECT_STREQ(item.child_value("publicIp"), "203.0.113.10");
    EXPECT_STREQ(item.child_value("allocationId"), elastic);
    EXPECT_EQ(item.child_value("associationId"), elastic_ip_of(elastic).association);
    EXPECT_STREQ(item.child_value("networkInterfaceId"), interface_a);
    EXPECT_STREQ(item.child_value("instanceId"), node_a);
    EXPECT_STREQ(item.child_value("privateIpAddress"), "10.0.1.10");
    EXPECT_STREQ(item.child_value("domain"), "vpc");
    const auto found = [&](const parameters& values) {
        return texts("DescribeAddresses", values, "//addressesSet/item/allocationId");
    };
    EXPECT_EQ(found({}), (lines{elastic, other_elastic}));
    EXPECT_EQ(found({{"PublicIp.1", "203.0.113.11"}}), lines{other_elastic});
    EXPECT_EQ(found(filter("network-interface-id", interface_a)), lines{elastic});
    EXPECT_EQ(found(filter("instance-id", node_a)), lines{elastic});
    EXPECT_EQ(found(filter("private-ip-address", "10.0.1.*")), lines{elastic});
    EXPECT_EQ(found(filter("tag:Name", "floating")), lines{elastic});
    EXPECT_EQ(found(filter("public-ip", "203.0.113.1?")), (lines{elastic, other_elastic}));
    EXPECT_EQ(verdict("DescribeAddresses", {{"AllocationId.1", "eipalloc-0ccccccccccccccc1"}}),
              "400 InvalidAllocationID.NotFound");
    EXPECT_EQ(verdict("DescribeAddresses", {{"PublicIp.1", "203.0.113.99"}}), "400 InvalidAddress.NotFound");
    EXPECT_EQ(verdict("DescribeAddresses", {{"MaxResults", "5"}}), "400 UnknownParameter") << "the only one without pages";
}

TEST_F(elastic_ips, an_interface_shows_its_associations_and_is_found_by_them)
{
    ASSERT_EQ(associate(elastic, interface_a), "200");
    const auto shown = described(interface_a);
    EXPECT_STREQ(shown.child("association").child_value("allocationId"), elastic);
    EXPECT_STREQ(shown.child("association").child_value("ipOwnerId"), "123456789012");
    const auto found = [&](const std::string& name, const std::string& value) {
        return texts("DescribeNetworkInterfaces", filter(name, value), "//networkInterfaceSet/item/networkInterfaceId");
    };
    EXPECT_EQ(found("association.allocation-id", elastic), lines{interface_a});
    EXPECT_EQ(found("addresses.association.public-ip", "203.0.113.10"), lines{interface_a});
    EXPECT_EQ(found("association.association-id", elastic_ip_of(elastic).association), lines{interface_a});
}

TEST_F(elastic_ips, one_whose_interface_is_deleted_is_nobodys)
{
    ASSERT_EQ(associate(elastic, floating), "200");
    cloud.model().remove_interface(now.steady, network_interface_id{floating});
    EXPECT_FALSE(elastic_ip_of(elastic).is_associated());
}

TEST_F(elastic_ips, a_dry_run_moves_nothing)
{
    EXPECT_EQ(associate_with({{"NetworkInterfaceId", interface_a}, {"DryRun", "true"}}), "412 DryRunOperation");
    EXPECT_FALSE(elastic_ip_of(elastic).is_associated());
}

}  // namespace vipd::cloud
