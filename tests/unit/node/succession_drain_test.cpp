// A restart in place while addresses drain: what still arrives is served until then (the drain is 1 s here, and after a
// step-down begins with the 400 ms that every peer may take).

#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

class succession_drain : public node_test {
protected:
    void succeed(std::shared_ptr<const config::configuration> next = nullptr)
    {
        ASSERT_TRUE(h.has_local(vip));
        h.order.clear();
        h.succeed(80ms, std::move(next));
        h.start();
        EXPECT_TRUE(h.has_local(vip));
        EXPECT_EQ(std::ranges::count(h.order, "kernel"), 0) << "it has been there all along";
    }
};

TEST_F(succession_drain, goes_on_after_a_step_down)
{
    start_as_active();
    h.tell(step_down{"web"});
    advance_with_peer(100ms, 200);
    succeed();
    advance_with_peer(800ms, 200);
    EXPECT_TRUE(h.has_local(vip));
    advance_with_peer(300ms, 200);
    EXPECT_FALSE(h.has_local(vip));
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(succession_drain, goes_on_when_nobody_is_heard_and_ends_with_the_next_epoch)
{
    start_as_active();
    h.tell(step_down{"web"});
    succeed();
    h.advance(500ms);
    EXPECT_EQ(h.state(), state::active);
    h.advance(5s);
    EXPECT_TRUE(h.has_local(vip));
}

TEST_F(succession_drain, goes_on_after_a_better_advert_and_two_restarts)
{
    start_as_active();
    h.hear(200);
    ASSERT_EQ(h.state(), state::backup);
    advance_with_peer(200ms, 200);
    succeed();
    advance_with_peer(200ms, 200);
    succeed();
    advance_with_peer(400ms, 200);
    EXPECT_TRUE(h.has_local(vip));
    advance_with_peer(100ms, 200);
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(succession_drain, goes_on_after_a_stall)
{
    start_as_active();
    h.now.steady += 1s;
    h.advance(0s);
    ASSERT_EQ(h.state(), state::backup);
    succeed();
    advance_with_peer(900ms, 200);
    EXPECT_TRUE(h.has_local(vip));
    advance_with_peer(300ms, 200);
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(succession_drain, takes_no_longer_than_is_configured_now)
{
    configuration = changed([](auto& c) { c.routers[0].drain = 60s; });
    h.replace(configuration);
    start_as_active();
    h.tell(set_maintenance{true});
    succeed(changed([](auto& c) { c.routers[0].drain = 1s; }));
    h.advance(1300ms);
    EXPECT_TRUE(h.has_local(vip));
    h.advance(200ms);
    EXPECT_FALSE(h.has_local(vip));
}

TEST_F(succession_drain, that_is_over_by_then_is_over)
{
    start_as_active();
    h.hear(200);
    advance_with_peer(900ms, 200);
    ASSERT_TRUE(h.has_local(vip));
    h.succeed(200ms);
    h.start();
    EXPECT_FALSE(h.has_local(vip));
}

}  // namespace
}  // namespace vipd::node
