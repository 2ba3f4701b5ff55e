#include "agent/config/load.hpp"

#include "tests/unit/config/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace vipd::config::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::string read_file(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(load, the_smallest_router_has_every_default)
{
    const auto got = outcome_of(router_with({}));
    ASSERT_THAT(got.errors, IsEmpty());
    EXPECT_THAT(got.warnings, IsEmpty());
    configuration expected;
    router r;
    r.name = "a";
    r.vrid = 51;
    r.interface = "ens5";
    r.peers = {{ip_address::v4(10, 0, 2, 10), 255}};
    r.advertised_addresses = {ip_address::v4(172, 16, 1, 100)};
    expected.routers = {r};
    EXPECT_EQ(got.value, expected);
    EXPECT_EQ(got.value.http.listen, (std::vector<tcp_listener>{{ip_address::v4(127, 0, 0, 1), 9112}}));
    EXPECT_EQ(got.value.routers[0].preempt_delay, 60s);
}

TEST(load, every_key_reaches_its_member)
{
    const auto got = outcome_of(R"(
realtime = true
[aws]
region = "eu-west-1"
endpoint = "https://localhost:8443"
imds_endpoint = "http://[fd00:ec2::254]"
ca_bundle = "/etc/vipd/ca.pem"
profile = "ops"
connections = 32
reconcile_period = "54s"
identity_cache = "/var/lib/vipd/identity.json"
[http]
listen = ["127.0.0.1:80", "[::1]:9113"]
socket = "/tmp/vipd.sock"
[log]
format = "json"
level = "debug"
[[router]]
name = "haproxy"
vrid = 255
version = 3
priority = 255
address_owner = true
source = "10.0.1.10"
interface = "ens5"
peers = ["10.0.2.10", { address = "10.0.3.10", min_ttl = 254 }]
advert_interval = "10ms"
down_timer_adverts = 5
preempt = true
preempt_delay = "0s"
startup_delay = "0s"
checksum = "rfc9568"
drain = "500ms"
[[router.address]]
address = "172.16.1.100/32"
[[router.address]]
address = "10.9.0.5/24"
interface = "ens6"
when = "always"
[[router.route]]
destination = "172.16.1.100/32"
tables = { ids = ["rtb-0a1b2c3d", "rtb-0123456789abcdef0"] }
source_dest_check = "disable"
[[router.route]]
destination = "pl-0a1b2c3d"
tables = { vpc = true, tags = { Name = "private-*", Tier = "1" } }
interface = "ens7"
[[router.route]]
destination = "2001:db8::/64"
interface_id = "eni-0a1b2c3d"
[router.route.tables]
vpc = true
)");
    ASSERT_THAT(got.errors, IsEmpty());
    EXPECT_THAT(got.warnings, IsEmpty());
    const auto& c = got.value;
    EXPECT_TRUE(c.realtime);
    EXPECT_EQ(c.aws, (aws_section{"eu-west-1", "https://localhost:8443", "http://[fd00:ec2::254]", "/etc/vipd/ca.pem", "ops",
                                  false, false, 32, 54s, "/var/lib/vipd/identity.json"}));
    EXPECT_EQ(c.http,
              (http_section{{{ip_address::v4(127, 0, 0, 1), 80}, {*ip_address::parse("::1"), 9113}}, "/tmp/vipd.sock"}));
    EXPECT_EQ(c.log, (log_section{log_format::json, true}));
    ASSERT_EQ(c.routers.size(), 1U);
    router r;
    r.name = "haproxy";
    r.vrid = 255;
    r.priority = 255;
    r.address_owner = true;
    r.source = ip_address::v4(10, 0, 1, 10);
    r.interface = "ens5";
    r.peers = {{ip_address::v4(10, 0, 2, 10), 255}, {ip_address::v4(10, 0, 3, 10), 254}};
    r.advert_interval = 10ms;
    r.down_timer_adverts = 5;
    r.preempt_delay = 0s;
    r.checksum = vrrp::checksum_form::rfc9568;
    r.drain = 500ms;
    r.addresses.resize(2);
    r.addresses[0].address = *ip_prefix::parse("172.16.1.100/32");
    r.addresses[1].address = *ip_prefix::parse("10.9.0.5/24");
    r.addresses[1].interface = "ens6";
    r.addresses[1].when = address_lifetime::always;
    r.advertised_addresses = {ip_address::v4(172, 16, 1, 100), ip_address::v4(10, 9, 0, 5)};
    r.routes = {{aws::route_destination::cidr(*ip_prefix::parse("172.16.1.100/32")),
                 {{aws::route_table_id("rtb-0a1b2c3d"), aws::route_table_id("rtb-0123456789abcdef0")}, false, {}},
                 "ens5",
                 {},
                 true},
                {aws::route_destination::prefix_list("pl-0a1b2c3d"),
                 {{}, true, {{"Name", "private-*"}, {"Tier", "1"}}},
                 "ens7",
                 {},
                 false},
                {aws::route_destination::cidr(*ip_prefix::parse("2001:db8::/64")),
                 {{}, true, {}},
                 "",
                 aws::network_interface_id("eni-0a1b2c3d"),
                 false}};
    EXPECT_EQ(c.routers[0], r);
}

TEST(load, version_2_takes_a_password_and_warns_that_it_can_be_read)
{
    const auto got = outcome_of(router_with({"version = 2", R"(auth = { kind = "password", password = "secret" })"}));
    ASSERT_THAT(got.errors, IsEmpty());
    EXPECT_EQ(got.value.routers[0].version, vrrp::version::v2);
    ASSERT_TRUE(got.value.routers[0].auth.password);
    EXPECT_EQ(got.value.routers[0].auth.password->bytes, (std::array<std::uint8_t, 8>{'s', 'e', 'c', 'r', 'e', 't', 0, 0}));
    EXPECT_THAT(got.warnings,
                ElementsAre("8:8: router[0].auth: the password travels in clear text with every advert: it keeps out "
                            "mistakes, not attackers"));
}

TEST(load, advertised_addresses_follow_from_addresses_and_host_routes_of_the_peers_family)
{
    const auto got = outcome_of(R"([[router]]
name = "a"
vrid = 1
interface = "ens5"
peers = ["2001:db8::2"]
[[router.address]]
address = "10.1.1.1/24"
[[router.address]]
address = "2001:db8:1::1/64"
[[router.route]]
destination = "2001:db8:1::1/128"
tables = { vpc = true }
[[router.route]]
destination = "2001:db8:2::9/128"
tables = { vpc = true }
[[router.route]]
destination = "2001:db8:3::/64"
tables = { vpc = true }
)");
    ASSERT_THAT(got.errors, IsEmpty());
    EXPECT_THAT(got.value.routers[0].advertised_addresses,
                ElementsAre(*ip_address::parse("2001:db8:1::1"), *ip_address::parse("2001:db8:2::9")));
}

TEST(load, fifteen_different_errors_are_reported_in_one_run_in_the_order_of_the_file)
{
    const auto got = outcome_of(R"(realtime = 1
realtme = true
[aws]
connections = 0
endpoint = "http://localhost"
[http]
listen = ["127.0.0.1"]
[log]
format = "xml"
[[router]]
name = "a b"
vrid = 256
priority = "high"
interface = "ens5"
peers = ["10.0.2.10", "10.0.2.10", "2001:db8::1"]
advert_interval = 1
advertised_addresses = ["172.16.1.100"]
[[router.track]]
kind = "file"
[[router]]
vrid = 7
interface = "ens5"
peers = ["10.0.2.999"]
[[router.route]]
destination = "172.16.1.100/33"
tables = { ids = ["rtb-xyz"] }
)");
    EXPECT_THAT(
        got.errors,
        ElementsAre(
            "1:12: realtime: found 1; allowed is true or false",
            "2:1: realtme: is not a key of the top of the file; did you mean \"realtime\"?",
            "4:15: aws.connections: found 0; allowed is a whole number from 2 to 256",
            "5:12: aws.endpoint: found \"http://localhost\"; allowed is an https:// URL without a path",
            "7:11: http.listen[0]: found \"127.0.0.1\"; allowed is \"ADDRESS:PORT\" or \"[IPV6]:PORT\"",
            "9:10: log.format: found \"xml\"; allowed is \"logfmt\" or \"json\"",
            "11:8: router[0].name: found \"a b\"; allowed is 1 to 64 of the characters A-Z a-z 0-9 . _ -",
            "12:8: router[0].vrid: found 256; allowed is a whole number from 1 to 255",
            "13:12: router[0].priority: found \"high\"; allowed is a whole number from 1 to 255; write it without quotes",
            "15:23: router[0].peers[1]: found \"10.0.2.10\" a second time; remove one of the two",
            "15:36: router[0].peers[2]: found \"2001:db8::1\", which is IPv6, while the first peer is IPv4; use one "
            "family for a router, and a router for each family",
            "16:19: router[0].advert_interval: found 1; allowed is a duration from 10ms to 255s; write a number and its "
            "unit in quotes, such as \"200ms\", \"1.5s\" or \"2m\"",
            "18:1: router[0].track[0].name: is missing; allowed is 1 to 64 of the characters A-Z a-z 0-9 . _ -",
            "20:1: router[1].name: is missing; allowed is 1 to 64 of the characters A-Z a-z 0-9 . _ -",
            "23:10: router[1].peers[0]: found \"10.0.2.999\"; allowed is an IPv4 or IPv6 unicast address without a zone",
            "25:15: router[1].route[0].destination: found \"172.16.1.100/33\"; allowed is an IPv4 or IPv6 prefix, or the "
            "id of a prefix list (\"pl-...\")",
            "26:19: router[1].route[0].tables.ids[0]: found \"rtb-xyz\"; allowed is the id of a route table (\"rtb-\" and "
            "8 to 17 digits)"));
}

TEST(load, an_empty_file_lacks_a_router)
{
    EXPECT_THAT(outcome_of("").errors, ElementsAre("1:1: router: is missing; allowed is up to 4096 of [[router]]"));
    EXPECT_THAT(outcome_of("router = []\n").errors,
                ElementsAre("1:10: router: found no entry; at least one [[router]] is needed"));
}

TEST(load, a_secret_is_in_no_message)
{
    for (const std::string secret : {"geheim-geheim", "\\u0001geheim"}) {
        for (const auto& line :
             {"auth = { kind = \"password\", password = \"" + secret + "\" }", "password = \"" + secret + "\"",
              "auth = { kind = \"password\", pasword = \"" + secret + "\" }",
              "auth = { kind = \"password\", password = \"" + secret + " }",
              "auth = { kind = \"password\", password = [\"" + secret + "\"] }", "auth = \"" + secret + "\""}) {
            const auto got = outcome_of(router_with({"version = 2", line}));
            ASSERT_FALSE(got.errors.empty()) << line;
            for (const auto& error : got.errors) {
                EXPECT_EQ(error.find("geheim"), std::string::npos) << error;
            }
        }
    }
}

TEST(load, a_url_with_a_password_is_in_no_message)
{
    for (const auto* key : {"endpoint", "imds_endpoint"}) {
        const auto got = outcome_of(std::string("[aws]\n") + key + " = \"https://AKIA:geheim@proxy\"\n" + router_with({}));
        ASSERT_FALSE(got.errors.empty()) << key;
        EXPECT_NE(got.errors[0].find(key), std::string::npos) << got.errors[0];
        EXPECT_EQ(got.errors[0].find("geheim"), std::string::npos) << got.errors[0];
    }
}

TEST(load, every_example_loads_without_a_warning_that_it_does_not_explain)
{
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(TEST_SOURCE_DIR "/deploy/examples")) {
        if (file.path().extension() != ".toml") {
            continue;
        }
        ++count;
        const auto got = outcome_of(read_file(file.path()));
        EXPECT_THAT(got.errors, IsEmpty()) << file.path();
        EXPECT_EQ(got.warnings.size(), file.path().filename() == "vrrpv2-with-keepalived.toml" ? 1U : 0U) << file.path();
    }
    EXPECT_GE(count, 4U);
}

TEST(load, what_the_readme_shows_loads_without_a_warning)
{
    const auto text = read_file(TEST_SOURCE_DIR "/README.md");
    std::size_t count = 0;
    for (auto at = text.find("```toml\n"); at != std::string::npos; at = text.find("```toml\n", at)) {
        at += 8;
        const auto got = outcome_of(text.substr(at, text.find("```", at) - at));
        EXPECT_THAT(got.errors, IsEmpty());
        EXPECT_THAT(got.warnings, IsEmpty());
        ++count;
    }
    EXPECT_GE(count, 1U);
}

TEST(load, hundreds_of_routers_are_one_file_and_more_than_4096_are_not)
{
    std::string text;
    for (unsigned i = 0; i < 300; ++i) {
        text += "[[router]]\nname = \"r" + std::to_string(i) + "\"\nvrid = " + std::to_string(i % 255 + 1) +
                "\ninterface = \"ens5\"\npeers = [\"10.0.0." + std::to_string(i / 255 + 1) +
                "\"]\nadvertised_addresses = [\"10.1.1.1\"]\n";
    }
    const auto got = outcome_of(text);
    EXPECT_THAT(got.errors, IsEmpty());
    EXPECT_EQ(got.value.routers.size(), 300U);
    std::string headers;
    for (unsigned i = 0; i < 4097; ++i) {
        headers += "[[router]]\n";
    }
    EXPECT_THAT(outcome_of(headers).errors, ElementsAre("1:1: router: found 4097 entries; allowed are 0 to 4096"));
}

}  // namespace
}  // namespace vipd::config::test
