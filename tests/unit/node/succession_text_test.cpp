// What a process leaves to the one that takes its place, as text: of this version, of older ones, and of none.

#include "agent/node/succession.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vipd::node {
namespace {

using namespace std::chrono_literals;

TEST(succession, is_read_as_it_was_written)
{
    const succession s{true,
                       {{"web",
                         51,
                         vrrp::version::v3,
                         ip_address::v4(10, 0, 1, 10),
                         7,
                         time_point{123456789ns},
                         true,
                         {"a"},
                         {{"b", "c"}},
                         (std::uint64_t{1} << 63U) + 1,
                         config::hook_event::active,
                         {{"a", -50}, {"b", 7}},
                         {{{{}, {}, {}, {{"Name", "floating"}, {"Role", "\"*"}}}, aws::network_interface_id{"eni-1"}},
                          {{{}, ip_address::v4(10, 1, 0, 50), aws::vpc_id{"vpc-1"}, {}}, {}},
                          {{aws::network_interface_id{"eni-2"}, {}, {}, {}}, aws::network_interface_id{"eni-2"}}}},
                        {"db", 52, vrrp::version::v2, *ip_address::parse("2001:db8::1"), 0, std::nullopt, false, {}},
                        {.name = "out",
                         .vrid = 53,
                         .role_told = config::hook_event::fault,
                         .learned_interval = 40'950ms,
                         .believed_until = time_point{456789123ns},
                         .drain_until = time_point{567891234ns},
                         .patient_until = time_point{678912345ns}}},
                       {{"web", 180, 100}},
                       {{*ip_prefix::parse("172.16.1.100/32"), "lo"}, {*ip_prefix::parse("2001:db8::2/64"), "ens5"}},
                       {{time_point{987654321ns}, "http_503: \"ä\""}},
                       {{aws::notice_kind::spot, "stop", wall_time{1790000000s}},
                        {aws::notice_kind::rebalance, "rebalance", {}},
                        {aws::notice_kind::scheduled_event, "", wall_time{1790000001s}},
                        {aws::notice_kind::auto_scaling, "Terminated", {}}}};
    const auto read = parse_succession(format_succession(s));
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(*read, s);
}

TEST(succession, of_another_format_or_broken_is_refused_whole)
{
    const auto good = format_succession(
        {false,
         {{.name = "web",
           .vrid = 51,
           .source = ip_address::v4(10, 0, 1, 10),
           .epoch = 7,
           .is_owned = true,
           .well_trackers = {"a"},
           .unwell_trackers = {{"b"}},
           .signed_last = 77,
           .role_told = config::hook_event::backup,
           .numbers = {{"c", 5}},
           .interfaces = {{{{}, ip_address::v4(10, 1, 0, 50), {}, {{"Name", "floating"}}}, aws::network_interface_id{"eni-1"}}},
           .learned_interval = 250ms,
           .believed_until = time_point{456789123ns},
           .drain_until = time_point{567891234ns},
           .patient_until = time_point{678912345ns}}},
         {{"db", 180, 100}},
         {{*ip_prefix::parse("172.16.1.100/32"), "lo"}}});
    ASSERT_TRUE(parse_succession(good).has_value());
    const auto with = [&](const std::string& from, const std::string& to) {
        auto text = good;
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    };
    for (const auto& text : {std::string{},
                             std::string{"[]"},
                             with("\"format\":1", "\"format\":2"),
                             with("\"vrid\":51", "\"vrid\":0"),
                             with("\"vrid\":51", "\"vrid\":256"),
                             with("\"version\":3", "\"version\":4"),
                             with("10.0.1.10", "10.0.1"),
                             with("\"epoch\":7", "\"epoch\":-1"),
                             with("\"owned\":true", "\"owned\":1"),
                             with("null", "\"soon\""),
                             with("\"name\":\"web\"", "\"name\":\"\""),
                             with("[\"a\"]", "[1]"),
                             with("[\"a\"]", "{}"),
                             with("[\"b\"]", "[1]"),
                             with("[\"b\"]", "true"),
                             with("false", "0"),
                             with("\"priority\":180", "\"priority\":0"),
                             with("\"priority\":180", "\"priority\":255"),
                             with("\"configured\":100", "\"configured\":null"),
                             with("\"name\":\"db\"", "\"name\":\"\""),
                             with("\"priorities\":[", "\"priorities\":[7,"),
                             with("172.16.1.100/32", "172.16.1.100/33"),
                             with("\"lo\"", "\"\""),
                             with("\"signed_last\":77", "\"signed_last\":-77"),
                             with("\"signed_last\":77", "\"signed_last\":7.5"),
                             with("\"addresses\":[", "\"addresses\":[7,"),
                             with("\"backup\"", "\"owned\""),
                             with("\"backup\"", "7"),
                             with("{\"c\":5}", "5"),
                             with("{\"c\":5}", "{\"c\":\"5\"}"),
                             with("\"interfaces\":[", "\"interfaces\":[7,"),
                             with("\"by_tags\":[", "\"by_tags\":[7,"),
                             with("10.1.0.50", "10.1.0"),
                             with("250000000", "0"),
                             with("250000000", "40950000001"),
                             with("250000000", "true"),
                             with("456789123", "true"),
                             with("456789123", "\"soon\""),
                             with("567891234", "0.5"),
                             with("678912345", "{}"),
                             good.substr(0, good.size() - 1)}) {
        EXPECT_FALSE(parse_succession(text).has_value()) << text;
    }
}

TEST(succession, has_an_address_for_older_versions_where_there_is_none)
{
    const auto text = format_succession({false, {{.name = "web", .vrid = 51}}, {}, {}});
    EXPECT_NE(text.find(R"("source":"0.0.0.0")"), std::string::npos) << text;
}

TEST(succession, of_a_version_that_named_no_tracker_that_is_not_well_names_none)
{
    const auto read = parse_succession(
        R"({"format":1,"maintenance":false,"routers":[{"name":"web","vrid":51,"version":3,"source":"10.0.1.10","epoch":7,)"
        R"("advert_due_nanoseconds":null,"owned":true,"well_trackers":["a"]}]})");
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(read->routers[0],
              (router_succession{"web", 51, vrrp::version::v3, ip_address::v4(10, 0, 1, 10), 7, {}, true, {"a"}}));
}

TEST(succession, of_a_version_that_left_no_addresses_has_none)
{
    const auto read = parse_succession(R"({"format":1,"maintenance":true,"routers":[],"priorities":[]})");
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(*read, (succession{true, {}, {}, {}}));
    EXPECT_FALSE(parse_succession(R"({"format":1,"maintenance":true,"routers":[],"addresses":{}})").has_value());
}

TEST(succession, of_a_version_that_set_no_priorities_has_none)
{
    const auto read = parse_succession(R"({"format":1,"maintenance":true,"routers":[]})");
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(*read, (succession{true, {}, {}}));
    EXPECT_FALSE(parse_succession(R"({"format":1,"maintenance":true,"routers":[],"priorities":{}})").has_value());
}

}  // namespace
}  // namespace vipd::node
