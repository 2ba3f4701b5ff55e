// What a broken path to EC2 does to the priority of a router that asks for it, and to the role.

#include "agent/status/attention.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vipd::node {
namespace {

std::optional<aws::http_result> no_ec2(const aws::http_exchange&)
{
    return node_harness::failure(true, "timeout");
}

std::shared_ptr<config::configuration> weighted(std::uint8_t priority, std::int16_t weight, duration preempt_delay)
{
    auto c = node_harness::one_router();
    c->routers[0].priority = priority;
    c->routers[0].api_weight = weight;
    c->routers[0].preempt_delay = preempt_delay;
    return c;
}

// Two nodes that hear each other.
class pair_of_nodes {
public:
    pair_of_nodes(std::int16_t weight, duration preempt_delay) :
        a{weighted(150, weight, preempt_delay)}, b{weighted(100, weight, preempt_delay)}
    {
        a.start();
        b.start();
    }

    void advance(duration d)
    {
        for (duration passed{}; passed < d; passed += 10ms) {
            for (auto* one : {&a, &b}) {
                one->advance(10ms);
            }
            pass_on(a, b, passed_on_by_a_);
            pass_on(b, a, passed_on_by_b_);
        }
    }

    [[nodiscard]] std::uint64_t transitions() const
    {
        return a.router().election.became_active + b.router().election.became_active;
    }

    node_harness a;
    node_harness b;

private:
    static void pass_on(const node_harness& from, node_harness& to, std::size_t& done)
    {
        for (; done < from.adverts.size(); ++done) {
            to.hear(from.adverts[done].priority);
        }
    }
    std::size_t passed_on_by_a_ = 0;
    std::size_t passed_on_by_b_ = 0;
};

TEST_F(node_test, without_api_weight_a_broken_path_to_ec2_changes_no_priority_and_is_shown)
{
    start_as_backup();
    h.intercept = no_ec2;
    advance_with_peer(1min, 200);
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_EQ(h.router().priority_reason, "");
    EXPECT_EQ(h.log.count({"warning event=ec2_path", "state=broken", "trouble="}), 1u);
    ASSERT_TRUE(h.node->snapshot(h.now).ec2_path);
    EXPECT_FALSE(h.node->snapshot(h.now).ec2_path->works);
    const auto found = status::findings(h.node->snapshot(h.now), {}, h.now.wall);
    EXPECT_TRUE(std::ranges::any_of(
        found, [](const auto& f) { return f.text.starts_with("the path from this node to EC2 has been broken for "); }));
}

TEST_F(node_test, a_backup_knows_by_its_regular_reads_that_its_path_is_broken_and_when_it_works_again)
{
    node_harness n{weighted(100, -60, 0s)};
    n.start();
    const auto run = [&](duration d) {
        for (duration passed{}; passed < d; passed += 100ms) {
            n.hear(200);
            n.advance(100ms);
        }
    };
    run(20s);
    n.intercept = no_ec2;
    run(40s);
    EXPECT_EQ(n.router().effective_priority, 40);
    EXPECT_EQ(n.router().priority_total, 40);
    EXPECT_TRUE(n.router().priority_reason.starts_with("api_weight: the path to EC2 is broken ("))
        << n.router().priority_reason;
    EXPECT_EQ(n.log.count({"event=priority", "from=100", "to=40", "configured=100"}), 1u);
    const auto found = status::findings(n.router());
    EXPECT_TRUE(
        std::ranges::any_of(found, [](const auto& f) { return f.text.starts_with("its priority is 40 and not 100: "); }));
    n.intercept = nullptr;
    run(1min);
    EXPECT_EQ(n.router().effective_priority, 100);
    EXPECT_EQ(n.log.count({"event=priority", "from=40", "to=100"}), 1u);
}

// A router that moves no route: nothing is read but what the period says.
TEST_F(node_test, a_path_that_works_again_is_known_soon_however_long_the_period)
{
    auto c = weighted(100, -60, 0s);
    c->aws.reconcile_period = 1h;
    c->routers[0].routes.clear();
    c->routers[0].secondary_ips = {{ip_address::v4(10, 0, 1, 100), "", aws::network_interface_id{me}}};
    node_harness n{c};
    const auto run = [&](duration d) {
        for (duration passed{}; passed < d; passed += 100ms) {
            n.hear(200);
            n.advance(100ms);
        }
    };
    n.intercept = no_ec2;
    n.start();
    run(1min);
    ASSERT_EQ(n.router().effective_priority, 40);
    n.intercept = nullptr;
    const auto before = n.calls("DescribeNetworkInterfaces");
    run(29s);
    EXPECT_EQ(n.router().effective_priority, 40);
    run(31s);
    EXPECT_EQ(n.router().effective_priority, 100);
    const auto needed = n.calls("DescribeNetworkInterfaces") - before;
    EXPECT_LE(needed, 6u);
    run(5min);
    EXPECT_LE(n.calls("DescribeNetworkInterfaces") - before - needed, 1u) << "the period holds again";
}

TEST_F(node_test, a_positive_weight_is_there_while_the_path_works)
{
    node_harness n{weighted(200, 100, 0s)};
    n.start();
    n.advance(1s);
    EXPECT_EQ(n.router().effective_priority, 254);
    EXPECT_EQ(n.router().priority_total, 300);
    EXPECT_EQ(n.adverts.back().priority, 254);
    n.intercept = no_ec2;
    n.advance(1min);
    EXPECT_EQ(n.router().effective_priority, 200);
    EXPECT_EQ(n.adverts.back().priority, 200);
    EXPECT_EQ(n.state(), state::active) << "nobody else is there";
}

TEST_F(node_test, throttling_and_a_refused_table_lower_no_priority)
{
    for (const auto& [number, code] : {std::pair{503U, "RequestLimitExceeded"}, {403U, "UnauthorizedOperation"}}) {
        node_harness n{weighted(100, -60, 0s)};
        n.intercept = [number = number, code = code](const aws::http_exchange&) -> std::optional<aws::http_result> {
            return aws::http_result{test::ec2_error_response(number, code), {}, never, {}};
        };
        n.start();
        n.advance(5min);
        EXPECT_EQ(n.router().effective_priority, 100) << code;
    }
}

// The routes are in the VPC of the instance, of which no IMDS tells it.
std::shared_ptr<config::configuration> needs_identity()
{
    auto c = weighted(100, -60, 0s);
    c->routers[0].routes[0].tables.ids.clear();
    c->routers[0].routes[0].tables.whole_vpc = true;
    return c;
}

TEST_F(node_test, a_node_that_cannot_find_out_who_it_is_counts_as_without_a_path)
{
    node_harness n{needs_identity()};
    n.start();
    n.advance(9s);
    EXPECT_EQ(n.router().effective_priority, 100);
    n.advance(2s);
    EXPECT_EQ(n.calls("DescribeRouteTables"), 0u);
    EXPECT_EQ(n.router().effective_priority, 40);
    EXPECT_TRUE(n.router().priority_reason.starts_with("api_weight: the path to EC2 is broken (no identity or credentials"))
        << n.router().priority_reason;
}

TEST_F(node_test, a_reload_that_leaves_nothing_in_aws_forgets_what_was_known_of_the_path)
{
    const auto with_aws = needs_identity();
    auto without_aws = std::make_shared<config::configuration>(*with_aws);
    without_aws->routers[0].routes.clear();
    for (const auto waited : {5s, 20s}) {
        node_harness n{with_aws};
        n.start();
        n.advance(waited);
        n.reload(without_aws);
        EXPECT_EQ(n.router().effective_priority, 100);
        n.advance(1min);
        EXPECT_EQ(n.state(), state::active);
        n.reload(with_aws);
        n.advance(9s);
        EXPECT_EQ(n.router().effective_priority, 100) << "the path has its time anew";
        n.advance(2s);
        EXPECT_EQ(n.router().effective_priority, 40);
    }
}

TEST_F(node_test, a_priority_that_falls_while_backup_does_not_postpone_a_takeover)
{
    node_harness n{weighted(100, -60, 0s)};
    n.start();
    n.intercept = no_ec2;
    const auto heard_until = [&] {
        time_point last{};
        while (n.router().effective_priority == 100) {
            n.hear(200);
            last = n.now.steady;
            n.advance(100ms);
        }
        return last;
    }();
    n.advance(1s);
    EXPECT_EQ(n.state(), state::active);
    const auto first = std::ranges::find(n.adverts, std::uint8_t{40}, &test::sent_advert::priority);
    ASSERT_NE(first, n.adverts.end());
    // 3 * 100 ms + 100 ms * (256 - 40) / 256, from the last advert and not from the change
    EXPECT_EQ(first->at - heard_until, 384375us);
}

TEST_F(node_test, an_active_whose_path_breaks_steps_behind_a_node_whose_path_works_and_comes_back)
{
    pair_of_nodes p{-60, 30s};
    p.advance(60s);
    ASSERT_EQ(p.a.state(), state::active);
    ASSERT_EQ(p.b.state(), state::backup);
    p.a.intercept = no_ec2;
    p.advance(90s);
    EXPECT_EQ(p.a.state(), state::backup);
    EXPECT_EQ(p.b.state(), state::active);
    p.a.intercept = nullptr;
    p.advance(2min);
    EXPECT_EQ(p.a.state(), state::active);
    EXPECT_EQ(p.b.state(), state::backup);
}

TEST_F(node_test, when_ec2_fails_for_both_nobody_moves)
{
    pair_of_nodes p{-60, 30s};
    p.advance(60s);
    const auto before = p.transitions();
    p.a.intercept = p.b.intercept = no_ec2;
    p.advance(10min);
    EXPECT_EQ(p.a.router().effective_priority, 90);
    EXPECT_EQ(p.b.router().effective_priority, 40);
    p.a.intercept = p.b.intercept = nullptr;
    p.advance(5min);
    EXPECT_EQ(p.transitions(), before);
    EXPECT_EQ(p.a.state(), state::active);
}

TEST_F(node_test, when_ec2_fails_for_both_and_nobody_waits_to_preempt_the_role_moves_there_and_back_at_most)
{
    pair_of_nodes p{-60, 0s};
    p.advance(60s);
    const auto before = p.transitions();
    p.a.intercept = p.b.intercept = no_ec2;
    p.advance(10min);
    EXPECT_LE(p.transitions() - before, 2u);
    EXPECT_EQ(p.a.state(), state::active);
}

TEST_F(node_test, an_api_that_comes_and_goes_every_few_seconds_moves_nothing)
{
    pair_of_nodes p{-60, 0s};
    p.advance(60s);
    const auto before = p.transitions();
    for (int i = 0; i < 20; ++i) {
        p.a.intercept = no_ec2;
        p.advance(4s);
        p.a.intercept = nullptr;
        p.advance(11s);
    }
    EXPECT_EQ(p.transitions(), before);
}

TEST_F(node_test, a_reload_can_give_and_take_the_weight_without_a_transition)
{
    start_as_active();
    h.intercept = no_ec2;
    h.advance(1min);
    ASSERT_EQ(h.router().effective_priority, 100);
    h.reload(changed([](auto& c) { c.routers[0].api_weight = -30; }));
    EXPECT_EQ(h.router().effective_priority, 70);
    EXPECT_EQ(h.adverts.back().priority, 70);
    h.reload(changed([](auto& c) { c.routers[0].api_weight = 0; }));
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_EQ(h.router().election.became_active, 1u);
}

}  // namespace
}  // namespace vipd::node
