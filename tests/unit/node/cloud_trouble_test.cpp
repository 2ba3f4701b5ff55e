// What a node makes of a cloud that says no, says nothing, or has less than the configuration thinks.

#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace vipd::node {
namespace {

constexpr auto check_call = "ModifyNetworkInterfaceAttribute";

std::string action_of(const aws::http_exchange& e)
{
    return test::parse_form(e.request.body)["Action"];
}

aws::http_result refusal(unsigned status, const std::string& code)
{
    return {test::ec2_error_response(status, code), {}, never, {}};
}

// The instance metadata service of a node with the one interface ens5.
std::optional<aws::http_result> imds(const aws::http_exchange& e)
{
    if (e.origin.tls) {
        return std::nullopt;
    }
    const std::string macs = "/latest/meta-data/network/interfaces/macs/";
    const std::map<std::string, std::string> items = {
        {"/latest/api/token", "token"},
        {"/latest/dynamic/instance-identity/document",
         R"({"region":"eu-west-1","availabilityZone":"eu-west-1a","instanceId":"i-1","accountId":"111122223333"})"},
        {macs, "0a:00:00:00:00:01/"},
        {macs + "0a:00:00:00:00:01/interface-id", me},
        {macs + "0a:00:00:00:00:01/vpc-id", "vpc-00000001"},
        {macs + "0a:00:00:00:00:01/subnet-id", "subnet-00000001"},
    };
    const auto found = items.find(e.request.target);
    const unsigned status = found == items.end() ? 404 : 200;
    const aws::http_header lifetime{"x-aws-ec2-metadata-token-ttl-seconds", "21600"};
    return aws::http_result{aws::http_response{status, {lifetime}, found == items.end() ? "" : found->second}, {}, never, {}};
}

std::shared_ptr<config::configuration> every_table_of_the_vpc()
{
    auto c = node_harness::one_router();
    c->routers[0].routes[0].tables.ids.clear();
    c->routers[0].routes[0].tables.whole_vpc = true;
    return c;
}

std::shared_ptr<config::configuration> many_routers_with_one_interface(std::uint8_t count)
{
    auto c = node_harness::one_router();
    const auto first = c->routers[0];
    c->routers.clear();
    for (std::uint8_t i = 0; i < count; ++i) {
        auto r = first;
        r.name = "web" + std::to_string(i);
        r.vrid = static_cast<std::uint8_t>(i + 1);
        r.addresses.clear();
        r.routes[0].disable_source_dest_check = true;
        c->routers.push_back(r);
    }
    return c;
}

TEST_F(node_test, a_lost_answer_while_the_tables_cannot_be_read_is_repeated_all_the_same)
{
    bool lost = false;
    h.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        if (action_of(e) == "DescribeRouteTables") {
            return refusal(503, "RequestLimitExceeded");
        }
        if (e.mutating && !lost) {
            lost = true;
            return node_harness::failure(true);
        }
        return std::nullopt;
    };
    start_as_active();
    EXPECT_EQ(h.calls("ReplaceRoute"), 1u);
    h.advance(11s);
    EXPECT_EQ(h.calls("ReplaceRoute"), 2u);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
}

TEST_F(node_test, an_active_whose_tables_cannot_be_read_says_so_and_announces_no_takeover)
{
    bool denied = true;
    node_harness n{every_table_of_the_vpc()};
    n.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        if (denied && action_of(e) == "DescribeRouteTables") {
            return refusal(403, "UnauthorizedOperation");
        }
        return imds(e);
    };
    n.start();
    n.advance(2s);
    ASSERT_EQ(n.state(), state::active);
    EXPECT_EQ(n.resource(kind::route).state, status::resource_state::taking);
    EXPECT_EQ(n.resource(kind::route).last_error, "UnauthorizedOperation: told so");
    const auto lines = n.node->plan(n.now, 0);
    EXPECT_TRUE(std::ranges::any_of(lines, [](const auto& line) { return line.starts_with("? 172.16.1.100/32: Unauth"); }));
    EXPECT_EQ(n.log.count({"event=takeover"}), 0u);
    denied = false;
    n.advance(30s);
    EXPECT_EQ(n.cloud.targets["rtb-1"], me);
    EXPECT_EQ(n.resource(kind::route).state, status::resource_state::here);
    EXPECT_EQ(n.log.count({"event=takeover", "phase=confirmed"}), 1u);
}

TEST_F(node_test, an_active_whose_selection_matches_no_table_says_so)
{
    node_harness n{every_table_of_the_vpc()};
    n.cloud.targets.clear();
    n.intercept = imds;
    n.start();
    n.advance(2s);
    ASSERT_EQ(n.state(), state::active);
    EXPECT_EQ(n.resource(kind::route).last_error, "no route table matches vpc-00000001; check tables in [[router.route]]");
    EXPECT_EQ(n.log.count({"event=takeover"}), 0u);
}

TEST_F(node_test, a_route_that_cannot_be_resolved_is_in_the_plan_and_keeps_a_takeover_from_being_announced)
{
    auto c = every_table_of_the_vpc();
    auto second = c->routers[0].routes[0];
    second.tables.whole_vpc = false;
    second.tables.ids = {aws::route_table_id{"rtb-1"}};
    c->routers[0].routes.push_back(second);
    node_harness n{c};  // whose IMDS does not answer
    n.start();
    n.advance(5s);
    EXPECT_EQ(n.cloud.targets["rtb-1"], me);
    EXPECT_EQ(n.log.count({"event=takeover"}), 0u);
    const auto lines = n.node->plan(n.now, 0);
    EXPECT_TRUE(std::ranges::any_of(lines, [](const auto& line) { return line.starts_with("? 172.16.1.100/32: waiting"); }));
}

TEST_F(node_test, a_route_that_a_reload_adds_to_tables_read_before_is_looked_for_before_it_is_written)
{
    node_harness n{every_table_of_the_vpc()};
    n.intercept = imds;
    n.start();
    n.advance(2s);
    ASSERT_EQ(n.cloud.targets["rtb-1"], me);
    auto next = every_table_of_the_vpc();
    auto added = next->routers[0].routes[0];
    added.destination = aws::route_destination::cidr(ip_prefix::host(ip_address::v4(172, 16, 1, 101)));
    next->routers[0].routes.push_back(added);
    n.cloud.destination = "172.16.1.101/32";  // it is there, at somebody else's
    n.cloud.targets["rtb-1"] = other;
    n.reload(next);
    n.advance(100ms);
    EXPECT_EQ(n.calls("CreateRoute"), 0u);
    EXPECT_EQ(n.calls("ReplaceRoute"), 2u);
}

TEST_F(node_test, fifty_routers_switch_off_the_check_of_their_interface_with_one_call)
{
    node_harness n{many_routers_with_one_interface(50)};
    n.cloud.source_dest_check = true;
    n.start();
    n.advance(5s);
    EXPECT_EQ(n.state(49), state::active);
    EXPECT_EQ(n.calls(check_call), 1u);
    EXPECT_EQ(n.log.count({"event=source_dest_check"}), 1u);
    for (std::uint32_t i = 0; i < 50; ++i) {
        const auto r = n.router(i);
        const auto check = std::ranges::find(r.resources, kind::source_dest_check, &status::resource::kind);
        ASSERT_NE(check, r.resources.end());
        EXPECT_EQ(check->owner, "off");
    }
}

TEST_F(node_test, fifty_routers_share_one_budget_when_the_check_cannot_be_switched_off)
{
    node_harness n{many_routers_with_one_interface(50)};
    n.cloud.source_dest_check = true;
    n.intercept = [](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        return action_of(e) == check_call ? std::optional{refusal(503, "Unavailable")} : std::nullopt;
    };
    n.start();
    n.advance(20s);
    EXPECT_GE(n.calls(check_call), 5u);
    EXPECT_LE(n.calls(check_call), 15u);
    n.intercept = nullptr;
    n.advance(6s);
    EXPECT_FALSE(n.cloud.source_dest_check);
}

TEST_F(node_test, a_router_whose_call_for_a_shared_interface_was_cancelled_leaves_it_to_the_next_at_once)
{
    auto c = many_routers_with_one_interface(2);
    node_harness n{c};
    n.cloud.source_dest_check = true;
    std::size_t asked = 0;
    n.intercept = [&](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        // Longer than any other answer of the test: the first call is still under way when its router is demoted.
        n.latency = action_of(e) == check_call && ++asked == 1 ? 1s : 20ms;
        return std::nullopt;
    };
    n.start();
    n.advance(500ms);
    ASSERT_EQ(n.state(0), state::active);
    ASSERT_EQ(n.calls(check_call), 1u);
    n.hear(200, 0);
    n.advance(50ms);
    EXPECT_EQ(n.state(1), state::active);
    EXPECT_EQ(n.calls(check_call), 2u);
    EXPECT_FALSE(n.cloud.source_dest_check);
}

TEST_F(node_test, a_source_dest_check_that_cannot_be_read_is_shown_with_the_error)
{
    h.intercept = [](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        return action_of(e) == "DescribeNetworkInterfaces" ? std::optional{refusal(403, "UnauthorizedOperation")}
                                                           : std::nullopt;
    };
    start_as_active();
    EXPECT_EQ(h.resource(kind::source_dest_check).state, status::resource_state::unknown);
    EXPECT_EQ(h.resource(kind::source_dest_check).last_error, "it cannot be read: UnauthorizedOperation: told so");
    h.intercept = nullptr;
    h.advance(1min);
    EXPECT_EQ(h.resource(kind::source_dest_check).last_error, "");
}

TEST_F(node_test, as_many_connections_are_kept_warm_as_a_takeover_uses_and_never_fewer_than_two)
{
    for (const auto& [bound, tables, wanted] : {std::tuple{16U, 1, 2U}, {16U, 5, 6U}, {4U, 5, 4U}, {1U, 5, 2U}}) {
        auto c = node_harness::one_router();
        c->aws.connections = bound;
        c->routers[0].routes[0].tables.ids.clear();
        for (int i = 0; i < tables; ++i) {
            c->routers[0].routes[0].tables.ids.emplace_back("rtb-" + std::to_string(i));
        }
        node_harness n{c};
        n.start();
        n.hear(200);
        n.advance(100ms);
        EXPECT_EQ(n.warm_connections, wanted) << bound << " at most, " << tables << " tables";
    }
}

TEST_F(node_test, trouble_that_repeats_itself_leaves_the_transitions_in_the_history)
{
    h.kernel_error = 1;
    h.intercept = [](const aws::http_exchange& e) -> std::optional<aws::http_result> {
        return action_of(e).empty() ? std::nullopt : std::optional{refusal(503, "RequestLimitExceeded")};
    };
    start_as_active();
    h.advance(10min);
    EXPECT_GE(h.calls("ReplaceRoute"), 150u);
    const auto history = h.node->events_after(0);
    EXPECT_EQ(history.front().number, 1u) << history.size();
    EXPECT_TRUE(std::ranges::any_of(history, [](const auto& e) { return e.kind == "transition"; }));
}

}  // namespace
}  // namespace vipd::node
