#include "agent/takeover/plan.hpp"

#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

namespace vipd::takeover {
namespace {

using namespace vipd::test;

TEST(plan, every_kind_of_route_has_its_action)
{
    const auto me = eni("eni-me");
    const auto mine = route_to("eni-me");
    const auto hole = route_to("eni-me", aws::route_state::blackhole);
    const auto other = route_to("eni-other");
    auto propagated = route_to("eni-me");
    propagated.propagated = true;
    aws::route gateway{destination(), {}, "igw-1", aws::route_state::active, false};

    EXPECT_EQ(plan_route(me, nullptr), route_action::create);
    EXPECT_EQ(plan_route(me, &mine), route_action::none);
    EXPECT_EQ(plan_route(me, &hole), route_action::replace);
    EXPECT_EQ(plan_route(me, &other), route_action::replace);
    EXPECT_EQ(plan_route(me, &propagated), route_action::create);
    EXPECT_EQ(plan_route(me, &gateway), route_action::replace);
}

TEST(plan, queries_are_named_for_people)
{
    EXPECT_EQ(describe_query({{rtb("rtb-1"), rtb("rtb-2")}, {}, {}}), "rtb-1, rtb-2");
    EXPECT_EQ(describe_query({{}, aws::vpc_id{"vpc-1"}, {}}), "vpc-1");
    EXPECT_EQ(describe_query({{}, aws::vpc_id{"vpc-1"}, {{"Role", "private"}, {"Name", "a*"}}}),
              "vpc-1 with tag Role=private with tag Name=a*");
}

TEST(plan, owners_are_named_for_people)
{
    const auto hole = route_to("eni-1", aws::route_state::blackhole);
    const aws::route gateway{destination(), {}, "igw-1", aws::route_state::active, true};
    EXPECT_EQ(describe_owner(nullptr), "none");
    EXPECT_EQ(describe_owner(&hole), "eni-1 (blackhole)");
    EXPECT_EQ(describe_owner(&gateway), "igw-1 (propagated)");
}

}  // namespace
}  // namespace vipd::takeover
