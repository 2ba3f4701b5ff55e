#include "agent/config/policies.hpp"

#include "tests/unit/config/file.hpp"

#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

using lines = std::vector<std::string>;

// A policy of the router, whose header is at line 7.
outcome with_policy(const lines& content)
{
    lines all = {"[[router.policy]]"};
    all.insert(all.end(), content.begin(), content.end());
    return outcome_of(router_with(all));
}

outcome with_rule(const std::string& rule)
{
    return with_policy({"table = 100", "rules = [{ " + rule + " }]"});
}

outcome with_route(const std::string& route)
{
    return with_policy({"table = 100", "routes = [{ " + route + " }]"});
}

// The one error, or everything that was said instead.
std::string only_error(const outcome& found)
{
    std::string text;
    for (const auto& error : found.errors) {
        text += (text.empty() ? "" : " | ") + error;
    }
    return text;
}

void expect_error(const outcome& found, const std::string& place, const std::string& says)
{
    ASSERT_EQ(found.errors.size(), 1U) << only_error(found);
    EXPECT_TRUE(found.errors[0].starts_with(place)) << found.errors[0];
    EXPECT_NE(found.errors[0].find(says), std::string::npos) << found.errors[0];
}

TEST(policies, what_a_policy_says_is_what_the_kernel_is_told)
{
    const auto found = with_policy({
        "table = 100",
        R"(rules = [{ from = "10.1.0.50/32", to = "10.2.0.0/16", iif = "eth0", oif = "eth1", fwmark = 7, fwmask = 0xff, priority = 90 }])",
        R"(routes = [{ to = "default", via = "10.1.0.1", interface = "eth1", source = "10.1.0.50", metric = 50, onlink = true, mtu = 1400 },)",
        R"(          { to = "10.9.0.0/16", interface = "eth1" }, { to = "fd00:9::/32", kind = "blackhole" }])",
    });
    ASSERT_EQ(only_error(found), "");
    const auto& policy = found.value.routers.at(0).policies.at(0);
    EXPECT_EQ(policy.table, 100U);
    net::policy_rule rule;
    rule.priority = 90;
    rule.table = 100;
    rule.from = *ip_prefix::parse("10.1.0.50/32");
    rule.to = *ip_prefix::parse("10.2.0.0/16");
    rule.input_interface = "eth0";
    rule.output_interface = "eth1";
    rule.mark = 7;
    rule.mark_mask = 0xff;
    EXPECT_EQ(to_rule(policy.rules.at(0), 100), rule);
    net::route route;
    route.key = {100, *ip_prefix::parse("0.0.0.0/0"), 50};
    route.gateway = *ip_address::parse("10.1.0.1");
    route.source = *ip_address::parse("10.1.0.50");
    route.onlink = true;
    route.mtu = 1400;
    EXPECT_EQ(to_route(policy.routes.at(0), 100), route);
    EXPECT_EQ(to_route(policy.routes.at(1), 100).scope, net::route_scope::link) << "without a gateway it is on the link";
    const auto dark = to_route(policy.routes.at(2), 100);
    EXPECT_EQ(dark.kind, net::route_kind::blackhole);
    EXPECT_EQ(dark.key.metric, 1024U) << "as the kernel has it for IPv6";
    EXPECT_EQ(dark.scope, net::route_scope::global);
}

TEST(policies, the_family_follows_from_what_an_entry_says)
{
    const auto rule = with_rule(R"(iif = "eth0", family = "ipv6", priority = 90)");
    ASSERT_EQ(only_error(rule), "");
    EXPECT_EQ(family_of(rule.value.routers[0].policies[0].rules[0]), ip_family::v6);
    const auto by_source = with_route(R"(to = "default", source = "fd00::1", interface = "eth1")");
    ASSERT_EQ(only_error(by_source), "");
    EXPECT_EQ(to_route(by_source.value.routers[0].policies[0].routes[0], 100).key.destination.to_string(), "::/0");
    const auto everything = with_rule(R"(from = "0.0.0.0/0", priority = 90)");
    ASSERT_EQ(only_error(everything), "");
    EXPECT_EQ(to_rule(everything.value.routers[0].policies[0].rules[0], 100).from, std::nullopt) << "as the kernel keeps it";
    expect_error(with_rule(R"(iif = "eth0", priority = 90)"), "9:", "says of no family which it is; set family");
    expect_error(with_route(R"(to = "default", interface = "eth1")"), "9:", "says of no family which it is; set family");
    expect_error(with_rule(R"(from = "10.0.0.1", to = "fd00::1", priority = 90)"), "9:", "are of IPv4 and of IPv6");
    expect_error(with_route(R"(to = "default", via = "10.1.0.1", family = "ipv6", interface = "eth1")"),
                 "9:", "are of IPv4 and of IPv6");
}

TEST(policies, tables_and_priorities_of_the_system_are_refused)
{
    const lines rule = {R"(rules = [{ from = "10.1.0.50", priority = 90 }])"};
    for (const auto& [table, name] : {std::pair{"253", "default"}, std::pair{"254", "main"}, std::pair{"255", "local"}}) {
        expect_error(with_policy({std::string("table = ") + table, rule[0]}), "8:9: router[0].policy[0].table: found",
                     std::string("the system's table \"") + name + "\"");
    }
    expect_error(with_policy({"table = 0", rule[0]}), "8:9: router[0].policy[0].table: found 0",
                 "allowed is a whole number from 1");
    for (const auto* const priority : {"32766", "32767"}) {
        expect_error(with_rule(std::string(R"(from = "10.1.0.50", priority = )") + priority),
                     "9:", "where the system's own rules are");
    }
    expect_error(with_rule(R"(from = "10.1.0.50", priority = 0)"), "9:", "priority: found 0; allowed is a whole number from 1");
    expect_error(with_rule(R"(from = "10.1.0.50")"), "9:", "priority: is missing");
}

TEST(policies, what_amazon_ec2_net_utils_has_for_itself_is_warned_of)
{
    const auto found = with_policy({"table = 10001", R"(rules = [{ from = "10.1.0.50", priority = 11999 }])"});
    ASSERT_EQ(only_error(found), "");
    ASSERT_EQ(found.warnings.size(), 2U);
    EXPECT_NE(found.warnings[0].find("the tables 10000 to 11999"), std::string::npos);
    EXPECT_NE(found.warnings[1].find("the priorities 10000 to 11999"), std::string::npos);
}

TEST(policies, every_error_of_a_rule_is_reported)
{
    expect_error(with_rule(R"(from = "10.1.0.50/24", priority = 90)"),
                 "9:", "it has bits behind its length; write \"10.1.0.0/24\"");
    expect_error(with_rule(R"(from = "10.1.0.50", fwmask = 1, priority = 90)"), "9:", "is given without fwmark");
    expect_error(with_rule(R"(from = "10.1.0.50", fwmark = 0x101, fwmask = 0xff, priority = 90)"),
                 "9:", "found 0x101 under the mask 0xff, which no packet can have");
    expect_error(with_rule(R"(from = "default", priority = 90)"), "9:", "allowed is an IPv4 or IPv6 prefix");
    EXPECT_EQ(with_policy({"table = 0", R"(rules = [{ from = "x", priority = 0 }, { to = "y", priority = 0 }])"}).errors.size(),
              5U);
}

TEST(policies, every_error_of_a_route_is_reported)
{
    expect_error(with_route(R"(to = "10.9.0.0/16")"), "9:", "name the interface that the route leaves by");
    expect_error(with_route(R"(to = "10.9.0.0/16", interface = "eth1", onlink = true)"), "9:", "there is no via");
    expect_error(with_route(R"(to = "10.9.0.0/16", interface = "eth1", via = "10.1.0.1", scope = "link")"),
                 "9:", "and there is a gateway");
    expect_error(with_route(R"(to = "fd00:9::/32", interface = "eth1", scope = "link")"), "9:", "has no meaning with IPv6");
    expect_error(with_route(R"(to = "fd00:9::/32", interface = "eth1", mtu = 1279)"), "9:", "allowed is 1280 and more");
    expect_error(with_route(R"(to = "10.9.0.0/16", kind = "prohibit", via = "10.1.0.1")"),
                 "9:", "has no meaning for a route that ends here");
    expect_error(with_route(R"(to = "224.0.0.0/4", interface = "eth1")"), "9:", "allowed is a unicast prefix");
    expect_error(with_route(R"(to = "10.9.0.0/16", kind = "local")"),
                 "9:", R"(allowed is "unicast", "blackhole", "unreachable" or "prohibit")");
}

TEST(policies, an_empty_one_is_refused)
{
    expect_error(with_policy({"table = 100"}), "7:", "has neither rules nor routes");
}

TEST(policies, two_that_contradict_each_other_are_refused_at_the_second)
{
    const std::string first = R"(rules = [{ from = "10.1.0.50", priority = 90 }])";
    expect_error(with_policy({"table = 100", first, "[[router.policy]]", "table = 100",
                              R"(rules = [{ from = "10.1.0.51", priority = 91 }])"}),
                 "11:9: router[0].policy[1].table",
                 "which router[0].policy[0] (line 7) has already; put all of a table into one policy");
    expect_error(with_policy({"table = 100", first, "[[router.policy]]", "table = 200",
                              R"(rules = [{ from = "10.1.0.51", priority = 90 }])"}),
                 "12:", "which router[0].policy[0].rules[0] (line 9) has for another table");
    expect_error(with_policy({"table = 100",
                              R"(rules = [{ from = "10.1.0.50", priority = 90 }, { from = "10.1.0.50/32", priority = 90 }])"}),
                 "9:", "is the same rule as router[0].policy[0].rules[0]");
    expect_error(with_policy({"table = 100", R"(routes = [{ to = "10.9.0.0/16", interface = "eth1" },)",
                              R"(          { to = "10.9.0.0/16", interface = "eth2", metric = 0 }])"}),
                 "10:", "choose another metric");
    // A static policy and one that follows the address may share a table, but nothing in it.
    const std::string fixed = "[[policy]]\ntable = 100\n";
    const auto router = router_with({"[[router.policy]]", "table = 100", first});
    EXPECT_EQ(only_error(outcome_of(fixed + "routes = [{ to = \"10.9.0.0/16\", interface = \"eth1\" }]\n" + router)), "");
    expect_error(outcome_of(fixed + first + "\n" + router), "12:", "is the same rule as policy[0].rules[0] (line 3)");
}

TEST(policies, equal_priorities_for_one_table_and_for_two_families_are_allowed)
{
    EXPECT_EQ(only_error(with_policy(
                  {"table = 100", R"(rules = [{ from = "10.1.0.50", priority = 90 }, { from = "10.1.0.51", priority = 90 }])",
                   "[[router.policy]]", "table = 200", R"(rules = [{ from = "fd00::50", priority = 90 }])"})),
              "");
}

TEST(policies, there_is_an_end_to_how_many_there_may_be)
{
    std::string text;
    for (unsigned table = 1; table <= 9; ++table) {
        text += "[[policy]]\ntable = " + std::to_string(table) + "\nrules = [\n";
        for (unsigned i = 0; i < 512; ++i) {
            text += "{ from = \"10." + std::to_string(table) + "." + std::to_string(i / 256) + "." + std::to_string(i % 256) +
                    "\", priority = " + std::to_string(table) + " },\n";
        }
        text += "]\n";
    }
    expect_error(outcome_of(text + router_with({})), "1:", "found 4608 rules and routes in all policies; allowed are 4096");
}

// --- addresses ---

outcome with_address(const lines& content)
{
    lines all = {"[[router.address]]"};
    all.insert(all.end(), content.begin(), content.end());
    return outcome_of(router_with(all));
}

TEST(address_options, a_label_belongs_to_its_interface)
{
    const auto found =
        with_address({R"(address = "172.16.1.100")", R"(interface = "eth0")", R"(label = "eth0:vip")", R"(scope = "link")"});
    ASSERT_EQ(only_error(found), "");
    EXPECT_EQ(found.value.routers[0].addresses[0].label, "eth0:vip");
    EXPECT_EQ(found.value.routers[0].addresses[0].scope, net::route_scope::link);
    expect_error(with_address({R"(address = "172.16.1.100")", R"(label = "eth0:vip")"}),
                 "9:", "found \"eth0:vip\" on lo; allowed is \"lo\", or that and a colon and more");
}

TEST(address_options, what_has_no_effect_on_a_family_is_warned_of)
{
    const auto v4 = with_address({R"(address = "172.16.1.100")", "nodad = false", "deprecated = true"});
    EXPECT_EQ(v4.warnings.size(), 2U);
    const auto v6 = with_address({R"(address = "fd00::100")", R"(label = "lo:vip")", "deprecated = false"});
    ASSERT_EQ(v6.warnings.size(), 1U);
    EXPECT_NE(v6.warnings[0].find("label: has no effect with IPv6"), std::string::npos);
    EXPECT_EQ(v6.value.routers[0].addresses[0].deprecated, false);
}

TEST(announce, nothing_is_announced_unless_it_is_asked_for)
{
    EXPECT_EQ(outcome_of(router_with({})).value.routers[0].announce, std::nullopt);
    const auto found = outcome_of(router_with({"[router.announce]", "count = 3"}));
    ASSERT_EQ(only_error(found), "");
    EXPECT_EQ(found.value.routers[0].announce, (announce_section{3, 1, std::chrono::seconds{5}}));
}

TEST(announce, what_has_no_mac_address_is_announced_as_the_interface_has_it)
{
    const std::string without_interface =
        "[[router]]\nname = \"web\"\nvrid = 51\nsource = \"10.0.1.10\"\n"
        "peers = [\"10.0.1.11\"]\nadvertised_addresses = [\"10.0.1.100\"]\n";
    const auto found = [&](const std::string& address) {
        return only_error(outcome_of(without_interface + "[router.announce]\n[[router.address]]\n" + address));
    };
    EXPECT_NE(found("address = \"10.0.1.100/32\"\n").find("10.0.1.100/32 on lo, which has no MAC address"), std::string::npos);
    EXPECT_EQ(found("address = \"10.0.1.100/24\"\ninterface = \"eth1\"\n"), "");
    EXPECT_EQ(only_error(outcome_of(router_with({"[router.announce]", "[[router.address]]", "address = \"10.0.1.100/32\""}))),
              "");
}

}  // namespace
}  // namespace vipd::config::test
