#include "tests/unit/cloud/cloud_fixture.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

using std::chrono::hours;
using std::chrono::seconds;

class imds_service : public cloud_test {
protected:
    unsigned put_status(const std::vector<aws::http_header>& headers, const std::string& path = "/latest/api/token")
    {
        return imds("PUT", path, headers).status;
    }
    unsigned get_status(const std::string& token, const std::string& node = node_a)
    {
        return imds("GET", "/latest/meta-data/instance-id", {{"X-aws-ec2-metadata-token", token}}, node).status;
    }
    boost::json::value role_credentials()
    {
        return boost::json::parse(imds_text("/latest/meta-data/iam/security-credentials/vipd"));
    }
};

TEST_F(imds_service, nothing_is_told_without_a_token)
{
    EXPECT_EQ(imds("GET", "/latest/meta-data/instance-id", {}).status, 401U);
    EXPECT_EQ(get_status("made up"), 401U);
    EXPECT_EQ(get_status(imds_token()), 200U);
}

TEST_F(imds_service, a_token_is_given_for_one_second_to_six_hours)
{
    const auto status = [&](const char* text) { return put_status({{"X-aws-ec2-metadata-token-ttl-seconds", text}}); };
    EXPECT_EQ(status("1"), 200U);
    EXPECT_EQ(status("21600"), 200U);
    EXPECT_EQ(status("0"), 400U);
    EXPECT_EQ(status("21601"), 400U);
    EXPECT_EQ(status("soon"), 400U);
    EXPECT_EQ(put_status({}), 400U);
}

TEST_F(imds_service, a_token_is_not_given_through_a_proxy_or_on_another_path)
{
    const aws::http_header ttl{"X-aws-ec2-metadata-token-ttl-seconds", "60"};
    EXPECT_EQ(put_status({ttl, {"X-Forwarded-For", "10.0.0.1"}}), 403U);
    EXPECT_EQ(put_status({ttl}, "/2021-07-15/api/token"), 403U);
    EXPECT_EQ(imds("POST", "/latest/api/token", {ttl}).status, 405U);
}

TEST_F(imds_service, a_token_ends_and_is_good_on_its_instance_only)
{
    const auto token = imds_token(60);
    EXPECT_EQ(get_status(token, node_b), 401U);
    pass(seconds{59});
    EXPECT_EQ(get_status(token), 200U);
    pass(seconds{1});
    EXPECT_EQ(get_status(token), 401U);
}

TEST_F(imds_service, answers_echo_the_tokens_life)
{
    const auto token = imds_token(60);
    pass(seconds{20});
    const auto response = imds("GET", "/latest/meta-data/mac", {{"X-aws-ec2-metadata-token", token}});
    EXPECT_EQ(aws::find_header(response.headers, "x-aws-ec2-metadata-token-ttl-seconds"), "40");
}

TEST_F(imds_service, the_identity_document_names_instance_region_zone_and_account)
{
    const auto document = boost::json::parse(imds_text("/latest/dynamic/instance-identity/document", node_b));
    EXPECT_EQ(document.at("instanceId"), node_b);
    EXPECT_EQ(document.at("region"), "eu-west-1");
    EXPECT_EQ(document.at("availabilityZone"), "eu-west-1b");
    EXPECT_EQ(document.at("accountId"), "123456789012");
    EXPECT_EQ(document.at("privateIp"), "10.0.2.10");
}

TEST_F(imds_service, the_tree_says_where_the_instance_is)
{
    EXPECT_EQ(imds_text("/latest/meta-data/instance-id"), node_a);
    EXPECT_EQ(imds_text("/latest/meta-data/placement/region"), "eu-west-1");
    EXPECT_EQ(imds_text("/latest/meta-data/placement/availability-zone"), "eu-west-1a");
    EXPECT_EQ(imds_text("/latest/meta-data/placement/availability-zone-id", node_b), "euw1-az2");
    EXPECT_EQ(imds_text("/latest/meta-data/services/domain"), "amazonaws.com");
    EXPECT_EQ(imds_text("/latest/meta-data/services/partition"), "aws");
    EXPECT_EQ(imds_text("/latest/meta-data/mac"), "02:00:00:00:01:10");
}

TEST_F(imds_service, interfaces_are_found_by_mac)
{
    cloud.model().attach(now.steady, network_interface_id{interface_c}, instance_id{node_a}, 1);
    EXPECT_EQ(imds_text("/latest/meta-data/network/interfaces/macs/"), "02:00:00:00:01:10/\n02:00:00:00:01:11/");
    const std::string base = "/latest/meta-data/network/interfaces/macs/02:00:00:00:01:11/";
    EXPECT_EQ(imds_text(base + "interface-id"), interface_c);
    EXPECT_EQ(imds_text(base + "device-number"), "1");
    EXPECT_EQ(imds_text(base + "local-ipv4s"), "10.0.1.11");
    EXPECT_EQ(imds_text(base + "subnet-ipv4-cidr-block"), "10.0.1.0/24");
    EXPECT_EQ(imds_text(base + "vpc-id"), "vpc-0aaaaaaaaaaaaaaa1");
    EXPECT_EQ(imds_text(base + "vpc-ipv4-cidr-blocks"), "10.0.0.0/16");
    EXPECT_EQ(imds_text(base + "ipv6s"), "404");
}

TEST_F(imds_service, an_interface_says_its_card_groups_and_public_addresses)
{
    ASSERT_EQ(
        verdict("AssociateAddress", {{"AllocationId", "eipalloc-0aaaaaaaaaaaaaaa1"}, {"NetworkInterfaceId", interface_a}}),
        "200");
    const std::string base = "/latest/meta-data/network/interfaces/macs/02:00:00:00:01:10/";
    EXPECT_EQ(imds_text(base + "network-card-index"), "0");
    EXPECT_EQ(imds_text(base + "security-group-ids"), "sg-0aaaaaaaaaaaaaaa1");
    EXPECT_EQ(imds_text(base + "public-ipv4s"), "203.0.113.10");
    EXPECT_EQ(imds_text(base + "ipv4-associations/"), "203.0.113.10");
    EXPECT_EQ(imds_text(base + "ipv4-associations/203.0.113.10"), "10.0.1.10");
}

TEST_F(imds_service, what_it_says_of_interfaces_can_lag)
{
    cloud.imds().set_lag(seconds{3});
    cloud.model().attach(now.steady, network_interface_id{interface_c}, instance_id{node_a}, 1);
    const auto* macs = "/latest/meta-data/network/interfaces/macs/";
    EXPECT_EQ(imds_text(macs), "02:00:00:00:01:10/");
    pass(seconds{3});
    EXPECT_EQ(imds_text(macs), "02:00:00:00:01:10/\n02:00:00:00:01:11/");
}

TEST_F(imds_service, an_interface_is_there_when_its_attaching_has_ended)
{
    cloud.set_move_times({delay::fixed(seconds{2}), delay::fixed(seconds{4}), {}});
    const auto* macs = "/latest/meta-data/network/interfaces/macs/";
    ASSERT_EQ(verdict("AttachNetworkInterface",
                      {{"NetworkInterfaceId", "eni-0aaaaaaaaaaaaaaa9"}, {"InstanceId", node_a}, {"DeviceIndex", "1"}}),
              "200");
    EXPECT_EQ(imds_text(macs), "02:00:00:00:01:10/");
    pass(seconds{2});
    EXPECT_EQ(imds_text(macs), "02:00:00:00:01:10/\n02:00:00:00:01:50/");
}

TEST_F(imds_service, a_directory_lists_each_name_once)
{
    EXPECT_EQ(imds_text("/latest/meta-data/placement"), "availability-zone\navailability-zone-id\nregion");
    EXPECT_EQ(imds_text("/latest/meta-data/placement/"), "availability-zone\navailability-zone-id\nregion");
    const auto top = "\n" + imds_text("/latest/meta-data/");
    EXPECT_NE(top.find("\nnetwork/"), std::string::npos);
    EXPECT_EQ(top.find("\nnetwork/"), top.rfind("\nnetwork/"));
}

TEST_F(imds_service, what_is_not_there_is_404)
{
    for (const auto* path : {"/latest/meta-data/spot/instance-action", "/latest/meta-data/events/recommendations/rebalance",
                             "/latest/meta-data/autoscaling/target-lifecycle-state", "/latest/meta-data/tags/instance/Name",
                             "/latest/user-data"}) {
        EXPECT_EQ(imds_text(path), "404") << path;
    }
    EXPECT_EQ(imds_text("/latest/meta-data/instance-id", "i-0ccccccccccccccc1"), "404");
    EXPECT_EQ(imds_text("/latest/meta-data/events/maintenance/scheduled"), "[]");
}

TEST_F(imds_service, items_are_put_and_removed_by_hand)
{
    const std::string notice = R"({"action":"terminate","time":"2026-01-01T00:02:00Z"})";
    cloud.imds().set_item(instance_id{node_a}, "spot/instance-action", notice);
    EXPECT_EQ(imds_text("/latest/meta-data/spot/instance-action"), notice);
    EXPECT_EQ(imds_text("/latest/meta-data/spot/instance-action", node_b), "404");
    cloud.imds().set_item(instance_id{node_a}, "spot/instance-action", "");
    EXPECT_EQ(imds_text("/latest/meta-data/spot/instance-action"), "404");
}

TEST_F(imds_service, role_credentials_sign_calls_until_they_end)
{
    EXPECT_EQ(imds_text("/latest/meta-data/iam/security-credentials/"), "vipd");
    const auto document = role_credentials();
    EXPECT_EQ(document.at("Code"), "Success");
    EXPECT_EQ(document.at("Expiration"), "2026-01-01T06:00:00Z");
    const access_key key{std::string(document.at("AccessKeyId").as_string()),
                         std::string(document.at("SecretAccessKey").as_string()),
                         std::string(document.at("Token").as_string()),
                         {},
                         std::nullopt,
                         {},
                         {},
                         {}};
    const auto code = [&] {
        const auto request = signed_request(form("ReplaceRoute", route(table_a, interface_a)), key, now.wall);
        // From an address that is nobody's: the key tells whose it is.
        const auto planned = cloud.handle_ec2(now, request, {ip_address::v4(127, 0, 0, 1), {}});
        const auto record = cloud.collect(now, planned.id).record;
        EXPECT_EQ(record.node, "node-a");
        return record.code;
    };
    EXPECT_EQ(code(), "");
    pass(hours{6});
    EXPECT_EQ(code(), "RequestExpired");
}

TEST_F(imds_service, credentials_are_renewed_before_they_end)
{
    const auto first = role_credentials();
    pass(hours{4});
    EXPECT_EQ(role_credentials().at("AccessKeyId"), first.at("AccessKeyId"));
    pass(hours{1});
    const auto second = role_credentials();
    EXPECT_NE(second.at("AccessKeyId"), first.at("AccessKeyId"));
    EXPECT_EQ(second.at("Expiration"), "2026-01-01T11:00:00Z");
}

TEST_F(imds_service, credentials_can_be_rotated_and_revoked_by_hand)
{
    const auto first = std::string(role_credentials().at("AccessKeyId").as_string());
    cloud.imds().rotate_credentials(instance_id{node_a}, false);
    const auto second = std::string(role_credentials().at("AccessKeyId").as_string());
    EXPECT_NE(second, first);
    EXPECT_TRUE(cloud.keys().contains(first));
    cloud.imds().rotate_credentials(instance_id{node_a}, true);
    EXPECT_FALSE(cloud.keys().contains(second));
    EXPECT_NE(std::string(role_credentials().at("AccessKeyId").as_string()), second);
}

TEST_F(imds_service, the_instance_follows_from_the_address_that_asks)
{
    const auto planned =
        cloud.handle_imds(now, {"GET", "/latest/meta-data/instance-id", {}, ""}, {ip_address::v4(10, 0, 2, 10), {}});
    EXPECT_EQ(cloud.collect(now, planned.id).record.node, "node-b");
}

TEST_F(imds_service, faults_hit_it_by_path)
{
    fault down;
    down.action = "imds:/latest/api/token";
    down.effect = effects::fail{503, "", "", false};
    cloud.faults().add(down);
    EXPECT_EQ(put_status({{"X-aws-ec2-metadata-token-ttl-seconds", "60"}}), 503U);
    EXPECT_EQ(verdict("DescribeRouteTables", {}), "200");
}

}  // namespace vipd::cloud
