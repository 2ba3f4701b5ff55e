#include "agent/takeover/resource.hpp"

#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::takeover {
namespace {

using namespace vipd::test;

using place = sighting::place;

const route_in_table the_route{rtb("rtb-1"), destination(), eni("eni-me")};
const aws::instance_id me{"i-me"};

std::string_view action(const std::optional<aws::ec2_call>& call)
{
    return call ? aws::action_name(*call) : "none";
}

aws::network_interface interface(const char* id, std::vector<ip_address> addresses = {})
{
    aws::network_interface one;
    one.id = eni(id);
    one.addresses = std::move(addresses);
    return one;
}

aws::network_interface attached(const char* instance, aws::attachment_state state)
{
    auto one = interface("eni-float");
    one.attachment = {aws::attachment_id{"eni-attach-1"}, aws::instance_id{instance}, 1, state, false};
    return one;
}

query_view view_of(std::vector<aws::network_interface> interfaces)
{
    query_view view;
    for (auto& one : interfaces) {
        view.interfaces.emplace(one.id, one);
    }
    return view;
}

TEST(resource, every_kind_of_route_has_its_action)
{
    const auto mine = route_to("eni-me");
    const auto hole = route_to("eni-me", aws::route_state::blackhole);
    const auto other = route_to("eni-other");
    auto propagated = route_to("eni-me");
    propagated.propagated = true;
    const aws::route gateway{destination(), {}, "igw-1", aws::route_state::active, false};
    struct row {
        const aws::route* seen;
        place where;
        bool serves_nobody;
        std::string_view call;
    };
    const std::array rows = {
        row{nullptr, place::nowhere, true, "CreateRoute"},     row{&mine, place::here, false, "ReplaceRoute"},
        row{&hole, place::elsewhere, true, "ReplaceRoute"},    row{&other, place::elsewhere, false, "ReplaceRoute"},
        row{&propagated, place::nowhere, true, "CreateRoute"}, row{&gateway, place::elsewhere, false, "ReplaceRoute"}};
    for (const auto& r : rows) {
        const auto s = sighting_of(the_route, r.seen);
        EXPECT_EQ(s.where, r.where) << s.owner;
        EXPECT_EQ(s.serves_nobody, r.serves_nobody) << s.owner;
        EXPECT_EQ(action(next_call(the_route, s)), r.call) << s.owner;
    }
    EXPECT_EQ(action(next_call(the_route, std::nullopt)), "ReplaceRoute");
}

TEST(resource, a_route_is_looked_for_in_its_table)
{
    query_view view;
    EXPECT_FALSE(was_asked(the_route, view));
    view.destinations.insert(destination());
    EXPECT_TRUE(was_asked(the_route, view));
    EXPECT_FALSE(look_for(the_route, view)) << "no such table";
    view.tables[rtb("rtb-1")] = {"private-a", {}};
    EXPECT_EQ(look_for(the_route, view)->where, place::nowhere);
    view.tables[rtb("rtb-1")].routes[destination()] = route_to("eni-me");
    EXPECT_EQ(look_for(the_route, view)->where, place::here);
    EXPECT_EQ(name_for_people(the_route, &view), "172.16.1.100/32 in rtb-1 (private-a)");
}

TEST(resource, a_secondary_ipv4_address_is_taken_wherever_it_is)
{
    const auto address = ip_address::v4(10, 0, 1, 100);
    const secondary_address what{address, eni("eni-me")};
    const auto nowhere = *look_for(what, view_of({}));
    EXPECT_EQ(nowhere.where, place::nowhere);
    EXPECT_TRUE(nowhere.serves_nobody);
    const auto elsewhere = *look_for(what, view_of({interface("eni-other", {address})}));
    EXPECT_EQ(elsewhere.where, place::elsewhere);
    EXPECT_EQ(elsewhere.owner, "eni-other");
    EXPECT_EQ(look_for(what, view_of({interface("eni-me", {address})}))->where, place::here);
    for (const auto& seen : {std::optional<sighting>{}, std::optional{nowhere}, std::optional{elsewhere}}) {
        EXPECT_EQ(action(next_call(what, seen)), "AssignPrivateIpAddresses");
    }
}

// Without a VPC in the question EC2 answers with those of all.
TEST(resource, a_secondary_address_is_here_whoever_else_has_the_same_one)
{
    const auto address = ip_address::v4(10, 0, 1, 100);
    const secondary_address what{address, eni("eni-me")};
    const auto both = view_of({interface("eni-a-foreign", {address}), interface("eni-me", {address})});
    EXPECT_EQ(look_for(what, both)->where, place::here);
    EXPECT_EQ(look_for(what, view_of({interface("eni-a-foreign", {address}), interface("eni-me", {})}))->where,
              place::elsewhere);
}

TEST(resource, an_ipv6_address_is_unassigned_from_where_it_is_before_it_is_assigned)
{
    const auto address = ip_address::parse("2001:db8::64").value();
    const secondary_address what{address, eni("eni-me")};
    const auto elsewhere = *look_for(what, view_of({interface("eni-other", {address})}));
    const auto unassign = next_call(what, elsewhere);
    ASSERT_EQ(action(unassign), "UnassignIpv6Addresses");
    EXPECT_EQ(std::get<aws::unassign_ipv6_address>(*unassign).interface, eni("eni-other"));
    EXPECT_EQ(step_of(*unassign), accepted_step::freed);
    const auto assign = next_call(what, look_for(what, view_of({})));
    ASSERT_EQ(action(assign), "AssignIpv6Addresses");
    EXPECT_EQ(std::get<aws::assign_ipv6_address>(*assign).interface, eni("eni-me"));
    EXPECT_EQ(step_of(*assign), accepted_step::arrived);
    EXPECT_EQ(action(next_call(what, std::nullopt)), "AssignIpv6Addresses");
}

TEST(resource, an_elastic_ip_is_here_at_the_right_address_of_the_right_interface)
{
    elastic_ip what{aws::allocation_id{"eipalloc-1"}, eni("eni-me"), std::nullopt};
    query_view view;
    EXPECT_FALSE(look_for(what, view));
    EXPECT_EQ(misfit(what, view), "EC2 lists no Elastic IP eipalloc-1; check allocation in [[router.elastic_ip]]");
    auto& seen = view.elastic_addresses[what.allocation];
    seen = {what.allocation, "203.0.113.7", "", {}, std::nullopt};
    EXPECT_EQ(look_for(what, view)->where, place::nowhere);
    EXPECT_EQ(name_for_people(what, &view), "eipalloc-1 (203.0.113.7)");
    seen.interface = eni("eni-me");
    seen.private_address = ip_address::v4(10, 0, 1, 10);
    EXPECT_EQ(look_for(what, view)->where, place::here);
    what.private_address = ip_address::v4(10, 0, 1, 100);
    const auto other_address = *look_for(what, view);
    EXPECT_EQ(other_address.where, place::elsewhere);
    EXPECT_EQ(other_address.owner, "eni-me (10.0.1.10)");
    const auto call = next_call(what, other_address);
    ASSERT_EQ(action(call), "AssociateAddress");
    EXPECT_EQ(std::get<aws::associate_address>(*call).private_address, what.private_address);
}

TEST(resource, an_interface_goes_from_one_instance_to_the_other_in_steps)
{
    interface_query match;
    match.id = eni("eni-float");
    const floating_interface what{match, me, 2, {}};
    struct row {
        aws::network_interface seen;
        place where;
        std::string_view call;
        std::string_view owner;
    };
    using state = aws::attachment_state;
    const std::array rows = {
        row{interface("eni-float"), place::nowhere, "AttachNetworkInterface", "none"},
        row{attached("i-other", state::detached), place::nowhere, "AttachNetworkInterface", "none"},
        row{attached("i-other", state::attached), place::elsewhere, "DetachNetworkInterface", "i-other"},
        row{attached("i-other", state::attaching), place::elsewhere, "DetachNetworkInterface", "i-other (attaching)"},
        row{attached("i-other", state::detaching), place::leaving, "none", "i-other (detaching)"},
        row{attached("i-me", state::attaching), place::arriving, "none", "i-me (attaching)"},
        row{attached("i-me", state::attached), place::here, "none", "i-me"},
        row{attached("i-me", state::detaching), place::leaving, "none", "i-me (detaching)"}};
    for (const auto& r : rows) {
        const auto s = *look_for(what, view_of({r.seen}));
        EXPECT_EQ(s.where, r.where) << r.owner;
        EXPECT_EQ(action(next_call(what, s)), r.call) << r.owner;
        EXPECT_EQ(s.owner, r.owner);
        EXPECT_EQ(forced_call(what, s).has_value(), r.where == place::leaving);
        EXPECT_FALSE(amending_call(what, s));
    }
    EXPECT_EQ(action(next_call(what, std::nullopt)), "none") << "without an attachment there is nothing to detach";
    const auto attach = next_call(what, look_for(what, view_of({interface("eni-float")})));
    EXPECT_EQ(std::get<aws::attach_network_interface>(*attach).device_index, 2u);
    EXPECT_EQ(step_of(*attach), accepted_step::moving);
}

TEST(resource, an_interface_that_would_end_with_its_instance_is_put_right_when_it_is_here)
{
    interface_query match;
    match.id = eni("eni-float");
    const floating_interface what{match, me, {}, {}};
    auto seen = attached("i-me", aws::attachment_state::attached);
    seen.attachment->delete_on_termination = true;
    const auto call = amending_call(what, *look_for(what, view_of({seen})));
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::keep_on_termination>(*call).attachment.str(), "eni-attach-1");
}

TEST(resource, a_match_has_to_name_exactly_one_interface)
{
    interface_query match;
    match.vpc = aws::vpc_id{"vpc-1"};
    match.tags = {{"Name", "floating"}};
    const floating_interface what{match, me, {}, {}};
    EXPECT_FALSE(look_for(what, view_of({})));
    EXPECT_EQ(misfit(what, view_of({})),
              "no interface matches vpc-1 with tag Name=floating; match in [[router.eni]] has to name exactly one");
    const auto two = view_of({interface("eni-1"), interface("eni-2")});
    EXPECT_FALSE(look_for(what, two));
    EXPECT_EQ(misfit(what, two),
              "2 interfaces match vpc-1 with tag Name=floating; match in [[router.eni]] has to name exactly one");
    EXPECT_EQ(name_for_people(what, nullptr), "vpc-1 with tag Name=floating");
    const auto one = view_of({interface("eni-1")});
    EXPECT_EQ(name_for_people(what, &one), "vpc-1 with tag Name=floating (eni-1)");
}

TEST(resource, a_plan_is_a_line_for_people)
{
    const auto other = route_to("eni-other");
    const auto mine = route_to("eni-me");
    EXPECT_EQ(plan_line(the_route, sighting_of(the_route, &mine)), "= 172.16.1.100/32 in rtb-1: stays at eni-me");
    EXPECT_EQ(plan_line(the_route, sighting_of(the_route, nullptr)),
              "+ 172.16.1.100/32 in rtb-1: CreateRoute to eni-me (found none)");
    EXPECT_EQ(plan_line(the_route, sighting_of(the_route, &other)),
              "~ 172.16.1.100/32 in rtb-1: ReplaceRoute from eni-other to eni-me");
    interface_query match;
    match.id = eni("eni-float");
    const floating_interface what{match, me, {}, {}};
    const auto leaving = view_of({attached("i-other", aws::attachment_state::detaching)});
    EXPECT_EQ(plan_line(what, *look_for(what, leaving)), "~ eni-float: is on its way, i-other (detaching)");
}

TEST(resource, queries_are_named_for_people)
{
    EXPECT_EQ(describe_query(table_query{{rtb("rtb-1"), rtb("rtb-2")}, {}, {}}), "rtb-1, rtb-2");
    EXPECT_EQ(describe_query(table_query{{}, aws::vpc_id{"vpc-1"}, {}}), "vpc-1");
    EXPECT_EQ(describe_query(table_query{{}, aws::vpc_id{"vpc-1"}, {{"Role", "private"}, {"Name", "a*"}}}),
              "vpc-1 with tag Role=private with tag Name=a*");
    EXPECT_EQ(describe_query(interface_query{{}, ip_address::v4(10, 0, 1, 100), aws::vpc_id{"vpc-1"}, {}}),
              "10.0.1.100 in vpc-1");
}

TEST(resource, owners_are_named_for_people)
{
    const auto hole = route_to("eni-1", aws::route_state::blackhole);
    const aws::route gateway{destination(), {}, "igw-1", aws::route_state::active, true};
    EXPECT_EQ(describe_owner(nullptr), "none");
    EXPECT_EQ(describe_owner(&hole), "eni-1 (blackhole)");
    EXPECT_EQ(describe_owner(&gateway), "igw-1 (propagated)");
}

}  // namespace
}  // namespace vipd::takeover
