#include "tests/unit/config/file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Routers "a" (line 1), "b" (line 7) and "c" (line 13), then these lines from line 19 on.
std::string file_with_three(const std::vector<std::string>& changes_of_b, const std::string& rest)
{
    auto b = changes_of_b;
    b.insert(b.begin(), {R"(name = "b")", "vrid = 52"});
    return router_with({}) + router_with(b) + router_with({R"(name = "c")", "vrid = 53"}) + rest;
}

TEST(sync_groups, are_read)
{
    const auto read = outcome_of(file_with_three({}, "[[sync_group]]\nname = \"web\"\nrouters = [\"a\", \"b\"]\n"));
    ASSERT_THAT(read.errors, IsEmpty());
    EXPECT_THAT(read.warnings, IsEmpty());
    EXPECT_THAT(read.value.sync_groups, ElementsAre(sync_group_entry{"web", {"a", "b"}}));
}

TEST(sync_groups, one_router_is_no_group)
{
    EXPECT_THAT(outcome_of(file_with_three({}, "[[sync_group]]\nname = \"web\"\nrouters = [\"a\"]\n")).errors,
                ElementsAre("21:11: sync_group[0].routers: found 1 entries; allowed are 2 to 64"));
}

TEST(sync_groups, a_router_that_is_not_there)
{
    EXPECT_THAT(outcome_of(file_with_three({}, "[[sync_group]]\nname = \"web\"\nrouters = [\"a\", \"x\"]\n")).errors,
                ElementsAre("21:17: sync_group[0].routers[1]: found \"x\", which is the name of no [[router]]"));
}

TEST(sync_groups, a_router_is_in_one_group_and_once)
{
    EXPECT_THAT(outcome_of(file_with_three({},
                                           "[[sync_group]]\nname = \"web\"\nrouters = [\"a\", \"b\", \"a\"]\n"
                                           "[[sync_group]]\nname = \"db\"\nrouters = [\"b\", \"c\"]\n"))
                    .errors,
                ElementsAre("21:22: sync_group[0].routers[2]: found \"a\", which group \"web\" has already; a router is in one "
                            "group, once",
                            "24:12: sync_group[1].routers[0]: found \"b\", which group \"web\" has already; a router is in one "
                            "group, once"));
}

TEST(sync_groups, names_are_unique)
{
    EXPECT_THAT(outcome_of(router_with({}) + router_with({R"(name = "b")", "vrid = 52"}) +
                           router_with({R"(name = "c")", "vrid = 53"}) + router_with({R"(name = "d")", "vrid = 54"}) +
                           "[[sync_group]]\nname = \"web\"\nrouters = [\"a\", \"b\"]\n"
                           "[[sync_group]]\nname = \"web\"\nrouters = [\"c\", \"d\"]\n")
                    .errors,
                ElementsAre("29:8: sync_group[1].name: found \"web\" a second time; give every group a name of its own"));
}

TEST(sync_groups, have_one_priority)
{
    EXPECT_THAT(
        outcome_of(file_with_three({"priority = 90"}, "[[sync_group]]\nname = \"web\"\nrouters = [\"a\", \"b\"]\n")).errors,
        ElementsAre("22:17: sync_group[0].routers[1]: found \"b\" with priority 90, and \"a\" has 100; routers of a "
                    "group have one priority, for they win their elections together"));
}

TEST(sync_groups, have_no_address_owner)
{
    EXPECT_THAT(outcome_of(file_with_three({"priority = 255", "address_owner = true"},
                                           "[[sync_group]]\nname = \"web\"\nrouters = [\"a\", \"b\"]\n"))
                    .errors,
                ElementsAre("23:17: sync_group[0].routers[1]: found \"b\", which is an address owner: it is Active by itself; "
                            "set address_owner = false and a priority below 255, or take it out of the group"));
}

TEST(sync_groups, that_preempt_in_part_are_pointed_out)
{
    EXPECT_THAT(
        outcome_of(file_with_three({"preempt = false"}, "[[sync_group]]\nname = \"web\"\nrouters = [\"a\", \"b\"]\n")).warnings,
        ElementsAre("22:17: sync_group[0].routers[1]: \"b\" has preempt = false, and \"a\" has true: the group preempts "
                    "when all of its routers do"));
}

}  // namespace
}  // namespace vipd::config::test
