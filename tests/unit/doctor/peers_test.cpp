#include "tests/unit/doctor/doctor_fixture.hpp"

#include <gmock/gmock.h>

namespace vipd::doctor {

namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

class doctor_peers : public doctor_test {
protected:
    // A second group, of the peer alone.
    json::object& give_peer_a_group_of_its_own()
    {
        topology.at("security_groups")
            .as_array()
            .push_back(json::parse(R"({"id": "sg-0aaaaaaaaaaaaaaa2", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "inbound": [
                {"protocol": "112", "cidrs": ["10.0.1.10/32"]}]})"));
        interface_of("i-0aaaaaaaaaaaaaaa2")["security_groups"] = json::array{"sg-0aaaaaaaaaaaaaaa2"};
        return item("security_groups", "sg-0aaaaaaaaaaaaaaa2");
    }
    static constexpr const char* peer = "peer 10.0.2.10";
};

TEST_F(doctor_peers, an_inbound_rule_that_is_missing_here_is_named_with_what_would_open_it)
{
    give_peer_a_group_of_its_own();
    examine();
    const auto closed = expect(verdict::fail, peer);
    EXPECT_EQ(closed.found, "protocol 112 is not let through: inbound of this node (sg-0aaaaaaaaaaaaaaa1) from 10.0.2.10");
    EXPECT_EQ(closed.remedy, "allow inbound IP protocol 112 from 10.0.2.10 or sg-0aaaaaaaaaaaaaaa2 in sg-0aaaaaaaaaaaaaaa1");
}

TEST_F(doctor_peers, an_inbound_rule_that_is_missing_there_is_found_too)
{
    auto& group_of_peer = give_peer_a_group_of_its_own();
    group_of_peer["inbound"] = json::array{};
    item("security_groups", group)["inbound"] = json::parse(R"([{"protocol": "-1", "cidrs": ["10.0.0.0/16"]}])");
    examine();
    EXPECT_THAT(expect(verdict::fail, peer).found, HasSubstr("inbound of 10.0.2.10 (sg-0aaaaaaaaaaaaaaa2) from this node"));
}

TEST_F(doctor_peers, outbound_rules_count_as_well)
{
    item("security_groups", group)["outbound"] =
        json::parse(R"([{"protocol": "tcp", "from_port": 443, "cidrs": ["0.0.0.0/0"]}])");
    examine();
    const auto closed = expect(verdict::fail, peer);
    EXPECT_THAT(closed.found, HasSubstr("outbound of 10.0.2.10 (sg-0aaaaaaaaaaaaaaa1) to this node"));
    EXPECT_THAT(closed.found, HasSubstr("outbound of this node (sg-0aaaaaaaaaaaaaaa1) to 10.0.2.10"));
    EXPECT_THAT(closed.remedy, HasSubstr("allow outbound IP protocol 112 to"));
}

TEST_F(doctor_peers, a_rule_for_every_protocol_of_a_range_is_enough)
{
    give_peer_a_group_of_its_own();
    item("security_groups", group)["inbound"] = json::parse(R"([{"cidrs": ["10.0.2.0/24"]}])");
    examine();
    EXPECT_THAT(expect(verdict::ok, peer).found, HasSubstr("passes both ways"));
}

TEST_F(doctor_peers, a_prefix_list_is_not_read)
{
    item("security_groups", group)["inbound"] =
        json::parse(R"([{"protocol": "112", "prefix_lists": ["pl-0aaaaaaaaaaaaaaa1"]}])");
    examine();
    const auto unclear = expect(verdict::warn, peer);
    EXPECT_THAT(unclear.found, HasSubstr("only a prefix list may let protocol 112 through: inbound of this node"));
    EXPECT_THAT(unclear.remedy, HasSubstr("doctor does not read prefix lists"));
}

TEST_F(doctor_peers, a_peer_that_nobody_is_and_one_that_is_this_node)
{
    peers = R"(["10.0.2.77", "10.0.1.11"])";
    examine();
    EXPECT_EQ(expect(verdict::warn, "peer 10.0.2.77").found, "no interface of vpc-0aaaaaaaaaaaaaaa1 has that address");
    expect(verdict::ok, "peer 10.0.1.11");

    interface_of(node_a)["addresses"] = json::array{"10.0.1.10", "10.0.1.20"};
    peers = R"(["10.0.1.20"])";
    examine();
    EXPECT_EQ(expect(verdict::fail, "peer 10.0.1.20").found, "it is an address of this node");
}

TEST_F(doctor_peers, what_cannot_leave_its_subnet_or_zone_needs_the_peers_to_be_there)
{
    moves = "[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n";
    peers = R"(["10.0.2.10", "10.0.1.11"])";
    examine();
    const auto elsewhere = expect(verdict::fail, peer);
    EXPECT_EQ(elsewhere.found,
              "eni-0aaaaaaaaaaaaaaa2 is in subnet-0aaaaaaaaaaaaaaa2, and eni-0aaaaaaaaaaaaaaa1 of this node in "
              "subnet-0aaaaaaaaaaaaaaa1: a secondary address is of one subnet");
    EXPECT_THAT(elsewhere.remedy, HasSubstr("into one subnet"));
    EXPECT_THAT(all(verdict::fail), ::testing::SizeIs(1)) << text();

    moves = "[[router.eni]]\nmatch = { id = \"eni-0aaaaaaaaaaaaaaa9\" }\n";
    allow({"*"});
    examine();
    EXPECT_THAT(expect(verdict::fail, peer).found, HasSubstr("is in eu-west-1b, and this node in eu-west-1a"));
    EXPECT_THAT(all(verdict::fail), ::testing::SizeIs(1)) << text();
}

TEST_F(doctor_peers, without_any_group_nothing_is_claimed)
{
    interface_of(node_a).erase("security_groups");
    examine();
    EXPECT_EQ(expect(verdict::skipped, peer).found, "EC2 shows no security group of this node");
}

}  // namespace

}  // namespace vipd::doctor
