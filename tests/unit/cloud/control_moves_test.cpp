// What is moved, noticed and set through the control endpoint.

#include "tests/cloud/control.hpp"
#include "tests/unit/cloud/moves_fixture.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

using lines = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

class control_moves : public moves_test {
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
    std::string at(const char* id) { return "/interfaces/" + std::string(id); }
};

TEST_F(control_moves, an_operator_moves_an_interface_at_once)
{
    cloud.set_move_times({delay::fixed(seconds{2}), delay::fixed(seconds{5}), {}});
    request("PUT", at(floating), R"({"instance": "node-a", "device_index": 2})");
    EXPECT_EQ(interface(floating).attached->device_index, 2U);
    const auto first = attachment_of(floating);
    request("PUT", at(floating), R"({"instance": "node-b"})");
    EXPECT_EQ(interface(floating).attached->instance.str(), node_b);
    EXPECT_NE(attachment_of(floating), first);
    request("PUT", at(floating), R"({"instance": ""})");
    EXPECT_EQ(movements(), (lines{"eni-0aaaaaaaaaaaaaaa9 arrived at node-a", "eni-0aaaaaaaaaaaaaaa9 left node-a",
                                  "eni-0aaaaaaaaaaaaaaa9 arrived at node-b", "eni-0aaaaaaaaaaaaaaa9 left node-b"}));
    const auto change = cloud.poll_change();
    ASSERT_TRUE(change);
    EXPECT_EQ(change->node, "by hand");
    EXPECT_EQ(change->instance, node_a);
}

TEST_F(control_moves, an_operator_moves_an_address)
{
    request("PUT", "/addresses/10.0.1.100", R"({"interface": "eni-0aaaaaaaaaaaaaaa1"})");
    EXPECT_EQ(holder("10.0.1.100"), interface_a);
    request("PUT", "/addresses/10.0.1.100", R"({"interface": "eni-0aaaaaaaaaaaaaaa2"})");
    EXPECT_EQ(holder("10.0.1.100"), interface_b);
    request("DELETE", "/addresses/10.0.1.100");
    EXPECT_EQ(holder("10.0.1.100"), "");
    refused("DELETE", "/addresses/10.0.1.100", "", 404);
    refused("DELETE", "/addresses/10.0.1.10", "", 404);
    refused("PUT", "/addresses/10.0.1.10", R"({"interface": "eni-0aaaaaaaaaaaaaaa2"})", 404);
    refused("PUT", "/addresses/10.0.1", R"({"interface": "eni-0aaaaaaaaaaaaaaa2"})");
    request("PUT", "/addresses/2001:db8:0:1::100", R"({"interface": "eni-0aaaaaaaaaaaaaaa2"})");
    request("PUT", "/addresses/2001:db8:0:1::100", R"({"interface": "eni-0aaaaaaaaaaaaaaa1"})");
    EXPECT_EQ(holder("2001:db8:0:1::100"), interface_a);
}

TEST_F(control_moves, an_operator_moves_an_elastic_ip)
{
    const std::string path = "/elastic-ips/" + std::string(elastic);
    request("PUT", path, R"({"interface": "eni-0aaaaaaaaaaaaaaa4"})");
    EXPECT_EQ(elastic_ip_of(elastic).private_address.to_string(), "10.9.1.10") << "by hand no gateway is asked for";
    request("PUT", path, R"({"interface": "eni-0aaaaaaaaaaaaaaa1", "private_address": "10.0.1.10"})");
    EXPECT_EQ(elastic_ip_of(elastic).interface.str(), interface_a);
    refused("PUT", path, R"({"interface": "eni-0aaaaaaaaaaaaaaa1", "private_address": "10.0.1.99"})", 404);
    request("PUT", path, R"({"interface": ""})");
    EXPECT_FALSE(elastic_ip_of(elastic).is_associated());
    refused("PUT", "/elastic-ips/eipalloc-1", R"({"interface": ""})", 404);
}

TEST_F(control_moves, an_instance_is_impaired_and_repaired)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    request("PUT", "/instances/node-a", R"({"impaired": true})");
    ASSERT_EQ(detach(floating), "200");
    EXPECT_EQ(interface(floating).status(), "detaching");
    request("PUT", "/instances/node-a", R"({"impaired": false})");
    EXPECT_EQ(interface(floating).status(), "available");
    EXPECT_EQ(refused("PUT", "/instances/node-a", "{}"), "body.state: is missing");
}

TEST_F(control_moves, how_long_moves_take_is_set)
{
    request("PUT", "/settings", R"({"attach_ms": 100, "detach_ms": 5000, "reassign_ms": {"low": 20, "high": 30}})");
    EXPECT_EQ(cloud.model().times().attach.low, milliseconds{100});
    EXPECT_EQ(cloud.model().times().detach.high, milliseconds{5000});
    EXPECT_EQ(cloud.model().times().reassign.high, milliseconds{30});
    request("PUT", "/settings", R"({"attach_ms": 0})");
    EXPECT_EQ(cloud.model().times().attach.low, milliseconds{0});
    EXPECT_EQ(cloud.model().times().detach.low, milliseconds{5000}) << "what is not named stays";
}

TEST_F(control_moves, the_lag_of_imds_is_set_within_what_is_remembered)
{
    request("PUT", "/settings", R"({"metadata_lag_ms": 2000})");
    ASSERT_EQ(assign(interface_a, "10.0.1.100"), "200");
    const auto* path = "/latest/meta-data/network/interfaces/macs/02:00:00:00:01:10/local-ipv4s";
    EXPECT_EQ(imds_text(path), "10.0.1.10");
    pass(seconds{2});
    EXPECT_EQ(imds_text(path), "10.0.1.10\n10.0.1.100");
    EXPECT_EQ(refused("PUT", "/settings", R"({"metadata_lag_ms": 60001})"),
              "body.metadata_lag_ms: has to be between 0 and 60000");
}

TEST_F(control_moves, the_state_shows_who_has_what)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    ASSERT_EQ(assign(interface_a, "2001:db8:0:1::100"), "200");
    ASSERT_EQ(associate(elastic, interface_a), "200");
    const auto state = request("GET", "/state");
    const auto& shown = state.at("interfaces").at(floating);
    EXPECT_EQ(shown.at("status"), "in-use");
    EXPECT_EQ(shown.at("instance"), node_a);
    EXPECT_EQ(shown.at("attachment").as_string(), attachment_of(floating));
    EXPECT_EQ(shown.at("device_index"), 1);
    EXPECT_EQ(state.at("interfaces").at(interface_a).at("ipv6_addresses").as_array().size(), 2U);
    EXPECT_EQ(state.at("elastic_ips").at(elastic).at("interface"), interface_a);
    EXPECT_EQ(state.at("elastic_ips").at(other_elastic).at("private_address"), "");
}

TEST_F(control_moves, a_spot_instance_gets_two_minutes)
{
    request("POST", "/notices", R"({"instance": "node-b", "kind": "spot"})");
    EXPECT_EQ(imds_text("/latest/meta-data/spot/instance-action", node_b),
              R"({"action":"terminate","time":"2026-01-01T00:02:00Z"})");
    EXPECT_EQ(imds_text("/latest/meta-data/spot/termination-time", node_b), "2026-01-01T00:02:00Z");
    EXPECT_EQ(imds_text("/latest/meta-data/instance-life-cycle", node_b), "spot");
    request("DELETE", "/notices/node-b");
    EXPECT_EQ(imds_text("/latest/meta-data/spot/instance-action", node_b), "404");
    EXPECT_EQ(imds_text("/latest/meta-data/spot/termination-time", node_b), "404");
}

TEST_F(control_moves, notices_come_in_the_forms_of_aws)
{
    request("POST", "/notices", R"({"instance": "node-a", "kind": "rebalance"})");
    EXPECT_EQ(imds_text("/latest/meta-data/events/recommendations/rebalance"), R"({"noticeTime":"2026-01-01T00:00:00Z"})");
    request("POST", "/notices", R"({"instance": "node-a", "kind": "lifecycle"})");
    EXPECT_EQ(imds_text("/latest/meta-data/autoscaling/target-lifecycle-state"), "Terminated");
    request("POST", "/notices", R"({"instance": "node-a", "kind": "maintenance", "code": "instance-retirement", "in_s": 60})");
    const auto events = boost::json::parse(imds_text("/latest/meta-data/events/maintenance/scheduled"));
    EXPECT_EQ(events.at(0).at("NotBefore"), "01 Jan 2026 00:01:00 GMT");
    EXPECT_EQ(events.at(0).at("Code"), "instance-retirement");
    EXPECT_EQ(events.at(0).at("State"), "active");
    request("DELETE", "/notices/node-a");
    EXPECT_EQ(imds_text("/latest/meta-data/events/maintenance/scheduled"), "[]");
    EXPECT_EQ(imds_text("/latest/meta-data/autoscaling/target-lifecycle-state"), "404");
    EXPECT_NE(refused("POST", "/notices", R"({"instance": "node-a", "kind": "flood"})").find("is none of"), std::string::npos);
    EXPECT_NE(refused("POST", "/notices", R"({"instance": "node-a", "kind": "spot", "action": "explode"})").find("explode"),
              std::string::npos);
}

TEST_F(control_moves, a_policy_document_of_iam_is_put_in_force)
{
    request("PUT", "/policies", R"({"principal": "user/operator", "statements": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2:AttachNetworkInterface", "Resource": "*",
         "Condition": {"StringEquals": {"ec2:ResourceTag/vrrp-group": "g1"}}}]}})");
    EXPECT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(attach(other_floating, node_a, 2), "403 UnauthorizedOperation");
}

TEST_F(control_moves, faults_of_moves_are_added)
{
    request("POST", "/faults", R"({"action": "DetachNetworkInterface", "interface": "eni-*", "kind": "stuck"})");
    request("POST", "/faults", R"({"action": "AttachNetworkInterface", "kind": "linger", "by": {"low": 5, "high": 9}})");
    const auto faults = request("GET", "/faults");
    EXPECT_EQ(faults.at(0).at("kind"), "stuck");
    EXPECT_EQ(faults.at(0).at("interface"), "eni-*");
    EXPECT_EQ(faults.at(1).at("kind"), "linger");
}

}  // namespace vipd::cloud
