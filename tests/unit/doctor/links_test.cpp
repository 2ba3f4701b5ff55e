#include "tests/unit/doctor/doctor_fixture.hpp"

#include <gmock/gmock.h>

namespace vipd::doctor {

namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* check = "interface ens6";

class doctor_links : public doctor_test {
protected:
    void examine_with(const std::string& more)
    {
        moves = more;
        examine();
    }
    void add_link(bool up, bool running) { kernel.emplace_back(net::link_seen{{3, "ens6", "02:00:00:00:01:50", up, running}}); }

    const std::string address = "[[router.address]]\naddress = \"172.16.1.100/32\"\ninterface = \"ens6\"\n";
    const std::string tracker = "[[router.track]]\nname = \"backend\"\nkind = \"interface\"\ninterface = \"ens6\"\n";
    const std::string policy =
        "[[router.policy]]\ntable = 100\nroutes = [{ to = \"default\", via = \"10.0.1.1\", interface = \"ens6\" }]\n";
};

TEST_F(doctor_links, an_address_has_to_have_its_interface)
{
    examine_with(address + "\n[[router.address]]\naddress = \"172.16.1.101/32\"\ninterface = \"ens6\"\n");
    const auto missing = expect(verdict::fail, check);
    EXPECT_EQ(missing.found,
              "this node has no such interface, but lo, ens5; it is for [[router.address]] 172.16.1.100/32 of router web and 1 "
              "more");
    EXPECT_EQ(missing.remedy, "put right `interface` in [[router.address]]");
    EXPECT_THAT(all(verdict::fail), SizeIs(1)) << text();

    add_link(false, false);
    examine_with(address);
    EXPECT_EQ(expect(verdict::fail, check).found, "it is down; it is for [[router.address]] 172.16.1.100/32 of router web");
    EXPECT_EQ(expect(verdict::fail, check).remedy, "`ip link set ens6 up`");

    kernel.pop_back();
    add_link(true, false);
    examine_with(address);
    EXPECT_THAT(expect(verdict::warn, check).found, HasSubstr("it is up, and has no carrier; it is for"));

    kernel.pop_back();
    add_link(true, true);
    examine_with(address);
    EXPECT_THAT(all(verdict::fail), IsEmpty()) << text();
    EXPECT_THAT(all(verdict::warn), IsEmpty()) << text();
}

TEST_F(doctor_links, what_is_wrong_with_the_routers_own_is_said_once)
{
    kernel[2] = net::link_seen{{2, "ens5", "02:00:00:00:01:10", false, false}};
    examine_with("[[router.address]]\naddress = \"172.16.1.100/32\"\ninterface = \"ens5\"\n");
    EXPECT_THAT(all(verdict::fail), SizeIs(1)) << text();
}

TEST_F(doctor_links, policies_and_trackers_want_theirs_too)
{
    struct row {
        const std::string& more;
        const char* whom;
        const char* section;
    };
    const auto of_node = "[[policy]]" + policy.substr(policy.find('\n'));
    for (const auto& [more, whom, section] :
         {row{policy, "[[router.policy]] a route of table 100 of router web", "[[router.policy]]"},
          row{of_node, "[[policy]] a route of table 100", "[[policy]]"},
          row{tracker, "[[router.track]] tracker backend of router web", "[[router.track]]"}}) {
        examine_with(more);
        const auto missing = expect(verdict::warn, check);
        EXPECT_EQ(missing.found, std::string("this node has no such interface, but lo, ens5; it is for ") + whom);
        EXPECT_EQ(missing.remedy, std::string("put right `interface` in ") + section);
        EXPECT_FALSE(has_failed(result_)) << text();
        add_link(false, false);
        examine_with(more);
        EXPECT_EQ(expect(verdict::warn, check).found, std::string("it is down; it is for ") + whom);
        kernel.pop_back();
    }
}

TEST_F(doctor_links, one_that_comes_with_an_interface_is_not_missed)
{
    peers = peer_in_subnet;
    allow({"*"});
    const std::string eni = "[[router.eni]]\nmatch = { tags = { Name = \"floating\" } }\n";
    examine_with(eni + address + tracker);
    EXPECT_THAT(expect(verdict::skipped, check).found,
                HasSubstr("and may be the link of a [[router.eni]] that is not at this instance"));
    expect_no(verdict::fail, check);
    expect_no(verdict::warn, check);

    // It has come, and vipd sets it up.
    auto moved = item("interfaces", floating);
    topology.at("interfaces").as_array().clear();
    moved["device_index"] = 1;
    item("instances", node_a).at("interfaces").as_array().push_back(moved);
    add_link(false, false);
    examine_with(eni + address);
    expect_no(verdict::skipped, check);
    expect_no(verdict::fail, check);

    kernel.pop_back();
    examine_with(eni + "\n[[router.address]]\naddress = \"172.16.1.100/32\"\ninterface = \"ens7\"\n");
    EXPECT_THAT(expect(verdict::fail, "interface ens7").found, HasSubstr("this node has no such interface"));
}

}  // namespace

}  // namespace vipd::doctor
