#include "tests/unit/doctor/doctor_fixture.hpp"

#include <gmock/gmock.h>

namespace vipd::doctor {

namespace {

namespace json = boost::json;
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
    EXPECT_THAT(expect(verdict::fail, "eni 10.0.1.11").found, HasSubstr("is the primary interface of i-0aaaaaaaaaaaaaaa3"));
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
