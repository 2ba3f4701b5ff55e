// What goes wrong on command, and what the client sees of it.

#include "tests/unit/cloud/cloud_fixture.hpp"

#include <boost/json.hpp>

namespace vipd::cloud {

using std::chrono::milliseconds;
using std::chrono::seconds;

class faults : public cloud_test {
protected:
    fault_id add(const std::string& json)
    {
        const auto parsed = parse_fault(boost::json::parse(json));
        EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().text);
        return cloud.faults().add(*parsed);
    }
    planned_reply move_to_b() { return send("ReplaceRoute", route(table_a, interface_b)); }
    // What a client with 3 s and 4 MiB makes of it: a status, or the class of a failure.
    static std::string seen(const collected_reply& reply)
    {
        const auto outcome = reply.as_client_sees(seconds{3}, 4U << 20U);
        if (const auto* response = std::get_if<aws::http_response>(&outcome)) {
            return std::to_string(response->status);
        }
        return "failure " + std::to_string(static_cast<int>(std::get<aws::http_failure>(outcome).cause.kind));
    }
    static std::string failure(error_class kind) { return "failure " + std::to_string(static_cast<int>(kind)); }
};

TEST_F(faults, latency_holds_back_effect_and_answer)
{
    cloud.set_latency(delay::fixed(milliseconds{20}));
    const auto planned = move_to_b();
    EXPECT_EQ(planned.effect_at, now.steady + milliseconds{20});
    EXPECT_EQ(planned.reply_at, now.steady + milliseconds{20});
    EXPECT_EQ(cloud.next_wakeup().at, planned.effect_at);
    pass(milliseconds{20} - duration{1});
    cloud.handle_timeout(now);
    EXPECT_EQ(owner(table_a), interface_a);
    pass(duration{1});
    cloud.handle_timeout(now);
    EXPECT_EQ(owner(table_a), interface_b);
    EXPECT_EQ(cloud.next_wakeup().at, never);
    EXPECT_EQ(cloud.collect(now, planned.id).record.status, 200U);
}

TEST_F(faults, slowness_is_before_the_effect_or_after_it)
{
    add(R"({"action": "ReplaceRoute", "kind": "slow", "before": 10, "after": 500})");
    const auto planned = move_to_b();
    EXPECT_EQ(planned.effect_at, now.steady + milliseconds{10});
    EXPECT_EQ(planned.reply_at, now.steady + milliseconds{510});
}

TEST_F(faults, drawn_delays_stay_in_their_range_and_vary)
{
    random_source random(7);
    const delay uniform{milliseconds{5}, milliseconds{50}, {}};
    const delay tail{milliseconds{5}, {}, milliseconds{20}};
    duration sum{};
    for (int i = 0; i < 1000; ++i) {
        const auto drawn = uniform.draw(random);
        EXPECT_GE(drawn, milliseconds{5});
        EXPECT_LE(drawn, milliseconds{50});
        sum += tail.draw(random);
    }
    EXPECT_NEAR(to_milliseconds(sum) / 1000, 25.0, 3.0);
    EXPECT_NE(uniform.draw(random), uniform.draw(random));
}

TEST_F(faults, the_call_lands_on_the_state_of_its_moment)
{
    add(R"({"action": "CreateRoute", "count": 1, "kind": "slow", "before": 1000})");
    const auto slow = send("CreateRoute", route(table_b, interface_a));
    pass(milliseconds{500});
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_b)), "200");
    pass(milliseconds{500});
    EXPECT_EQ(cloud.collect(now, slow.id).record.code, "RouteAlreadyExists");
    EXPECT_EQ(owner(table_b), interface_b);
}

TEST_F(faults, a_reset_is_without_effect_unless_it_is_after_it)
{
    add(R"({"action": "ReplaceRoute", "count": 1, "kind": "reset"})");
    auto reply = cloud.collect(now, move_to_b().id);
    EXPECT_EQ(seen(reply), failure(error_class::unavailable));
    EXPECT_EQ(owner(table_a), interface_a);
    add(R"({"action": "ReplaceRoute", "count": 1, "kind": "reset", "applied": true})");
    reply = cloud.collect(now, move_to_b().id);
    EXPECT_EQ(seen(reply), failure(error_class::unavailable));
    EXPECT_EQ(owner(table_a), interface_b);
    EXPECT_EQ(reply.record.effect_at, now.steady);
}

TEST_F(faults, a_hang_is_answered_never)
{
    add(R"({"action": "ReplaceRoute", "kind": "hang", "applied": true})");
    const auto planned = move_to_b();
    EXPECT_EQ(planned.reply_at, never);
    EXPECT_EQ(owner(table_a), interface_b);
    EXPECT_EQ(seen(cloud.collect(now, planned.id)), failure(error_class::timed_out));
}

TEST_F(faults, a_late_call_takes_effect_after_its_answer_was_lost)
{
    add(R"({"action": "ReplaceRoute", "count": 1, "kind": "land_late", "by": 60000})");
    const auto planned = move_to_b();
    EXPECT_EQ(planned.reply_at, now.steady);
    EXPECT_EQ(cloud.collect(now, planned.id).end, collected_reply::ending::reset);
    EXPECT_EQ(owner(table_a), interface_a);
    pass(seconds{30});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_c)), "200");
    pass(seconds{30});
    EXPECT_EQ(cloud.next_wakeup().at, now.steady);
    cloud.handle_timeout(now);
    EXPECT_EQ(owner(table_a), interface_b) << "the last writer wins, however old its request";
    EXPECT_EQ(cloud.next_wakeup().at, never);
}

TEST_F(faults, a_call_that_nobody_waits_for_takes_effect_all_the_same)
{
    cloud.set_latency(delay::fixed(milliseconds{20}));
    cloud.abandon(move_to_b().id);
    pass(milliseconds{20});
    cloud.handle_timeout(now);
    EXPECT_EQ(owner(table_a), interface_b);
}

TEST_F(faults, an_error_may_hide_a_success)
{
    add(R"({"action": "ReplaceRoute", "count": 1, "kind": "fail", "status": 500, "code": "InternalError"})");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "500 InternalError");
    EXPECT_EQ(owner(table_a), interface_a);
    add(R"({"action": "ReplaceRoute", "count": 1, "kind": "fail", "applied": true})");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "503 Unavailable");
    EXPECT_EQ(owner(table_a), interface_b);
}

TEST_F(faults, an_error_without_a_code_is_a_proxys_page)
{
    add(R"({"kind": "fail", "status": 502, "code": ""})");
    const auto reply = ask("DescribeRouteTables", {});
    EXPECT_EQ(reply.answer.head.status, 502U);
    EXPECT_EQ(aws::find_header(reply.answer.head.headers, "content-type"), "text/html");
}

TEST_F(faults, a_proxys_page_may_come_too_late_for_an_answer_that_is_lost)
{
    add(R"({"action": "ReplaceRoute", "kind": "fail", "status": 502, "code": ""})");
    add(R"({"action": "ReplaceRoute", "kind": "land_late", "by": 1000})");
    EXPECT_EQ(cloud.collect(now, move_to_b().id).end, collected_reply::ending::reset);
    pass(seconds{1});
    cloud.handle_timeout(now);
    EXPECT_EQ(owner(table_a), interface_a);
    EXPECT_EQ(cloud.next_wakeup().at, never);
}

TEST_F(faults, throttling_on_command_costs_no_token)
{
    add(R"({"action": "ReplaceRoute", "count": 2, "kind": "throttle"})");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "503 RequestLimitExceeded");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "503 RequestLimitExceeded");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    EXPECT_TRUE(cloud.faults().all().empty());
}

TEST_F(faults, hit_by_action_node_table_count_and_probability)
{
    add(R"({"action": "Describe*", "kind": "throttle"})");
    EXPECT_EQ(verdict("DescribeRouteTables", {}), "503 RequestLimitExceeded");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_a)), "200");
    cloud.faults().clear();
    add(R"({"node": "node-b", "kind": "throttle"})");
    EXPECT_EQ(verdict("DescribeRouteTables", {}), "200");
    add(R"({"node": "i-0aaaaaaaaaaaaaaa1", "kind": "throttle"})");
    EXPECT_EQ(verdict("DescribeRouteTables", {}), "503 RequestLimitExceeded");
    cloud.faults().clear();
    add(R"({"table": "rtb-0aaaaaaaaaaaaaaa3", "kind": "throttle"})");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_a)), "200");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_a)), "503 RequestLimitExceeded");
    cloud.faults().clear();
    cloud.buckets().resize(now.steady, "DescribeRouteTables", {1000, 1000});
    cloud.buckets().set_level(now.steady, "DescribeRouteTables", 1000);
    add(R"({"probability": 0.25, "kind": "throttle"})");
    int hit = 0;
    for (int i = 0; i < 400; ++i) {
        hit += verdict("DescribeRouteTables", {}) == "200" ? 0 : 1;
    }
    EXPECT_GT(hit, 70);
    EXPECT_LT(hit, 130);
}

TEST_F(faults, several_add_up)
{
    add(R"({"kind": "slow", "before": 100})");
    add(R"({"kind": "slow", "before": 50})");
    add(R"({"kind": "trickle", "bytes_per_second": 10})");
    const auto planned = send("DescribeRouteTables", {});
    EXPECT_EQ(planned.reply_at, now.steady + milliseconds{150});
    pass(milliseconds{150});
    const auto reply = cloud.collect(now, planned.id);
    EXPECT_EQ(seen(reply), failure(error_class::timed_out));
    EXPECT_EQ(reply.record.faults, (std::vector<std::string>{"slow", "slow", "trickle"}));
}

TEST_F(faults, a_stale_read_shows_the_past_and_a_write_never_does)
{
    pass(seconds{10});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    pass(seconds{1});
    add(R"({"action": "Describe*", "kind": "stale", "lag": 5000})");
    const auto shown = [&] {
        return std::string(get("DescribeRouteTables", {{"RouteTableId.1", table_a}})
                               .select_node("//routeSet/item[destinationCidrBlock='172.16.1.100/32']/networkInterfaceId")
                               .node()
                               .child_value());
    };
    EXPECT_EQ(shown(), interface_a);
    pass(seconds{5});
    EXPECT_EQ(shown(), interface_b);
}

TEST_F(faults, replicas_that_lag_alternate_with_those_that_do_not)
{
    cloud.set_consistency({0.5, seconds{30}});
    pass(seconds{40});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    int old = 0;
    for (int i = 0; i < 60; ++i) {
        const auto document = get("DescribeRouteTables", {{"RouteTableId.1", table_a}});
        old += document.select_node("//networkInterfaceId[text()='eni-0aaaaaaaaaaaaaaa1']") ? 1 : 0;
    }
    EXPECT_GT(old, 15);
    EXPECT_LT(old, 45);
    pass(seconds{31});
    const auto document = get("DescribeRouteTables", {{"RouteTableId.1", table_a}});
    EXPECT_FALSE(document.select_node("//networkInterfaceId[text()='eni-0aaaaaaaaaaaaaaa1']"));
}

TEST_F(faults, a_table_not_yet_known_to_a_replica_is_not_found)
{
    add(R"({"action": "Describe*", "kind": "stale", "lag": 5000})");
    route_table table;
    table.id = route_table_id{"rtb-0bbbbbbbbbbbbbbb1"};
    table.vpc = vpc_id{"vpc-0aaaaaaaaaaaaaaa1"};
    cloud.model().add_table(now.steady, table);
    EXPECT_EQ(verdict("DescribeRouteTables", {{"RouteTableId.1", "rtb-0bbbbbbbbbbbbbbb1"}}),
              "400 InvalidRouteTableID.NotFound");
    pass(seconds{5});
    EXPECT_EQ(verdict("DescribeRouteTables", {{"RouteTableId.1", "rtb-0bbbbbbbbbbbbbbb1"}}), "200");
}

TEST_F(faults, connections_can_be_refused_and_shown_wrong_certificates)
{
    add(R"({"action": "connect:ec2", "count": 1, "kind": "certificate", "flaw": "expired"})");
    add(R"({"action": "connect:imds", "kind": "hang"})");
    const request_source source{ip_address::v4(10, 0, 1, 10), {}};
    EXPECT_EQ(cloud.handle_connection(cloud_service::ec2, source).certificate, certificate_flaw::expired);
    EXPECT_EQ(cloud.handle_connection(cloud_service::ec2, source).certificate, certificate_flaw::none);
    EXPECT_EQ(cloud.handle_connection(cloud_service::imds, source).end, exchange_plan::ending::hang);
    EXPECT_EQ(verdict("DescribeRouteTables", {}), "200");
}

TEST_F(faults, the_same_seed_gives_the_same_run)
{
    const auto run = [&] {
        simulated_cloud one(*parse_topology(example_topology(), now.steady), 7);
        one.faults().add(
            *parse_fault(boost::json::parse(R"({"probability": 0.5, "kind": "slow", "before": {"low": 1, "mean": 30}})")));
        std::string log;
        for (int i = 0; i < 20; ++i) {
            const auto request =
                signed_request(form("DescribeRouteTables", {}), one.keys().at("AKIAEXAMPLEOPERATOR1"), now.wall);
            const auto planned = one.handle_ec2(now, request, {});
            log += std::to_string((planned.reply_at - now.steady).count()) + " ";
            instant later = now;
            later.steady = planned.reply_at;
            log += one.collect(later, planned.id).record.request_id + "\n";
        }
        return log;
    };
    EXPECT_EQ(run(), run());
}

TEST_F(faults, changes_are_told_once_each_in_order)
{
    ask("ReplaceRoute", route(table_a, interface_b));
    ask("CreateRoute", route(table_b, interface_b));
    ask("CreateRoute", route(table_b, interface_c));
    ask("DescribeRouteTables", {});
    EXPECT_EQ(cloud.poll_change()->action, "ReplaceRoute");
    const auto created = cloud.poll_change();
    EXPECT_EQ(created->table, table_b);
    EXPECT_EQ(created->interface, interface_b);
    EXPECT_EQ(created->node, "node-a");
    EXPECT_FALSE(cloud.poll_change());
}

}  // namespace vipd::cloud
