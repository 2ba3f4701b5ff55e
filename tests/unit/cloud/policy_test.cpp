// Who may do what with which resources: patterns of ARNs, tags, and policies as IAM writes them.

#include "tests/cloud/policy.hpp"

#include "tests/unit/cloud/moves_fixture.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

namespace {

std::string problem(std::string_view json)
{
    const auto parsed = parse_policy(boost::json::parse(json));
    return parsed ? "" : parsed.error().text;
}

// Asked of a network interface with these tags.
bool may_attach(std::string_view json, const tag_map& tags = {}, std::string_view region = "eu-west-1",
                std::string_view vpc = {})
{
    const auto parsed = parse_policy(boost::json::parse(json));
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().text);
    return parsed &&
           is_allowed(*parsed, {"ec2:AttachNetworkInterface", "arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-1",
                                "eni-1", region, &tags, vpc});
}

// The condition {OPERATOR: {"ec2:Vpc": VALUE}}, asked of what is in `vpc`; nothing: it is in none.
bool holds_in(const std::string& comparison, const std::string& value, std::string_view vpc)
{
    return may_attach(R"([{"actions": ["*"], "conditions": {")" + comparison + R"(": {"ec2:Vpc": ")" + value + R"("}}}])", {},
                      "eu-west-1", vpc);
}
constexpr auto vpc_1 = "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1";

}  // namespace

TEST(policy, a_resource_is_named_by_its_arn_or_by_its_id)
{
    const auto on = [](const std::string& resource) {
        return may_attach(R"([{"actions": ["ec2:Attach*"], "resources": [")" + resource + R"("]}])");
    };
    EXPECT_TRUE(on("*"));
    EXPECT_TRUE(on("eni-1"));
    EXPECT_TRUE(on("eni-?"));
    EXPECT_TRUE(on("arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-1"));
    EXPECT_TRUE(on("arn:aws:ec2:*:*:network-interface/*"));
    EXPECT_FALSE(on("eni-2"));
    EXPECT_FALSE(on("arn:aws:ec2:eu-west-1:123456789012:instance/*"));
    EXPECT_FALSE(on("arn:aws:ec2:us-*:*:network-interface/*"));
}

TEST(policy, a_tag_of_the_resource_can_be_asked_for)
{
    constexpr auto tagged = R"([{"actions": ["*"], "conditions": {"StringEquals": {"ec2:ResourceTag/group": ["g1", "g2"]}}}])";
    EXPECT_TRUE(may_attach(tagged, {{"group", "g1"}}));
    EXPECT_TRUE(may_attach(tagged, {{"group", "g2"}}));
    EXPECT_FALSE(may_attach(tagged, {{"group", "g3"}}));
    EXPECT_FALSE(may_attach(tagged, {{"Group", "g1"}}));
    EXPECT_FALSE(may_attach(tagged));
    constexpr auto like = R"([{"actions": ["*"], "conditions": {"StringLike": {"aws:ResourceTag/group": "g?"}}}])";
    EXPECT_TRUE(may_attach(like, {{"group", "g7"}}));
    EXPECT_FALSE(may_attach(like, {{"group", "g77"}}));
}

TEST(policy, the_vpc_of_the_resource_is_compared_as_an_arn_part_by_part)
{
    for (const std::string comparison : {"ArnEquals", "ArnLike"}) {
        EXPECT_TRUE(holds_in(comparison, vpc_1, vpc_1));
        EXPECT_TRUE(holds_in(comparison, "arn:*:ec2:*:*:vpc/vpc-?", vpc_1)) << "IAM has two names for one comparison";
        EXPECT_FALSE(holds_in(comparison, "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-2", vpc_1));
        EXPECT_FALSE(holds_in(comparison, "arn:aws:ec2:eu-west-1:210987654321:vpc/vpc-1", vpc_1));
        EXPECT_FALSE(holds_in(comparison, "arn:aws:*:*:*:vpc-1", vpc_1)) << "a star does not reach over a colon";
    }
    EXPECT_TRUE(holds_in("StringEquals", vpc_1, vpc_1));
    EXPECT_FALSE(holds_in("StringEquals", "vpc-1", vpc_1)) << "it is the ARN and not the id";
    EXPECT_TRUE(holds_in("StringLike", "arn:*vpc-1", vpc_1));
}

TEST(policy, what_is_in_no_vpc_does_not_satisfy_a_condition_on_it)
{
    EXPECT_FALSE(holds_in("ArnLike", "arn:*:*:*:*:*", ""));
    EXPECT_TRUE(holds_in("ArnLikeIfExists", vpc_1, ""));
    EXPECT_TRUE(holds_in("ArnNotLike", vpc_1, ""));
    EXPECT_FALSE(holds_in("ArnNotEquals", vpc_1, vpc_1));
    EXPECT_FALSE(holds_in("ArnLikeIfExists", vpc_1, "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-2"));
}

TEST(policy, a_key_that_is_not_there_satisfies_what_is_negated_or_optional)
{
    constexpr auto negated = R"([{"actions": ["*"], "conditions": {"StringNotEquals": {"ec2:ResourceTag/group": "g1"}}}])";
    EXPECT_TRUE(may_attach(negated));
    EXPECT_TRUE(may_attach(negated, {{"group", "g2"}}));
    EXPECT_FALSE(may_attach(negated, {{"group", "g1"}}));
    constexpr auto optional =
        R"([{"actions": ["*"], "conditions": {"StringEqualsIfExists": {"ec2:ResourceTag/group": "g1"}}}])";
    EXPECT_TRUE(may_attach(optional));
    EXPECT_FALSE(may_attach(optional, {{"group", "g2"}}));
}

TEST(policy, all_conditions_have_to_hold)
{
    constexpr auto both =
        R"([{"actions": ["*"], "conditions": {"StringEquals": {"ec2:ResourceTag/group": "g1", "ec2:Region": "eu-west-1"}}}])";
    EXPECT_TRUE(may_attach(both, {{"group", "g1"}}));
    EXPECT_FALSE(may_attach(both, {{"group", "g1"}}, "eu-west-2"));
    EXPECT_FALSE(may_attach(both, {{"group", "g2"}}));
}

TEST(policy, a_document_of_iam_is_read_as_it_is)
{
    constexpr auto document = R"({
      "Version": "2012-10-17",
      "Statement": [
        {"Sid": "Move", "Effect": "Allow", "Action": ["ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface"],
         "Resource": ["arn:aws:ec2:eu-west-1:123456789012:network-interface/*", "arn:aws:ec2:eu-west-1:123456789012:instance/*"],
         "Condition": {"StringEquals": {"aws:ResourceTag/group": "g1"}}},
        {"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {"StringNotEquals": {"ec2:Region": "eu-west-1"}}}]})";
    EXPECT_TRUE(may_attach(document, {{"group", "g1"}}));
    EXPECT_FALSE(may_attach(document, {{"group", "g2"}}));
    EXPECT_FALSE(may_attach(document, {{"group", "g1"}}, "us-east-1"));
    EXPECT_TRUE(may_attach(R"({"Statement": {"Effect": "Allow", "Action": "ec2:Attach*", "Resource": "*"}})"));
}

TEST(policy, what_is_wrong_is_named_with_its_place)
{
    EXPECT_NE(
        problem(R"([{"actions": ["*"], "conditions": {"Bool": {"ec2:Region": "x"}}}])").find("policy[0].conditions: 'Bool'"),
        std::string::npos);
    EXPECT_NE(
        problem(R"([{"actions": ["*"], "conditions": {"ArnMatches": {"ec2:Vpc": "x"}}}])").find("'ArnMatches' is none of"),
        std::string::npos);
    for (const std::string key : {"ec2:Subnet", "ec2:VpcID", "ec2:Attribute", "aws:ResourceTag/", "Vpc"}) {
        const auto found = problem(R"([{"actions": ["*"], "conditions": {"StringNotLike": {")" + key + R"(": "x"}}}])");
        EXPECT_NE(found.find(key + ": is not known"), std::string::npos) << found;
    }
    EXPECT_NE(problem(R"([{"actions": ["*"], "conditions": {"ArnLike": {"ec2:Region": "*"}}}])").find("ec2:Region: is no ARN"),
              std::string::npos);
    EXPECT_NE(problem(R"([{"actions": ["*"], "conditions": {"ArnLike": {"ec2:Vpc": "vpc-1"}}}])").find("\"vpc-1\" is no ARN"),
              std::string::npos)
        << "it would never hold";
    EXPECT_NE(problem(R"({"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]})").find("\"Allow\""),
              std::string::npos);
    EXPECT_EQ(problem(R"({"Version": "2012-10-17"})"), "policy.Statement: is missing");
    EXPECT_EQ(problem(R"({"Statement": [{"Effect": "Allow", "NotAction": "*", "Resource": "*"}]})"),
              "policy.Statement[0].NotAction: is not known here");
}

TEST(policy, what_is_written_is_read_back)
{
    constexpr auto text = R"([{"effect":"deny","actions":["ec2:*"],"resources":["eni-*"],"conditions":)"
                          R"({"StringNotLikeIfExists":{"ec2:ResourceTag/group":["g1"]},)"
                          R"("ArnNotEquals":{"ec2:Vpc":["arn:aws:ec2:*:*:vpc/vpc-1"]},)"
                          R"("ArnLike":{"ec2:Vpc":["arn:aws:ec2:*:*:vpc/vpc-?"]}}}])";
    EXPECT_EQ(boost::json::serialize(to_json(*parse_policy(boost::json::parse(text)))), text);
}

// --- which resources each call is authorised on ---

class authorisation : public moves_test {
protected:
    void allow(std::vector<std::string> actions, std::vector<std::string> on)
    {
        cloud.policies()["user/operator"] = {{true, {"ec2:Describe*"}, {"*"}}, {true, std::move(actions), std::move(on)}};
    }
    static constexpr const char* refused = "403 UnauthorizedOperation";
};

TEST_F(authorisation, attaching_asks_for_the_interface_and_the_instance)
{
    allow({"ec2:AttachNetworkInterface"}, {floating, node_a});
    EXPECT_EQ(attach(floating, node_b), refused);
    EXPECT_EQ(attach(other_floating, node_a), refused);
    EXPECT_EQ(attach(floating, node_a), "200");
}

TEST_F(authorisation, detaching_asks_for_the_instance_that_loses_it_too)
{
    ASSERT_EQ(attach(floating, node_a), "200");
    allow({"ec2:DetachNetworkInterface"}, {floating, node_b});
    EXPECT_EQ(detach(floating), refused);
    EXPECT_NE(message("DetachNetworkInterface", {{"AttachmentId", attachment_of(floating)}})
                  .find("on resource: arn:aws:ec2:eu-west-1:123456789012:instance/i-0aaaaaaaaaaaaaaa1"),
              std::string::npos);
    allow({"ec2:DetachNetworkInterface"}, {floating, node_a});
    EXPECT_EQ(detach(floating), "200");
}

TEST_F(authorisation, a_tag_on_all_of_them_is_enough)
{
    cloud.policies()["user/operator"] = *parse_policy(boost::json::parse(R"({"Statement": [
        {"Effect": "Allow", "Action": ["ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface", "ec2:AssociateAddress"],
         "Resource": "arn:aws:ec2:eu-west-1:123456789012:*",
         "Condition": {"StringEquals": {"aws:ResourceTag/vrrp-group": "g1"}}}]})"));
    EXPECT_EQ(attach(floating, node_a), "200");
    EXPECT_EQ(detach(floating), "200");
    EXPECT_EQ(attach(other_floating, node_a), refused) << "it has no tag";
    EXPECT_EQ(associate(elastic, interface_a), "200");
    EXPECT_EQ(associate(other_elastic, interface_a), refused);
    EXPECT_EQ(verdict("DescribeAddresses", {}), refused) << "describing knows no resources";
}

TEST_F(authorisation, an_association_asks_for_the_address_and_for_what_it_goes_to)
{
    allow({"ec2:AssociateAddress"}, {elastic, interface_a});
    EXPECT_EQ(associate(elastic, interface_b), refused);
    EXPECT_EQ(associate(other_elastic, interface_a), refused);
    EXPECT_EQ(verdict("AssociateAddress", {{"AllocationId", elastic}, {"InstanceId", node_a}}), refused);
    EXPECT_EQ(associate(elastic, interface_a), "200");
    allow({"ec2:DisassociateAddress"}, {elastic});
    const parameters association{{"AssociationId", elastic_ip_of(elastic).association}};
    EXPECT_EQ(verdict("DisassociateAddress", association), refused);
    allow({"ec2:DisassociateAddress"}, {elastic, interface_a});
    EXPECT_EQ(verdict("DisassociateAddress", association), "200");
}

TEST_F(authorisation, an_address_asks_for_the_receiving_interface_only)
{
    ASSERT_EQ(assign(interface_a, "10.0.1.100"), "200");
    allow({"ec2:AssignPrivateIpAddresses"}, {interface_b});
    EXPECT_EQ(assign(interface_b, "10.0.1.100", true), "200");
    EXPECT_EQ(assign(interface_a, "10.0.1.100", true), refused);
    EXPECT_EQ(unassign(interface_b, "10.0.1.100"), refused);
}

TEST_F(authorisation, route_tables_and_interfaces_are_in_a_vpc_and_nothing_else_is)
{
    const auto allow_in = [&](const std::string& vpc) {
        cloud.policies()["user/operator"] = *parse_policy(
            boost::json::parse(R"({"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*",)"
                               R"( "Condition": {"ArnLike": {"ec2:Vpc": "arn:aws:ec2:eu-west-1:123456789012:vpc/)" +
                               vpc + R"("}}}})"));
    };
    const auto here = cloud.model().state().vpc_of(interface(interface_a)).str();
    const auto there = cloud.model().state().vpc_of(interface(interface_d)).str();
    ASSERT_NE(here, there);
    ASSERT_TRUE(cloud.model().add_table(now.steady, {route_table_id{table_a}, vpc_id{here}, {}, {}, {}, {}}));
    const auto created = [&] { return verdict("CreateRoute", route(table_a, interface_b)); };
    allow_in(there);
    EXPECT_EQ(created(), refused);
    EXPECT_EQ(assign(interface_a, "10.0.1.100"), refused);
    allow_in(here);
    EXPECT_EQ(created(), "200");
    EXPECT_EQ(assign(interface_a, "10.0.1.100"), "200");
    EXPECT_EQ(attach(floating, node_a), refused) << "an instance has no such key";
    EXPECT_EQ(associate(elastic, interface_a), refused) << "an Elastic IP has no such key";
    EXPECT_EQ(verdict("DescribeVpcs", {}), refused) << "a read has no such key";
}

TEST_F(authorisation, permission_is_asked_before_a_dry_run_is_answered)
{
    allow({"ec2:AttachNetworkInterface"}, {node_a});
    const parameters dry{{"NetworkInterfaceId", floating}, {"InstanceId", node_a}, {"DeviceIndex", "1"}, {"DryRun", "true"}};
    EXPECT_EQ(verdict("AttachNetworkInterface", dry), refused);
    allow({"ec2:AttachNetworkInterface"}, {node_a, "eni-*"});
    EXPECT_EQ(verdict("AttachNetworkInterface", dry), "412 DryRunOperation");
}

}  // namespace vipd::cloud
