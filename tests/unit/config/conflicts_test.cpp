#include "tests/unit/config/file.hpp"

#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

std::string second_router(const std::string& lines)
{
    return router_with({}) + "[[router]]\n" + lines;
}

TEST(conflicts, what_two_routers_may_not_share)
{
    const std::string rest = "interface = \"ens5\"\npeers = [\"10.0.2.10\"]\nadvertised_addresses = [\"10.1.1.1\"]\n";
    EXPECT_EQ(outcome_of(second_router("name = \"a\"\nvrid = 52\n" + rest)).errors,
              (std::vector<std::string>{
                  "8:8: router[1].name: found \"a\", which router[0] (line 2) has already; names are unique in a file"}));
    const std::string told_apart = "; their adverts could not be told apart; choose another vrid";
    EXPECT_EQ(outcome_of(second_router("name = \"b\"\nvrid = 51\n" + rest)).errors,
              (std::vector<std::string>{"9:8: router[1].vrid: found 51 with the peer 10.0.2.10, as router[0] (line 1) has from "
                                        "the same address" +
                                        told_apart}));
    const std::string with_source = "source = \"10.0.1.10\"\n" + rest;
    EXPECT_EQ(
        outcome_of("[[router]]\nname = \"a\"\nvrid = 51\n" + with_source + "[[router]]\nname = \"b\"\nvrid = 51\n" +
                   with_source)
            .errors,
        (std::vector<std::string>{"10:8: router[1].vrid: found 51 with the peer 10.0.2.10, as router[0] (line 1) has from "
                                  "the same address" +
                                  told_apart}));
    EXPECT_EQ(outcome_of(second_router("name = \"b\"\nvrid = 51\n" + with_source)).errors,
              (std::vector<std::string>{
                  "9:8: router[1].vrid: found 51 with the peer 10.0.2.10, as router[0] (line 1) has from what may be "
                  "the same address; their adverts could not be told apart; choose another vrid, or give both a "
                  "source"}));
    EXPECT_TRUE(outcome_of(second_router("name = \"b\"\nvrid = 51\nsource = \"10.0.9.1\"\ninterface = \"ens6\"\n"
                                         "peers = [\"10.0.2.10\"]\nadvertised_addresses = [\"10.1.1.1\"]\n"))
                    .errors.empty());
    EXPECT_TRUE(outcome_of(second_router("name = \"b\"\nvrid = 51\ninterface = \"ens6\"\npeers = [\"10.0.2.10\"]\n"
                                         "advertised_addresses = [\"10.1.1.1\"]\n"))
                    .errors.empty());
    EXPECT_TRUE(outcome_of(second_router("name = \"b\"\nvrid = 51\ninterface = \"ens5\"\npeers = [\"10.0.2.11\"]\n"
                                         "advertised_addresses = [\"10.1.1.1\"]\n"))
                    .errors.empty());
}

TEST(conflicts, one_route_cannot_follow_two_routers)
{
    const auto router = [](std::string_view name, std::string_view tables) {
        return "[[router]]\nname = \"" + std::string(name) + "\"\nvrid = 51\ninterface = \"ens5\"\npeers = [\"10.0.2." +
               std::to_string(name.size()) +
               "\"]\n[[router.route]]\ndestination = \"10.1.1.1/32\"\ntables = " + std::string(tables) + "\n";
    };
    const auto errors_of = [&](std::string_view first, std::string_view second) {
        return outcome_of(router("a", first) + router("bb", second)).errors;
    };
    const std::string prefix =
        "15:15: router[1].route[0].destination: found \"10.1.1.1/32\", which router[0].route[0] (line 7) moves in ";
    const std::string suffix = " already; one route cannot follow two routers";
    EXPECT_EQ(errors_of("{ vpc = true }", "{ vpc = true }"), (std::vector<std::string>{prefix + "the same tables" + suffix}));
    EXPECT_EQ(errors_of(R"({ tags = { a = "1", b = "2" } })", R"({ vpc = true, tags = { b = "2", a = "1" } })"),
              (std::vector<std::string>{prefix + "the same tables" + suffix}));
    EXPECT_EQ(errors_of(R"({ ids = ["rtb-00000001", "rtb-00000002"] })", R"({ ids = ["rtb-00000003", "rtb-00000002"] })"),
              (std::vector<std::string>{prefix + "rtb-00000002" + suffix}));
    EXPECT_TRUE(errors_of(R"({ ids = ["rtb-00000001"] })", R"({ ids = ["rtb-00000003"] })").empty());
    EXPECT_TRUE(errors_of("{ vpc = true }", R"({ ids = ["rtb-00000003"] })").empty());
}

TEST(conflicts, one_address_on_one_interface_has_one_router)
{
    const auto router = [](const std::string& name, const std::string& entry) {
        return "[[router]]\nname = \"" + name + "\"\nvrid = 51\ninterface = \"" + name +
               "\"\npeers = [\"10.0.2.10\"]\n[[router.address]]\naddress = " + entry + "\n";
    };
    EXPECT_EQ(outcome_of(router("a", "\"10.1.1.1\"") + router("b", "\"10.1.1.1/24\"")).errors,
              (std::vector<std::string>{
                  "14:11: router[1].address[0].address: found \"10.1.1.1/24\", which router[0].address[0] (line "
                  "7) has on lo already; remove one of the two"}));
    EXPECT_TRUE(outcome_of(router("a", "\"10.1.1.1\"") + router("b", "\"10.1.1.1\"\ninterface = \"eth1\"")).errors.empty());
}

}  // namespace
}  // namespace vipd::config::test
