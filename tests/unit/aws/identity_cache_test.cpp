#include "agent/aws/identity_cache.hpp"

#include "tests/support/recording_log.hpp"
#include "tests/unit/aws/session_harness.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace vipd::aws {
namespace {

constexpr std::string_view boot_in_proc = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n";
constexpr std::string_view boot = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
constexpr std::string_view other_boot = "ffffffffffffffffffffffffffffffff";
const std::string file = "/run/vipd/identity.json";

// What the harness's IMDS says.
instance_identity known()
{
    return {instance_id{"i-1"},
            "eu-west-1",
            "eu-west-1a",
            "111122223333",
            {{"06:00:00:00:00:01",
              network_interface_id{"eni-00000001"},
              vpc_id{"vpc-00000001"},
              "subnet-00000001",
              {*ip_prefix::parse("10.0.1.0/24")},
              {ip_address::v4(10, 0, 1, 10), ip_address::v4(10, 0, 1, 11)}}}};
}

instance_identity with_interfaces(std::size_t count, std::size_t addresses)
{
    auto identity = known();
    auto pattern = identity.interfaces[0];
    pattern.addresses.assign(addresses, *ip_address::parse("2001:db8:1111:2222:3333:4444:5555:6666"));
    identity.interfaces.clear();
    for (std::size_t i = 0; i < count; ++i) {
        pattern.mac = fmt::format("06:00:00:00:00:{:02x}", i);
        identity.interfaces.push_back(pattern);
    }
    return identity;
}

// --- the text ---

TEST(identity_cache, what_is_written_is_read_back)
{
    for (const auto& identity : {known(), with_interfaces(15, 50), with_interfaces(64, 0)}) {
        const auto read = parse_identity(format_identity(identity, boot), boot);
        ASSERT_TRUE(read.has_value()) << read.error().text;
        EXPECT_EQ(*read, identity);
    }
    auto without_a_place = known();
    without_a_place.availability_zone.clear();
    without_a_place.account.clear();
    EXPECT_EQ(parse_identity(format_identity(without_a_place, boot), boot).value(), without_a_place);
}

TEST(identity_cache, the_boot_is_told_from_others_as_the_kernel_and_as_systemd_write_it)
{
    EXPECT_EQ(parse_boot_id(boot_in_proc), boot);
    EXPECT_EQ(parse_boot_id(boot), boot);
    for (const auto* wrong : {"", "\n", "0f1e2d3c", "0F1E2D3C4B5A69788796A5B4C3D2E1F0", "0f1e2d3c-4b5a6978-8796-a5b4-c3d2e1f0",
                              "0f1e2d3c4b5a69788796a5b4c3d2e1f00", "0f1e2d3c4b5a69788796a5b4c3d2e1fg"}) {
        EXPECT_EQ(parse_boot_id(wrong), "") << wrong;
    }
}

TEST(identity_cache, another_boot_is_told_from_a_broken_file)
{
    const auto stale = parse_identity(format_identity(known(), other_boot), boot);
    ASSERT_FALSE(stale.has_value());
    EXPECT_EQ(stale.error().kind, error_class::out_of_range);
    EXPECT_EQ(stale.error().text, "the identity cache is of another boot");
}

TEST(identity_cache, a_text_that_is_cut_off_anywhere_is_refused)
{
    const auto whole = format_identity(known(), boot);
    for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
        const auto read = parse_identity(std::string_view{whole}.substr(0, size), boot);
        ASSERT_FALSE(read.has_value()) << size;
        EXPECT_EQ(read.error().kind, error_class::malformed);
    }
}

// --- each member by itself ---

struct damage {
    const char* name;
    void (*apply)(boost::json::object&);
    const char* said;
};

boost::json::object& first_interface(boost::json::object& o)
{
    return o["interfaces"].as_array().at(0).as_object();
}

const std::vector<damage>& damages()
{
    using object = boost::json::object;
    static const std::vector<damage> all = {
        {"no version", [](object& o) { o.erase("version"); }, "another version"},
        {"the version before", [](object& o) { o["version"] = 1; }, "another version"},
        {"a member too many", [](object& o) { o["secret"] = "x"; }, "another version"},
        {"no boot", [](object& o) { o["boot_id"] = ""; }, "of which boot"},
        {"a boot that is none", [](object& o) { o["boot_id"] = "0f1e"; }, "of which boot"},
        {"no instance", [](object& o) { o["instance"] = nullptr; }, "an instance or a region"},
        {"another kind of id", [](object& o) { o["instance"] = "eni-1"; }, "an instance or a region"},
        {"a region that splits a header", [](object& o) { o["region"] = "eu\r\nX: y"; }, "an instance or a region"},
        {"a region that is a number", [](object& o) { o["region"] = 1; }, "an instance or a region"},
        {"a zone with a control character", [](object& o) { o["availability_zone"] = "a\n"; }, "availability zone"},
        {"a long account", [](object& o) { o["account"] = std::string(200, '1'); }, "an account"},
        {"an account that is a number", [](object& o) { o["account"] = 111122223333; }, "an account"},
        {"no interfaces", [](object& o) { o["interfaces"] = boost::json::array{}; }, "1 to 64 interfaces"},
        {"interfaces that are no list", [](object& o) { o["interfaces"] = "eni-1"; }, "1 to 64 interfaces"},
        {"an interface that is no object", [](object& o) { o["interfaces"] = boost::json::array{1}; }, "other members"},
        {"an interface with a member more", [](object& o) { first_interface(o)["x"] = 1; }, "other members"},
        {"a MAC address in capitals", [](object& o) { first_interface(o)["mac"] = "0A:00:00:00:00:01"; }, "MAC address"},
        {"an interface without an id", [](object& o) { first_interface(o)["id"] = "eni-"; }, "id, VPC or subnet"},
        {"a VPC that is a path", [](object& o) { first_interface(o)["vpc"] = "vpc-1/../x"; }, "id, VPC or subnet"},
        {"a subnet that is none", [](object& o) { first_interface(o)["subnet"] = "10.0.0.0"; }, "id, VPC or subnet"},
        {"addresses that are no list", [](object& o) { first_interface(o)["addresses"] = "10.0.0.1"; }, "addresses"},
        {"an address that is none", [](object& o) { first_interface(o)["addresses"].as_array().emplace_back("10.0.0.256"); },
         "one of the addresses that is none"},
        {"an address that is a number", [](object& o) { first_interface(o)["addresses"].as_array().emplace_back(7); },
         "one of the addresses that is none"},
        {"no prefixes", [](object& o) { first_interface(o).erase("subnet_prefixes"); }, "other members"},
        {"a prefix that is none",
         [](object& o) { first_interface(o)["subnet_prefixes"].as_array().emplace_back("10.0.1.0/33"); },
         "one of the subnet_prefixes that is none"},
        {"the same interface twice",
         [](object& o) {
             auto& list = o["interfaces"].as_array();
             const auto again = list.at(0);
             list.push_back(again);
         },
         "twice"},
    };
    return all;
}

TEST(identity_cache, anything_off_is_refused_with_the_reason)
{
    for (const auto& d : damages()) {
        auto object = boost::json::parse(format_identity(known(), boot)).as_object();
        d.apply(object);
        const auto read = parse_identity(boost::json::serialize(object), boot);
        ASSERT_FALSE(read.has_value()) << d.name;
        EXPECT_EQ(read.error().kind, error_class::malformed) << d.name;
        EXPECT_NE(read.error().text.find(d.said), std::string::npos) << d.name << ": " << read.error().text;
    }
}

TEST(identity_cache, what_is_huge_or_deep_or_no_json_is_refused)
{
    EXPECT_EQ(parse_identity(std::string((64U << 10U) + 1, ' '), boot).error().kind, error_class::too_large);
    EXPECT_EQ(parse_identity(std::string(60'000, '['), boot).error().kind, error_class::malformed);
    EXPECT_EQ(parse_identity(std::string("\0\xff{", 3), boot).error().kind, error_class::malformed);
    EXPECT_EQ(parse_identity("[]", boot).error().kind, error_class::malformed);
    EXPECT_EQ(parse_identity(format_identity(with_interfaces(65, 1), boot), boot).error().kind, error_class::malformed);
    EXPECT_EQ(parse_identity(format_identity(with_interfaces(1, 513), boot), boot).error().kind, error_class::malformed);
}

// --- in a session ---

session_settings cached()
{
    session_settings settings;
    settings.identity_cache = file;
    settings.boot_id = boot_in_proc;
    return settings;
}

const std::map<std::string, std::string, std::less<>> keys_of_the_environment = {{"AWS_ACCESS_KEY_ID", "A"},
                                                                                 {"AWS_SECRET_ACCESS_KEY", "B"}};

replace_route some_route()
{
    return {route_table_id{"rtb-1"}, route_destination::cidr(*ip_prefix::parse("172.16.1.100/32")),
            network_interface_id{"eni-00000001"}};
}

TEST(identity_cache, while_imds_is_down_for_ever_the_cache_and_keys_of_the_environment_are_enough_for_a_call)
{
    harness s{cached(), keys_of_the_environment};
    s.files[file] = format_identity(known(), boot);
    s.imds_up = false;
    s.start();
    ASSERT_TRUE(s->ready());
    EXPECT_EQ(s->identity(), known());
    EXPECT_EQ(s->snapshot(s.now).identity_from, identity_source::cache);
    EXPECT_EQ(s->snapshot(s.now).endpoint, "https://ec2.eu-west-1.amazonaws.com");
    EXPECT_EQ(s.identity_changes, 1U);
    s.run_for(10min);
    EXPECT_EQ(s->identity(), known());
    EXPECT_EQ(s->snapshot(s.now).identity_from, identity_source::cache);
    s.call(some_route());
    EXPECT_EQ(s.ec2.size(), 1U);
    EXPECT_EQ(s.log.count({"info event=identity instance=i-1 zone=eu-west-1a interfaces=1 source=cache"}), 1U);
    EXPECT_EQ(s.log.count({"event=imds", "failing", "identity_known=true"}), 1U);
    EXPECT_TRUE(s.files_written.empty()) << "IMDS has said nothing";
}

TEST(identity_cache, the_credentials_of_a_role_are_not_kept)
{
    harness s{cached()};
    s.start();
    ASSERT_TRUE(s->ready());
    ASSERT_EQ(s.files_written, std::vector{file});
    for (const auto* secret : {"AKIDROLE", "secret-of-role", "token-of-role", "token-1"}) {
        EXPECT_EQ(s.files[file].find(secret), std::string::npos) << secret;
    }
}

TEST(identity_cache, imds_is_asked_as_always_and_when_it_agrees_nothing_changes)
{
    harness s{cached(), keys_of_the_environment};
    s.files[file] = format_identity(known(), boot);
    s.imds_up = false;
    s.start();
    s.imds_up = true;
    s.run_for(10s);
    EXPECT_EQ(s->identity(), known());
    EXPECT_EQ(s->snapshot(s.now).identity_from, identity_source::imds);
    EXPECT_EQ(s.identity_changes, 1U) << "the stand-in's";
    EXPECT_EQ(s.warm.size(), 1U);
    EXPECT_EQ(s.log.count({"event=identity", "source=imds"}), 1U);
    EXPECT_EQ(s.files_written, std::vector{file});
    const auto asked = s.asked.size();
    s->refresh_interfaces(s.now);
    s.drain();
    s.run_for(1min);
    EXPECT_GT(s.asked.size(), asked);
    EXPECT_EQ(s.files_written, std::vector{file}) << "confirmed a second time";
}

TEST(identity_cache, what_imds_says_replaces_what_the_cache_said_the_region_included)
{
    auto old = known();
    old.region = "us-east-1";
    old.interfaces[0].id = network_interface_id{"eni-old"};
    harness s{cached(), keys_of_the_environment};
    s.files[file] = format_identity(old, boot);
    s.imds_up = false;
    s.start();
    EXPECT_EQ(s->identity(), old);
    s.imds_up = true;
    s.run_for(10s);
    EXPECT_EQ(s->identity(), known());
    EXPECT_EQ(s.identity_changes, 2U);
    EXPECT_EQ(s->snapshot(s.now).region, "eu-west-1");
    EXPECT_EQ(s->snapshot(s.now).endpoint, "https://ec2.eu-west-1.amazonaws.com");
    ASSERT_EQ(s.warm.size(), 3U);
    EXPECT_EQ(s.warm[1].origin.host, "ec2.us-east-1.amazonaws.com");
    EXPECT_EQ(s.warm[1].connections, 0U);
    EXPECT_EQ(s.warm[2].origin.host, "ec2.eu-west-1.amazonaws.com");
    EXPECT_EQ(parse_identity(s.files[file], boot).value(), known());
}

TEST(identity_cache, a_region_that_is_configured_stays_whatever_the_identity_says)
{
    auto settings = cached();
    settings.region = "eu-central-1";
    harness s{settings, keys_of_the_environment};
    s.files[file] = format_identity(known(), boot);
    s.start();
    s.run_for(10s);
    EXPECT_EQ(s->snapshot(s.now).region, "eu-central-1");
    EXPECT_EQ(s.warm.size(), 1U);
}

TEST(identity_cache, what_cannot_be_believed_is_ignored_with_a_line_that_says_why_and_replaced)
{
    struct unusable {
        result<std::string> content;
        std::string level;
        std::string reason;
    };
    const std::vector<unusable> all = {
        {format_identity(known(), other_boot), "info", "another boot"},
        {format_identity(known(), boot).substr(0, 100), "warning", "no JSON"},
        {std::string(100'000, 'x'), "warning", "larger than 65536"},
        {std::string{}, "warning", "no JSON"},
    };
    for (const auto& u : all) {
        harness s{cached(), keys_of_the_environment};
        s.files[file] = *u.content;
        s.imds_up = false;
        s.start();
        EXPECT_FALSE(s->identity().has_value());
        EXPECT_EQ(s.identity_changes, 0U);
        EXPECT_EQ(s.log.count({u.level + " event=identity_cache outcome=ignored file=" + file, u.reason}), 1U) << u.reason;
        s.imds_up = true;
        s.run_for(10s);
        EXPECT_EQ(s->identity(), known());
        EXPECT_EQ(parse_identity(s.files[file], boot).value(), known()) << "the next start has a good one";
        EXPECT_EQ(s.log.count({"identity_cache"}), 1U);
    }
}

TEST(identity_cache, a_first_start_has_no_file_and_says_nothing_of_it)
{
    harness s{cached(), keys_of_the_environment};
    s.start();
    EXPECT_EQ(s.files_read, std::vector{file});
    EXPECT_EQ(s.files_written, std::vector{file});
    EXPECT_EQ(s.log.count({"identity_cache"}), 0U);
}

TEST(identity_cache, it_is_written_again_when_the_identity_changes)
{
    harness s{cached(), keys_of_the_environment};
    s.start();
    s.run_for(1min);
    const std::string macs = "/latest/meta-data/network/interfaces/macs/";
    s.imds[macs] = "06:00:00:00:00:01/\n06:00:00:00:00:02/\n";
    s.imds[macs + "06:00:00:00:00:02/interface-id"] = "eni-00000002";
    s.imds[macs + "06:00:00:00:00:02/vpc-id"] = "vpc-00000001";
    s.imds[macs + "06:00:00:00:00:02/subnet-id"] = "subnet-00000001";
    s->refresh_interfaces(s.now);
    s.drain();
    s.run_for(1min);
    EXPECT_EQ(s.files_written.size(), 2U);
    EXPECT_EQ(parse_identity(s.files[file], boot).value(), s->identity());
    EXPECT_EQ(s->identity()->interfaces.size(), 2U);
}

TEST(identity_cache, a_write_that_fails_is_a_warning_at_most_once_in_ten_seconds_and_nothing_else)
{
    harness s{cached(), keys_of_the_environment};
    s.write_outcome = error{error_class::unavailable, "writing /run/vipd/identity.json: No space left on device"};
    s.start();
    const std::string address = "/latest/meta-data/network/interfaces/macs/06:00:00:00:00:01/local-ipv4s";
    for (int i = 0; i < 20; ++i) {
        s.imds[address] = "10.0.1." + std::to_string(20 + i);
        s->refresh_interfaces(s.now);
        s.drain();
        s.run_for(1s);
    }
    EXPECT_GE(s.files_written.size(), 15U);
    EXPECT_TRUE(s->ready());
    EXPECT_EQ(s->snapshot(s.now).last_error, "");
    const auto lines = s.log.count({"warning event=identity_cache outcome=not_written", "No space left"});
    EXPECT_GE(lines, 2U);
    EXPECT_LE(lines, 3U);
}

TEST(identity_cache, an_identity_that_could_not_be_read_back_is_not_written)
{
    harness s{cached(), keys_of_the_environment};
    s.imds["/latest/dynamic/instance-identity/document"] = R"({"region":"eu-west-1","instanceId":"elsewhere"})";
    s.start();
    EXPECT_TRUE(s->identity().has_value());
    EXPECT_TRUE(s.files_written.empty());
    EXPECT_EQ(s.log.count({"outcome=not_written", "an instance or a region"}), 1U);
}

TEST(identity_cache, without_a_boot_id_it_is_off_and_says_so)
{
    auto settings = cached();
    settings.boot_id = "";
    harness s{settings, keys_of_the_environment};
    s.files[file] = format_identity(known(), boot);
    s.start();
    EXPECT_TRUE(s.files_read.empty());
    EXPECT_TRUE(s.files_written.empty());
    EXPECT_EQ(s.log.count({"warning event=identity_cache outcome=off", "VIPD_BOOT_ID"}), 1U);
}

TEST(identity_cache, it_is_neither_read_nor_written_when_it_is_switched_off_or_nobody_needs_an_identity)
{
    auto off = cached();
    off.identity_cache.clear();
    auto not_needed = cached();
    not_needed.region = "eu-west-1";
    not_needed.needs_identity = false;
    for (const auto& settings : {off, not_needed}) {
        harness s{settings, keys_of_the_environment};
        s.start();
        s.run_for(10s);
        EXPECT_TRUE(s.files_read.empty());
        EXPECT_TRUE(s.files_written.empty());
    }
}

TEST(identity_cache, where_imds_must_not_be_asked_a_leftover_is_not_believed_either)
{
    auto variables = keys_of_the_environment;
    variables["AWS_EC2_METADATA_DISABLED"] = "true";
    harness s{cached(), variables};
    s.files[file] = format_identity(known(), boot);
    s.start();
    EXPECT_FALSE(s->identity().has_value());
    EXPECT_TRUE(s.files_read.empty());
}

TEST(identity_cache, a_file_that_comes_after_imds_is_dropped)
{
    test::recording_log log;
    cloud_session session{cached(), environment{keys_of_the_environment}, 1, log};
    session.start({time_point{1h}, wall_at_start});
    std::optional<file_read_id> reading;
    harness source{cached(), keys_of_the_environment};
    std::size_t answers = 0;
    while (auto output = session.poll_output()) {
        if (auto* read = std::get_if<read_file>(&*output)) {
            reading = read->id;
        } else if (auto* exchange = std::get_if<http_exchange>(&*output)) {
            ASSERT_LT(++answers, 20U);
            const auto found = source.imds.find(exchange->request.target);
            const bool is_token = exchange->request.method == "PUT";
            session.handle_http({time_point{1h}, wall_at_start}, exchange->id,
                                is_token                     ? answered(200, "token-1")
                                : found == source.imds.end() ? answered(404, "")
                                                             : answered(200, found->second));
        }
    }
    ASSERT_TRUE(reading.has_value());
    ASSERT_EQ(session.identity(), known());
    auto old = known();
    old.interfaces[0].id = network_interface_id{"eni-old"};
    session.handle_file({time_point{1h}, wall_at_start}, *reading, format_identity(old, boot));
    EXPECT_EQ(session.identity(), known());
    EXPECT_EQ(log.count({"source=cache"}), 0U);
}

}  // namespace
}  // namespace vipd::aws
