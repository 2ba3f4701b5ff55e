// Somebody else moves the route, again and again, and the node is Active all the while.

#include "agent/status/attention.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vipd::node {
namespace {

class node_duel_test : public node_test {
protected:
    // Whoever reads the tables finds the route taken, while somebody takes it as soon as it is here.
    void let_somebody_take_it()
    {
        h.intercept = [this](const aws::http_exchange& e) -> std::optional<aws::http_result> {
            if (takes && test::parse_form(e.request.body)["Action"] == "DescribeRouteTables") {
                h.cloud.targets["rtb-1"] = other;
            }
            return std::nullopt;
        };
    }

    bool takes = true;
};

TEST_F(node_duel_test, a_script_that_takes_the_route_each_time_is_not_fought_for_ever_and_an_alarm_is_raised)
{
    start_as_active();
    let_somebody_take_it();
    h.advance(10min);
    EXPECT_EQ(h.state(), state::active) << "a route is no reason to give up the role";
    EXPECT_LE(h.calls("ReplaceRoute"), 1u + 5u + 5u) << "and 305 would fit into the budget";
    EXPECT_GE(h.log.count({"error event=duel", "table=rtb-1", "state=held", "taken_by=eni-0000000000000000b", "remedy="}), 3u);
    EXPECT_EQ(h.resource(kind::route).duel, status::duel_state::held);
    const auto found = status::findings(h.router());
    EXPECT_TRUE(std::ranges::any_of(found, [](const status::finding& f) {
        return f.level == status::urgency::critical && f.text.find("away again and again") != std::string::npos;
    }));
}

TEST_F(node_duel_test, when_the_script_ends_the_route_is_back_after_one_pause_and_the_alarm_ends_a_minute_later)
{
    start_as_active();
    let_somebody_take_it();
    h.advance(20min);
    takes = false;
    h.advance(5min + 1s);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    h.advance(1min + 12s);
    EXPECT_EQ(h.resource(kind::route).duel, status::duel_state::none);
    EXPECT_EQ(h.log.count({"info event=duel", "state=over"}), 1u);
    const auto calls = h.calls("ReplaceRoute");
    h.cloud.targets["rtb-1"] = other;  // an operator, once
    h.advance(11s + 300ms + 20ms);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_EQ(h.calls("ReplaceRoute"), calls + 1);
}

TEST_F(node_duel_test, an_operator_who_moves_the_route_by_hand_five_times_an_hour_is_corrected_at_once_each_time)
{
    start_as_active();
    for (int i = 0; i < 5; ++i) {
        h.advance(12min);
        h.cloud.targets["rtb-1"] = other;
        h.advance(11s + 300ms + 20ms);
        EXPECT_EQ(h.cloud.targets["rtb-1"], me) << i;
    }
    EXPECT_EQ(h.log.count({"event=duel"}), 0u);
}

TEST_F(node_duel_test, the_node_that_outranks_the_other_active_it_hears_goes_on_putting_it_back)
{
    start_as_active();
    h.advance(20s);
    for (int i = 0; i < 600; ++i) {
        h.hear(50);  // deaf to us, and Active
        if (i % 20 == 0) {
            h.cloud.targets["rtb-1"] = other;
        }
        h.advance(100ms);
    }
    h.advance(1s);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
    EXPECT_EQ(h.log.count({"event=duel", "state=held"}), 0u);
    EXPECT_EQ(h.log.count({"error event=duel", "state=fought", "this_node_is=outranking"}), 1u);
    EXPECT_LE(h.calls("ReplaceRoute"), 1u + 30u);
}

TEST_F(node_duel_test, the_node_that_took_over_from_a_better_one_it_hears_no_more_gives_way_after_three_times)
{
    start_as_backup();
    advance_with_peer(1s, 200);
    h.advance(500ms);
    ASSERT_EQ(h.state(), state::active);
    let_somebody_take_it();
    h.advance(25s);
    EXPECT_EQ(h.calls("ReplaceRoute"), 3u);
    EXPECT_EQ(h.log.count({"error event=duel", "state=held", "this_node_is=outranked", "times_within_a_minute=3"}), 1u);
}

}  // namespace
}  // namespace vipd::node
