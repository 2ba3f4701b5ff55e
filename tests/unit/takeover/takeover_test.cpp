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
        for (const auto& tb : tables) {
            for (const auto& r : tb.routes) {
                v.tables[tb.id].routes[r.destination] = r;
            }
            v.tables[tb.id].name = tb.name;
        }
        return v;
    }

    void see(time_point at, std::vector<aws::route_table> tables) { t.world_changed(at, query, view(at, std::move(tables))); }

    void answer(const issue_call& call, const aws::ec2_reply& reply, time_point at)
    {
        t.answered(at, call.ticket, call_done(reply, at - 10ms, at - 9ms, at));
    }

    recording_log log;
    status::journal journal{log, 100};
    world w{10s, 1};
    table_query query{{}, aws::vpc_id{"vpc-1"}, {}};
    takeover t{"web", 1, journal};
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

TEST_F(takeover_test, a_propagated_route_plans_a_creation)
{
    auto propagated = route_to("vgw");
    propagated.propagated = true;
    t.want(t0, wanted, w);
    see(t0, {table("rtb-1", {propagated})});
    EXPECT_EQ(t.plan(w).back(), "+ 172.16.1.100/32 in rtb-1: CreateRoute to eni-me (found vgw (propagated))");
}

}  // namespace
}  // namespace vipd::takeover
