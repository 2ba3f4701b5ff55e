#include "tests/unit/node/node_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

// Routers of a sync group are Active together, or none of them is: seen from one node, then between two.

namespace vipd::node {
namespace {

// "front" and "back": each with a VRID and an address of its own, on one interface.
std::shared_ptr<config::configuration> group_of_two()
{
    auto c = std::make_shared<config::configuration>(*node_harness::one_router());
    auto& front = c->routers[0];
    front.name = "front";
    auto back = front;
    back.name = "back";
    back.vrid = 52;
    back.routes.clear();
    back.advertised_addresses = {ip_address::v4(172, 16, 1, 200)};
    back.addresses[0].address = ip_prefix::host(ip_address::v4(172, 16, 1, 200));
    c->routers.push_back(back);
    c->sync_groups = {{"web", {"front", "back"}}};
    return c;
}

class sync_group : public node_test {
protected:
    sync_group()
    {
        configuration = group_of_two();
        h.replace(configuration);
    }

    // One of them hears a better Active every 100 ms.
    void advance_hearing(duration d, std::size_t router, std::uint8_t priority)
    {
        for (duration passed{}; passed < d; passed += 100ms) {
            h.hear(priority, router);
            h.advance(100ms);
        }
    }
    void become_active()
    {
        h.start();
        h.advance(461ms);
        ASSERT_EQ(h.state(0), state::active);
        ASSERT_EQ(h.state(1), state::active);
    }
    // Both have their hooks told of everything; `back` looks at a service first.
    void start_with_hooks_and_a_tracker()
    {
        config::tracker tracker;
        tracker.name = "haproxy";
        tracker.what.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), 8080};
        configuration = changed([&](auto& c) {
            for (auto& r : c.routers) {
                r.hooks.emplace().commands.fill({{"/hook"}});
            }
            c.routers[1].trackers = {tracker};
        });
        h.replace(configuration);
        h.start();
        h.advance(100ms);
    }
    // Of every program that has begun: "VIPD_ROUTER VIPD_EVENT".
    [[nodiscard]] std::vector<std::string> told() const
    {
        std::vector<std::string> all;
        for (const auto& program : h.programs) {
            const auto value = [&](const std::string& prefix) {
                const auto found =
                    std::ranges::find_if(program.environment, [&](const auto& v) { return v.starts_with(prefix); });
                return found == program.environment.end() ? "?" : found->substr(prefix.size());
            };
            all.push_back(value("VIPD_ROUTER=") + " " + value("VIPD_EVENT="));
        }
        return all;
    }
    [[nodiscard]] bool has_both_addresses() const { return h.has_local("172.16.1.100/32") && h.has_local("172.16.1.200/32"); }
    [[nodiscard]] std::vector<std::uint8_t> priorities_sent(std::uint32_t router) const
    {
        std::vector<std::uint8_t> all;
        for (const auto& advert : h.adverts) {
            if (advert.router == router) {
                all.push_back(advert.priority);
            }
        }
        return all;
    }
};

TEST_F(sync_group, what_a_partner_does_not_know_yet_is_told_to_no_hook_as_a_fault)
{
    start_with_hooks_and_a_tracker();
    EXPECT_EQ(h.state(0), state::initialize);
    EXPECT_THAT(told(), testing::IsEmpty());
    h.tell(probe_ended{h.probes.at(0).what.id, health::probe_outcome::passed, "", 0, false});
    EXPECT_EQ(h.state(0), state::backup);
    EXPECT_THAT(told(), testing::UnorderedElementsAre("front backup", "back backup"));
}

TEST_F(sync_group, what_a_partner_knows_to_be_wrong_is_told_to_every_hook_as_a_fault)
{
    start_with_hooks_and_a_tracker();
    h.tell(probe_ended{h.probes.at(0).what.id, health::probe_outcome::failed, "connection refused", 0, false});
    EXPECT_EQ(h.state(0), state::initialize);
    EXPECT_THAT(told(), testing::UnorderedElementsAre("front fault", "back fault"));
}

TEST_F(sync_group, its_routers_become_active_in_one_turn)
{
    h.start();
    h.hear(200, 0);
    h.advance(50ms);
    h.hear(200, 1);
    // Both are silent from here on. The first could be Active 50 ms before the second.
    const auto last = h.now.steady;
    h.advance(340ms);
    EXPECT_EQ(h.state(0), state::backup);
    EXPECT_EQ(h.state(1), state::backup);
    EXPECT_NE(h.router(0).state_reason.find("waits for router 'back' of its sync group 'web'"), std::string::npos)
        << h.router(0).state_reason;
    h.advance(30ms);
    ASSERT_EQ(h.state(0), state::active);
    ASSERT_EQ(h.state(1), state::active);
    ASSERT_EQ(h.adverts.size(), 2U);
    EXPECT_EQ(h.adverts[0].at, h.adverts[1].at);
    EXPECT_NEAR(to_seconds(h.adverts[0].at - last), 0.361, 0.001);
    EXPECT_TRUE(has_both_addresses());
}

TEST_F(sync_group, a_takeover_is_late_from_when_the_last_of_them_could)
{
    h.start();
    h.hear(200, 0);
    h.advance(200ms);
    h.hear(200, 1);
    h.advance(500ms);
    ASSERT_EQ(h.state(0), state::active);
    const auto taken = h.router(0).takeovers.first_request;
    EXPECT_LT(taken.sum_seconds, 0.001) << "the wait for the other router is no delay of ours";
}

TEST_F(sync_group, the_adverts_of_one_router_that_are_lost_move_nothing)
{
    h.start();
    advance_hearing(5s, 1, 200);
    EXPECT_EQ(h.state(0), state::backup);
    EXPECT_EQ(h.state(1), state::backup);
    EXPECT_TRUE(h.adverts.empty());
    EXPECT_NE(h.router(0).state_reason.find("which hears 10.0.2.10"), std::string::npos) << h.router(0).state_reason;
    // They come again: the wait is over.
    h.hear(200, 0);
    EXPECT_EQ(h.router(0).state_reason.find("waits"), std::string::npos) << h.router(0).state_reason;
}

TEST_F(sync_group, one_that_waits_sleeps)
{
    h.start();
    advance_hearing(1s, 1, 200);
    ASSERT_TRUE(h.adverts.empty());
    EXPECT_GE(h.node->next_wakeup().at, h.now.steady) << "a deadline that has passed would turn the loop for ever";
}

TEST_F(sync_group, one_that_hears_a_better_active_takes_the_others_along)
{
    become_active();
    h.adverts.clear();
    h.hear(200, 1);
    EXPECT_EQ(h.state(0), state::backup);
    EXPECT_EQ(h.state(1), state::backup);
    // That there were two, and then that the peer need not wait for its timer.
    EXPECT_EQ(priorities_sent(0), (std::vector<std::uint8_t>{100, 0}));
    EXPECT_NE(h.router(0).state_reason.find("sync group 'web'"), std::string::npos) << h.router(0).state_reason;
    ASSERT_EQ(h.log.count({"group=web"}), 2U) << "one line when they became Active, one now";
}

TEST_F(sync_group, a_hand_over_by_an_operator_is_one_of_all)
{
    become_active();
    h.adverts.clear();
    h.tell(step_down{"back"});
    EXPECT_EQ(h.state(0), state::backup);
    EXPECT_EQ(h.state(1), state::backup);
    EXPECT_EQ(priorities_sent(0), (std::vector<std::uint8_t>{100, 0}));
    EXPECT_EQ(priorities_sent(1), (std::vector<std::uint8_t>{0}));
}

TEST_F(sync_group, what_keeps_one_out_keeps_all_out)
{
    configuration = changed([](auto& c) { c.routers[1].interface = "ens6"; });
    h.replace(configuration);
    h.start();
    EXPECT_EQ(h.state(0), state::initialize);
    EXPECT_NE(
        h.router(0).state_reason.find("router 'back' of its sync group 'web' takes no part: there is no interface 'ens6'"),
        std::string::npos)
        << h.router(0).state_reason;
    h.kernel(net::link_seen{{3, "ens6", "0a:00:00:00:00:03", true, true}});
    h.advance(461ms);
    ASSERT_EQ(h.state(0), state::active);
    ASSERT_EQ(h.state(1), state::active);
    h.adverts.clear();
    h.kernel(net::link_seen{{3, "ens6", "0a:00:00:00:00:03", true, false}});
    EXPECT_EQ(h.state(0), state::initialize);
    EXPECT_EQ(h.state(1), state::initialize);
    EXPECT_EQ(priorities_sent(0), (std::vector<std::uint8_t>{0}));
    EXPECT_EQ(h.log.count({"group=web", "to=Active"}), 1U);
    EXPECT_EQ(h.log.count({"group=web", "to=Initialize", "router 'back' takes no part: interface 'ens6' has no carrier"}), 1U);
    ASSERT_EQ(h.log.count({"group=web"}), 2U);
}

TEST_F(sync_group, all_of_it_preempts_or_nothing)
{
    h.start();
    // A lower Active for both, but one of them hears a better one as well.
    for (int i = 0; i < 50; ++i) {
        h.hear(50, 0);
        h.hear(i < 30 ? 200 : 50, 1);
        h.advance(100ms);
        EXPECT_EQ(h.state(0), h.state(1)) << i;
        EXPECT_EQ(h.state(0), i < 32 ? state::backup : state::active) << i;
    }
}

TEST_F(sync_group, a_stall_that_one_notices_makes_all_listen)
{
    become_active();
    h.adverts.clear();
    h.now.steady += 5s;
    h.now.wall += 5s;
    h.hear(50, 1);
    EXPECT_EQ(h.state(0), state::backup);
    EXPECT_EQ(h.state(1), state::backup);
    EXPECT_EQ(priorities_sent(0), std::vector<std::uint8_t>{}) << "a stale Active says nothing";
}

TEST_F(sync_group, a_reload_ties_routers_together_and_unties_them)
{
    auto untied = changed([](auto& c) { c.sync_groups.clear(); });
    h.reload(untied);
    h.start();
    advance_hearing(1s, 1, 200);
    ASSERT_EQ(h.state(0), state::active);
    ASSERT_EQ(h.state(1), state::backup);
    h.reload(configuration);
    EXPECT_EQ(h.state(0), state::backup) << "it cannot be Active without the other one";
    advance_hearing(3s, 1, 200);
    EXPECT_EQ(h.state(0), state::backup);
    h.reload(untied);
    h.hear(200, 1);
    h.advance(1ms);
    EXPECT_EQ(h.state(0), state::active) << "its timer has run out long ago";
    EXPECT_LT(h.router(0).takeovers.first_request.sum_seconds, 0.01) << "which was no delay of ours";
}

TEST_F(sync_group, the_weights_of_one_move_all)
{
    configuration = changed([](auto& c) { c.routers[0].api_weight = -30; });
    h.replace(configuration);
    h.intercept = [](const aws::http_exchange&) { return node_harness::failure(true, "no route to host"); };
    h.start();
    advance_hearing(60s, 1, 200);
    EXPECT_EQ(h.router(0).effective_priority, 70);
    EXPECT_EQ(h.router(1).effective_priority, 70) << "although it moves nothing in EC2";
    EXPECT_NE(h.router(1).priority_reason.find("sync group 'web'"), std::string::npos) << h.router(1).priority_reason;
}

TEST_F(sync_group, what_one_tracks_concerns_all)
{
    config::tracker tracker;
    tracker.name = "haproxy";
    tracker.what.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), 8080};
    auto weighed = tracker;
    weighed.name = "disk";
    weighed.weight = -30;
    weighed.what.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), 8081};
    configuration = changed([&](auto& c) { c.routers[1].trackers = {tracker, weighed}; });
    h.replace(configuration);
    h.start();
    h.advance(100ms);
    ASSERT_EQ(h.probes.size(), 2U);
    const auto answer = [&](std::size_t look, bool well) {
        h.tell(probe_ended{h.probes.at(look).what.id, well ? health::probe_outcome::passed : health::probe_outcome::failed,
                           well ? "" : "refused", 0, false});
    };
    EXPECT_EQ(h.state(0), state::initialize) << "the other one waits for its tracker";
    answer(0, true);
    answer(1, true);
    EXPECT_EQ(h.state(0), state::backup);
    h.advance(500ms);
    ASSERT_EQ(h.state(0), state::active);
    h.advance(1s);
    ASSERT_GE(h.probes.size(), 4U);
    h.adverts.clear();
    const auto weighed_id = h.probes.at(1).what.id;
    h.tell(probe_ended{weighed_id, health::probe_outcome::failed, "refused", 0, false});
    EXPECT_EQ(h.router(0).effective_priority, 70);
    EXPECT_EQ(h.router(1).effective_priority, 70);
    h.tell(probe_ended{h.probes.at(0).what.id, health::probe_outcome::failed, "refused", 0, false});
    EXPECT_EQ(h.state(0), state::initialize);
    EXPECT_EQ(h.log.count({"group=web", "to=Initialize"}), 1U);
    EXPECT_NE(h.router(0).state_reason.find("router 'back' of its sync group 'web' takes no part: tracker haproxy"),
              std::string::npos)
        << h.router(0).state_reason;
    EXPECT_EQ(h.adverts.back().priority, 0);
}

// Two nodes that hear each other, each by itself: adverts of either router can be cut off.
class sync_group_between_two_nodes : public testing::Test {
protected:
    sync_group_between_two_nodes()
    {
        for (auto* side : {&near_, &far_}) {
            side->replace(configuration_of(side == &near_ ? 150 : 100, side == &far_));
            side->start();
            if (side == &far_) {
                side->kernel(net::address_seen{{2, *ip_prefix::parse("10.0.2.10/24")}});
            }
        }
    }

    static std::shared_ptr<config::configuration> configuration_of(std::uint8_t priority, bool mirrored)
    {
        auto c = group_of_two();
        for (auto& r : c->routers) {
            r.priority = priority;
            if (mirrored) {
                r.source = ip_address::v4(10, 0, 2, 10);
                r.peers = {{ip_address::v4(10, 0, 1, 10), 255}};
            }
        }
        return c;
    }

    void carry(node_harness& from, node_harness& to, const ip_address& source)
    {
        for (const auto& advert : std::exchange(from.adverts, {})) {
            if (advert.router != cut_off_) {
                to.hear(advert_received{source, advert.destination, 255, advert.message});
            }
        }
    }

    void run(duration d)
    {
        for (duration passed{}; passed < d; passed += 10ms) {
            near_.advance(10ms);
            far_.advance(10ms);
            carry(near_, far_, ip_address::v4(10, 0, 1, 10));
            carry(far_, near_, ip_address::v4(10, 0, 2, 10));
            for (auto* side : {&near_, &far_}) {
                ASSERT_EQ(side->state(0), side->state(1));
            }
        }
    }

    static constexpr std::uint32_t nobody = 99;
    std::uint32_t cut_off_ = nobody;
    node_harness near_{group_of_two()};
    node_harness far_{group_of_two()};
};

TEST_F(sync_group_between_two_nodes, it_is_on_one_of_them)
{
    run(2s);
    EXPECT_EQ(near_.state(0), state::active);
    EXPECT_EQ(far_.state(0), state::backup);
    near_.tell(step_down{"front"});
    run(100ms);
    EXPECT_EQ(near_.state(0), state::backup);
    EXPECT_EQ(far_.state(0), state::active);
    run(5s);
    EXPECT_EQ(near_.state(0), state::active) << "it has the higher priority";
}

TEST_F(sync_group_between_two_nodes, it_stays_where_it_is_while_the_adverts_of_one_router_are_lost)
{
    run(2s);
    ASSERT_EQ(near_.state(0), state::active);
    cut_off_ = 1;
    run(10s);
    EXPECT_EQ(near_.state(0), state::active);
    EXPECT_EQ(far_.state(0), state::backup);
    cut_off_ = nobody;
    run(2s);
    EXPECT_EQ(near_.state(0), state::active);
    EXPECT_EQ(far_.state(0), state::backup);
}

TEST_F(sync_group_between_two_nodes, a_link_of_one_router_that_fails_moves_both)
{
    auto next = configuration_of(150, false);
    near_.kernel(net::link_seen{{3, "ens6", "0a:00:00:00:00:03", true, true}});
    next->routers[1].interface = "ens6";
    near_.reload(next);
    run(2s);
    ASSERT_EQ(near_.state(0), state::active);
    near_.kernel(net::link_seen{{3, "ens6", "0a:00:00:00:00:03", true, false}});
    run(400ms);
    EXPECT_EQ(near_.state(0), state::initialize);
    EXPECT_EQ(far_.state(0), state::active);
    near_.kernel(net::link_seen{{3, "ens6", "0a:00:00:00:00:03", true, true}});
    run(2s);
    EXPECT_EQ(near_.state(0), state::active);
    EXPECT_EQ(far_.state(0), state::backup);
}

}  // namespace
}  // namespace vipd::node
