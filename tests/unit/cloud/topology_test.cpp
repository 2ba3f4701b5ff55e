#include "tests/cloud/topology.hpp"

#include "tests/cloud/ec2_model.hpp"

#include <gtest/gtest.h>

namespace vipd::cloud {

namespace {

const time_point start{std::chrono::hours{1}};

std::string problem(std::string_view json)
{
    const auto parsed = parse_topology(json, start);
    return parsed ? "" : parsed.error().text;
}

constexpr std::string_view vpc_only = R"("vpcs": [{"id": "vpc-0aaaaaaaaaaaaaaa1", "cidrs": ["10.0.0.0/16", "2001:db8::/56"]}])";

std::string with(std::string_view more)
{
    return "{" + std::string(vpc_only) + ", " + std::string(more) + "}";
}

}  // namespace

TEST(topology, the_example_has_three_nodes_in_two_zones)
{
    const auto parsed = parse_topology(example_topology(), start);
    ASSERT_TRUE(parsed) << parsed.error().text;
    const ec2_model model(parsed->state);
    EXPECT_EQ(parsed->state.instances.size(), 3U);
    EXPECT_EQ(parsed->state.subnets.size(), 2U);
    for (const auto& [id, versions] : parsed->state.instances) {
        EXPECT_EQ(model.primary().interfaces_of(id).size(), 1U);
    }
}

TEST(topology, a_table_has_a_local_route_for_each_range_of_its_vpc)
{
    const auto parsed =
        parse_topology(with(R"("route_tables": [{"id": "rtb-0aaaaaaaaaaaaaaa1", "vpc": "vpc-0aaaaaaaaaaaaaaa1"}])"), start);
    ASSERT_TRUE(parsed) << parsed.error().text;
    const auto* table = parsed->state.tables.begin()->second.current();
    ASSERT_EQ(table->routes.size(), 2U);
    EXPECT_TRUE(table->routes[0].target.is_local());
    EXPECT_EQ(to_string(table->routes[1].destination), "2001:db8::/56");
}

TEST(topology, a_table_of_a_gateway_is_associated_with_it)
{
    const auto parsed = parse_topology(
        with(R"("route_tables": [{"id": "rtb-0aaaaaaaaaaaaaaa1", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "gateways": ["igw-1"]}])"),
        start);
    ASSERT_TRUE(parsed) << parsed.error().text;
    const auto* table = parsed->state.tables.begin()->second.current();
    EXPECT_TRUE(table->is_of_gateway());
    ASSERT_EQ(table->associations.size(), 1U);
    EXPECT_EQ(table->associations[0].gateway, "igw-1");
}

TEST(topology, copies_of_a_table_have_ids_and_names_of_their_own)
{
    const auto parsed = parse_topology(with(
                                           R"("route_tables": [{"id": "rtb-0aaaaaaaaaaaa0000", "vpc": "vpc-0aaaaaaaaaaaaaaa1",
                                   "tags": {"Name": "many"}, "copies": 100}])"),
                                       start);
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(parsed->state.tables.size(), 100U);
    EXPECT_EQ(parsed->state.tables.begin()->first.str(), "rtb-0aaaaaaaaaaaa0000");
    EXPECT_EQ(parsed->state.tables.rbegin()->first.str(), "rtb-0aaaaaaaaaaaa0099");
    EXPECT_EQ(parsed->state.tables.rbegin()->second.current()->tags.at("Name"), "many-99");
}

TEST(topology, interfaces_of_an_instance_say_where_they_are_attached)
{
    const auto parsed = parse_topology(with(R"("subnets": [{"id": "subnet-1", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "zone": "a",
        "cidrs": ["10.0.1.0/24"]}],
      "instances": [{"id": "i-1", "type": "t3.large", "interfaces": [
        {"id": "eni-1", "subnet": "subnet-1", "mac": "02:00:00:00:00:01", "addresses": ["10.0.1.10"]},
        {"id": "eni-2", "subnet": "subnet-1", "mac": "02:00:00:00:00:02", "addresses": ["10.0.1.11", "10.0.1.12"],
         "device_index": 2, "delete_on_termination": false}]}],
      "elastic_ips": [{"id": "eipalloc-1", "public_ip": "203.0.113.1", "interface": "eni-2", "private_address": "10.0.1.12"}])"),
                                       start);
    ASSERT_TRUE(parsed) << parsed.error().text;
    const ec2_model model(parsed->state);
    const auto interfaces = model.primary().interfaces_of(instance_id{"i-1"});
    ASSERT_EQ(interfaces.size(), 2U);
    EXPECT_TRUE(interfaces[0]->attached->delete_on_termination);
    EXPECT_EQ(interfaces[1]->attached->device_index, 2U);
    EXPECT_FALSE(interfaces[1]->attached->delete_on_termination);
    const auto* elastic = model.primary().elastic(allocation_id{"eipalloc-1"});
    ASSERT_NE(elastic, nullptr);
    EXPECT_TRUE(elastic->is_associated());
    EXPECT_EQ(elastic->private_address.to_string(), "10.0.1.12");
    EXPECT_EQ(model.state().type_of(*model.primary().machine(instance_id{"i-1"})).interfaces_max, 3U);
}

TEST(topology, what_is_wrong_is_named_with_its_place)
{
    EXPECT_NE(problem("{").find("not JSON"), std::string::npos);
    EXPECT_EQ(problem("[]"), "topology: has to be an object");
    EXPECT_EQ(problem(R"({"vpc": []})"), "topology.vpc: is not known here");
    EXPECT_EQ(problem(R"({"vpcs": [{"cidrs": ["10.0.0.0/16"]}]})"), "topology.vpcs[0].id: is missing");
    EXPECT_EQ(problem(R"({"vpcs": [{"id": "vpc-1"}]})"), "topology.vpcs[0].cidrs: needs at least one");
    EXPECT_NE(problem(R"({"vpcs": [{"id": "vpc-1", "cidrs": ["10.0.0.0/33"]}]})").find("topology.vpcs[0].cidrs: '10.0.0.0/33'"),
              std::string::npos);
    EXPECT_EQ(problem(with(R"("subnets": [{"id": "subnet-1", "vpc": "vpc-2", "zone": "a"}])")),
              "topology.subnets[0].vpc: 'vpc-2' is not one of the VPCs");
    EXPECT_EQ(problem(with(R"("route_tables": [{"id": "rtb-1", "vpc": "vpc-0aaaaaaaaaaaaaaa1"}])")),
              "topology.route_tables[0].id: 'rtb-1' is not of the form rtb- and 17 hexadecimal digits");
    EXPECT_EQ(problem(with(R"("security_groups": [{"id": "sg-1", "vpc": "vpc-2"}])")),
              "topology.security_groups[0].vpc: 'vpc-2' is not one of the VPCs");
    EXPECT_EQ(problem(with(R"("security_groups": [{"id": "sg-1", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "inbound": [{}]}])")),
              "topology.security_groups[0].inbound[0]: needs cidrs, groups or prefix_lists");
    EXPECT_EQ(problem(with(R"("elastic_ips": [{"id": "eipalloc-1", "public_ip": "::1"}])")),
              "topology.elastic_ips[0].public_ip: '::1' is not an IPv4 address");
    EXPECT_EQ(problem(with(R"("elastic_ips": [{"id": "eipalloc-1", "public_ip": "203.0.113.1", "interface": "eni-1"}])")),
              "topology.elastic_ips[0].interface: 'eni-1' is not one of the interfaces with an IPv4 address");
    EXPECT_EQ(problem(with(R"("instances": [{"id": "i-1"}])")), "topology.instances[0].interfaces: needs at least one");
    EXPECT_EQ(problem(with(R"("policies": {"role/x": [{"effect": "maybe"}]})")),
              "policy[0].effect: \"maybe\" is neither \"allow\" nor \"deny\"");
}

}  // namespace vipd::cloud
