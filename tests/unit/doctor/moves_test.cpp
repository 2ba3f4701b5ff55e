#include "tests/unit/doctor/doctor_fixture.hpp"

#include <gmock/gmock.h>

namespace vipd::doctor {

namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class doctor_routes : public doctor_test {
protected:
    void route_to(const std::string& destination, const std::string& more = "tables = { vpc = true }")
    {
        moves = "[[router.route]]\ndestination = \"" + destination + "\"\n" + more + "\n";
        check = "route " + destination;
        examine();
    }

    std::string check;
};

TEST_F(doctor_routes, a_destination_inside_of_the_vpc_is_refused_unless_it_is_a_whole_subnet)
{
    route_to("10.0.1.100/32");
    const auto inside = expect(verdict::fail, check);
    EXPECT_THAT(inside.found, HasSubstr("inside of vpc-0aaaaaaaaaaaaaaa1 (10.0.0.0/16), and no whole subnet"));
    EXPECT_THAT(inside.remedy, HasSubstr("[[router.secondary_ip]]"));

    route_to("10.0.2.0/24");
    EXPECT_THAT(expect(verdict::ok, check).found, HasSubstr("a whole subnet of vpc-0aaaaaaaaaaaaaaa1"));

    route_to("10.0.0.0/16");
    EXPECT_THAT(expect(verdict::warn, check).remedy, HasSubstr("outside of the VPC"));
}

TEST_F(doctor_routes, an_ipv6_destination_is_held_against_the_ipv6_ranges_of_the_vpc)
{
    item("vpcs", "vpc-0aaaaaaaaaaaaaaa1")["cidrs"] = json::array{"10.0.0.0/16", "2001:db8:2::/56"};
    route_to("2001:db8:2::64/128");
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("2001:db8:2::/56"));
    route_to("fd12:3456::1/128");
    EXPECT_THAT(expect(verdict::ok, check).found, HasSubstr("outside of"));
}

TEST_F(doctor_routes, every_table_is_looked_for_and_its_route_is_said)
{
    route_to("172.16.1.100/32");
    const auto findings = all(verdict::ok);
    EXPECT_TRUE(std::ranges::any_of(findings, [](const finding& f) {
        return f.found ==
               "leads to eni-0aaaaaaaaaaaaaaa1 in rtb-0aaaaaaaaaaaaaaa2 (private-a); to none in rtb-0aaaaaaaaaaaaaaa1 "
               "(main), rtb-0aaaaaaaaaaaaaaa3 (private-b)";
    })) << text();

    route_to("172.16.1.100/32", R"(tables = { ids = ["rtb-0aaaaaaaaaaaaaaa2", "rtb-0aaaaaaaaaaaaaaa8"] })");
    EXPECT_EQ(expect(verdict::fail, check).found, "there is no route table rtb-0aaaaaaaaaaaaaaa8 in this account and region");

    route_to("172.16.1.100/32", R"(tables = { tags = { Name = "nobody-*" } })");
    EXPECT_EQ(expect(verdict::fail, check).found, "no route table is in vpc-0aaaaaaaaaaaaaaa1 with tag Name=nobody-*");
}

TEST_F(doctor_routes, tables_of_gateways_and_of_other_vpcs_cannot_have_the_route)
{
    topology.at("vpcs").as_array().push_back(json::parse(R"({"id": "vpc-0aaaaaaaaaaaaaaa2", "cidrs": ["10.9.0.0/16"]})"));
    auto& tables = topology.at("route_tables").as_array();
    tables.push_back(json::parse(R"({"id": "rtb-0aaaaaaaaaaaaaaa4", "vpc": "vpc-0aaaaaaaaaaaaaaa2"})"));
    tables.push_back(json::parse(
        R"({"id": "rtb-0aaaaaaaaaaaaaaa5", "vpc": "vpc-0aaaaaaaaaaaaaaa1", "gateways": ["igw-0aaaaaaaaaaaaaaa1"]})"));
    route_to("172.16.1.100/32", R"(tables = { ids = ["rtb-0aaaaaaaaaaaaaaa4", "rtb-0aaaaaaaaaaaaaaa2"] })");
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("rtb-0aaaaaaaaaaaaaaa4 is of vpc-0aaaaaaaaaaaaaaa2, and"));
    route_to("172.16.1.100/32", R"(tables = { ids = ["rtb-0aaaaaaaaaaaaaaa5"] })");
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("associated with a gateway"));
    route_to("172.16.1.100/32");
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
}

TEST_F(doctor_routes, the_source_destination_check_has_to_be_off_or_to_be_vipds_business)
{
    interface_of(node_a)["source_dest_check"] = true;
    route_to("172.16.1.100/32");
    const auto on = expect(verdict::fail, "source/destination check");
    EXPECT_EQ(on.found, "on at eni-0aaaaaaaaaaaaaaa1: EC2 drops what is routed there");
    EXPECT_THAT(on.remedy, HasSubstr("--no-source-dest-check"));
    route_to("172.16.1.100/32", "tables = { vpc = true }\nsource_dest_check = \"disable\"");
    EXPECT_EQ(expect(verdict::ok, "source/destination check").found, "on at eni-0aaaaaaaaaaaaaaa1; vipd switches it off");
    expect(verdict::ok, "ec2:ModifyNetworkInterfaceAttribute");
}

TEST_F(doctor_routes, an_interface_id_that_nobody_has_is_a_failure)
{
    route_to("172.16.1.100/32", "tables = { vpc = true }\ninterface_id = \"eni-0bbbbbbbbbbbbbbb1\"");
    EXPECT_EQ(expect(verdict::fail, check).found, "EC2 knows no interface eni-0bbbbbbbbbbbbbbb1");
}

class doctor_addresses : public doctor_test {
protected:
    doctor_addresses() { peers = peer_in_subnet; }

    void secondary(const std::string& address)
    {
        moves = "[[router.secondary_ip]]\naddress = \"" + address + "\"\n";
        check = "secondary_ip " + address;
        examine();
    }
    void elastic(const std::string& more, const std::string& id = "eipalloc-0aaaaaaaaaaaaaaa1")
    {
        moves = "[[router.elastic_ip]]\nallocation = \"" + id + "\"\n" + more;
        check = "elastic_ip " + id;
        allow({"*"});
        examine();
    }

    std::string check;
};

TEST_F(doctor_addresses, a_secondary_address_has_to_be_of_the_subnet_and_nobodys_primary_one)
{
    secondary("10.0.1.100");
    EXPECT_EQ(expect(verdict::ok, check).found, "of the subnet of eni-0aaaaaaaaaaaaaaa1; no interface has it");
    secondary("10.0.2.100");
    const auto outside = expect(verdict::fail, check);
    EXPECT_THAT(outside.found,
                HasSubstr("outside of the subnet of eni-0aaaaaaaaaaaaaaa1: subnet-0aaaaaaaaaaaaaaa1 (10.0.1.0/24)"));
    EXPECT_THAT(outside.remedy, HasSubstr("[[router.route]]"));
    secondary("10.0.1.50");
    EXPECT_EQ(expect(verdict::fail, check).found, "it is the primary address of eni-0aaaaaaaaaaaaaaa9, which cannot be moved");
}

TEST_F(doctor_addresses, what_an_interface_of_another_vpc_has_is_nobodys_in_this_one)
{
    topology.at("vpcs").as_array().push_back(json::parse(R"({"id": "vpc-0aaaaaaaaaaaaaaa2", "cidrs": ["10.0.0.0/16"]})"));
    topology.at("subnets").as_array().push_back(json::parse(
        R"({"id": "subnet-0aaaaaaaaaaaaaaa9", "vpc": "vpc-0aaaaaaaaaaaaaaa2", "zone": "eu-west-1a", "cidrs": ["10.0.1.0/24"]})"));
    topology.at("interfaces")
        .as_array()
        .push_back(
            json::parse(R"({"id": "eni-00000000000000001", "subnet": "subnet-0aaaaaaaaaaaaaaa9", "mac": "02:00:00:00:09:01",)"
                        R"( "addresses": ["10.0.1.100"]})"));
    secondary("10.0.1.100");
    EXPECT_EQ(expect(verdict::ok, check).found, "of the subnet of eni-0aaaaaaaaaaaaaaa1; no interface has it");
}

TEST_F(doctor_addresses, an_interface_takes_no_more_addresses_than_its_type_allows)
{
    interface_of(node_a)["addresses"] = json::array{"10.0.1.10", "10.0.1.98"};
    secondary("10.0.1.100");
    EXPECT_EQ(expect(verdict::fail, check).found,
              "eni-0aaaaaaaaaaaaaaa1 has 2 of the 2 addresses that an interface of t3.micro takes");
    expect_no(verdict::ok, check);
    secondary("10.0.1.98");
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
    EXPECT_THAT(expect(verdict::ok, check).found, HasSubstr("eni-0aaaaaaaaaaaaaaa1 has it"));
}

TEST_F(doctor_addresses, those_that_move_to_one_interface_have_to_fit_together)
{
    const std::string second = "\n[[router.secondary_ip]]\naddress = \"10.0.1.101\"\n";
    moves = "[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n" + second;
    examine();
    for (const auto* each : {"secondary_ip 10.0.1.100", "secondary_ip 10.0.1.101"}) {
        const auto full = expect(verdict::fail, each);
        EXPECT_EQ(full.found,
                  "eni-0aaaaaaaaaaaaaaa1 has 1 IPv4 addresses, with all that [[router.secondary_ip]] moves there it would have "
                  "3, and an interface of t3.micro takes 2");
        EXPECT_EQ(full.remedy, "move fewer addresses there, put some on another interface, or choose a larger instance type");
        expect_no(verdict::ok, each);
    }

    const auto other_router = "\n[[router]]\nname = \"mail\"\nvrid = 52\ninterface = \"ens5\"\npeers = " + peers + "\n";
    moves = "[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n" + other_router + second;
    examine();
    EXPECT_THAT(expect(verdict::fail, "secondary_ip 10.0.1.100").found, HasSubstr("it would have 3")) << "of another router";
    EXPECT_THAT(expect(verdict::fail, "secondary_ip 10.0.1.101").found, HasSubstr("it would have 3"));

    moves = "[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n" + second + "interface_id = \"eni-0aaaaaaaaaaaaaaa9\"\n";
    examine();
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();

    interface_of(node_a)["addresses"] = json::array{"10.0.1.10", "10.0.1.101"};
    examine();
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << "what goes to another makes room\n" << text();
}

TEST_F(doctor_addresses, an_elastic_ip_is_looked_for_with_where_it_is)
{
    elastic("");
    const auto primary = expect(verdict::warn, check);
    EXPECT_THAT(primary.found, HasSubstr("203.0.113.10, mapped to nobody; it goes to the primary address of"));
    EXPECT_THAT(primary.remedy, HasSubstr("VPC endpoint or NAT"));
    expect(verdict::ok, "ec2:AssociateAddress");

    elastic("private_address = \"10.0.1.99\"\n");
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("10.0.1.99, to which it is to be mapped, is no address of"));

    elastic("private_address = \"10.0.1.100\"\n\n[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n");
    EXPECT_EQ(expect(verdict::ok, check).found, "203.0.113.10, mapped to nobody");

    const std::string by_id =
        "private_address = \"10.0.1.100\"\ninterface_id = \"eni-0aaaaaaaaaaaaaaa9\"\n\n[[router.secondary_ip]]\n"
        "address = \"10.0.1.100\"\ninterface_id = ";
    elastic(by_id + "\"eni-0aaaaaaaaaaaaaaa9\"\n");
    EXPECT_EQ(expect(verdict::ok, check).found, "203.0.113.10, mapped to nobody");
    elastic(by_id + "\"eni-0aaaaaaaaaaaaaaa1\"\n");
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("10.0.1.100, to which it is to be mapped, is no address of"));

    elastic("", "eipalloc-0bbbbbbbbbbbbbbb1");
    EXPECT_EQ(expect(verdict::fail, check).found, "there is none in this account and region");
}

class doctor_enis : public doctor_test {
protected:
    doctor_enis() { peers = peer_in_subnet; }

    void eni(const std::string& match, const std::string& more = "")
    {
        moves = "[[router.eni]]\nmatch = " + match + "\n" + more;
        allow({"*"});
        examine();
    }
    static constexpr const char* by_tag = R"({ tags = { Name = "floating" } })";
    static constexpr const char* check = "eni vpc-0aaaaaaaaaaaaaaa1 with tag Name=floating";
};

TEST_F(doctor_enis, an_interface_that_is_free_in_this_zone_is_right)
{
    eni(by_tag);
    EXPECT_EQ(expect(verdict::ok, check).found, "eni-0aaaaaaaaaaaaaaa9, attached to nobody");
    EXPECT_EQ(expect(verdict::ok, "ec2:AttachNetworkInterface").found,
              "allowed on eni-0aaaaaaaaaaaaaaa9 at i-0aaaaaaaaaaaaaaa1 (dry run)");
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
}

TEST_F(doctor_enis, exactly_one_has_to_be_found)
{
    eni(R"({ tags = { Name = "nobody" } })");
    EXPECT_EQ(expect(verdict::fail, "eni vpc-0aaaaaaaaaaaaaaa1 with tag Name=nobody").found, "there is no such interface");

    auto second = item("interfaces", floating);
    second["id"] = "eni-0aaaaaaaaaaaaaaa8";
    second["mac"] = "02:00:00:00:01:51";
    second["addresses"] = json::array{"10.0.1.51"};
    topology.at("interfaces").as_array().push_back(second);
    eni(by_tag);
    EXPECT_EQ(expect(verdict::fail, check).found, "there are 2 of them: eni-0aaaaaaaaaaaaaaa8, eni-0aaaaaaaaaaaaaaa9");
}

TEST_F(doctor_enis, it_has_to_be_in_the_zone_of_the_instance)
{
    item("interfaces", floating)["subnet"] = "subnet-0aaaaaaaaaaaaaaa2";
    item("interfaces", floating)["addresses"] = json::array{"10.0.2.50"};
    eni(by_tag);
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("is in eu-west-1b, and this instance in eu-west-1a"));
}

TEST_F(doctor_enis, the_primary_interface_of_an_instance_cannot_be_moved)
{
    eni(R"({ address = "10.0.1.11" })");
    EXPECT_THAT(expect(verdict::fail, "eni 10.0.1.11 in vpc-0aaaaaaaaaaaaaaa1").found,
                HasSubstr("is the primary interface of i-0aaaaaaaaaaaaaaa3"));
}

TEST_F(doctor_enis, what_another_service_manages_stays_where_it_is)
{
    item("interfaces", floating)["requester_managed"] = true;
    eni(R"({ id = "eni-0aaaaaaaaaaaaaaa9" })");
    EXPECT_THAT(expect(verdict::fail, "eni eni-0aaaaaaaaaaaaaaa9").found, HasSubstr("belongs to another service of AWS"));
}

TEST_F(doctor_enis, the_device_index_has_to_be_free_and_low_enough)
{
    eni(by_tag, "device_index = 2\n");
    EXPECT_EQ(expect(verdict::fail, check).found, "device_index 2 is too high: t3.micro takes 2 interfaces, 0 to 1");
    expect_no(verdict::ok, check);

    item("instances", node_a)
        .at("interfaces")
        .as_array()
        .push_back(json::parse(
            R"({"id": "eni-0aaaaaaaaaaaaaaa7", "subnet": "subnet-0aaaaaaaaaaaaaaa1", "mac": "02:00:00:00:01:12",
            "addresses": ["10.0.1.12"]})"));
    eni(by_tag, "device_index = 1\n");
    EXPECT_EQ(expect(verdict::fail, check).found, "device_index 1 of this instance is taken by eni-0aaaaaaaaaaaaaaa7");
    expect_no(verdict::ok, check);

    eni(by_tag);
    EXPECT_EQ(expect(verdict::fail, check).found, "this instance has 2 interfaces, and t3.micro takes 2");
    expect_no(verdict::ok, check);
}

TEST_F(doctor_enis, those_that_move_here_have_to_fit_together)
{
    auto second = item("interfaces", floating);
    second["id"] = "eni-0aaaaaaaaaaaaaaa8";
    second["mac"] = "02:00:00:00:01:51";
    second["addresses"] = json::array{"10.0.1.51"};
    second["tags"] = json::object{{"Name", "second"}};
    topology.at("interfaces").as_array().push_back(second);
    const std::string other = "\n[[router.eni]]\nmatch = { tags = { Name = \"second\" } }\n";
    constexpr const char* check_of_other = "eni vpc-0aaaaaaaaaaaaaaa1 with tag Name=second";
    eni(by_tag, other);
    for (const auto* each : {check, check_of_other}) {
        const auto full = expect(verdict::fail, each);
        EXPECT_EQ(
            full.found,
            "this instance has 1 interfaces, with all that [[router.eni]] moves here it would have 3, and t3.micro takes 2");
        EXPECT_EQ(full.remedy, "move fewer interfaces here, detach another one, or choose a larger instance type");
        expect_no(verdict::ok, each);
    }

    item("instances", node_a)["type"] = "t3.large";
    eni(by_tag, other);
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
    eni(by_tag, "device_index = 1\n" + other + "device_index = 2\n");
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
}

TEST_F(doctor_enis, one_with_more_addresses_than_the_type_allows_is_not_attached)
{
    item("interfaces", floating)["addresses"] = json::array{"10.0.1.50", "10.0.1.51"};
    eni(by_tag);
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();

    item("interfaces", floating)["addresses"] = json::array{"10.0.1.50", "10.0.1.51", "10.0.1.52"};
    eni(by_tag);
    const auto v4 = expect(verdict::fail, check);
    EXPECT_EQ(v4.found,
              "eni-0aaaaaaaaaaaaaaa9 has 3 IPv4 addresses, and an interface of t3.micro takes 2: EC2 does not attach it here");
    EXPECT_EQ(v4.remedy, "take addresses away from it, or choose a larger instance type");
    expect_no(verdict::ok, check);
}

TEST_F(doctor_enis, ipv6_addresses_are_counted_by_themselves)
{
    item("vpcs", "vpc-0aaaaaaaaaaaaaaa1")["cidrs"] = json::array{"10.0.0.0/16", "2001:db8:2::/56"};
    item("subnets", "subnet-0aaaaaaaaaaaaaaa1")["cidrs"] = json::array{"10.0.1.0/24", "2001:db8:2:1::/64"};
    item("interfaces", floating)["addresses"] = json::array{"10.0.1.50", "2001:db8:2:1::1", "2001:db8:2:1::2"};
    eni(by_tag);
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
    item("interfaces", floating)["addresses"] =
        json::array{"10.0.1.50", "2001:db8:2:1::1", "2001:db8:2:1::2", "2001:db8:2:1::3"};
    eni(by_tag);
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("has 3 IPv6 addresses, and an interface of t3.micro takes 2"));
}

TEST_F(doctor_enis, addresses_that_the_interface_has_are_right_and_ask_for_nothing_more)
{
    item("interfaces", floating)["addresses"] = json::array{"10.0.1.50", "10.0.1.51"};
    eni(by_tag, "addresses = [\"10.0.1.51\"]\n");
    expect(verdict::ok, check);
    expect_no(verdict::warn, check);
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
    EXPECT_TRUE(std::ranges::none_of(bodies, [](const std::string& body) {
        return body.find("Action=DescribeSubnets") != std::string::npos;
    })) << "a daemon's permissions are enough";
}

TEST_F(doctor_enis, an_address_of_the_subnet_that_ec2_has_not_given_it_may_be_of_a_prefix)
{
    eni(by_tag, "addresses = [\"10.0.1.50\", \"10.0.1.51\"]\n");
    const auto missing = expect(verdict::warn, check);
    EXPECT_EQ(
        missing.found,
        "addresses names 10.0.1.51, and eni-0aaaaaaaaaaaaaaa9 has 10.0.1.50: the VPC delivers it there only if it is in a "
        "prefix of that interface");
    EXPECT_EQ(missing.remedy,
              "put right addresses in [[router.eni]], or assign it: `aws ec2 assign-private-ip-addresses "
              "--network-interface-id eni-0aaaaaaaaaaaaaaa9 --private-ip-addresses 10.0.1.51`");
    expect(verdict::ok, check);

    eni(by_tag, "addresses = [\"10.0.1.50\", \"2001:db8:2:1::9\"]\n");
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("2001:db8:2:1::9, which is outside of the subnet"));
}

TEST_F(doctor_enis, addresses_that_the_vpc_delivers_elsewhere_are_all_said)
{
    auto second = item("interfaces", floating);
    second["id"] = "eni-0aaaaaaaaaaaaaaa8";
    second["mac"] = "02:00:00:00:01:51";
    second["addresses"] = json::array{"10.0.1.51"};
    second["tags"] = json::object{};
    topology.at("interfaces").as_array().push_back(second);
    eni(by_tag, "addresses = [\"10.0.1.51\", \"10.0.3.50\"]\n");
    std::vector<std::string> found;
    std::vector<std::string> remedies;
    for (const auto& one : all(verdict::fail)) {
        EXPECT_EQ(one.check, check);
        found.push_back(one.found);
        remedies.push_back(one.remedy);
    }
    EXPECT_THAT(found, ElementsAre("addresses names 10.0.1.51, and the VPC delivers it to eni-0aaaaaaaaaaaaaaa8, not to "
                                   "eni-0aaaaaaaaaaaaaaa9",
                                   "addresses names 10.0.3.50, which is outside of the subnet of eni-0aaaaaaaaaaaaaaa9, "
                                   "subnet-0aaaaaaaaaaaaaaa1 (10.0.1.0/24): the VPC delivers it nowhere"));
    EXPECT_THAT(remedies,
                ElementsAre("put right addresses in [[router.eni]], or take it away from the interface that has it",
                            "put right addresses in [[router.eni]], or lead it to the interface by [[router.route]]"));
    expect_no(verdict::ok, check);
}

TEST_F(doctor_enis, what_a_route_leads_to_the_interface_need_not_be_given_by_ec2)
{
    const std::string route = "\n[[router.route]]\ndestination = \"172.16.1.0/24\"\ntables = { vpc = true }\ninterface_id = ";
    eni(by_tag, "addresses = [\"172.16.1.100\"]\n" + route + "\"eni-0aaaaaaaaaaaaaaa9\"\n");
    expect(verdict::ok, check);
    expect_no(verdict::fail, check);
    eni(by_tag, "addresses = [\"172.16.1.100\"]\n" + route + "\"eni-0aaaaaaaaaaaaaaa3\"\n");
    EXPECT_THAT(expect(verdict::fail, check).found, HasSubstr("172.16.1.100, which is outside of the subnet")) << "another one";
}

TEST_F(doctor_enis, what_is_assigned_to_the_interface_by_a_move_need_not_be_there_yet)
{
    const std::string secondary = "\n[[router.secondary_ip]]\naddress = \"10.0.1.51\"\ninterface_id = ";
    eni(by_tag, "addresses = [\"10.0.1.51\"]\n" + secondary + "\"eni-0aaaaaaaaaaaaaaa9\"\n");
    expect(verdict::ok, check);
    expect_no(verdict::warn, check);
    eni(by_tag, "addresses = [\"10.0.1.51\"]\n" + secondary + "\"eni-0aaaaaaaaaaaaaaa1\"\n");
    EXPECT_THAT(expect(verdict::warn, check).found, HasSubstr("addresses names 10.0.1.51")) << "another one";
}

TEST_F(doctor_enis, where_subnets_cannot_be_read_an_address_that_was_not_given_is_still_said)
{
    moves = std::string("[[router.eni]]\nmatch = ") + by_tag + "\naddresses = [\"10.0.3.50\"]\n";
    allow({"ec2:DescribeNetworkInterfaces", "ec2:DescribeInstanceTypes"});
    examine();
    EXPECT_THAT(expect(verdict::warn, check).found, HasSubstr("addresses names 10.0.3.50, and eni-0aaaaaaaaaaaaaaa9 has"));
}

TEST_F(doctor_enis, one_of_another_vpc_is_a_warning)
{
    topology.at("vpcs").as_array().push_back(json::parse(R"({"id": "vpc-0aaaaaaaaaaaaaaa2", "cidrs": ["10.9.0.0/16"]})"));
    topology.at("subnets").as_array().push_back(json::parse(
        R"({"id": "subnet-0aaaaaaaaaaaaaaa3", "vpc": "vpc-0aaaaaaaaaaaaaaa2", "zone": "eu-west-1a", "cidrs": ["10.9.1.0/24"]})"));
    auto& moved = item("interfaces", floating);
    moved["subnet"] = "subnet-0aaaaaaaaaaaaaaa3";
    moved["addresses"] = json::array{"10.9.1.50"};
    moved.erase("security_groups");
    eni(R"({ id = "eni-0aaaaaaaaaaaaaaa9" })");
    const auto foreign = expect(verdict::warn, "eni eni-0aaaaaaaaaaaaaaa9");
    EXPECT_EQ(foreign.found,
              "eni-0aaaaaaaaaaaaaaa9 is of vpc-0aaaaaaaaaaaaaaa2, and this instance of vpc-0aaaaaaaaaaaaaaa1: EC2 attaches it, "
              "and its security groups and routes are those of vpc-0aaaaaaaaaaaaaaa2");
    EXPECT_EQ(foreign.remedy,
              "name an interface of vpc-0aaaaaaaaaaaaaaa1 in match of [[router.eni]], unless vpc-0aaaaaaaaaaaaaaa2 is meant");
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
}

TEST_F(doctor_enis, one_that_is_attached_is_detached_first_and_may_be_deleted_with_its_instance)
{
    auto moved = item("interfaces", floating);
    topology.at("interfaces").as_array().clear();
    moved["device_index"] = 1;
    item("instances", "i-0aaaaaaaaaaaaaaa3").at("interfaces").as_array().push_back(moved);
    eni(by_tag);
    const auto found = expect(verdict::ok, check).found;
    EXPECT_THAT(found, HasSubstr("at i-0aaaaaaaaaaaaaaa3 as device 1; it would be deleted with that instance until"));
    expect(verdict::ok, "ec2:DetachNetworkInterface");
    expect(verdict::ok, "ec2:ModifyNetworkInterfaceAttribute");
}

}  // namespace

}  // namespace vipd::doctor
