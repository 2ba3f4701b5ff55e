#include "tests/cloud/control.hpp"

#include "tests/unit/cloud/cloud_fixture.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

class control : public cloud_test {
protected:
    boost::json::value request(const std::string& method, const std::string& target, const std::string& body = "",
                               unsigned expected = 200)
    {
        const auto response = handle_control(cloud, now, {method, target, {}, body});
        EXPECT_EQ(response.status, expected) << response.body;
        return boost::json::parse(response.body);
    }
    std::string refused(const std::string& method, const std::string& target, const std::string& body, unsigned status = 400)
    {
        return std::string(request(method, target, body, status).at("error").as_string());
    }
};

TEST_F(control, routes_are_shown_with_their_node_and_state)
{
    const auto routes = request("GET", "/routes");
    EXPECT_EQ(routes.at(table_a).at(virtual_ip).at("node"), "node-a");
    request("PUT", "/instances/node-a", R"({"state": "stopped"})");
    EXPECT_EQ(request("GET", "/routes").at(table_a).at(virtual_ip).at("state"), "blackhole");
}

TEST_F(control, a_route_is_moved_and_removed_by_hand)
{
    request("PUT", "/routes",
            R"({"table": "rtb-0aaaaaaaaaaaaaaa3", "destination": "172.16.1.100/32", "target": "eni-0aaaaaaaaaaaaaaa2"})");
    EXPECT_EQ(owner(table_b), interface_b);
    const auto change = cloud.poll_change();
    ASSERT_TRUE(change);
    EXPECT_EQ(change->node, "by hand");
    EXPECT_EQ(change->table, table_b);
    request("DELETE", "/routes", R"({"table": "rtb-0aaaaaaaaaaaaaaa3", "destination": "172.16.1.100/32"})");
    EXPECT_EQ(owner(table_b), "");
    refused("DELETE", "/routes", R"({"table": "rtb-0aaaaaaaaaaaaaaa3", "destination": "172.16.1.100/32"})", 404);
}

TEST_F(control, tables_come_and_go)
{
    const std::string table =
        R"({"id": "rtb-0bbbbbbbbbbbbbbb1", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "tags": {"Name": "private-c"}, "routes":
            [{"destination": "172.16.1.100/32", "target": "eni-0aaaaaaaaaaaaaaa1"}]})";
    request("POST", "/tables", table);
    EXPECT_EQ(owner("rtb-0bbbbbbbbbbbbbbb1"), interface_a);
    EXPECT_NE(refused("POST", "/tables", table).find("is there already"), std::string::npos);
    request("DELETE", "/tables/rtb-0bbbbbbbbbbbbbbb1");
    EXPECT_EQ(verdict("DescribeRouteTables", {{"RouteTableId.1", "rtb-0bbbbbbbbbbbbbbb1"}}),
              "400 InvalidRouteTableID.NotFound");
}

TEST_F(control, interfaces_are_changed_detached_and_deleted)
{
    request("PUT", "/interfaces/eni-0aaaaaaaaaaaaaaa1", R"({"source_dest_check": true})");
    EXPECT_TRUE(cloud.model().primary().interface(network_interface_id{interface_a})->source_dest_check);
    request("PUT", "/interfaces/eni-0aaaaaaaaaaaaaaa1", R"({"instance": ""})");
    EXPECT_FALSE(cloud.model().primary().interface(network_interface_id{interface_a})->attached);
    request("PUT", "/interfaces/eni-0aaaaaaaaaaaaaaa1", R"({"instance": "node-b", "device_index": 2})");
    EXPECT_EQ(cloud.model().primary().interface(network_interface_id{interface_a})->attached->instance.str(), node_b);
    request("DELETE", "/interfaces/eni-0aaaaaaaaaaaaaaa1");
    refused("PUT", "/interfaces/eni-0aaaaaaaaaaaaaaa1", "{}", 404);
}

TEST_F(control, permissions_buckets_and_settings_take_effect)
{
    request("PUT", "/policies",
            R"({"principal": "user/operator", "statements": [{"effect": "deny", "actions": ["ec2:ReplaceRoute"]}]})");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "403 UnauthorizedOperation");
    request("PUT", "/policies", R"({"principal": "user/operator", "statements": null})");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    request("PUT", "/buckets", R"({"action": "ReplaceRoute", "level": 1, "refill_per_second": 0.001})");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "503 RequestLimitExceeded");
    request("PUT", "/settings", R"({"latency_ms": 20})");
    EXPECT_EQ(send("DescribeRouteTables", {}).reply_at, now.steady + std::chrono::milliseconds{20});
}

TEST_F(control, faults_are_added_listed_and_removed)
{
    const auto id =
        request("POST", "/faults", R"({"action": "ReplaceRoute", "kind": "throttle", "count": 2})").at("id").as_int64();
    EXPECT_EQ(request("GET", "/faults").as_array().size(), 1U);
    EXPECT_EQ(request("GET", "/faults").at(0).at("action"), "ec2:ReplaceRoute");
    request("DELETE", "/faults/" + std::to_string(id));
    refused("DELETE", "/faults/" + std::to_string(id), "", 404);
    refused("DELETE", "/faults/1x", "", 404);
    request("POST", "/faults", R"({"kind": "hang"})");
    request("DELETE", "/faults");
    EXPECT_TRUE(cloud.faults().all().empty());
}

TEST_F(control, metadata_and_credentials_are_changed)
{
    request("PUT", "/metadata", R"({"instance": "node-a", "path": "spot/instance-action", "value": "{}"})");
    EXPECT_EQ(imds_text("/latest/meta-data/spot/instance-action"), "{}");
    const auto before = imds_text("/latest/meta-data/iam/security-credentials/vipd");
    request("POST", "/credentials", R"({"instance": "node-a", "revoke": true})");
    EXPECT_NE(imds_text("/latest/meta-data/iam/security-credentials/vipd"), before);
}

TEST_F(control, the_whole_state_is_shown)
{
    const auto state = request("GET", "/state");
    EXPECT_EQ(state.at("region"), "eu-west-1");
    EXPECT_EQ(state.at("route_tables").as_object().size(), 3U);
    EXPECT_EQ(state.at("interfaces").at(interface_c).at("source_dest_check"), true);
    EXPECT_EQ(state.at("instances").at(node_b).at("name"), "node-b");
    EXPECT_TRUE(state.at("policies").as_object().contains("role/vipd"));
}

TEST_F(control, what_is_wrong_is_named_with_its_place)
{
    EXPECT_EQ(refused("POST", "/faults", R"({"kind": "slow", "befor": 3})"), "fault.befor: is not known here");
    EXPECT_EQ(refused("POST", "/faults", R"({"kind": "slow", "before": {"lo": 3}})"),
              "fault.before: fault.before.lo: is not known here");
    EXPECT_EQ(refused("POST", "/faults", R"({"kind": "hostile", "body": "friendly"})"),
              "fault.body: \"friendly\" is no kind of hostile body");
    EXPECT_EQ(refused("POST", "/faults", R"({"kind": "slow", "count": 0})"),
              "fault: count has to be 1 or more and probability between 0 and 1");
    EXPECT_NE(refused("POST", "/faults", R"({"kind": "gremlin"})").find("is no kind of fault"), std::string::npos);
    EXPECT_EQ(refused("PUT", "/routes", R"({"table": 3})"), "body.table: has to be a text");
    EXPECT_NE(refused("PUT", "/routes", "{").find("the body is not JSON"), std::string::npos);
    EXPECT_EQ(refused("PUT", "/settings", R"({"latency": 3})"), "body.latency: is not known here");
    EXPECT_NE(refused("GET", "/nonsense", "", 404).find("there is no control request"), std::string::npos);
    EXPECT_EQ(refused("PUT", "/instances/node-x", R"({"state": "stopped"})", 404), "there is no instance 'node-x'");
}

}  // namespace vipd::cloud
