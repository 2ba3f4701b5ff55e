// startup_delay: after the start, others get more time to be heard than one down interval (360.9 ms here).

#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

class startup_delay : public testing::Test {
protected:
    startup_delay()
    {
        auto configuration = node_harness::one_router();
        configuration->routers[0].startup_delay = 5s;
        h = std::make_unique<node_harness>(configuration);
        h->start();
    }

    void set_link(bool up) { h->kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", up, up}}); }

    std::unique_ptr<node_harness> h;
};

TEST_F(startup_delay, is_waited_beyond_the_down_interval_when_nobody_is_heard)
{
    EXPECT_EQ(h->state(), state::backup);
    h->advance(5s + 360ms);
    EXPECT_EQ(h->state(), state::backup);
    h->advance(2ms);
    EXPECT_EQ(h->state(), state::active);
}

TEST_F(startup_delay, ends_with_the_first_advert)
{
    h->advance(1s);
    h->hear(200);
    h->advance(360ms);
    EXPECT_EQ(h->state(), state::backup);
    h->advance(2ms);
    EXPECT_EQ(h->state(), state::active);
}

TEST_F(startup_delay, goes_on_after_a_link_that_bounces)
{
    h->advance(500ms);
    set_link(false);
    ASSERT_EQ(h->state(), state::initialize);
    h->advance(500ms);
    set_link(true);
    h->advance(4s + 360ms);
    EXPECT_EQ(h->state(), state::backup);
    h->advance(2ms);
    EXPECT_EQ(h->state(), state::active);
}

TEST_F(startup_delay, goes_on_after_a_link_that_bounces_when_a_lower_active_was_heard)
{
    h->advance(500ms);
    h->hear(50);
    set_link(false);
    h->advance(500ms);
    set_link(true);
    h->advance(4s + 360ms);
    EXPECT_EQ(h->state(), state::backup);
    h->advance(2ms);
    EXPECT_EQ(h->state(), state::active);
}

TEST_F(startup_delay, is_not_over_when_a_lower_active_is_heard)
{
    for (int i = 0; i < 40; ++i) {
        h->advance(100ms);
        h->hear(50);
    }
    EXPECT_EQ(h->state(), state::backup);
    h->advance(2s);
    EXPECT_EQ(h->state(), state::active) << "preempt_delay is 0 here";
}

TEST_F(startup_delay, is_not_a_successors)
{
    h->advance(1s);
    h->hear(200);
    h->succeed(80ms);
    h->start();
    ASSERT_EQ(h->state(), state::backup);
    h->advance(362ms);
    EXPECT_EQ(h->state(), state::active);
}

TEST_F(startup_delay, goes_on_in_a_successor)
{
    h->advance(1s);
    for (int i = 0; i < 2; ++i) {
        h->succeed(80ms);
        h->start();
    }
    h->advance(4s - 160ms + 360ms);
    EXPECT_EQ(h->state(), state::backup);
    h->advance(2ms);
    EXPECT_EQ(h->state(), state::active);
}

TEST_F(startup_delay, is_for_the_start_alone)
{
    h->advance(6s);
    ASSERT_EQ(h->state(), state::active);
    set_link(false);
    ASSERT_EQ(h->state(), state::initialize);
    h->advance(10s);
    set_link(true);
    ASSERT_EQ(h->state(), state::backup);
    h->advance(362ms);
    EXPECT_EQ(h->state(), state::active);
}

}  // namespace
}  // namespace vipd::node
