#include "agent/takeover/takeover.hpp"

#include "tests/support/ec2_builders.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using kind = aws::ec2_error_class;

constexpr time_point t0 = time_point{1000s};

class takeover_test : public testing::Test {
protected:
    takeover_test() { w.watch(t0, {{query, {destination()}}}); }

    void collect()
    {
        while (auto o = t.poll_output()) {
            outputs.push_back(std::move(*o));
        }
    }

    template <class Output>
    std::vector<Output> take()
    {
        collect();
        std::vector<Output> found;
        for (const auto& o : outputs) {
            if (const auto* match = std::get_if<Output>(&o)) {
                found.push_back(*match);
            }
        }
        std::erase_if(outputs, [](const auto& one) { return std::holds_alternative<Output>(one); });
        return found;
    }

    query_view view(time_point began, std::vector<aws::route_table> tables) const
    {
        query_view v;
        v.read_began = began;
        v.read_ended = began;
        v.destinations = {destination()};
        for (const auto& tb : tables) {
            for (const auto& r : tb.routes) {
                v.tables[tb.id].routes[r.destination] = r;
            }
            v.tables[tb.id].name = tb.name;
        }
        return v;
    }

    void see(time_point at, std::vector<aws::route_table> tables) { t.world_changed(at, query, view(at, std::move(tables))); }

    // A read of the only query at `at` that begins and ends at once.
    template <class Page>
    void show(const cloud_query& only, const Page& page, time_point at)
    {
        now = at;
        w.watch(now, {{only, {}}});
        w.read_at(only, now);
        w.handle_timeout(now);
        while (const auto call = w.poll_output()) {
            if (w.handle(now, call->ticket, {page, {}, std::nullopt})) {
                t.world_changed(now, only, *w.find(only));
            }
        }
    }

    void answer(const issue_call& call, const aws::ec2_reply& reply, time_point at)
    {
        t.answered(at, call.ticket, call_done(reply, at - 10ms, at - 9ms, at));
    }

    // A read of the world at `at` that begins and ends at once.
    void read(time_point at, std::vector<aws::route_table> tables)
    {
        now = at;
        serve(reply_page(std::move(tables)));
    }

    // Answers every read that is due now.
    void serve(const aws::ec2_reply& reply)
    {
        for (const auto& one : {query, tagged}) {
            w.read_at(one, now);
        }
        w.handle_timeout(now);
        while (const auto call = w.poll_output()) {
            w.handle(now, call->ticket, reply);
        }
    }

    // The row of status with this destination.
    status::resource row(const std::string& wanted_destination) const
    {
        std::vector<status::resource> rows;
        t.snapshot(now, w, rows);
        const auto found = std::ranges::find(rows, wanted_destination, &status::resource::destination);
        EXPECT_NE(found, rows.end()) << wanted_destination;
        return found == rows.end() ? status::resource{} : *found;
    }

    recording_log log;
    status::journal journal{log, 100};
    time_point now = t0;
    world w{10s, 1};
    table_query query{{}, aws::vpc_id{"vpc-1"}, {}};
    table_query tagged{{}, aws::vpc_id{"vpc-1"}, {{"Role", "private"}}};
    interface_registers interfaces;
    takeover t{"web", 1, journal, interfaces};
    desired wanted{{{query, destination(), eni("eni-me")}}, {}};
    std::vector<takeover_output> outputs;
};

TEST_F(takeover_test, tables_found_while_backup_are_all_called_when_it_becomes_active)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")}), table("rtb-2", {})});
    EXPECT_TRUE(take<issue_call>().empty());
    t.become_active(t0 + 1s, t0 + 999ms, 1);
    const auto calls = take<issue_call>();
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<aws::replace_route>(calls[0].call));
    EXPECT_TRUE(std::holds_alternative<aws::create_route>(calls[1].call));
    EXPECT_EQ(calls[0].epoch, 1u);
}

TEST_F(takeover_test, tables_that_are_not_known_yet_are_looked_for_at_once_and_called_when_found)
{
    t.want(t0, wanted, w);
    t.become_active(t0, t0, 1);
    EXPECT_EQ(take<want_read>().size(), 1u);
    EXPECT_TRUE(take<issue_call>().empty());
    see(t0 + 20ms, {table("rtb-1", {route_to("eni-other")})});
    EXPECT_EQ(take<issue_call>().size(), 1u);
}

TEST_F(takeover_test, a_table_that_appears_while_active_is_taken)
{
    t.want(t0, wanted, w);
    t.become_active(t0, t0, 1);
    see(t0, {table("rtb-1", {route_to("eni-me")})});
    for (const auto& call : take<issue_call>()) {
        answer(call, reply_done(), t0 + 10ms);
    }
    see(t0 + 10s, {table("rtb-1", {route_to("eni-me")}), table("rtb-new", {})});
    const auto calls = take<issue_call>();
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(std::get<aws::create_route>(calls[0].call).table, rtb("rtb-new"));
}

TEST_F(takeover_test, a_table_that_is_missing_from_one_answer_is_kept_and_from_two_forgotten)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {}), table("rtb-2", {})});
    see(t0 + 10s, {table("rtb-1", {})});
    EXPECT_EQ(t.register_count(), 2u);
    see(t0 + 20s, {table("rtb-1", {})});
    EXPECT_EQ(t.register_count(), 1u);
    EXPECT_EQ(log.count({"event=route_table_gone", "table=rtb-2"}), 1u);
}

TEST_F(takeover_test, leaving_active_cancels_every_call_under_way_and_starts_none)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {}), table("rtb-2", {})});
    t.become_active(t0, t0, 1);
    const auto calls = take<issue_call>();
    t.leave_active();
    const auto cancelled = take<cancel_call>();
    ASSERT_EQ(cancelled.size(), 2u);
    EXPECT_FALSE(t.is_under_way(calls[0].ticket));
    EXPECT_EQ(t.next_wakeup().at, never);
    answer(calls[0], reply_done(), t0 + 1s);
    see(t0 + 2s, {table("rtb-1", {route_to("eni-other")})});
    EXPECT_TRUE(take<issue_call>().empty());
}

TEST_F(takeover_test, a_ticket_of_an_earlier_epoch_permits_nothing_in_a_later_one)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {})});
    t.become_active(t0, t0, 1);
    const auto first = take<issue_call>();
    t.leave_active();
    t.become_active(t0 + 1s, t0 + 1s, 2);
    EXPECT_FALSE(t.is_under_way(first.at(0).ticket));
    EXPECT_TRUE(t.is_under_way(take<issue_call>().at(0).ticket));
}

TEST_F(takeover_test, an_unknown_outcome_asks_for_a_read)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {})});
    t.become_active(t0, t0, 1);
    const auto calls = take<issue_call>();
    take<want_read>();
    answer(calls.at(0), reply_error(kind::unknown_outcome, "timeout"), t0 + 3s);
    const auto reads = take<want_read>();
    ASSERT_EQ(reads.size(), 1u);
    EXPECT_EQ(reads[0].at, t0 + 3s);
}

TEST_F(takeover_test, the_phases_are_measured_from_the_moment_the_timer_was_due)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0 + 1ms, t0, 1);
    answer(take<issue_call>().at(0), reply_done(), t0 + 20ms);
    EXPECT_FALSE(t.last_takeover());
    see(t0 + 1s, {table("rtb-1", {route_to("eni-me")})});
    ASSERT_TRUE(t.last_takeover());
    EXPECT_EQ(*t.last_takeover(), duration{1s});
    EXPECT_DOUBLE_EQ(t.times().first_request.sum_seconds, 0.011);
    EXPECT_DOUBLE_EQ(t.times().all_accepted.sum_seconds, 0.02);
    EXPECT_DOUBLE_EQ(t.times().all_confirmed.sum_seconds, 1.0);
    EXPECT_EQ(log.count({"event=takeover", "phase=confirmed", "after_due_ms=1000.000"}), 1u);
}

TEST_F(takeover_test, every_call_is_logged_with_its_outcome_and_request_id)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 7);
    answer(take<issue_call>().at(0), reply_error(kind::denied, "UnauthorizedOperation"), t0 + 20ms);
    EXPECT_EQ(log.count({"error event=ec2_call", "router=web", "epoch=7", "action=ReplaceRoute", "table=rtb-1",
                         "outcome=denied", "code=UnauthorizedOperation", "request_id=req-error"}),
              1u);
}

TEST_F(takeover_test, a_changed_target_is_written_at_once)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 1);
    answer(take<issue_call>().at(0), reply_done(), t0 + 20ms);
    wanted.routes[0].target = eni("eni-new");
    t.want(t0 + 1s, wanted, w);
    const auto calls = take<issue_call>();
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(std::get<aws::replace_route>(calls[0].call).target, eni("eni-new"));
}

TEST_F(takeover_test, what_is_no_longer_wanted_is_let_go_without_a_call)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {})});
    t.become_active(t0, t0, 1);
    take<issue_call>();
    t.want(t0, {}, w);
    EXPECT_EQ(t.register_count(), 0u);
    EXPECT_EQ(take<cancel_call>().size(), 1u);
    EXPECT_TRUE(take<issue_call>().empty());
}

TEST_F(takeover_test, what_is_missed_for_a_moment_again_and_again_keeps_to_its_budget)
{
    query.ids = {rtb("rtb-1")};
    query.vpc = {};
    wanted.routes[0].query = query;
    t.become_active(t0, t0, 1);
    unsigned calls = 0;
    for (auto at = t0; at < t0 + 60s; at += 100ms) {
        t.want(at, wanted, w);
        for (const auto& call : take<issue_call>()) {
            ++calls;
            answer(call, reply_done(), at);
        }
        t.want(at + 50ms, desired{{}, {}, {}, false}, w);
    }
    EXPECT_LE(calls, 5 + 30u);
    EXPECT_GE(calls, 30u);
    t.want(t0 + 20min, wanted, w);
    EXPECT_EQ(take<issue_call>().size(), 1U) << "what is wanted anew after a while begins anew";
}

TEST_F(takeover_test, a_propagated_route_plans_a_creation)
{
    auto propagated = route_to("vgw");
    propagated.propagated = true;
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {propagated})});
    EXPECT_EQ(t.plan(w).back(), "+ 172.16.1.100/32 in rtb-1: CreateRoute to eni-me (found vgw (propagated))");
}

TEST_F(takeover_test, one_view_counts_once_however_often_the_configuration_is_resolved)
{
    read(t0, {table("rtb-1", {route_to("eni-other")}), table("rtb-2", {})});
    t.want(t0, wanted, w);
    ASSERT_EQ(t.register_count(), 2u) << "a view that is there already is good for a new router";
    t.become_active(t0, t0, 1);
    for (const auto& call : take<issue_call>()) {
        answer(call, reply_done(), t0 + 10ms);
    }
    read(t0 + 1s, {table("rtb-1", {route_to("eni-me")}), table("rtb-2", {route_to("eni-me")})});
    t.world_changed(now, query, *w.find(query));
    read(now + 20s, {table("rtb-1", {route_to("eni-other")})});
    t.world_changed(now, query, *w.find(query));
    for (int i = 0; i < 5; ++i) {
        t.want(now, wanted, w);
    }
    EXPECT_EQ(t.register_count(), 2u) << "missing from one answer";
    EXPECT_EQ(log.count({"event=repair"}), 0u);
    EXPECT_TRUE(take<issue_call>().empty());
    read(now + 1s, {table("rtb-1", {route_to("eni-other")})});
    t.want(now, wanted, w);
    EXPECT_EQ(log.count({"event=repair"}), 1u) << "the second view";
    EXPECT_EQ(log.count({"event=route_table_gone"}), 1u);
}

TEST_F(takeover_test, a_view_that_did_not_look_for_a_destination_says_nothing_of_it)
{
    read(t0, {table("rtb-1", {route_to("eni-other")})});
    t.want(t0, wanted, w);
    t.become_active(t0, t0, 1);
    answer(take<issue_call>().at(0), reply_done(), t0 + 10ms);
    const auto added = destination("172.16.1.101/32");
    wanted.routes.push_back({query, added, eni("eni-me")});
    w.watch(t0 + 1s, {{query, {destination(), added}}});
    t.want(t0 + 1s, wanted, w);
    EXPECT_TRUE(take<issue_call>().empty()) << "EC2 has not been asked where it is";
    read(t0 + 1s, {table("rtb-1", {route_to("eni-me"), route_to("eni-other", aws::route_state::active, added)})});
    t.world_changed(now, query, *w.find(query));
    const auto calls = take<issue_call>();
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(aws::action_name(calls[0].call), "ReplaceRoute");
}

TEST_F(takeover_test, an_outcome_that_stays_unknown_is_written_again_when_no_read_succeeds)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 1);
    answer(take<issue_call>().at(0), reply_error(kind::unknown_outcome, "timeout"), t0 + 3s);
    const auto at = t.next_wakeup().at;
    EXPECT_EQ(at, t0 + 13s);
    t.handle_timeout(at - 1ns);
    EXPECT_TRUE(take<issue_call>().empty());
    t.handle_timeout(at);
    EXPECT_EQ(take<issue_call>().size(), 1u);
}

TEST_F(takeover_test, what_was_seen_and_cannot_be_read_any_more_says_why)
{
    w.watch(t0, {{query, {destination()}}});
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 1);
    answer(take<issue_call>().at(0), reply_done(), t0 + 10ms);
    see(t0 + 1s, {table("rtb-1", {route_to("eni-me")})});
    EXPECT_EQ(row("172.16.1.100/32").state, status::resource_state::here);
    now = t0 + 1s;
    serve(reply_error(kind::denied, "UnauthorizedOperation"));
    EXPECT_EQ(row("172.16.1.100/32").state, status::resource_state::here);
    EXPECT_EQ(row("172.16.1.100/32").last_error, "it cannot be read: UnauthorizedOperation: some message");
    now += 20s;
    serve(reply_page({table("rtb-1", {route_to("eni-me")})}));
    EXPECT_EQ(row("172.16.1.100/32").last_error, "");
}

TEST_F(takeover_test, a_route_without_a_table_is_shown_with_the_reason_and_no_takeover_is_announced)
{
    const auto added = destination("172.16.1.101/32");
    wanted.routes.push_back({tagged, added, eni("eni-me")});
    w.watch(t0, {{query, {destination()}}, {tagged, {added}}});
    t.want(t0, wanted, w);
    EXPECT_EQ(row("172.16.1.101/32").state, status::resource_state::unknown);
    EXPECT_EQ(row("172.16.1.101/32").last_error, "");
    EXPECT_EQ(t.plan(w).back(), "? 172.16.1.101/32: the route tables have not been read yet");

    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 1);
    answer(take<issue_call>().at(0), reply_done(), t0 + 10ms);
    see(t0 + 1s, {table("rtb-1", {route_to("eni-me")})});
    EXPECT_EQ(log.count({"event=takeover"}), 0u);
    EXPECT_FALSE(t.last_takeover());
    EXPECT_EQ(row("172.16.1.101/32").state, status::resource_state::taking);

    now = t0;
    serve(reply_error(kind::denied, "UnauthorizedOperation"));
    EXPECT_EQ(row("172.16.1.101/32").last_error, "UnauthorizedOperation: some message");
    EXPECT_EQ(t.plan(w).front(), "? 172.16.1.101/32: UnauthorizedOperation: some message");
    now += 20s;
    serve(reply_page({}));
    const std::string why = "no route table matches vpc-1 with tag Role=private; check tables in [[router.route]]";
    EXPECT_EQ(row("172.16.1.101/32").last_error, why);
    EXPECT_EQ(t.plan(w).front(), "? 172.16.1.101/32: " + why);

    t.world_changed(now, tagged, *w.find(tagged));
    now += 20s;
    serve(reply_page({table("rtb-9", {route_to("eni-other", aws::route_state::active, added)})}));
    t.world_changed(now, tagged, *w.find(tagged));
    answer(take<issue_call>().at(0), reply_done(), now + 10ms);
    EXPECT_EQ(log.count({"event=takeover", "phase=accepted", "resources=2"}), 1u);
}

TEST_F(takeover_test, a_route_that_could_not_be_resolved_keeps_the_takeover_from_being_complete)
{
    wanted.complete = false;
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 1);
    answer(take<issue_call>().at(0), reply_done(), t0 + 10ms);
    see(t0 + 1s, {table("rtb-1", {route_to("eni-me")})});
    EXPECT_EQ(log.count({"event=takeover"}), 0u);
}

TEST_F(takeover_test, a_table_that_is_named_and_not_there_is_shown)
{
    query = {{rtb("rtb-1")}, {}, {}};
    wanted.routes[0].query = query;
    w.watch(t0, {{query, {destination()}}});
    t.want(t0, wanted, w);
    read(t0, {});
    t.world_changed(now, query, *w.find(query));
    EXPECT_EQ(row("172.16.1.100/32").last_error, "") << "one answer may be stale";
    read(t0 + 20s, {});
    t.world_changed(now, query, *w.find(query));
    EXPECT_NE(row("172.16.1.100/32").last_error.find("EC2 lists no such route table"), std::string::npos);
    EXPECT_EQ(t.plan(w).back(), "? 172.16.1.100/32 in rtb-1: EC2 lists no such route table; check tables in [[router.route]]");
}

TEST_F(takeover_test, an_elastic_ip_that_ec2_has_no_more_is_not_here_any_more)
{
    const aws::allocation_id allocation{"eipalloc-1"};
    const elastic_ip_query only{allocation};
    t.want(t0, {{}, {}, {{only, elastic_ip{allocation, eni("eni-me"), std::nullopt}}}}, w);
    t.become_active(t0, t0, 1);
    answer(take<issue_call>().at(0), reply_done(), t0 + 10ms);
    const aws::elastic_addresses found{{{allocation, "198.51.100.1", "", eni("eni-me"), std::nullopt}}};
    const aws::elastic_addresses none;
    show(only, found, t0 + 1s);
    ASSERT_EQ(row("eipalloc-1").state, status::resource_state::here);
    show(only, none, t0 + 20s);
    EXPECT_EQ(row("eipalloc-1").state, status::resource_state::here) << "one answer may be stale";
    show(only, none, t0 + 40s);
    EXPECT_EQ(row("eipalloc-1").state, status::resource_state::taking);
    EXPECT_EQ(row("eipalloc-1").owner, "");
    EXPECT_NE(row("eipalloc-1").last_error.find("EC2 lists no Elastic IP eipalloc-1"), std::string::npos);
    t.leave_active();
    EXPECT_EQ(row("eipalloc-1").state, status::resource_state::unknown);
    show(only, found, t0 + 60s);
    EXPECT_EQ(row("eipalloc-1").state, status::resource_state::here);
}

TEST_F(takeover_test, an_interface_that_is_deleted_is_lost_and_one_that_is_not_the_only_one_is_not)
{
    interface_query tag;
    tag.tags = {{"Role", "floating"}};
    const auto name = describe_query(tag);
    t.want(t0, {{}, {}, {{tag, floating_interface{tag, aws::instance_id{"i-me"}, std::nullopt, 10s}}}}, w);
    aws::network_interface one;
    one.id = eni("eni-1");
    one.attachment = {aws::attachment_id{"eni-attach-1"}, aws::instance_id{"i-me"}, 1, aws::attachment_state::attached, false};
    aws::network_interface other;
    other.id = eni("eni-2");
    const aws::network_interfaces_page found{{one}, {}};
    const aws::network_interfaces_page two{{one, other}, {}};
    const aws::network_interfaces_page none;
    show(tag, found, t0);
    t.become_active(t0, t0, 1);
    show(tag, found, t0 + 1s);
    ASSERT_EQ(row(name).state, status::resource_state::here);
    for (const auto at : {t0 + 20s, t0 + 40s, t0 + 60s}) {
        show(tag, two, at);
        EXPECT_EQ(row(name).state, status::resource_state::here) << "which of them is meant is not known";
        EXPECT_EQ(row(name).last_error.empty(), at == t0 + 20s);
    }
    show(tag, none, t0 + 80s);
    EXPECT_EQ(row(name).state, status::resource_state::here) << "one answer may be stale";
    show(tag, none, t0 + 100s);
    EXPECT_EQ(row(name).state, status::resource_state::taking);
}

TEST_F(takeover_test, an_interface_that_is_here_and_may_not_be_put_right_keeps_no_takeover_from_being_complete)
{
    interface_query tag;
    tag.tags = {{"Role", "floating"}};
    wanted.others = {{tag, floating_interface{tag, aws::instance_id{"i-me"}, std::nullopt, 10s}}};
    t.want(t0, wanted, w);
    aws::network_interface one;
    one.id = eni("eni-1");
    one.attachment = {aws::attachment_id{"eni-attach-1"}, aws::instance_id{"i-me"}, 1, aws::attachment_state::attached, true};
    const aws::network_interfaces_page found{{one}, {}};
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 1);
    const auto replace = take<issue_call>().at(0);
    show(tag, found, t0 + 100ms);
    show(tag, found, t0 + 200ms);
    answer(take<issue_call>().at(0), reply_error(kind::denied, "UnauthorizedOperation"), t0 + 300ms);
    answer(replace, reply_done(), t0 + 400ms);
    EXPECT_EQ(log.count({"event=takeover", "phase=accepted", "resources=2"}), 1u);
    see(t0 + 1s, {table("rtb-1", {route_to("eni-me")})});
    EXPECT_TRUE(t.confirmed());
    EXPECT_EQ(row(describe_query(tag)).last_error, "UnauthorizedOperation: some message");
}

TEST_F(takeover_test, a_table_that_is_deleted_before_the_others_are_confirmed_keeps_the_takeover_from_being_complete)
{
    query = {{rtb("rtb-1"), rtb("rtb-2")}, {}, {}};
    wanted.routes[0].query = query;
    t.want(t0, wanted, w);
    t.become_active(t0, t0, 1);
    for (const auto& call : take<issue_call>()) {
        answer(call, reply_done(), t0 + 10ms);
    }
    see(t0 + 1s, {table("rtb-1", {route_to("eni-me")}), table("rtb-2", {route_to("eni-other")})});
    see(t0 + 2s, {table("rtb-2", {route_to("eni-other")})});
    see(t0 + 3s, {table("rtb-2", {route_to("eni-other")})});
    see(t0 + 4s, {table("rtb-2", {route_to("eni-me")})});
    EXPECT_FALSE(t.confirmed());
    see(t0 + 5s, {table("rtb-1", {route_to("eni-me")}), table("rtb-2", {route_to("eni-me")})});
    EXPECT_TRUE(t.confirmed());
}

TEST_F(takeover_test, a_call_that_fails_the_same_way_again_and_again_is_told_once_a_minute)
{
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {route_to("eni-other")})});
    t.become_active(t0, t0, 1);
    unsigned calls = 0;
    for (auto at = t0; at < t0 + 150s; at += 100ms) {
        t.handle_timeout(at);
        for (const auto& call : take<issue_call>()) {
            ++calls;
            answer(call, reply_error(kind::throttled, "RequestLimitExceeded"), at);
        }
    }
    EXPECT_GE(calls, 30u);
    EXPECT_EQ(log.count({"event=ec2_call", "code=RequestLimitExceeded"}), 3u);
    EXPECT_EQ(log.count({"event=ec2_call", "like_it_since_last_line=0"}), 1u);
    t.leave_active();
    t.become_active(t0 + 150s, t0 + 150s, 2);
    answer(take<issue_call>().at(0), reply_error(kind::throttled, "RequestLimitExceeded"), t0 + 151s);
    EXPECT_EQ(log.count({"epoch=2", "code=RequestLimitExceeded"}), 1u) << "a new takeover tells its own story";
}

TEST_F(takeover_test, routers_that_share_an_interface_make_one_call_for_its_source_dest_check)
{
    takeover second{"web2", 2, journal, interfaces};
    const desired check{{}, {{eni("eni-me"), true}}};
    aws::network_interface on;
    on.id = eni("eni-me");
    for (auto* one : {&t, &second}) {
        one->want(t0, check, w);
        one->interface_seen(t0, on);
        one->become_active(t0, t0, 1);
    }
    EXPECT_EQ(log.count({"event=source_dest_check"}), 1u);
    EXPECT_FALSE(second.poll_output());
    EXPECT_EQ(second.next_wakeup().at, never);
    ASSERT_EQ(take<issue_call>().size(), 1u);
    interfaces.take_changed();
    t.leave_active();
    EXPECT_TRUE(interfaces.take_changed()) << "so that the other one is looked at again";
    second.handle_timeout(std::max(t0, second.next_wakeup().at));
    const auto call = second.poll_output();
    ASSERT_TRUE(call);
    second.answered(t0 + 1s, std::get<issue_call>(*call).ticket, call_done(reply_done(), t0, t0, t0 + 1s));
    t.become_active(t0 + 2s, t0 + 2s, 2);
    EXPECT_TRUE(take<issue_call>().empty()) << "it is off for all";
    EXPECT_EQ(row("eni-me").owner, "off");
    EXPECT_EQ(row("eni-me").mutating_calls, 2u);
}

TEST_F(takeover_test, an_interface_that_is_wanted_no_more_is_let_go)
{
    aws::network_interface on;
    on.id = eni("eni-me");
    t.want(t0, {{}, {{eni("eni-me"), true}}}, w);
    t.interface_seen(t0, on);
    t.become_active(t0, t0, 1);
    ASSERT_EQ(take<issue_call>().size(), 1u);
    t.want(t0, {{}, {{eni("eni-me"), false}}}, w);
    EXPECT_EQ(take<cancel_call>().size(), 1u);
    EXPECT_EQ(t.next_wakeup().at, never);
}

TEST_F(takeover_test, a_source_dest_check_that_cannot_be_read_says_why)
{
    t.want(t0, {{}, {{eni("eni-me"), true}}}, w);
    EXPECT_EQ(row("eni-me").last_error, "");
    interfaces.set_read_error("UnauthorizedOperation: not you");
    EXPECT_EQ(row("eni-me").last_error, "it cannot be read: UnauthorizedOperation: not you");
    EXPECT_EQ(row("eni-me").state, status::resource_state::unknown);
}

}  // namespace
}  // namespace vipd::takeover
