// What the describing calls return: filters, pages, blackholes.

#include "tests/cloud/filters.hpp"
#include "tests/unit/cloud/cloud_fixture.hpp"

namespace vipd::cloud {

namespace {

std::vector<std::string> texts(const pugi::xml_document& document, const char* path)
{
    std::vector<std::string> out;
    for (const auto& found : document.select_nodes(path)) {
        out.emplace_back(found.node().child_value());
    }
    return out;
}

}  // namespace

class describe : public cloud_test {
protected:
    std::vector<std::string> tables(const parameters& values)
    {
        return texts(get("DescribeRouteTables", values), "//routeTableSet/item/routeTableId");
    }
    std::vector<std::string> filtered(const std::string& name, const std::string& value)
    {
        return tables({{"Filter.1.Name", name}, {"Filter.1.Value.1", value}});
    }
    std::string state_of_route()
    {
        const auto document = get("DescribeRouteTables", {{"RouteTableId.1", table_a}});
        return document.select_node("//routeSet/item[destinationCidrBlock='172.16.1.100/32']/state").node().child_value();
    }
};

using names = std::vector<std::string>;
constexpr const char* main_table = "rtb-0aaaaaaaaaaaaaaa1";

TEST(wildcards, star_is_any_run_and_question_mark_any_character)
{
    EXPECT_TRUE(matches_wildcard("private-*", "private-a"));
    EXPECT_TRUE(matches_wildcard("private-*", "private-"));
    EXPECT_TRUE(matches_wildcard("*vate*", "private-a"));
    EXPECT_TRUE(matches_wildcard("p*-?", "private-a"));
    EXPECT_TRUE(matches_wildcard("*a*b*c", "xaxbxaxbxc"));
    EXPECT_TRUE(matches_wildcard("", ""));
    EXPECT_TRUE(matches_wildcard("**", ""));
    EXPECT_FALSE(matches_wildcard("private-?", "private-"));
    EXPECT_FALSE(matches_wildcard("private", "private-a"));
    EXPECT_FALSE(matches_wildcard("*a*b*c", "xaxbxaxbx"));
}

TEST(wildcards, a_backslash_makes_them_literal)
{
    EXPECT_TRUE(matches_wildcard("a\\*b", "a*b"));
    EXPECT_FALSE(matches_wildcard("a\\*b", "axb"));
    EXPECT_TRUE(matches_wildcard("a\\?", "a?"));
}

TEST_F(describe, tables_come_by_id_and_an_unknown_one_fails_the_call)
{
    EXPECT_EQ(tables({}), (names{main_table, table_a, table_b}));
    EXPECT_EQ(tables({{"RouteTableId.1", table_b}, {"RouteTableId.2", table_a}}), (names{table_a, table_b}));
    const parameters unknown{{"RouteTableId.1", table_a}, {"RouteTableId.2", "rtb-0ccccccccccccccc1"}};
    EXPECT_EQ(verdict("DescribeRouteTables", unknown), "400 InvalidRouteTableID.NotFound");
    EXPECT_EQ(message("DescribeRouteTables", unknown), "The routeTable ID 'rtb-0ccccccccccccccc1' does not exist");
    EXPECT_EQ(filtered("route-table-id", "rtb-0ccccccccccccccc1"), names{});
}

TEST_F(describe, tables_are_filtered)
{
    EXPECT_EQ(filtered("tag:Name", "private-*"), (names{table_a, table_b}));
    EXPECT_EQ(filtered("tag:Name", "private-?"), (names{table_a, table_b}));
    EXPECT_EQ(filtered("tag-key", "Name"), (names{main_table, table_a, table_b}));
    EXPECT_EQ(filtered("tag:Absent", "*"), names{});
    EXPECT_EQ(filtered("vpc-id", "vpc-0aaaaaaaaaaaaaaa1").size(), 3U);
    EXPECT_EQ(filtered("association.main", "true"), names{main_table});
    EXPECT_EQ(filtered("association.main", "false"), (names{table_a, table_b}));
    EXPECT_EQ(filtered("association.subnet-id", "subnet-0aaaaaaaaaaaaaaa2"), names{table_b});
    EXPECT_EQ(filtered("route.destination-cidr-block", virtual_ip), names{table_a});
    EXPECT_EQ(filtered("route.instance-id", node_a), names{table_a});
    EXPECT_EQ(filtered("route.gateway-id", "igw-*"), names{main_table});
    EXPECT_EQ(filtered("route.state", "blackhole"), names{});
    EXPECT_EQ(verdict("DescribeRouteTables", {{"Filter.1.Name", "no-such"}, {"Filter.1.Value.1", "x"}}),
              "400 InvalidParameterValue");
}

TEST_F(describe, several_filters_have_to_match_and_one_value_of_each)
{
    EXPECT_EQ(tables({{"Filter.1.Name", "tag:Name"},
                      {"Filter.1.Value.1", "private-a"},
                      {"Filter.1.Value.2", "private-b"},
                      {"Filter.2.Name", "route.destination-cidr-block"},
                      {"Filter.2.Value.1", virtual_ip}}),
              names{table_a});
}

TEST_F(describe, pages_have_at_most_what_was_asked_for_and_join_to_the_whole)
{
    for (int i = 0; i < 20; ++i) {
        route_table table;
        table.id = route_table_id{"rtb-0bbbbbbbbbbbbbb" + std::to_string(10 + i)};
        table.vpc = vpc_id{"vpc-0aaaaaaaaaaaaaaa1"};
        ASSERT_TRUE(cloud.model().add_table(now.steady, table));
    }
    names all;
    std::string token;
    int pages = 0;
    do {
        parameters values{{"MaxResults", "5"}};
        if (!token.empty()) {
            values.emplace_back("NextToken", token);
        }
        const auto document = get("DescribeRouteTables", values);
        const auto page = texts(document, "//routeTableSet/item/routeTableId");
        EXPECT_LE(page.size(), 5U);
        all.insert(all.end(), page.begin(), page.end());
        token = document.child("DescribeRouteTablesResponse").child_value("nextToken");
        ++pages;
    } while (!token.empty());
    EXPECT_EQ(pages, 5);
    EXPECT_EQ(all, tables({}));
}

TEST_F(describe, a_full_last_page_has_no_token)
{
    for (const auto* id : {"rtb-0bbbbbbbbbbbbbbb1", "rtb-0bbbbbbbbbbbbbbb2"}) {
        route_table table;
        table.id = route_table_id{id};
        table.vpc = vpc_id{"vpc-0aaaaaaaaaaaaaaa1"};
        cloud.model().add_table(now.steady, table);
    }
    const auto document = get("DescribeRouteTables", {{"MaxResults", "5"}});
    EXPECT_EQ(texts(document, "//nextToken"), names{});
}

TEST_F(describe, page_sizes_and_tokens_are_checked)
{
    EXPECT_EQ(verdict("DescribeRouteTables", {{"MaxResults", "4"}}), "400 InvalidParameterValue");
    EXPECT_EQ(verdict("DescribeRouteTables", {{"MaxResults", "101"}}), "400 InvalidParameterValue");
    EXPECT_EQ(verdict("DescribeRouteTables", {{"MaxResults", "5"}, {"NextToken", "made up"}}), "400 InvalidParameterValue");
    EXPECT_EQ(verdict("DescribeNetworkInterfaces", {{"MaxResults", "5"}, {"NetworkInterfaceId.1", interface_a}}),
              "400 InvalidParameterCombination");
}

TEST_F(describe, a_route_is_a_blackhole_while_its_target_cannot_take_traffic)
{
    EXPECT_EQ(state_of_route(), "active");
    cloud.model().set_instance_state(now.steady, instance_id{node_a}, instance_state::stopped);
    EXPECT_EQ(state_of_route(), "blackhole");
    cloud.model().set_instance_state(now.steady, instance_id{node_a}, instance_state::running);
    EXPECT_EQ(state_of_route(), "active");
    cloud.model().attach(now.steady, network_interface_id{interface_a}, {}, 0);
    EXPECT_EQ(state_of_route(), "blackhole");
    cloud.model().remove_interface(now.steady, network_interface_id{interface_a});
    EXPECT_EQ(state_of_route(), "blackhole");
    EXPECT_EQ(filtered("route.state", "blackhole"), names{table_a});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    EXPECT_EQ(state_of_route(), "active");
}

TEST_F(describe, a_route_shows_the_interface_and_the_instance_behind_it)
{
    const auto document = get("DescribeRouteTables", {{"RouteTableId.1", table_a}});
    const auto shown = document.select_node("//routeSet/item[destinationCidrBlock='172.16.1.100/32']").node();
    EXPECT_STREQ(shown.child_value("networkInterfaceId"), interface_a);
    EXPECT_STREQ(shown.child_value("instanceId"), node_a);
    EXPECT_STREQ(shown.child_value("origin"), "CreateRoute");
}

TEST_F(describe, interfaces_show_their_check_attachment_and_addresses)
{
    const auto document =
        get("DescribeNetworkInterfaces", {{"Filter.1.Name", "mac-address"}, {"Filter.1.Value.1", "02:00:00:00:01:11"}});
    const auto item = document.select_node("//networkInterfaceSet/item").node();
    EXPECT_STREQ(item.child_value("networkInterfaceId"), interface_c);
    EXPECT_STREQ(item.child_value("sourceDestCheck"), "true");
    EXPECT_STREQ(item.child_value("availabilityZone"), "eu-west-1a");
    EXPECT_STREQ(item.child_value("vpcId"), "vpc-0aaaaaaaaaaaaaaa1");
    EXPECT_STREQ(item.child("attachment").child_value("deviceIndex"), "0");
    EXPECT_STREQ(item.child("privateIpAddressesSet").child("item").child_value("privateIpAddress"), "10.0.1.11");
}

TEST_F(describe, the_source_dest_check_is_changed_by_the_attribute)
{
    const parameters off{{"NetworkInterfaceId", interface_c}, {"SourceDestCheck.Value", "false"}};
    EXPECT_EQ(verdict("ModifyNetworkInterfaceAttribute", off), "200");
    EXPECT_FALSE(cloud.model().primary().interface(network_interface_id{interface_c})->source_dest_check);
    EXPECT_EQ(verdict("ModifyNetworkInterfaceAttribute", {{"NetworkInterfaceId", interface_c}}), "400 MissingParameter");
}

TEST_F(describe, status_shows_running_instances_unless_all_are_wanted)
{
    cloud.model().set_instance_state(now.steady, instance_id{node_b}, instance_state::stopped);
    EXPECT_EQ(texts(get("DescribeInstanceStatus", {}), "//instanceStatusSet/item/instanceId").size(), 2U);
    EXPECT_EQ(
        texts(get("DescribeInstanceStatus", {{"IncludeAllInstances", "true"}}), "//instanceStatusSet/item/instanceId").size(),
        3U);
}

}  // namespace vipd::cloud
