#include "agent/cli/iam_policy.hpp"

#include "agent/config/load.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace vipd::cli {
namespace {

const account_scope known{"123456789012", "eu-west-1", "vpc-0a1b2c3d"};

config::configuration file_with(const std::string& moves)
{
    const auto checked = config::load(
        "[[router]]\nname = \"a\"\nvrid = 51\ninterface = \"ens5\"\npeers = [\"10.0.2.10\"]\n"
        "advertised_addresses = [\"172.16.1.100\"]\n" +
            moves,
        "f");
    const auto* const good = std::get_if<config::loaded>(&checked);
    EXPECT_NE(good, nullptr) << config::to_string(std::get<std::vector<config::finding>>(checked).front(), "f");
    return good->value;
}

boost::json::array statements_of(const printed& policy)
{
    const auto parsed = boost::json::parse(policy.out).as_object();
    EXPECT_EQ(parsed.at("Version"), "2012-10-17");
    return parsed.at("Statement").as_array();
}

std::set<std::string> texts_of(const boost::json::value& one_or_more)
{
    if (const auto* text = one_or_more.if_string()) {
        return {std::string(*text)};
    }
    std::set<std::string> all;
    for (const auto& text : one_or_more.as_array()) {
        all.emplace(text.as_string());
    }
    return all;
}

// By its Sid.
boost::json::object statement(const printed& policy, std::string_view sid)
{
    for (const auto& s : statements_of(policy)) {
        if (s.at("Sid").as_string() == sid) {
            EXPECT_EQ(s.at("Effect"), "Allow");
            return s.as_object();
        }
    }
    ADD_FAILURE() << "no statement " << sid << " in " << policy.out;
    return {};
}

using texts = std::set<std::string>;

TEST(iam_policy, named_route_tables_are_allowed_and_no_others)
{
    const auto policy = iam_policy(file_with("[[router.route]]\ndestination = \"172.16.1.100/32\"\n"
                                             "tables = { ids = [\"rtb-0a1b2c3d\", \"rtb-0a1b2c3e\"] }\n"),
                                   known);
    const auto move = statement(policy, "MoveRoutes");
    EXPECT_EQ(texts_of(move.at("Action")), (texts{"ec2:ReplaceRoute", "ec2:CreateRoute"}));
    EXPECT_EQ(texts_of(move.at("Resource")), (texts{"arn:aws:ec2:eu-west-1:123456789012:route-table/rtb-0a1b2c3d",
                                                    "arn:aws:ec2:eu-west-1:123456789012:route-table/rtb-0a1b2c3e"}));
    EXPECT_FALSE(move.contains("Condition"));
    const auto read = statement(policy, "Read");
    EXPECT_EQ(texts_of(read.at("Action")), (texts{"ec2:DescribeRouteTables", "ec2:DescribeNetworkInterfaces"}));
    EXPECT_EQ(texts_of(read.at("Resource")), texts{"*"});
    EXPECT_EQ(read.at("Condition").at("StringEquals").at("ec2:Region"), "eu-west-1");
    EXPECT_EQ(statements_of(policy).size(), 2u) << "the source/destination check is not vipd's to switch";
    EXPECT_EQ(policy.err, "");
}

TEST(iam_policy, tables_by_vpc_or_tags_are_told_by_conditions)
{
    const auto file = file_with(
        "[[router.route]]\ndestination = \"172.16.1.100/32\"\n"
        "tables = { tags = { Name = \"private-*\" } }\nsource_dest_check = \"disable\"\n");
    const auto policy = iam_policy(file, known);
    const auto move = statement(policy, "MoveRoutes");
    EXPECT_EQ(texts_of(move.at("Resource")), texts{"arn:aws:ec2:eu-west-1:123456789012:route-table/*"});
    EXPECT_EQ(move.at("Condition").at("StringLike").at("aws:ResourceTag/Name"), "private-*");
    EXPECT_EQ(move.at("Condition").at("ArnLike").at("ec2:Vpc"), "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0a1b2c3d");
    EXPECT_EQ(texts_of(statement(policy, "SwitchSourceDestCheck").at("Action")), texts{"ec2:ModifyNetworkInterfaceAttribute"});
    EXPECT_NE(policy.err.find("note: the interfaces of the nodes are not named"), std::string::npos);
    EXPECT_EQ(policy.err.find("--vpc"), std::string::npos);
    EXPECT_NE(iam_policy(file, {}).err.find("give --vpc"), std::string::npos);
}

TEST(iam_policy, what_is_not_known_is_a_star_and_the_partition_follows_the_region)
{
    auto file = file_with("[[router.route]]\ndestination = \"172.16.1.100/32\"\ntables = { ids = [\"rtb-0a1b2c3d\"] }\n");
    EXPECT_EQ(texts_of(statement(iam_policy(file, {}), "MoveRoutes").at("Resource")),
              texts{"arn:*:ec2:*:*:route-table/rtb-0a1b2c3d"});
    file.aws.region = "cn-north-1";
    EXPECT_EQ(texts_of(statement(iam_policy(file, {}), "MoveRoutes").at("Resource")),
              texts{"arn:aws-cn:ec2:cn-north-1:*:route-table/rtb-0a1b2c3d"});
}

TEST(iam_policy, every_other_move_has_its_actions)
{
    const auto policy =
        iam_policy(file_with("[[router.secondary_ip]]\naddress = \"10.0.1.100\"\ninterface_id = \"eni-0a1b2c3d\"\n"
                             "[[router.secondary_ip]]\naddress = \"2001:db8::64\"\n"
                             "[[router.elastic_ip]]\nallocation = \"eipalloc-0a1b2c3d\"\ninterface_id = \"eni-0a1b2c3d\"\n"
                             "[[router.eni]]\nmatch = { tags = { Name = \"floating\" } }\n"),
                   known);
    const std::string arn = "arn:aws:ec2:eu-west-1:123456789012:";
    const auto secondary = statement(policy, "MoveSecondaryAddresses");
    EXPECT_EQ(texts_of(secondary.at("Action")), texts{"ec2:AssignPrivateIpAddresses"});
    EXPECT_EQ(texts_of(secondary.at("Resource")), texts{arn + "network-interface/eni-0a1b2c3d"});
    const auto ipv6 = statement(policy, "MoveIpv6Addresses");
    EXPECT_EQ(texts_of(ipv6.at("Action")), (texts{"ec2:AssignIpv6Addresses", "ec2:UnassignIpv6Addresses"}));
    EXPECT_EQ(texts_of(ipv6.at("Resource")), texts{arn + "network-interface/*"}) << "it is unassigned from whoever has it";
    const auto elastic = statement(policy, "MoveElasticIps");
    EXPECT_EQ(texts_of(elastic.at("Action")), texts{"ec2:AssociateAddress"});
    EXPECT_EQ(texts_of(elastic.at("Resource")),
              (texts{arn + "elastic-ip/eipalloc-0a1b2c3d", arn + "network-interface/eni-0a1b2c3d"}));
    const auto interfaces = statement(policy, "MoveInterfaces");
    EXPECT_EQ(texts_of(interfaces.at("Action")),
              (texts{"ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"}));
    EXPECT_EQ(interfaces.at("Condition").at("StringLike").at("aws:ResourceTag/Name"), "floating");
    EXPECT_EQ(texts_of(statement(policy, "MoveInterfacesBetweenInstances").at("Resource")), texts{arn + "instance/*"});
    EXPECT_EQ(texts_of(statement(policy, "Read").at("Action")),
              (texts{"ec2:DescribeAddresses", "ec2:DescribeNetworkInterfaces"}));
}

TEST(iam_policy, interfaces_that_are_not_named_are_those_of_the_vpc)
{
    const auto file = file_with(
        "[[router.route]]\ndestination = \"172.16.1.100/32\"\ntables = { ids = [\"rtb-0a1b2c3d\"] }\nsource_dest_check = "
        "\"disable\"\n[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n[[router.secondary_ip]]\naddress = \"2001:db8::64\"\n"
        "[[router.elastic_ip]]\nallocation = \"eipalloc-0a1b2c3d\"\n[[router.eni]]\nmatch = { id = \"eni-0a1b2c3d\" }\n");
    const auto policy = iam_policy(file, known);
    std::map<std::string, texts> in_vpc;
    for (const auto& s : statements_of(policy)) {
        const auto* condition = s.as_object().if_contains("Condition");
        if (const auto* arns = condition == nullptr ? nullptr : condition->as_object().if_contains("ArnLike")) {
            EXPECT_EQ(arns->at("ec2:Vpc"), "arn:aws:ec2:eu-west-1:*:vpc/vpc-0a1b2c3d") << "which another account may share";
            EXPECT_EQ(texts_of(s.at("Resource")), texts{"arn:aws:ec2:eu-west-1:123456789012:network-interface/*"});
            in_vpc[std::string(s.at("Sid").as_string())] = texts_of(s.at("Action"));
        }
    }
    EXPECT_EQ(in_vpc, (std::map<std::string, texts>{
                          {"MoveElasticIps2", {"ec2:AssociateAddress"}},
                          {"MoveIpv6Addresses", {"ec2:AssignIpv6Addresses", "ec2:UnassignIpv6Addresses"}},
                          {"MoveSecondaryAddresses", {"ec2:AssignPrivateIpAddresses"}},
                          {"SwitchSourceDestCheck", {"ec2:ModifyNetworkInterfaceAttribute"}},
                      }));
    EXPECT_NE(policy.err.find("every network interface of the VPC is allowed"), std::string::npos) << policy.err;
    EXPECT_NE(iam_policy(file, {}).err.find("every network interface of the account is allowed"), std::string::npos);
    EXPECT_EQ(iam_policy(file, {}).out.find("ec2:Vpc"), std::string::npos);
}

TEST(iam_policy, interfaces_that_are_found_by_tags_or_address_are_those_of_the_vpc)
{
    for (const std::string match : {R"({ tags = { Name = "floating" } })", R"({ address = "10.1.0.50" })"}) {
        const auto file = file_with("[[router.eni]]\nmatch = " + match + "\n");
        const auto policy = iam_policy(file, known);
        const auto interfaces = statement(policy, "MoveInterfaces");
        EXPECT_EQ(texts_of(interfaces.at("Resource")), texts{"arn:aws:ec2:eu-west-1:123456789012:network-interface/*"});
        const auto& when = interfaces.at("Condition").as_object();
        EXPECT_EQ(when.at("ArnLike").at("ec2:Vpc"), "arn:aws:ec2:eu-west-1:*:vpc/vpc-0a1b2c3d") << match;
        const bool by_tags = match.find("tags") != std::string::npos;
        EXPECT_EQ(when.contains("StringLike"), by_tags);
        EXPECT_NE(policy.err.find("note: an interface that [[router.eni]] matches by tags or address may be moved if it is of "
                                  "vpc-0a1b2c3d; one of another VPC has to be matched by id\n"),
                  std::string::npos)
            << policy.err;
        EXPECT_EQ(policy.err.find("every network interface of the VPC is allowed; match it by id") != std::string::npos,
                  !by_tags)
            << policy.err;
        EXPECT_FALSE(statement(policy, "MoveInterfacesBetweenInstances").contains("Condition"))
            << "an instance has no such key";

        const auto anywhere = iam_policy(file, {});
        EXPECT_EQ(anywhere.out.find("ec2:Vpc"), std::string::npos);
        EXPECT_NE(anywhere.err.find(by_tags ? "in every VPC; give --vpc" : "every network interface of the account is allowed"),
                  std::string::npos)
            << anywhere.err;
        EXPECT_EQ(anywhere.err.find("matches by tags or address"), std::string::npos);
    }
}

TEST(iam_policy, an_interface_that_is_named_may_be_of_any_vpc)
{
    const auto policy = iam_policy(file_with("[[router.eni]]\nmatch = { id = \"eni-0a1b2c3d\" }\n"), known);
    const auto interfaces = statement(policy, "MoveInterfaces");
    EXPECT_EQ(texts_of(interfaces.at("Resource")), texts{"arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-0a1b2c3d"});
    EXPECT_FALSE(interfaces.contains("Condition"));
    EXPECT_EQ(policy.err.find("VPC"), std::string::npos) << policy.err;
}

TEST(iam_policy, statements_that_differ_in_their_conditions_have_names_of_their_own)
{
    const auto policy =
        iam_policy(file_with("[[router.route]]\ndestination = \"172.16.1.100/32\"\ntables = { ids = [\"rtb-0a1b2c3d\"] }\n"
                             "[[router.route]]\ndestination = \"172.16.1.101/32\"\ntables = { vpc = true }\n"),
                   known);
    texts names;
    for (const auto& s : statements_of(policy)) {
        names.emplace(s.at("Sid").as_string());
    }
    EXPECT_EQ(names, (texts{"MoveRoutes", "MoveRoutes2", "Read"}));
}

TEST(iam_policy, what_only_doctor_reads_is_a_statement_of_its_own)
{
    const auto file = file_with("[[router.route]]\ndestination = \"172.16.1.100/32\"\ntables = { vpc = true }\n");
    auto scope = known;
    scope.with_doctor = true;
    const auto policy = iam_policy(file, scope);
    EXPECT_EQ(texts_of(statement(policy, "ReadByDoctor").at("Action")),
              (texts{"ec2:DescribeInstanceTypes", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
                     "ec2:DescribeSubnets", "ec2:DescribeVpcs"}));
    EXPECT_EQ(texts_of(statement(policy, "Read").at("Action")),
              (texts{"ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables"}));
    EXPECT_EQ(statements_of(policy).size(), statements_of(iam_policy(file, known)).size() + 1);
}

TEST(iam_policy, a_profile_may_assume_a_role_which_is_said)
{
    auto configuration =
        file_with("[[router.route]]\ndestination = \"172.16.1.100/32\"\ntables = { ids = [\"rtb-0a1b2c3d\"] }\n");
    EXPECT_EQ(iam_policy(configuration, known).err.find("sts:AssumeRole"), std::string::npos);
    configuration.aws.profile = "routes";
    EXPECT_NE(iam_policy(configuration, known).err.find("the profile \"routes\" assumes a role"), std::string::npos);
    EXPECT_NE(iam_policy(configuration, known).err.find("sts:AssumeRole"), std::string::npos);
}

TEST(iam_policy, a_configuration_that_moves_nothing_needs_nothing)
{
    const auto policy = iam_policy(file_with("[[router.address]]\naddress = \"172.16.1.100/32\"\n"), known);
    EXPECT_EQ(policy.out, "");
    EXPECT_EQ(policy.err, "vipd: this configuration moves nothing in AWS and needs no permission\n");
    EXPECT_EQ(policy.exit_code, exit_success);
}

TEST(iam_policy, a_scope_that_cannot_be_meant_is_refused)
{
    EXPECT_EQ(wrong_scope(known), "");
    EXPECT_EQ(wrong_scope({}), "");
    EXPECT_EQ(wrong_scope({"12345", "", ""}), "--account takes the twelve digits of an account, not \"12345\"");
    EXPECT_EQ(wrong_scope({"", "Ireland", ""}), "--region takes the name of a region, such as eu-west-1, not \"Ireland\"");
    EXPECT_EQ(wrong_scope({"", "", "vpc-*"}), "--vpc takes the id of a VPC, \"vpc-\" and 8 to 17 digits, not \"vpc-*\"");
}

}  // namespace
}  // namespace vipd::cli
