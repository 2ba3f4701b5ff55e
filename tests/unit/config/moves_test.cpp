// [[router.secondary_ip]], [[router.elastic_ip]] and [[router.eni]]

#include "tests/unit/config/file.hpp"

#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

struct row {
    std::vector<std::string> lines;
    std::vector<std::string> errors;
};

TEST(moves, are_read_with_the_routers_interface_as_their_default)
{
    const auto all = outcome_of(router_with({"[[router.secondary_ip]]", R"(address = "10.0.1.100")",  //
                                             "[[router.elastic_ip]]", R"(allocation = "eipalloc-0a1b2c3d")",
                                             R"(private_address = "10.0.1.100")",  //
                                             "[[router.eni]]", R"(match = { tags = { Name = "floating" } })"}));
    ASSERT_EQ(all.errors, std::vector<std::string>{});
    const auto& router = all.value.routers.at(0);
    ASSERT_EQ(router.secondary_ips.size(), 1u);
    EXPECT_EQ(router.secondary_ips[0].interface, "ens5");
    ASSERT_EQ(router.elastic_ips.size(), 1u);
    EXPECT_EQ(router.elastic_ips[0].allocation.str(), "eipalloc-0a1b2c3d");
    EXPECT_EQ(router.elastic_ips[0].interface, "ens5");
    EXPECT_EQ(router.elastic_ips[0].private_address, ip_address::v4(10, 0, 1, 100));
    ASSERT_EQ(router.enis.size(), 1u);
    EXPECT_EQ(router.enis[0].match.tags, (std::vector<aws::tag_filter>{{"Name", "floating"}}));
    EXPECT_FALSE(router.enis[0].device_index);
    EXPECT_EQ(router.enis[0].addresses, std::vector<ip_address>{});
    EXPECT_TRUE(router.moves_in_cloud());
    EXPECT_TRUE(all.value.uses_aws());
}

TEST(moves, a_secondary_address_is_on_the_node_unless_an_address_says_where)
{
    const auto addresses_with = [](std::vector<std::string> more) {
        std::vector<std::string> lines = {"[[router.secondary_ip]]", R"(address = "10.0.1.100")"};
        lines.insert(lines.end(), more.begin(), more.end());
        return outcome_of(router_with(lines)).value.routers.at(0).addresses_on_node();
    };
    const auto own = addresses_with({});
    ASSERT_EQ(own.size(), 1u);
    EXPECT_EQ(own[0].address.to_string(), "10.0.1.100/32");
    EXPECT_EQ(own[0].interface, "ens5");
    const auto listed = addresses_with({"[[router.address]]", R"(address = "10.0.1.100/24")", R"(interface = "ens6")"});
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].address.to_string(), "10.0.1.100/24");
    EXPECT_EQ(listed[0].interface, "ens6");
}

TEST(moves, the_network_is_changed_by_what_the_node_has_while_active)
{
    const auto changes = [](const std::vector<std::string>& lines) {
        const auto all = outcome_of(router_with(lines));
        EXPECT_TRUE(all.errors.empty()) << all.errors[0];
        return all.value.changes_network();
    };
    const std::string match = R"(match = { id = "eni-0a1b2c3d" })";
    const std::string secondary = R"(address = "10.0.1.100")";
    EXPECT_FALSE(changes({}));
    EXPECT_TRUE(changes({"[[router.address]]", R"(address = "172.16.1.100")"}));
    EXPECT_TRUE(changes({"[[router.policy]]", "table = 100", R"(rules = [{ from = "10.1.0.50", priority = 90 }])"}));
    EXPECT_TRUE(changes({"[[router.secondary_ip]]", secondary}));
    EXPECT_FALSE(changes({"[[router.secondary_ip]]", secondary, R"(interface_id = "eni-0a1b2c3d")"})) << "it is not put here";
    EXPECT_TRUE(changes({"[[router.eni]]", match}));
    EXPECT_FALSE(changes({"[[router.eni]]", match, "configure = false"})) << "others set it up";
    EXPECT_FALSE(changes({"[[router.elastic_ip]]", R"(allocation = "eipalloc-0a1b2c3d")"})) << "EC2 alone maps it";
    EXPECT_TRUE(outcome_of("[[policy]]\ntable = 100\nrules = [{ from = \"10.1.0.50\", priority = 90 }]\n" + router_with({}))
                    .value.changes_network());
}

TEST(moves, adverts_list_a_secondary_address)
{
    const auto all = outcome_of(
        "[[router]]\nname = \"a\"\nvrid = 51\ninterface = \"ens5\"\npeers = [\"10.0.2.10\"]\n"
        "[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n");
    ASSERT_EQ(all.errors, std::vector<std::string>{});
    EXPECT_EQ(all.value.routers.at(0).advertised_addresses, std::vector{ip_address::v4(10, 0, 1, 100)});
}

TEST(moves, what_is_wrong_is_said_with_its_place)
{
    const std::vector<row> rows = {
        {{"[[router.secondary_ip]]", R"(address = "10.0.1.100/24")"},
         {R"(8:11: router[0].secondary_ip[0].address: found "10.0.1.100/24"; allowed is an IPv4 or IPv6 unicast address without )"
          R"(a zone)"}},
        {{"[[router.secondary_ip]]", R"(address = "10.0.2.10")"},
         {R"(8:11: router[0].secondary_ip[0].address: found "10.0.2.10", which is router[0].peers[0] (line 5): a node that took )"
          R"(the address of its peer could not hear it any more; choose an address that no node has of its own)"}},
        {{"[[router.elastic_ip]]", R"(allocation = "203.0.113.7")"},
         {R"(8:14: router[0].elastic_ip[0].allocation: found "203.0.113.7"; allowed is the allocation id of an Elastic IP )"
          R"(("eipalloc-" and 8 to 17 digits))"}},
        {{"[[router.elastic_ip]]", R"(allocation = "eipalloc-0a1b2c3d")", R"(private_address = "2001:db8::1")"},
         {R"(9:19: router[0].elastic_ip[0].private_address: found "2001:db8::1"; an Elastic IP is IPv4, and so is the private )"
          R"(address that it stands for)"}},
        {{"[[router.elastic_ip]]", R"(allocation = "eipalloc-0a1b2c3d")", R"(interface = "ens6")",
          R"(interface_id = "eni-0a1b2c3d")"},
         {R"(10:16: router[0].elastic_ip[0].interface_id: found "eni-0a1b2c3d" beside interface = "ens6"; remove one of the two)"}},
        {{"[[router.eni]]", "match = {}"},
         {"8:9: router[0].eni[0].match: found 0 of id, address and tags; name the interface by exactly one of them"}},
        {{"[[router.eni]]", R"(match = { id = "eni-0a1b2c3d", address = "10.1.0.50" })"},
         {"8:9: router[0].eni[0].match: found 2 of id, address and tags; name the interface by exactly one of them"}},
        {{"[[router.eni]]", R"(match = { id = "eni-0a1b2c3d" })", "device_index = 0"},
         {"9:16: router[0].eni[0].device_index: found 0; allowed is a whole number from 1 to 15"}},
        {{"[[router.eni]]", R"(match = { id = "eni-0a1b2c3d" })", R"(addresses = ["10.1.0.50", "10.1.0.50/24"])"},
         {R"(9:27: router[0].eni[0].addresses[1]: found "10.1.0.50/24"; allowed is an IPv4 or IPv6 unicast address without a )"
          R"(zone)"}},
        {{"[[router.eni]]", R"(match = { id = "eni-0a1b2c3d" })", R"(addresses = ["10.1.0.50", "10.1.0.50"])"},
         {R"(9:27: router[0].eni[0].addresses[1]: found "10.1.0.50" a second time; remove one of the two)"}},
        {{"[[router.eni]]", R"(match = { id = "eni-0a1b2c3d" })", R"(addresses = ["10.0.2.10"])"},
         {R"(9:14: router[0].eni[0].addresses[0]: found "10.0.2.10", which is router[0].peers[0] (line 5): a node that took )"
          R"(the address of its peer could not hear it any more; choose an address that no node has of its own)"}},
        {{"[[router.eni]]", R"(match = { id = "eni-0a1b2c3d" })", R"(addresses = ["10.1.0.50"])", "configure = false"},
         {"9:13: router[0].eni[0].addresses: found addresses beside configure = false, which leaves the interface's addresses "
          "to others; remove one of the two"}},
        {{"[[router.eni]]", "device_index = 1"},
         {R"(7:1: router[0].eni[0].match: is missing; allowed is a table: match = { id = "eni-..." }, { address = "..." } or )"
          R"({ tags = { ... } })"}},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(outcome_of(router_with(r.lines)).errors, r.errors) << r.lines.at(1);
    }
}

TEST(moves, a_secondary_address_of_an_interface_known_by_id_alone_is_not_put_on_the_node_which_is_said)
{
    const auto all =
        outcome_of(router_with({"[[router.secondary_ip]]", R"(address = "10.0.1.100")", R"(interface_id = "eni-0a1b2c3d")"}));
    ASSERT_EQ(all.errors, std::vector<std::string>{});
    EXPECT_EQ(all.warnings, (std::vector<std::string>{
                                "9:16: router[0].secondary_ip[0].interface_id: does not say which local interface that is, so "
                                "10.0.1.100 is not put on this node; give interface, or add a [[router.address]]"}));
    EXPECT_TRUE(all.value.routers.at(0).addresses_on_node().empty());
}

TEST(moves, one_thing_cannot_follow_two_routers)
{
    const std::string second =
        "[[router]]\nname = \"b\"\nvrid = 52\ninterface = \"ens5\"\npeers = [\"10.0.2.10\"]\n"
        "advertised_addresses = [\"10.1.1.1\"]\n";
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"[[router.secondary_ip]]\naddress = \"10.0.1.100\"\n",
         "16:11: router[1].secondary_ip[0].address: found \"10.0.1.100\""},
        {"[[router.elastic_ip]]\nallocation = \"eipalloc-0a1b2c3d\"\n",
         "16:14: router[1].elastic_ip[0].allocation: found \"eipalloc-0a1b2c3d\""},
        {"[[router.eni]]\nmatch = { id = \"eni-0a1b2c3d\" }\n", "16:9: router[1].eni[0].match: found \"eni-0a1b2c3d\""},
        {"[[router.eni]]\nmatch = { address = \"10.1.0.50\" }\n", "16:9: router[1].eni[0].match: found \"10.1.0.50\""},
        {"[[router.eni]]\nmatch = { tags = { Name = \"floating\", Env = \"a\" } }\n",
         "16:9: router[1].eni[0].match: found tags = { Env = \"a\", Name = \"floating\" }, which router[0].eni[0] (line 8) "}};
    for (const auto& [move, said] : rows) {
        const auto errors = outcome_of(router_with({}) + move + second + move).errors;
        ASSERT_EQ(errors.size(), 1u) << move;
        EXPECT_TRUE(errors[0].starts_with(said)) << errors[0];
        EXPECT_NE(errors[0].find("moves already; it cannot follow both"), std::string::npos) << errors[0];
    }
}

// The first one begins at line 7; what is said of each beside its allocation are whole lines.
struct two_elastic_ips {
    std::string first;
    std::string second;

    [[nodiscard]] static std::string entry(const std::string& allocation, const std::string& place)
    {
        return "[[router.elastic_ip]]\nallocation = \"" + allocation + "\"\n" + place;
    }
    [[nodiscard]] std::vector<std::string> errors(bool of_two_routers) const
    {
        const std::string router =
            "[[router]]\nname = \"b\"\nvrid = 52\ninterface = \"ens5\"\npeers = [\"10.0.2.10\"]\n"
            "advertised_addresses = [\"10.1.1.1\"]\n";
        return outcome_of(router_with({}) + entry("eipalloc-0a1b2c3d", first) + (of_two_routers ? router : "") +
                          entry("eipalloc-0a1b2c3e", second))
            .errors;
    }
};

TEST(moves, two_elastic_ips_cannot_be_mapped_to_one_private_address)
{
    const std::string address = "private_address = \"10.0.1.100\"\n";
    const std::string remedy =
        "router[0].elastic_ip[0] (line 7) is mapped to that already: EC2 maps one Elastic IP to a private address, so each "
        "would "
        "displace the other; give one of the two another private_address or interface, or remove it";
    EXPECT_EQ((two_elastic_ips{address, address}.errors(false)),
              (std::vector<std::string>{"12:19: router[0].elastic_ip[1].private_address: found \"10.0.1.100\" of ens5, and " +
                                        remedy}));
    EXPECT_EQ((two_elastic_ips{address, address}.errors(true)),
              (std::vector<std::string>{"18:19: router[1].elastic_ip[0].private_address: found \"10.0.1.100\" of ens5, and " +
                                        remedy}));
    EXPECT_EQ((two_elastic_ips{"", ""}.errors(false)),
              (std::vector<std::string>{
                  "9:1: router[0].elastic_ip[1].private_address: is not given, which means the primary address of ens5, and " +
                  remedy}));
    const std::string id = "interface_id = \"eni-0a1b2c3d\"\n";
    EXPECT_EQ((two_elastic_ips{id, id}.errors(true)),
              (std::vector<std::string>{
                  "16:1: router[1].elastic_ip[0].private_address: is not given, which means the primary address of "
                  "eni-0a1b2c3d, and " +
                  remedy}));
    EXPECT_EQ((two_elastic_ips{"interface = \"ens5\"\n", ""}.errors(true).size()), 1U) << "the router's is the same";
}

TEST(moves, elastic_ips_of_different_private_addresses_may_be_in_one_file)
{
    const std::string address = "private_address = \"10.0.1.100\"\n";
    const std::vector<std::string> different = {"",
                                                address,
                                                "private_address = \"10.0.1.101\"\n",
                                                "interface = \"ens6\"\n",
                                                "interface = \"ens6\"\n" + address,
                                                "interface_id = \"eni-0a1b2c3d\"\n" + address};
    for (const auto& first : different) {
        for (const auto& second : different) {
            for (const bool of_two_routers : {false, true}) {
                EXPECT_EQ((two_elastic_ips{first, second}.errors(of_two_routers).empty()), first != second)
                    << first << " and " << second;
            }
        }
    }
    const std::string wrong = "private_address = \"2001:db8::1\"\n";
    EXPECT_EQ((two_elastic_ips{wrong, wrong}.errors(true).size()), 2U) << "each is wrong by itself, and that is all";
}

TEST(moves, interfaces_that_may_be_different_ones_may_follow_two_routers)
{
    const auto errors_of = [](const std::string& first, const std::string& second) {
        return outcome_of(router_with({"[[router.eni]]", "match = " + first}) +
                          "[[router]]\nname = \"b\"\nvrid = 52\ninterface = \"ens5\"\npeers = [\"10.0.2.10\"]\n"
                          "advertised_addresses = [\"10.1.1.1\"]\n[[router.eni]]\nmatch = " +
                          second + "\n")
            .errors;
    };
    EXPECT_EQ(errors_of(R"({ tags = { a = "1", b = "2" } })", R"({ tags = { b = "2", a = "1" } })").size(), 1u);
    EXPECT_EQ(errors_of("{}", "{}").size(), 2u) << "each is wrong by itself, and that is all";
    const std::vector<std::string> different = {R"({ tags = { a = "1" } })", R"({ tags = { a = "1", b = "2" } })",
                                                R"({ tags = { a = "2" } })", R"({ address = "10.1.0.50" })",
                                                R"({ address = "10.1.0.51" })"};
    for (const auto& first : different) {
        for (const auto& second : different) {
            EXPECT_EQ(errors_of(first, second).empty(), first != second) << first << " and " << second;
        }
    }
}

// Two interfaces that follow one router, the first of them from line 7 on unless something stands `before` the router.
outcome with_two_interfaces(const std::string& first, const std::string& second, const std::string& before = "")
{
    return outcome_of(before + router_with({}) + "[[router.eni]]\nmatch = { id = \"eni-0000000a\" }\n" + first +
                      "[[router.eni]]\nmatch = { id = \"eni-0000000b\" }\n" + second);
}

TEST(moves, a_table_of_the_system_is_refused_for_an_interface_too)
{
    for (const auto& [table, name] : {std::pair{"253", "default"}, std::pair{"254", "main"}, std::pair{"255", "local"}}) {
        EXPECT_EQ(with_two_interfaces("table = " + std::string(table) + "\n", "").errors,
                  (std::vector<std::string>{"9:9: router[0].eni[0].table: found " + std::string(table) +
                                            ", the system's table \"" + name +
                                            "\": what every packet depends on is not vipd's to change; choose a number of "
                                            "your own, such as 100"}));
    }
    EXPECT_EQ(with_two_interfaces("table = 254\n", "table = 254\n").errors.size(), 2U) << "each is wrong, and that is all";
    EXPECT_EQ(
        with_two_interfaces("table = 0\n", "").errors,
        (std::vector<std::string>{"9:9: router[0].eni[0].table: found 0; allowed is a whole number from 1 to 4294967295"}));
    EXPECT_EQ(with_two_interfaces("configure = false\ntable = 254\n", "").errors.size(), 1U);
}

TEST(moves, what_amazon_ec2_net_utils_has_for_itself_is_warned_of_for_an_interface_too)
{
    const auto found = with_two_interfaces("table = 10001\nrule_priority = 11999\n", "table = 12000\nrule_priority = 9999\n");
    ASSERT_EQ(found.errors, std::vector<std::string>{});
    EXPECT_EQ(found.warnings,
              (std::vector<std::string>{
                  "9:9: router[0].eni[0].table: found 10001; amazon-ec2-net-utils has the tables 10000 to 11999 for itself "
                  "and clears them; choose another where that package is installed (Amazon Linux)",
                  "10:17: router[0].eni[0].rule_priority: found 11999; amazon-ec2-net-utils has the priorities 10000 to "
                  "11999 for its own rules and clears them; choose another where that package is installed (Amazon Linux)"}));
    EXPECT_EQ(with_two_interfaces("", "").warnings, std::vector<std::string>{});
}

TEST(moves, a_table_is_of_one_interface)
{
    const std::string remedy =
        " (line 7) has already: a table has one default route, and each would be in the other's way; choose another, or remove "
        "it for a table of its own";
    EXPECT_EQ(with_two_interfaces("table = 100\n", "table = 100\n").errors,
              (std::vector<std::string>{"12:9: router[0].eni[1].table: found 100, which router[0].eni[0]" + remedy}));
    EXPECT_EQ(with_two_interfaces("table = 100\n", "table = 101\n").errors, std::vector<std::string>{});
    EXPECT_EQ(with_two_interfaces("table = 100\nconfigure = false\n", "table = 100\n").errors, std::vector<std::string>{})
        << "the first is routed by others";
    const std::string second =
        "[[router]]\nname = \"b\"\nvrid = 52\ninterface = \"ens5\"\npeers = [\"10.0.2.10\"]\n"
        "advertised_addresses = [\"10.1.1.1\"]\n[[router.eni]]\nmatch = { id = \"eni-0000000c\" }\n";
    EXPECT_EQ(with_two_interfaces("table = 100\n", second + "table = 100\n").errors,
              (std::vector<std::string>{"20:9: router[1].eni[0].table: found 100, which router[0].eni[0]" + remedy}));
}

TEST(moves, a_table_is_of_an_interface_or_of_a_policy)
{
    const std::string policy = "table = 100\nrules = [{ from = \"10.1.0.50\", priority = 90 }]\n";
    const std::string remedy =
        " has already: a table has one default route, and each would be in the other's way; choose another, or remove it for a "
        "table of its own";
    EXPECT_EQ(with_two_interfaces("table = 100\n", "", "[[policy]]\n" + policy).errors,
              (std::vector<std::string>{"12:9: router[0].eni[0].table: found 100, which policy[0] (line 1)" + remedy}));
    EXPECT_EQ(
        with_two_interfaces("table = 100\n", "[[router.policy]]\n" + policy).errors,
        (std::vector<std::string>{"9:9: router[0].eni[0].table: found 100, which router[0].policy[0] (line 12)" + remedy}));
    EXPECT_EQ(with_two_interfaces("table = 101\n", "", "[[policy]]\n" + policy).errors, std::vector<std::string>{});
}

TEST(moves, a_device_index_is_of_one_interface)
{
    const std::string remedy =
        " (line 7) is attached at: an instance has one interface at a device index; choose another, or remove it for the first "
        "that is free";
    EXPECT_EQ(with_two_interfaces("device_index = 2\n", "device_index = 2\n").errors,
              (std::vector<std::string>{"12:16: router[0].eni[1].device_index: found 2, which router[0].eni[0]" + remedy}));
    EXPECT_EQ(with_two_interfaces("device_index = 2\n", "device_index = 3\n").errors, std::vector<std::string>{});
    EXPECT_EQ(with_two_interfaces("", "").errors, std::vector<std::string>{});
    const std::string second =
        "[[router]]\nname = \"b\"\nvrid = 52\ninterface = \"ens5\"\npeers = [\"10.0.2.10\"]\n"
        "advertised_addresses = [\"10.1.1.1\"]\n[[router.eni]]\nmatch = { id = \"eni-0000000c\" }\n";
    EXPECT_EQ(with_two_interfaces("device_index = 2\n", second + "device_index = 2\n").errors,
              (std::vector<std::string>{"20:16: router[1].eni[0].device_index: found 2, which router[0].eni[0]" + remedy}));
}

}  // namespace
}  // namespace vipd::config::test
