// A node that was suspended, or whose virtual machine was: time has passed, and no advert can have come in.

#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

class sleep_test : public node_test {
protected:
    void sleep(duration d)
    {
        h.now.steady += d;
        h.now.wall += d;
    }

    void set_link(bool up) { h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", up, up}}); }

    // As one that has heard nobody yet.
    void listens_for_a_down_interval()
    {
        ASSERT_EQ(h.state(), state::backup);
        h.advance(360ms);
        EXPECT_EQ(h.state(), state::backup);
        h.advance(2ms);
        EXPECT_EQ(h.state(), state::active);
    }
};

TEST_F(sleep_test, backup_wakes_up_and_listens)
{
    start_as_backup();
    sleep(1min);
    const auto calls = h.calls("ReplaceRoute");
    h.advance(0s);
    EXPECT_EQ(h.calls("ReplaceRoute"), calls);
    listens_for_a_down_interval();
}

TEST_F(sleep_test, one_in_maintenance_has_not_heard_that_nobody_speaks)
{
    start_as_backup();
    h.tell(set_maintenance{true});
    advance_with_peer(1s, 200);
    sleep(1min);
    h.tell(set_maintenance{false});
    listens_for_a_down_interval();
}

TEST_F(sleep_test, nor_has_it_when_it_stays_in_maintenance_for_a_moment)
{
    start_as_backup();
    h.tell(set_maintenance{true});
    h.advance(10s);
    sleep(1min);
    h.advance(200ms);
    h.tell(set_maintenance{false});
    ASSERT_EQ(h.state(), state::backup);
    h.advance(160ms);
    EXPECT_EQ(h.state(), state::backup);
    h.advance(2ms);
    EXPECT_EQ(h.state(), state::active) << "what it listened for in maintenance counts";
}

TEST_F(sleep_test, backup_that_is_taken_out_as_it_wakes_up_has_not_either)
{
    start_as_backup();
    sleep(1min);
    h.tell(set_maintenance{true});
    h.tell(set_maintenance{false});
    listens_for_a_down_interval();
}

TEST_F(sleep_test, silence_in_maintenance_counts_when_nobody_slept)
{
    start_as_backup();
    h.tell(set_maintenance{true});
    h.advance(1h);
    h.tell(set_maintenance{false});
    h.advance(0s);
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(sleep_test, one_without_a_network_does_not_wake_up_to_listen)
{
    auto lonely = changed([](auto& c) { c.routers[0].routes.clear(); });
    h.replace(lonely);
    h.start();
    set_link(false);
    h.advance(1s);
    EXPECT_EQ(h.node->next_wakeup().at, never);
}

TEST_F(sleep_test, active_that_is_to_be_slower_from_now_on_has_slept_all_the_same)
{
    start_as_active();
    const auto sent = h.adverts.size();
    sleep(1s);
    h.reload(changed([](auto& c) { c.routers[0].advert_interval = 1s; }));
    EXPECT_EQ(h.state(), state::active) << "a reload is no transition";
    h.advance(0s);
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.adverts.size(), sent);
}

TEST_F(sleep_test, one_in_maintenance_that_is_to_be_slower_from_now_on_has_too)
{
    start_as_backup();
    h.tell(set_maintenance{true});
    sleep(5s);
    h.reload(changed([](auto& c) { c.routers[0].advert_interval = 1s; }));
    h.tell(set_maintenance{false});
    h.advance(3s + 609ms);
    EXPECT_EQ(h.state(), state::backup);
    h.advance(2ms);
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(sleep_test, active_that_is_told_to_step_down_as_it_wakes_up_cancels_its_calls_at_once)
{
    h.start();
    h.latency = 1h;
    h.advance(361ms);
    ASSERT_EQ(h.state(), state::active);
    const auto sent = h.adverts.size();
    const auto cancelled = h.cancelled.size();
    sleep(1s);
    h.tell(step_down{"web"});
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_GT(h.cancelled.size(), cancelled);
    EXPECT_EQ(h.adverts.size(), sent) << "another one may be Active by now";
    EXPECT_EQ(h.log.count({"event=transition", "reason=stalled"}), 1U);
}

}  // namespace
}  // namespace vipd::node
