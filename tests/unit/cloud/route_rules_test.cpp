// What EC2 allows and refuses about routes, and in which words.

#include "tests/unit/cloud/cloud_fixture.hpp"

namespace vipd::cloud {

using route_rules = cloud_test;

TEST_F(route_rules, replacing_moves_the_route_to_the_interface)
{
    EXPECT_EQ(owner(table_a), interface_a);
    const auto document = get("ReplaceRoute", route(table_a, interface_b));
    EXPECT_STREQ(document.child("ReplaceRouteResponse").child_value("return"), "true");
    EXPECT_STREQ(document.child("ReplaceRouteResponse").attribute("xmlns").value(), "http://ec2.amazonaws.com/doc/2016-11-15/");
    EXPECT_EQ(owner(table_a), interface_b);
}

TEST_F(route_rules, replacing_with_the_same_target_succeeds)
{
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_a)), "200");
    EXPECT_EQ(owner(table_a), interface_a);
}

TEST_F(route_rules, replacing_a_route_that_is_not_there_asks_for_create)
{
    EXPECT_EQ(verdict("ReplaceRoute", route(table_b, interface_a)), "400 InvalidParameterValue");
    EXPECT_EQ(message("ReplaceRoute", route(table_b, interface_a)),
              "There is no route defined for '172.16.1.100/32' in the route table. Use CreateRoute instead.");
    EXPECT_EQ(owner(table_b), "");
}

TEST_F(route_rules, a_propagated_route_is_no_route_to_replace_but_may_be_overridden)
{
    const auto destination = *ip_prefix::parse(virtual_ip);
    cloud.model().put_route(now.steady, route_table_id{table_b},
                            {destination, {"vgw-0aaaaaaaaaaaaaaa1"}, route_origin::propagation});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_b, interface_a)), "400 InvalidParameterValue");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a)), "200");
    EXPECT_EQ(owner(table_b), interface_a);
}

TEST_F(route_rules, creating_is_refused_only_when_another_target_is_there)
{
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a)), "200");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a)), "200");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_b)), "400 RouteAlreadyExists");
    EXPECT_EQ(message("CreateRoute", route(table_b, interface_b)), "The route identified by 172.16.1.100/32 already exists.");
    EXPECT_EQ(owner(table_b), interface_a);
}

TEST_F(route_rules, a_cidr_is_stored_in_canonical_form)
{
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a, "100.68.0.18/18")), "200");
    const auto* table = cloud.model().primary().table(route_table_id{table_b});
    EXPECT_NE(table->static_route(*ip_prefix::parse("100.68.0.0/18")), nullptr);
}

TEST_F(route_rules, deleting_wants_the_route_to_be_there)
{
    const parameters which{{"RouteTableId", table_a}, {"DestinationCidrBlock", virtual_ip}};
    EXPECT_EQ(verdict("DeleteRoute", which), "200");
    EXPECT_EQ(verdict("DeleteRoute", which), "400 InvalidRoute.NotFound");
    EXPECT_EQ(verdict("DeleteRoute", {{"RouteTableId", table_a}, {"DestinationCidrBlock", "10.0.0.0/16"}}),
              "400 InvalidParameterValue");
}

TEST_F(route_rules, an_address_inside_the_vpc_cannot_be_routed_unless_it_is_a_whole_subnet)
{
    EXPECT_EQ(message("CreateRoute", route(table_b, interface_a, "10.0.1.200/32")),
              "Route destination doesn't match any subnet CIDR blocks.");
    EXPECT_EQ(message("ReplaceRoute", route(table_b, interface_a, "10.0.1.200/32")),
              "Route destination doesn't match any subnet CIDR blocks.");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a, "10.0.1.0/24")), "200");
    EXPECT_EQ(
        message("CreateRoute",
                {{"RouteTableId", table_b}, {"DestinationCidrBlock", "10.0.2.0/24"}, {"GatewayId", "igw-0aaaaaaaaaaaaaaa1"}}),
        "The destination CIDR block 10.0.2.0/24 is equal to or more specific than one of this VPC's CIDR blocks. This route "
        "can "
        "target only an interface or an instance.");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a, "10.0.0.0/8")), "200");
}

TEST_F(route_rules, the_ranges_of_the_services_themselves_cannot_be_routed)
{
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a, "169.254.169.254/32")), "400 InvalidParameterValue");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a, "169.254.0.0/16")), "200");
}

TEST_F(route_rules, a_table_of_a_gateway_takes_no_destination_outside_the_vpc)
{
    auto state = parse_topology(example_topology(), now.steady)->state;
    auto edge = *state.tables.at(route_table_id{table_b}).current();
    edge.associations = {{"rtbassoc-1", false, {}, "igw-0aaaaaaaaaaaaaaa1"}};
    state.tables[edge.id].put(now.steady, edge);
    ec2_model model(std::move(state));
    for (const auto* table : {table_a, table_b}) {
        const auto made = model.apply(
            {now, {}, false},
            change_route{route_verb::create, route_table_id{table}, *ip_prefix::parse("172.16.1.200/32"), {interface_a}});
        EXPECT_EQ(made ? "200" : made.error().code, table == table_b ? "InvalidParameterValue" : "200") << table;
    }
}

TEST_F(route_rules, an_interface_of_another_vpc_is_another_network)
{
    auto state = parse_topology(example_topology(), now.steady)->state;
    state.vpcs[vpc_id{"vpc-0bbbbbbbbbbbbbbb1"}] = {vpc_id{"vpc-0bbbbbbbbbbbbbbb1"}, {*ip_prefix::parse("10.1.0.0/16")}, {}, {}};
    state.subnets[subnet_id{"subnet-0bbbbbbbbbbbbbbb1"}] = {subnet_id{"subnet-0bbbbbbbbbbbbbbb1"},
                                                            vpc_id{"vpc-0bbbbbbbbbbbbbbb1"},
                                                            "eu-west-1a",
                                                            {*ip_prefix::parse("10.1.1.0/24")},
                                                            {}};
    network_interface foreign;
    foreign.id = network_interface_id{"eni-0bbbbbbbbbbbbbbb1"};
    foreign.subnet = subnet_id{"subnet-0bbbbbbbbbbbbbbb1"};
    state.interfaces[foreign.id].put(now.steady, foreign);
    ec2_model model(std::move(state));
    const auto moved = model.apply(
        {now, {}, false},
        change_route{route_verb::replace, route_table_id{table_a}, *ip_prefix::parse(virtual_ip), {foreign.id.str()}});
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().message,
              "route table rtb-0aaaaaaaaaaaaaaa2 and interface eni-0bbbbbbbbbbbbbbb1 belong to different networks");
}

TEST_F(route_rules, what_is_named_has_to_exist_and_to_look_like_an_id)
{
    EXPECT_EQ(verdict("ReplaceRoute", route("rtb-0ccccccccccccccc1", interface_a)), "400 InvalidRouteTableID.NotFound");
    EXPECT_EQ(verdict("ReplaceRoute", route("rtb-nonsense", interface_a)), "400 InvalidRouteTableId.Malformed");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, "eni-0ccccccccccccccc1")), "400 InvalidNetworkInterfaceID.NotFound");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, "eni-nonsense")), "400 InvalidNetworkInterfaceId.Malformed");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_a, "172.16.1.100")), "400 InvalidParameterValue");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_a, "172.16.1.300/32")), "400 InvalidParameterValue");
}

TEST_F(route_rules, an_instance_stands_for_its_only_interface)
{
    const parameters to_instance{{"RouteTableId", table_a}, {"DestinationCidrBlock", virtual_ip}, {"InstanceId", node_b}};
    EXPECT_EQ(verdict("ReplaceRoute", to_instance), "200");
    EXPECT_EQ(owner(table_a), interface_b);
    cloud.model().attach(now.steady, network_interface_id{interface_c}, instance_id{node_b}, 1);
    EXPECT_EQ(verdict("ReplaceRoute", to_instance), "400 InvalidInstanceID");
}

TEST_F(route_rules, prefix_lists_are_destinations_too)
{
    const auto to_list = [](const char* list) {
        return parameters{{"RouteTableId", table_a}, {"DestinationPrefixListId", list}, {"NetworkInterfaceId", interface_a}};
    };
    EXPECT_EQ(verdict("CreateRoute", to_list("pl-0aaaaaaaaaaaaaaa1")), "200");
    EXPECT_EQ(verdict("ReplaceRoute", to_list("pl-0aaaaaaaaaaaaaaa1")), "200");
    EXPECT_EQ(verdict("CreateRoute", to_list("pl-0ccccccccccccccc1")), "400 InvalidPrefixListID.NotFound");
}

TEST_F(route_rules, ipv6_destinations_have_a_parameter_of_their_own)
{
    const auto to = [](const char* name) {
        return parameters{{"RouteTableId", table_a}, {name, "2001:db8:99::1/128"}, {"NetworkInterfaceId", interface_a}};
    };
    EXPECT_EQ(verdict("CreateRoute", to("DestinationIpv6CidrBlock")), "200");
    EXPECT_EQ(verdict("CreateRoute", to("DestinationCidrBlock")), "400 InvalidParameterValue");
}

TEST_F(route_rules, a_table_holds_fifty_routes_of_a_family)
{
    for (int i = 0; i < 50; ++i) {
        const auto destination = *ip_prefix::parse("172.20." + std::to_string(i) + ".0/24");
        cloud.model().put_route(now.steady, route_table_id{table_b}, {destination, {interface_a}, route_origin::create_route});
    }
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a)), "400 RouteLimitExceeded");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_b, interface_b, "172.20.0.0/24")), "200");
}

TEST_F(route_rules, exactly_one_destination_and_one_target_are_wanted)
{
    auto both = route(table_a, interface_a);
    both.emplace_back("GatewayId", "igw-0aaaaaaaaaaaaaaa1");
    EXPECT_EQ(verdict("ReplaceRoute", both), "400 InvalidParameterCombination");
    EXPECT_EQ(verdict("ReplaceRoute", {{"RouteTableId", table_a}, {"DestinationCidrBlock", virtual_ip}}),
              "400 MissingParameter");
    EXPECT_EQ(verdict("ReplaceRoute", {{"RouteTableId", table_a}, {"NetworkInterfaceId", interface_a}}),
              "400 MissingParameter");
    EXPECT_EQ(verdict("ReplaceRoute", {{"NetworkInterfaceId", interface_a}}), "400 MissingParameter");
}

TEST_F(route_rules, unknown_parameters_actions_and_versions_are_refused)
{
    auto misspelt = route(table_a, interface_a);
    misspelt.emplace_back("NetworkInterfaceID", interface_a);
    EXPECT_EQ(verdict("ReplaceRoute", misspelt), "400 UnknownParameter");
    EXPECT_EQ(verdict("ReplaceRoutes", {}), "400 InvalidAction");
    const auto request = signed_request("Action=DescribeRouteTables&Version=2006-01-01", operator_key(), now.wall);
    EXPECT_EQ(cloud.collect(now, cloud.handle_ec2(now, request, {}).id).record.code, "NoSuchVersion");
}

}  // namespace vipd::cloud
