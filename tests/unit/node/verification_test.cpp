// A signed request of the last Active may take effect up to 15 minutes after it was made. What is read back after a takeover,
// and for how long, is what finds it.

#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vipd::node {
namespace {

class verification_test : public node_test {
protected:
    // Active, and its route accepted at `accepted`.
    void take_over()
    {
        start_as_backup();
        advance_with_peer(1min, 200);
        h.advance(500ms);
        ASSERT_EQ(h.state(), state::active);
        const auto call = std::ranges::find(h.seen_calls, "ReplaceRoute", &node_harness::seen_call::action);
        ASSERT_NE(call, h.seen_calls.end());
        accepted = call->at + h.latency;
    }

    // When the tables were read after the takeover, counted from there.
    [[nodiscard]] std::vector<duration> reads() const
    {
        std::vector<duration> all;
        for (const auto& call : h.seen_calls) {
            if (call.action == "DescribeRouteTables" && call.at >= accepted) {
                all.push_back(call.at - accepted);
            }
        }
        return all;
    }

    time_point accepted;
};

TEST_F(verification_test, the_tables_are_read_after_1_2_5_and_10_s_and_then_once_a_period_for_as_long_as_it_is_active)
{
    take_over();
    h.advance(20min);
    const auto all = reads();
    for (const auto due : {1s, 2s, 5s, 10s}) {
        EXPECT_TRUE(std::ranges::find(all, duration{due}) != all.end()) << to_seconds(due);
    }
    for (std::size_t i = 1; i < all.size(); ++i) {
        EXPECT_LE(all[i] - all[i - 1], duration{11s}) << to_seconds(all[i]);
    }
    EXPECT_GE(all.back(), duration{19min});
}

TEST_F(verification_test, every_epoch_begins_the_schedule_anew)
{
    take_over();
    h.advance(3s);
    h.hear(200);
    ASSERT_EQ(h.state(), state::backup);
    h.advance(400ms);
    ASSERT_EQ(h.state(), state::active);
    h.advance(10s);
    const auto last =
        std::ranges::find(h.seen_calls.rbegin(), h.seen_calls.rend(), "ReplaceRoute", &node_harness::seen_call::action);
    accepted = last->at + h.latency;
    h.advance(2s);
    const auto all = reads();
    for (const auto due : {1s, 2s, 5s, 10s}) {
        EXPECT_TRUE(std::ranges::find(all, duration{due}) != all.end()) << to_seconds(due);
    }
}

TEST_F(verification_test, a_request_of_the_last_active_that_lands_late_is_put_right_within_a_period)
{
    for (const auto late : {3s, 12s, 45s, 300s, 899s}) {
        node_harness n{configuration};
        n.start();
        n.advance(500ms);
        ASSERT_EQ(n.state(), state::active);
        n.advance(late);
        n.cloud.targets["rtb-1"] = other;
        n.advance(11s + 300ms);
        EXPECT_EQ(n.cloud.targets["rtb-1"], me) << to_seconds(late);
        EXPECT_EQ(n.calls("ReplaceRoute"), 2u) << to_seconds(late);
    }
}

}  // namespace
}  // namespace vipd::node
