// One row for each rule: the lines that differ from a router that is right, and exactly what is said about them.

#include "tests/unit/config/file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

struct row {
    std::vector<std::string> lines;
    std::vector<std::string> errors;
    std::vector<std::string> warnings = {};
};

void check_rows(const std::vector<row>& rows)
{
    for (const auto& row : rows) {
        const auto text = router_with(row.lines);
        SCOPED_TRACE(text);
        const auto got = outcome_of(text);
        EXPECT_EQ(got.errors, row.errors);
        EXPECT_EQ(got.warnings, row.warnings);
    }
}

// A router with one route: lines 7 and 8 are [[router.route]] and its destination.
row route_row(std::vector<std::string> lines, std::vector<std::string> errors, std::vector<std::string> warnings = {})
{
    lines.insert(lines.begin(), {"[[router.route]]", R"(destination = "172.16.1.100/32")"});
    return {std::move(lines), std::move(errors), std::move(warnings)};
}

TEST(checks, names)
{
    const std::string allowed = "; allowed is 1 to 64 of the characters A-Z a-z 0-9 . _ -";
    check_rows({
        {{R"(name = "A.b_c-9")"}, {}},
        {{R"(name = "")"}, {R"(2:8: router[0].name: found "")" + allowed}},
        {{R"(name = "..")"}, {R"(2:8: router[0].name: found "..")" + allowed}},
        {{R"(name = "a/b")"}, {R"(2:8: router[0].name: found "a/b")" + allowed}},
        {{R"(name = "a\u001b[0m")"}, {R"(2:8: router[0].name: found "a\x1b[0m")" + allowed}},
        {{R"(name = ")" + std::string(64, 'x') + '"'}, {}},
        {{R"(name = ")" + std::string(65, 'x') + '"'},
         {"2:8: router[0].name: found \"" + std::string(64, 'x') + "...\"" + allowed}},
        {{R"(name = ["a"])"}, {"2:8: router[0].name: found a list" + allowed}},
        {{R"(name = 2020-01-01)"}, {"2:8: router[0].name: found 2020-01-01" + allowed}},
    });
}

TEST(checks, numbers)
{
    const std::string allowed = "; allowed is a whole number from 1 to 255";
    check_rows({
        {{"vrid = 1"}, {}},
        {{"vrid = 255"}, {}},
        {{"vrid = 0"}, {"3:8: router[0].vrid: found 0" + allowed}},
        {{"vrid = 256"}, {"3:8: router[0].vrid: found 256" + allowed}},
        {{"vrid = 307"}, {"3:8: router[0].vrid: found 307" + allowed}},
        {{"vrid = -1"}, {"3:8: router[0].vrid: found -1" + allowed}},
        {{"vrid = 0x33"}, {}},
        {{"vrid = 51.0"}, {"3:8: router[0].vrid: found 51.0" + allowed}},
        {{"vrid = 99999999999999999999999 # much"}, {"3:8: router[0].vrid: found 99999999999999999999999" + allowed}},
        {{"vrid = \"51\""}, {"3:8: router[0].vrid: found \"51\"" + allowed + "; write it without quotes"}},
        {{"down_timer_adverts = 0"}, {"7:22: router[0].down_timer_adverts: found 0; allowed is a whole number from 1 to 100"}},
        {{"version = 4"}, {"7:11: router[0].version: found 4; allowed is a whole number from 2 to 3"}},
    });
}

TEST(checks, truths_words_and_tables)
{
    check_rows({
        {{"preempt = \"no\""}, {"7:11: router[0].preempt: found \"no\"; allowed is true or false; write it without quotes"}},
        {{"checksum = \"rfc1071\""}, {"7:12: router[0].checksum: found \"rfc1071\"; allowed is \"rfc5798\" or \"rfc9568\""}},
        {{"checksum = 5798"}, {"7:12: router[0].checksum: found 5798; allowed is \"rfc5798\" or \"rfc9568\""}},
        {{"address = \"10.0.0.1\""},
         {"7:11: router[0].address: found \"10.0.0.1\"; allowed is up to 255 of [[router.address]]"}},
        {{"[router.route]", "destination = \"10.0.0.1\""},
         {"7:1: router[0].route: found a table; allowed is up to 255 of [[router.route]]; write its header with double "
          "brackets"}},
        {{"auth = 1"}, {"7:8: router[0].auth: found a whole number; allowed is a table, [router.auth]"}},
    });
}

TEST(checks, keys_that_do_not_exist_and_keys_that_are_not_done)
{
    check_rows({
        {{"prioritaet = 1"}, {"7:1: router[0].prioritaet: is not a key of [[router]]; did you mean \"priority\"?"}},
        {{"virtual_router_id = 1"},
         {"7:1: router[0].virtual_router_id: is not a key of [[router]]; its keys are name, vrid, version, priority, "
          "address_owner, "
          "source, interface, peers, advert_interval, down_timer_adverts, preempt, preempt_delay, startup_delay, api_weight, "
          "checksum, auth, advertised_addresses, drain, address, route, secondary_ip, elastic_ip, eni, policy, announce, "
          "track, hooks"}},
        {{"\"a b\".c = 1"},
         {"7:1: router[0].a b: is not a key of [[router]]; its keys are name, vrid, version, priority, address_owner, "
          "source, interface, peers, advert_interval, down_timer_adverts, preempt, preempt_delay, startup_delay, api_weight, "
          "checksum, auth, advertised_addresses, drain, address, route, secondary_ip, elastic_ip, eni, policy, announce, "
          "track, hooks"}},
        {{"[[track]]"},
         {"7:1: track: is not supported by this version of vipd; remove it (it would watch services for every router; "
          "[[router.track]] does for one)"}},
        {{"[wake]"},
         {"7:1: wake: is not supported by this version of vipd; remove it (it would serve a page that wakes sleeping "
          "servers)"}},
    });
}

TEST(checks, priorities)
{
    check_rows({
        {{"priority = 254"}, {}},
        {{"priority = 255", "address_owner = true"}, {}},
        {{"priority = 0"}, {"7:12: router[0].priority: found 0; allowed is a whole number from 1 to 255"}},
        {{"priority = 255"},
         {"7:12: router[0].priority: found 255 without address_owner = true; allowed are 1 to 254, and 255 with address_owner "
          "= "
          "true"}},
        {{"address_owner = true"},
         {"7:17: router[0].address_owner: found true with priority 100; an address owner has priority 255; set priority = 255, "
          "or "
          "remove address_owner"}},
    });
}

TEST(checks, sources_and_interfaces)
{
    check_rows({
        {{"source = \"10.0.1.10\""}, {}},
        {{"source = \"10.0.1.10/24\""},
         {"7:10: router[0].source: found \"10.0.1.10/24\"; allowed is an IPv4 or IPv6 unicast address without a zone"}},
        {{"source = \"0.0.0.0\""},
         {"7:10: router[0].source: found \"0.0.0.0\"; allowed is an IPv4 or IPv6 unicast address without a zone"}},
        {{"source = \"fe80::1\"", "peers = [\"2001:db8::2\"]", "advertised_addresses = [\"2001:db8::3\"]"},
         {"7:10: router[0].source: found \"fe80::1\"; a link-local address reaches one subnet only and means nothing without "
          "its "
          "interface; allowed is a global or unique local address"}},
        {{"interface = \"e\\u009b2J\""},
         {R"(4:13: router[0].interface: found "e\xc2\x9b2J"; allowed is the name of a network interface (1 to 15 bytes, as in `ip )"
          "link`)"}},
        {{"interface = \"an-interface-name\""},
         {"4:13: router[0].interface: found \"an-interface-name\"; allowed is the name of a network interface (1 to 15 bytes, "
          "as in "
          "`ip link`)"}},
    });
    EXPECT_EQ(outcome_of("[[router]]\nname = \"a\"\nvrid = 1\npeers = [\"10.0.0.2\"]\nadvertised_addresses = [\"10.1.1.1\"]\n")
                  .errors,
              (std::vector<std::string>{
                  "1:1: router[0].source: is missing, and so is interface; give the address that adverts come from, "
                  "or the interface whose primary address that is"}));
}

TEST(checks, peers)
{
    const std::string allowed = "; allowed is an IPv4 or IPv6 unicast address without a zone";
    check_rows({
        {{R"(peers = [{ address = "10.0.2.10", min_ttl = 1 }])"}, {}},
        {{"peers = []"}, {"5:9: router[0].peers: found 0 entries; allowed are 1 to 255"}},
        {{R"(peers = "10.0.2.10")"},
         {R"(5:9: router[0].peers: found "10.0.2.10"; allowed is a list of 1 to 255, each an IP address or { address = "...", )"
          R"(min_ttl = N }; put it in [ ])"}},
        {{R"(peers = ["10.0.2.10", "10.0.2.10"])"},
         {R"(5:23: router[0].peers[1]: found "10.0.2.10" a second time; remove one of the two)"}},
        {{R"(source = "10.0.2.10")"},
         {R"(5:10: router[0].peers[0]: found "10.0.2.10", which is this node's own source; list the other nodes only)"}},
        {{R"(source = "2001:db8::1")"},
         {R"(5:10: router[0].peers[0]: found "10.0.2.10", which is IPv4, while source is IPv6; use one family for a router, and a )"
          "router for each family"}},
        {{R"(peers = ["224.0.0.18"])"}, {R"(5:10: router[0].peers[0]: found "224.0.0.18")" + allowed}},
        {{R"(peers = ["255.255.255.255"])"}, {R"(5:10: router[0].peers[0]: found "255.255.255.255")" + allowed}},
        {{R"(peers = ["::"])"}, {R"(5:10: router[0].peers[0]: found "::")" + allowed}},
        {{R"(peers = ["ff02::12"])"}, {R"(5:10: router[0].peers[0]: found "ff02::12")" + allowed}},
        {{R"(peers = ["node-b"])"}, {R"(5:10: router[0].peers[0]: found "node-b")" + allowed}},
        {{R"(peers = ["fe80::2"])"},
         {R"(5:10: router[0].peers[0]: found "fe80::2"; a link-local address reaches one subnet only and means nothing without its )"
          "interface; allowed is a global or unique local address"}},
        {{R"(peers = [{ address = "10.0.2.10", min_ttl = 0 }])"},
         {"5:45: router[0].peers[0].min_ttl: found 0; allowed is a whole number from 1 to 255"}},
        {{R"(peers = [{ address = "10.0.2.10", min_tt = 1 }])"},
         {R"(5:35: router[0].peers[0].min_tt: is not a key of an entry of peers; did you mean "min_ttl"?)"}},
        {{"peers = [{ min_ttl = 254 }]"},
         {"5:10: router[0].peers[0].address: is missing; allowed is an IPv4 or IPv6 unicast address without a zone"}},
        {{"peers = [7]"},
         {"5:10: router[0].peers[0]: found 7; allowed is an IP address or { address = \"...\", min_ttl = N }"}},
    });
}

TEST(checks, a_wrong_element_hides_nothing_that_is_wrong_with_the_others)
{
    const std::string allowed = "; allowed is an IPv4 or IPv6 unicast address without a zone";
    check_rows({
        {{R"(peers = ["node-b", "10.0.2.10", "10.0.2.10", "2001:db8::1"])"},
         {R"(5:10: router[0].peers[0]: found "node-b")" + allowed,
          R"(5:33: router[0].peers[2]: found "10.0.2.10" a second time; remove one of the two)",
          R"(5:46: router[0].peers[3]: found "2001:db8::1", which is IPv6, while the first peer is IPv4; use one family for a )"
          "router, and a router for each family"}},
        {{R"(peers = ["node-b", "10.0.2.10"])", R"(advertised_addresses = ["x", "2001:db8::3"])"},
         {R"(5:10: router[0].peers[0]: found "node-b")" + allowed,
          R"(6:25: router[0].advertised_addresses[0]: found "x"; allowed is an IP address)",
          R"(6:30: router[0].advertised_addresses[1]: found "2001:db8::3", which is IPv6, while the peers are IPv4; adverts list )"
          "addresses of their own family"}},
        route_row(
            {R"(tables = { ids = ["rtb-1", "rtb-0a1b2c3d", "rtb-0a1b2c3d"] })"},
            {R"(9:19: router[0].route[0].tables.ids[0]: found "rtb-1"; allowed is the id of a route table ("rtb-" and 8 to 17 )"
             "digits)",
             R"(9:44: router[0].route[0].tables.ids[2]: found "rtb-0a1b2c3d" a second time; remove one of the two)"}),
    });
}

TEST(checks, intervals)
{
    const std::string allowed_3 = "; allowed is 10ms to 40.95s in steps of 10ms with version 3";
    const std::string allowed_2 = "; allowed is 1s to 255s in whole seconds with version 2; set version = 3 for shorter ones";
    check_rows({
        {{R"(advert_interval = "100ms")"}, {}},
        {{R"(advert_interval = "40.95s")"}, {}},
        {{R"(advert_interval = "10ms")"},
         {},
         {"7:19: router[0].advert_interval: 10ms is shorter than what a busy node keeps up without real-time scheduling; set "
          "realtime = true, or 100ms or more"}},
        {{R"(advert_interval = "5ms")"},
         {R"(7:19: router[0].advert_interval: found "5ms"; allowed is a duration from 10ms to 255s)"}},
        {{R"(advert_interval = "105ms")"}, {"7:19: router[0].advert_interval: found 105ms" + allowed_3}},
        {{R"(advert_interval = "40.96s")"}, {"7:19: router[0].advert_interval: found 40.96s" + allowed_3}},
        {{R"(advert_interval = "200")"},
         {R"(7:19: router[0].advert_interval: found "200"; allowed is a duration from 10ms to 255s; write a number and its unit in )"
          R"(quotes, such as "200ms", "1.5s" or "2m")"}},
        {{"version = 2", R"(advert_interval = "255s")"}, {}},
        {{"version = 2", R"(advert_interval = "500ms")"}, {"8:19: router[0].advert_interval: found 500ms" + allowed_2}},
        {{"version = 2", R"(advert_interval = "1500ms")"}, {"8:19: router[0].advert_interval: found 1.5s" + allowed_2}},
        {{R"(preempt_delay = "1001s")"},
         {R"(7:17: router[0].preempt_delay: found "1001s"; allowed is a duration from 0s to 1000s)"}},
        {{R"(startup_delay = "5s")", "priority = 255", "address_owner = true"},
         {"7:17: router[0].startup_delay: found a delay beside address_owner = true: the owner of an address is Active from "
          "the "
          "start (RFC 9568, section 6.4.1); remove one of the two"}},
        {{R"(drain = "61s")"}, {R"(7:9: router[0].drain: found "61s"; allowed is a duration from 0s to 1m)"}},
        {{"preempt = false", R"(preempt_delay = "5s")"},
         {},
         {"8:17: router[0].preempt_delay: has no effect with preempt = false; remove one of the two"}},
    });
    EXPECT_TRUE(outcome_of("realtime = true\n" + router_with({R"(advert_interval = "10ms")"})).warnings.empty());
}

TEST(checks, api_weight)
{
    const auto with_route = [](std::vector<std::string> lines, std::vector<std::string> warnings) {
        lines.insert(lines.end(),
                     {"[[router.route]]", R"(destination = "172.16.1.100/32")", R"(tables = { ids = ["rtb-0a1b2c3d"] })"});
        return row{std::move(lines), {}, std::move(warnings)};
    };
    const std::string allowed = "; allowed is a whole number from -253 to 253";
    check_rows({
        with_route({"api_weight = -253"}, {}),
        with_route({"api_weight = 253"}, {}),
        with_route({"api_weight = -60", R"(preempt_delay = "30s")"}, {}),
        {{"api_weight = -254"}, {"7:14: router[0].api_weight: found -254" + allowed}},
        {{"api_weight = 254"}, {"7:14: router[0].api_weight: found 254" + allowed}},
        {{"api_weight = 0"}, {}},
        {{"api_weight = -60"}, {}, {"7:14: router[0].api_weight: has no effect: this router moves nothing in EC2; remove it"}},
        with_route({"api_weight = -60", "priority = 255", "address_owner = true"},
                   {"7:14: router[0].api_weight: has no effect: the priority of an address owner is always 255; remove it"}),
        with_route({"api_weight = -60", "preempt = false"},
                   {"7:14: router[0].api_weight: a node with preempt = false does not take over from an Active whose priority "
                    "has dropped; set preempt = true on the nodes that are to do so"}),
        with_route({"api_weight = -60", R"(preempt_delay = "5s")"},
                   {"7:14: router[0].api_weight: with preempt_delay 5s an outage of EC2 that every node has may move the role "
                    "there and back, because one notices it before the other; allow 30s or more"}),
    });
    EXPECT_EQ(outcome_of(router_with({"api_weight = -60"})).value.routers.at(0).api_weight, -60);
}

TEST(checks, version_2)
{
    check_rows({
        {{"version = 2", R"(peers = ["2001:db8::2"])", R"(advertised_addresses = ["2001:db8::3"])"},
         {"7:11: router[0].version: found 2 with IPv6 peers; VRRPv2 is IPv4 only; set version = 3"}},
        {{"[router.auth]", R"(kind = "password")", R"(password = "secret")"},
         {"7:1: router[0].auth: found kind \"password\" with version 3; passwords are VRRPv2's; use kind = \"hmac\", remove "
          "[router.auth], or set version = 2"}},
        {{"version = 2", R"(auth = { kind = "password", password = "12345678" })"},
         {},
         {"8:8: router[0].auth: the password travels in clear text with every advert: it keeps out mistakes, not attackers"}},
        {{"version = 2", R"(auth = { kind = "password", password = "123456789" })"},
         {"8:40: router[0].auth.password: found a text of 9 bytes; allowed is 1 to 8 bytes"}},
        {{"version = 2", R"(auth = { kind = "password" })"},
         {"8:8: router[0].auth.password: is missing; allowed is 1 to 8 bytes"}},
        {{"version = 2", R"(auth = { kind = "ah", password = "x" })"},
         {"8:17: router[0].auth.kind: found \"ah\"; allowed is \"password\" or \"hmac\""}},
        {{"version = 2", R"(checksum = "rfc9568")"},
         {},
         {"8:12: router[0].checksum: has no effect: there are two forms for version 3 over IPv4 only; remove it"}},
    });
}

std::string addresses(unsigned count, std::string_view prefix)
{
    std::string text;
    for (unsigned i = 1; i <= count; ++i) {
        text += (i > 1 ? ",\n\"" : "\"") + std::string(prefix) + std::to_string(i) + "\"";
    }
    return "advertised_addresses = [" + text + "]";
}

TEST(checks, advertised_addresses)
{
    check_rows({
        {{addresses(255, "10.1.1.")}, {}},
        {{R"(peers = ["2001:db8::2"])", addresses(87, "2001:db8:1::")}, {}},
        {{R"(peers = ["2001:db8::2"])", addresses(88, "2001:db8:1::")},
         {"6:24: router[0].advertised_addresses: found 88 addresses; allowed are 87 of IPv6 at most, so that an advert stays "
          "within "
          "1400 bytes; list fewer in advertised_addresses"}},
        {{addresses(256, "10.1.1.")}, {"6:24: router[0].advertised_addresses: found 256 entries; allowed are 1 to 255"}},
        {{R"(advertised_addresses = ["10.1.1.1", "10.1.1.1"])"},
         {R"(6:37: router[0].advertised_addresses[1]: found "10.1.1.1" a second time; remove one of the two)"}},
        {{R"(advertised_addresses = ["2001:db8::3"])"},
         {R"(6:25: router[0].advertised_addresses[0]: found "2001:db8::3", which is IPv6, while the peers are IPv4; adverts list )"
          "addresses of their own family"}},
        {{R"(advertised_addresses = ["10.1.1.1/32"])"},
         {R"(6:25: router[0].advertised_addresses[0]: found "10.1.1.1/32"; allowed is an IP address)"}},
        {{"advertised_addresses = []"}, {"6:24: router[0].advertised_addresses: found 0 entries; allowed are 1 to 255"}},
    });
    EXPECT_EQ(outcome_of("[[router]]\nname = \"a\"\nvrid = 1\ninterface = \"ens5\"\npeers = [\"10.0.0.2\"]\n"
                         "[[router.route]]\ndestination = \"10.1.0.0/16\"\ntables = { vpc = true }\n")
                  .errors,
              (std::vector<std::string>{"1:1: router[0].advertised_addresses: is missing, and there is no IPv4 address or "
                                        "host route of this router that adverts could list; give at least one address"}));
}

TEST(checks, addresses_on_this_node)
{
    const std::string allowed = "; allowed is a unicast address that is not a loopback address, with a length of at least 1";
    const auto with = [](const std::string& address) {
        return std::vector<std::string>{"[[router.address]]", "address = \"" + address + "\""};
    };
    check_rows({
        {with("10.1.1.1"), {}},
        {with("10.1.1.1/24"), {}},
        {with("10.1.1.1/33"),
         {R"(8:11: router[0].address[0].address: found "10.1.1.1/33"; allowed is an IPv4 or IPv6 address, with or without a prefix )"
          "length"}},
        {with("127.0.0.2"), {R"(8:11: router[0].address[0].address: found "127.0.0.2")" + allowed}},
        {with("224.0.0.1"), {R"(8:11: router[0].address[0].address: found "224.0.0.1")" + allowed}},
        {with("10.1.1.1/0"), {R"(8:11: router[0].address[0].address: found "10.1.1.1/0")" + allowed}},
        {{"[[router.address]]", R"(when = "never")"},
         {"7:1: router[0].address[0].address: is missing; allowed is an IPv4 or IPv6 address, with or without a prefix length",
          R"(8:8: router[0].address[0].when: found "never"; allowed is "active" or "always")"}},
        {{"[[router.address]]", R"(address = "10.1.1.1/32")", R"(interface = "ens5")", "[[router.address]]",
          R"(address = "10.1.1.1/24")", R"(interface = "ens5")"},
         {R"(11:11: router[0].address[1].address: found "10.1.1.1/24", which router[0].address[0] (line 8) has on ens5 already; )"
          "remove one of the two"}},
    });
}

TEST(checks, addresses_that_nodes_have_for_themselves)
{
    const std::string silent =
        "which is router[0].source (line 7): a Backup would remove the address that its adverts come from; choose an address "
        "that "
        "no node has of its own";
    const std::string deaf =
        "which is router[0].peers[0] (line 5): a node that took the address of its peer could not hear it any more; choose an "
        "address that no node has of its own";
    const std::string source = R"(source = "10.9.0.1")";
    const std::string address = R"(address = "10.9.0.1/24")";
    check_rows({
        {{source, "[[router.address]]", address}, {R"(9:11: router[0].address[0].address: found "10.9.0.1/24", )" + silent}},
        {{source, "[[router.address]]", address, R"(when = "always")"},
         {R"(9:11: router[0].address[0].address: found "10.9.0.1/24", )" + silent}},
        {{source, "[[router.address]]", R"(address = "10.0.2.10")"},
         {R"(9:11: router[0].address[0].address: found "10.0.2.10", )" + deaf}},
        {{source, "[[router.route]]", R"(destination = "10.9.0.1/32")", "tables = { vpc = true }"},
         {R"(9:15: router[0].route[0].destination: found "10.9.0.1/32", )" + silent}},
        {{source, "[[router.route]]", R"(destination = "10.0.2.10/32")", "tables = { vpc = true }"},
         {R"(9:15: router[0].route[0].destination: found "10.0.2.10/32", )" + deaf}},
        {{source, "[[router.route]]", R"(destination = "10.9.0.0/24")", "tables = { vpc = true }"}, {}},
        {{source, "priority = 255", "address_owner = true", "[[router.address]]", address, R"(when = "always")"}, {}},
        {{source, "priority = 255", "address_owner = true", "[[router.route]]", R"(destination = "10.9.0.1/32")",
          "tables = { vpc = true }"},
         {}},
        {{source, "priority = 255", "address_owner = true", "[[router.address]]", address},
         {R"(10:1: router[0].address[0].when: found "active" for "10.9.0.1/24", which this node owns and its adverts come from: it )"
          R"(would be removed when the node stops; set when = "always")"}},
    });
    const auto two = outcome_of(router_with({source}) +
                                "[[router]]\nname = \"b\"\nvrid = 7\ninterface = \"ens5\"\npeers = [\"10.0.3.10\"]\n"
                                "[[router.address]]\naddress = \"10.9.0.1/24\"\n");
    EXPECT_EQ(two.errors, (std::vector<std::string>{R"(14:11: router[1].address[0].address: found "10.9.0.1/24", )" + silent}));
}

TEST(checks, destinations)
{
    const auto with = [](const std::string& destination, std::vector<std::string> errors,
                         std::vector<std::string> warnings = {}) {
        return row{{"[[router.route]]", "destination = \"" + destination + "\"", "tables = { vpc = true }"},
                   std::move(errors),
                   std::move(warnings)};
    };
    const std::string reserved =
        "; AWS keeps 169.254.168.0/22 and fd00:ec2::/32 for itself; choose a destination outside of them";
    const std::string nowhere = "; no route of a VPC leads to loopback, multicast, link-local or reserved addresses";
    check_rows({
        with("0.0.0.0/0", {}),
        with("2001:db8::/56", {}),
        with("pl-0123456789abcdef0", {}),
        with(
            "pl-012345g7",
            {R"(8:15: router[0].route[0].destination: found "pl-012345g7"; the id of a prefix list is "pl-" and 8 to 17 of the )"
             "digits 0-9 a-f"}),
        with(
            "10.1.2.3/16", {},
            {R"(8:15: router[0].route[0].destination: found "10.1.2.3/16", which has bits behind its length; 10.1.0.0/16 is what )"
             "EC2 stores and what is used"}),
        with("169.254.168.0/22", {R"(8:15: router[0].route[0].destination: found "169.254.168.0/22")" + reserved}),
        with("169.254.171.9", {R"(8:15: router[0].route[0].destination: found "169.254.171.9")" + reserved}),
        with("fd00:ec2::254", {R"(8:15: router[0].route[0].destination: found "fd00:ec2::254")" + reserved}),
        with("169.254.0.0/16", {}),
        with("0.0.0.0/1", {}),
        with("::/0", {}),
        with("127.0.0.1/32", {R"(8:15: router[0].route[0].destination: found "127.0.0.1/32")" + nowhere}),
        with("224.0.0.5/32", {R"(8:15: router[0].route[0].destination: found "224.0.0.5/32")" + nowhere}),
        with("255.255.255.255", {R"(8:15: router[0].route[0].destination: found "255.255.255.255")" + nowhere}),
        with("0.0.0.0", {R"(8:15: router[0].route[0].destination: found "0.0.0.0")" + nowhere}),
        with("ff02::12", {R"(8:15: router[0].route[0].destination: found "ff02::12")" + nowhere}),
        with("fe80::/64", {R"(8:15: router[0].route[0].destination: found "fe80::/64")" + nowhere}),
        with("::1", {R"(8:15: router[0].route[0].destination: found "::1")" + nowhere}),
        with(
            "everywhere",
            {R"(8:15: router[0].route[0].destination: found "everywhere"; allowed is an IPv4 or IPv6 prefix, or the id of a prefix )"
             R"(list ("pl-..."))"}),
    });
}

TEST(checks, route_tables)
{
    const auto with = [](const std::string& tables, std::vector<std::string> errors) {
        return route_row({"tables = " + tables}, std::move(errors));
    };
    const std::string one_of =
        "9:10: router[0].route[0].tables: found ids beside vpc or tags; allowed is ids, or vpc, or tags with "
        "or without vpc";
    const std::string id = "; allowed is the id of a route table (\"rtb-\" and 8 to 17 digits)";
    check_rows({
        with(R"({ ids = ["rtb-0a1b2c3d"] })", {}),
        with(R"({ tags = { Name = "private-*" } })", {}),
        with(R"({ vpc = true, tags = { "a key" = "" } })", {}),
        with("{}", {"9:10: router[0].route[0].tables: found none of ids, vpc and tags; choose the tables by one of them"}),
        with(R"({ ids = ["rtb-0a1b2c3d"], vpc = true })", {one_of}),
        with(R"({ ids = ["rtb-0a1b2c3d"], tags = { a = "b" } })", {one_of}),
        with(
            "{ vpc = false }",
            {"9:18: router[0].route[0].tables.vpc: found false; allowed is true; remove it, and choose tables by ids or tags"}),
        with("{ ids = [] }", {"9:18: router[0].route[0].tables.ids: found 0 entries; allowed are 1 to 200"}),
        with(R"({ ids = ["rtb-0a1b2c3"] })", {R"(9:19: router[0].route[0].tables.ids[0]: found "rtb-0a1b2c3")" + id}),
        with(R"({ ids = ["rtb-0A1B2C3D"] })", {R"(9:19: router[0].route[0].tables.ids[0]: found "rtb-0A1B2C3D")" + id}),
        with("{ ids = [1] }", {"9:19: router[0].route[0].tables.ids[0]: found 1" + id}),
        with(R"({ ids = ["rtb-0a1b2c3d", "rtb-0a1b2c3d"] })",
             {R"(9:35: router[0].route[0].tables.ids[1]: found "rtb-0a1b2c3d" a second time; remove one of the two)"}),
        with("{ tags = {} }", {"9:19: router[0].route[0].tables.tags: found 0 tags; allowed are 1 to 50"}),
        with("{ tags = { Name = 1 } }",
             {"9:28: router[0].route[0].tables.tags.Name: found 1; allowed is the text that the tag's value has to match"}),
        with(R"("all")",
             {"9:10: router[0].route[0].tables: found a text of 3 bytes; allowed is a table, tables of [[router.route]]"}),
        route_row({}, {"7:1: router[0].route[0].tables: is missing; allowed is a table: tables = { ... } in [[router.route]]"}),
    });
}

TEST(checks, targets)
{
    check_rows({
        route_row({"tables = { vpc = true }", R"(interface_id = "eni-0a1b2c3d")"}, {}),
        route_row(
            {"tables = { vpc = true }", R"(interface_id = "i-0a1b2c3d")"},
            {R"(10:16: router[0].route[0].interface_id: found "i-0a1b2c3d"; allowed is the id of a network interface ("eni-" )"
             "and 8 to 17 digits)"}),
        route_row({"tables = { vpc = true }", R"(interface_id = "eni-0a1b2c3d")", R"(source_dest_check = "off")"},
                  {R"(11:21: router[0].route[0].source_dest_check: found "off"; allowed is "warn" or "disable")"}),
    });
    const std::string no_interface =
        "[[router]]\nname = \"a\"\nvrid = 1\nsource = \"10.0.0.1\"\npeers = [\"10.0.0.2\"]\n"
        "[[router.route]]\ndestination = \"10.1.1.1/32\"\ntables = { vpc = true }\n";
    EXPECT_EQ(
        outcome_of(no_interface).errors,
        (std::vector<std::string>{"6:1: router[0].route[0].interface: is missing, and the router has none; give interface, "
                                  "here or in [[router]], or interface_id"}));
    EXPECT_TRUE(outcome_of(no_interface + "interface = \"ens6\"\n").errors.empty());
    EXPECT_TRUE(outcome_of(no_interface + "interface_id = \"eni-0a1b2c3d\"\n").errors.empty());
    EXPECT_EQ(
        outcome_of(no_interface + "interface = \"ens6\"\ninterface_id = \"eni-0a1b2c3d\"\n").errors,
        (std::vector<std::string>{"10:16: router[0].route[0].interface_id: found \"eni-0a1b2c3d\" beside interface = \"ens6\"; "
                                  "remove one of the two"}));
}

TEST(checks, the_aws_section)
{
    const auto with = [](const std::string& line, const std::string& error) {
        const auto got = outcome_of("[aws]\n" + line + "\n" + router_with({}));
        EXPECT_EQ(got.errors, (error.empty() ? std::vector<std::string>{} : std::vector<std::string>{error}));
    };
    with("endpoint = \"https://10.0.0.1:8443\"", "");
    with("endpoint = \"ec2.eu-west-1.amazonaws.com\"",
         "2:12: aws.endpoint: found \"ec2.eu-west-1.amazonaws.com\"; allowed is an https:// URL without a path");
    with("imds_endpoint = \"https://169.254.169.254\"",
         "2:17: aws.imds_endpoint: found \"https://169.254.169.254\"; allowed is an http:// URL without a path");
    with("connections = 257", "2:15: aws.connections: found 257; allowed is a whole number from 2 to 256");
    with("reconcile_period = \"500ms\"", "2:20: aws.reconcile_period: found \"500ms\"; allowed is a duration from 1s to 1h");
    with("region = \"EU West\"", "2:10: aws.region: found \"EU West\"; allowed is the name of a region, such as \"eu-west-1\"");
    with("ca_bundle = \"ca.pem\"", "2:13: aws.ca_bundle: found \"ca.pem\"; allowed is an absolute path");
    with("endpoint = \"https://localhost\"\nuse_fips_endpoint = true",
         "3:21: aws.use_fips_endpoint: found true beside endpoint, which names the host itself; remove one of the two");
    with("endpoint = \"https://localhost\"\nuse_dualstack_endpoint = true",
         "3:26: aws.use_dualstack_endpoint: found true beside endpoint, which names the host itself; remove one of the two");
}

TEST(checks, a_reconcile_period_beyond_what_status_and_the_alert_expect_is_warned_of)
{
    const std::string moves = router_with({"[[router.elastic_ip]]", R"(allocation = "eipalloc-0a1b2c3d")"});
    const auto warnings_of = [](const std::string& period, const std::string& router) {
        const auto got = outcome_of("[aws]\nreconcile_period = \"" + period + "\"\n" + router);
        EXPECT_TRUE(got.errors.empty()) << got.errors[0];
        return got.warnings;
    };
    EXPECT_EQ(warnings_of("2m", moves),
              (std::vector<std::string>{
                  "2:20: aws.reconcile_period: found 2m; status warns of what EC2 has not confirmed for 1m, and the alert "
                  "VipdResourceNotConfirmed fires after another minute of it, though the Active is well; set 54s or less (a "
                  "read may be late by a tenth), or raise the bound in the alert and bear with the warnings"}));
    EXPECT_EQ(warnings_of("55s", moves).size(), 1U);
    EXPECT_TRUE(warnings_of("54s", moves).empty());
    EXPECT_TRUE(warnings_of("1h", router_with({})).empty()) << "nothing is read where nothing moves in EC2";
}

TEST(checks, the_identity_cache_is_a_file_of_its_own_or_none)
{
    const auto with = [](const std::string& lines) { return outcome_of(lines + "\n" + router_with({})); };
    EXPECT_EQ(with("").value.aws.identity_cache, "/run/vipd/identity.json");
    const auto off = with("[aws]\nidentity_cache = \"\"");
    EXPECT_TRUE(off.errors.empty());
    EXPECT_EQ(off.value.aws.identity_cache, "");
    EXPECT_EQ(
        with("[aws]\nidentity_cache = \"identity.json\"").errors,
        (std::vector<std::string>{"2:18: aws.identity_cache: found \"identity.json\"; allowed is an absolute path, or \"\" "
                                  "for no file"}));
    EXPECT_EQ(
        with("[aws]\nca_bundle = \"/a\"\nidentity_cache = \"/a\"").errors,
        (std::vector<std::string>{"3:18: aws.identity_cache: found \"/a\", which is also ca_bundle; give it a file of its "
                                  "own"}));
    EXPECT_EQ(
        with("[aws]\nidentity_cache = \"/a\"\n[http]\nsocket = \"/a\"").errors,
        (std::vector<std::string>{"2:18: aws.identity_cache: found \"/a\", which is also socket in [http]; give it a file "
                                  "of its own"}));
    EXPECT_EQ(with("[aws]\nca_bundle = \"\"").errors.size(), 1U) << "no other key may be empty";
}

TEST(checks, the_http_and_log_sections)
{
    const auto with = [](const std::string& lines) { return outcome_of(lines + "\n" + router_with({})); };
    const std::string allowed = "; allowed is \"ADDRESS:PORT\" or \"[IPV6]:PORT\"";
    for (const std::string text :
         {"localhost:80", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80",
          "127.0.0.1:", "127.0.0.1:80x", "", ":80", "224.0.0.1:80", "255.255.255.255:1", "[fe80::1]:9112"}) {
        EXPECT_EQ(with(fmt::format("[http]\nlisten = [\"{}\"]", text)).errors,
                  (std::vector<std::string>{fmt::format("2:11: http.listen[0]: found \"{}\"{}", text, allowed)}));
    }
    EXPECT_TRUE(with("[http]\nlisten = []").errors.empty());
    EXPECT_EQ(with("[http]\nlisten = [\"[::1]:1\", \"[::1]:1\"]").errors,
              (std::vector<std::string>{"2:22: http.listen[1]: found \"[::1]:1\" a second time; remove one of the two"}));
    for (const std::string pair :
         {"\"0.0.0.0:9112\", \"127.0.0.1:9112\"", "\"127.0.0.1:9112\", \"0.0.0.0:9112\"", "\"[::]:1\", \"[::1]:1\""}) {
        const auto second = pair.find(", ");
        const auto column = std::to_string(11 + second + 2);
        EXPECT_EQ(with("[http]\nlisten = [" + pair + "]").errors,
                  (std::vector<std::string>{"2:" + column + ": http.listen[1]: found " + pair.substr(second + 2) + " beside " +
                                            pair.substr(0, second) +
                                            ", and one of the two is on every address; remove one of the two"}));
    }
    EXPECT_TRUE(with("[http]\nlisten = [\"0.0.0.0:1\", \"[::]:1\", \"127.0.0.1:2\"]").errors.empty());
    EXPECT_EQ(with("[http]\nlisten = [\"0.0.0.0:9112\"]").warnings,
              (std::vector<std::string>{
                  "2:11: http.listen[0]: \"0.0.0.0:9112\" can be reached from other machines: status and metrics "
                  "are readable by whoever may connect; let a security group or firewall decide who that is"}));
    EXPECT_EQ(
        with("[http]\nsocket = \"vipd.sock\"").errors,
        (std::vector<std::string>{"2:10: http.socket: found \"vipd.sock\"; allowed is an absolute path of at most 107 bytes"}));
    EXPECT_EQ(with("[log]\nlevel = \"trace\"").errors,
              (std::vector<std::string>{"2:9: log.level: found \"trace\"; allowed is \"info\" or \"debug\""}));
    EXPECT_EQ(with("http = 1").errors,
              (std::vector<std::string>{"1:8: http: found a whole number; allowed is a table, [http]"}));
}

}  // namespace
}  // namespace vipd::config::test
