// A node behind a security group that does not let protocol 112 in, and situations that look like it for a moment.

#include "agent/status/attention.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vipd::node {
namespace {

constexpr auto diagnosis = "error event=inbound_blocked";

class inbound_test : public node_test {
protected:
    // The peer speaks every 100 ms, and answers a lower advert at once. What comes through is up to the security group.
    void run(duration d, std::uint8_t peer_priority = 200)
    {
        for (duration passed{}; passed < d; passed += 100ms) {
            h.advance(100ms);
            const bool tracked = !h.adverts.empty() && h.now.steady - h.adverts.back().at < 600s;
            if (has_rule || tracked) {
                h.hear(peer_priority);
            }
        }
    }
    void be_silent(duration d) { h.advance(d); }

    bool has_rule = true;
};

TEST_F(inbound_test, a_missing_rule_is_diagnosed_the_second_time_and_told_with_its_remedy)
{
    has_rule = false;
    h.start();
    run(9min);
    ASSERT_EQ(h.state(), state::backup);
    ASSERT_EQ(h.router().election.became_active, 1u);
    EXPECT_EQ(h.log.count({diagnosis}), 0u);
    run(3min);
    ASSERT_EQ(h.router().election.became_active, 2u);
    EXPECT_EQ(h.log.count({diagnosis, "router=web", "peer=10.0.2.10", "remedy=\"allow inbound IP protocol 112"}), 1u);
    EXPECT_TRUE(h.router().peers.at(0).inbound_blocked);
    const auto found = status::findings(h.router());
    EXPECT_TRUE(std::ranges::any_of(found, [](const status::finding& f) {
        return f.level == status::urgency::critical && f.text.find("inbound IP protocol 112") != std::string::npos;
    }));
    run(1h);
    EXPECT_EQ(h.log.count({diagnosis}), 1u) << "one story";
}

TEST_F(inbound_test, when_the_rule_is_there_the_diagnosis_ends)
{
    has_rule = false;
    h.start();
    run(12min);
    ASSERT_EQ(h.log.count({diagnosis}), 1u);
    has_rule = true;
    run(13min);
    EXPECT_FALSE(h.router().peers.at(0).inbound_blocked);
    EXPECT_EQ(h.log.count({"info event=inbound_blocked", "state=over"}), 1u);
}

TEST_F(inbound_test, nodes_that_boot_together_and_take_over_side_by_side_raise_no_alarm)
{
    h.start();
    be_silent(400ms);
    ASSERT_EQ(h.state(), state::active);
    run(1h);
    ASSERT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.log.count({diagnosis}), 0u);
}

TEST_F(inbound_test, a_peer_that_crashes_and_returns_raises_no_alarm)
{
    h.start();
    for (const auto away : {500ms, 5000ms, 120000ms}) {
        run(10min);
        be_silent(away);
        run(30min);
        ASSERT_EQ(h.state(), state::backup);
    }
    EXPECT_EQ(h.log.count({diagnosis}), 0u);
}

TEST_F(inbound_test, a_partition_that_heals_at_the_worst_of_moments_raises_no_alarm)
{
    start_as_backup();
    run(1min);
    be_silent(400ms);  // it takes over, and is heard and hears again
    ASSERT_EQ(h.state(), state::active);
    run(10min);
    ASSERT_EQ(h.state(), state::backup);
    be_silent(400ms);  // ten minutes after this node has sent something
    ASSERT_EQ(h.state(), state::active);
    run(30min);
    EXPECT_EQ(h.router().election.became_active, 2u);
    EXPECT_EQ(h.log.count({diagnosis}), 0u);
}

TEST_F(inbound_test, adverts_that_are_lost_now_and_then_raise_no_alarm)
{
    start_as_backup();
    for (int i = 0; i < 50; ++i) {
        run(97s);
        be_silent(400ms);
    }
    EXPECT_GE(h.router().election.became_active, 50u);
    EXPECT_EQ(h.log.count({diagnosis}), 0u);
}

}  // namespace
}  // namespace vipd::node
