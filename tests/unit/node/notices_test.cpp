// What EC2 announces about this instance makes it stand behind the others, and no more than that.

#include "tests/unit/node/node_fixture.hpp"

namespace vipd::node {
namespace {

class notices_test : public node_test {
protected:
    notices_test()
    {
        configuration = changed([](auto& c) { c.notices.spot = true; });
        h.replace(configuration);
        h.intercept = [this](const aws::http_exchange& exchange) -> std::optional<aws::http_result> {
            if (exchange.origin.tls) {
                return std::nullopt;
            }
            const auto& target = exchange.request.target;
            const bool is_known = target == "/latest/api/token" || (target.ends_with("instance-action") && is_announced);
            const auto body = target == "/latest/api/token" ? "token" : R"({"action":"stop","time":"2026-06-01T00:30:00Z"})";
            return aws::http_result{
                is_known ? aws::http_response{200, {}, body} : aws::http_response{404, {}, ""}, {}, never, {}};
        };
    }

    bool is_announced = false;
};

TEST_F(notices_test, an_active_hands_over_to_whoever_is_there)
{
    start_as_active();
    is_announced = true;
    h.adverts.clear();
    h.advance(6s);
    EXPECT_EQ(h.log.count({"event=notice", "kind=\"spot interruption\"", "what=stop"}), 1U);
    EXPECT_TRUE(std::ranges::any_of(h.adverts, [](const auto& a) { return a.priority == 0; }));
    EXPECT_EQ(h.router().effective_priority, 1);
    ASSERT_TRUE(h.node->snapshot(h.now).notice);
    h.hear(50);
    EXPECT_EQ(h.state(), state::backup);
    advance_with_peer(1s, 50);
    EXPECT_EQ(h.state(), state::backup) << "a peer of a lower configured priority stays Active";
}

TEST_F(notices_test, one_that_has_nobody_to_hand_over_to_serves_until_the_end)
{
    start_as_active();
    is_announced = true;
    h.advance(10s);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.router().effective_priority, 1);
    EXPECT_EQ(h.cloud.targets["rtb-1"], me);
}

TEST_F(notices_test, one_that_was_called_off_gives_the_priority_back)
{
    start_as_backup();
    is_announced = true;
    advance_with_peer(6s, 200);
    EXPECT_EQ(h.router().effective_priority, 1);
    is_announced = false;
    advance_with_peer(6s, 200);
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_EQ(h.log.count({"event=notice", "state=\"called off\""}), 1U);
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(notices_test, a_reload_may_ask_for_them_or_not)
{
    start_as_backup();
    is_announced = true;
    h.reload(changed([](auto& c) { c.notices.spot = false; }));
    advance_with_peer(12s, 200);
    EXPECT_EQ(h.router().effective_priority, 100);
    h.reload(changed([](auto& c) { c.notices.spot = true; }));
    advance_with_peer(6s, 200);
    EXPECT_EQ(h.router().effective_priority, 1);
}

TEST_F(notices_test, a_node_that_moves_nothing_in_aws_any_more_has_none)
{
    start_as_backup();
    is_announced = true;
    advance_with_peer(6s, 200);
    EXPECT_EQ(h.router().effective_priority, 1);
    h.reload(changed([](auto& c) { c.routers[0].routes.clear(); }));
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_FALSE(h.node->snapshot(h.now).notice);
    advance_with_peer(6s, 200);
    EXPECT_EQ(h.router().effective_priority, 100);
    h.reload(configuration);
    EXPECT_EQ(h.router().effective_priority, 1) << "it has not been called off";
    h.reload(changed([](auto& c) { c.routers[0].routes.clear(); }));
    is_announced = false;
    advance_with_peer(6s, 200);
    h.reload(configuration);
    EXPECT_EQ(h.router().effective_priority, 100);
}

}  // namespace
}  // namespace vipd::node
