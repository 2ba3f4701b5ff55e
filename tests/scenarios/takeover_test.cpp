// What becomes of the routes when the cloud is not as it should be.

#include "tests/scenarios/scenario.hpp"

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

class takeover_stories : public scenario {
protected:
    // Machine 1 has to take over from machine 0.
    void let_machine_1_take_over()
    {
        inflict(faults::power_off{0});
        until("machine 1 is Active", 10s, [&] { return is_active(1); });
    }
};

TEST_F(takeover_stories, a_lost_reply_is_read_before_the_call_is_repeated)
{
    begin(machines({150, 100}));
    next_call("ReplaceRoute", 1, cloud::effects::reset{true});
    let_machine_1_take_over();
    until("confirmed", 5s, [&] { return has_confirmed(1); });
    EXPECT_TRUE(owns_everything(1));
    EXPECT_EQ(taken_by(1), 1U) << "it had arrived; nothing had to be repeated";
}

TEST_F(takeover_stories, a_lost_request_is_repeated)
{
    begin(machines({150, 100}));
    next_call("ReplaceRoute", 1, cloud::effects::reset{false});
    let_machine_1_take_over();
    until("moved", 5s, [&] { return owns_everything(1); });
    EXPECT_EQ(taken_by(1), 1U);
}

TEST_F(takeover_stories, a_throttled_takeover_gets_through_within_the_budget)
{
    begin(machines({150, 100}));
    inflict(faults::throttled{-20});
    let_machine_1_take_over();
    until("moved", 60s, [&] { return owns_everything(1); });
    EXPECT_GE(world->situations().of(situation::takeover_while_throttled), 1U);
}

TEST_F(takeover_stories, an_outage_of_the_api_is_over_when_it_is_over)
{
    begin(machines({150, 100}));
    const auto transitions = world->transitions();
    next_call("*", 1, cloud::effects::fail{}, "*", std::nullopt);
    let_machine_1_take_over();
    wait(5min);
    EXPECT_TRUE(is_active(1)) << "an outage of EC2 changes no role";
    EXPECT_EQ(world->transitions(), transitions + 1);
    world->cloud().faults().clear();
    const auto moved = until("moved", 30s, [&] { return owns_everything(1); });
    EXPECT_LE(moved, 5s + 200ms) << "the pause between attempts ends at 5 s";
}

TEST_F(takeover_stories, demoted_between_the_second_and_the_third_of_five_tables)
{
    auto options = machines({150, 100});
    options.tables = 5;
    begin(options);
    // The last three tables refuse machine 1 until machine 0 is back.
    for (const std::size_t t : {2U, 3U, 4U}) {
        next_call("*Route", 1, cloud::effects::fail{}, options.table_id(t), std::nullopt);
    }
    inflict(faults::power_off{0}, 20s);
    until("two tables are moved", 10s, [&] { return world->target(1) == options.interface_id(1); });
    EXPECT_NE(world->target(2), options.interface_id(1));
    until("machine 0 is Active", 40s, [&] { return is_active(0) && !is_active(1); });
    until("every table", 2s, [&] { return owns_everything(0); });
    EXPECT_GE(world->situations().of(situation::demoted_between_tables), 1U);
    wait(60s);
    EXPECT_TRUE(owns_everything(0));
}

TEST_F(takeover_stories, a_call_that_lands_late_is_repaired_within_a_reconcile_period)
{
    begin(machines({150, 100}));
    // Machine 1 takes over, its call is held up for a minute, and machine 0 is back long before.
    next_call("ReplaceRoute", 1, cloud::effects::land_late{cloud::delay::fixed(60s), true});
    inflict(faults::power_off{0}, 5s);
    until("machine 1 is Active", 10s, [&] { return is_active(1); });
    const auto called = world->now();
    until("machine 0 owns it", 30s, [&] { return owns_everything(0); });
    world->run_until(called + 59s);
    forget();
    until("it has landed", 5s, [&] { return taken_by(1) == 1; });
    const auto repaired = until("repaired", 30s, [&] { return owns_everything(0); });
    EXPECT_LE(repaired, 11s + 500ms) << "10 s + 10 %, a second look, and a call";
    EXPECT_GE(world->situations().of(situation::call_landed_after_demotion), 1U);
}

TEST_F(takeover_stories, a_route_moved_by_hand_is_put_back)
{
    begin(machines({150, 100}));
    inflict(faults::route_changed{0, world->options().interface_id(1)});
    EXPECT_LE(until("put back", 30s, [&] { return owns_everything(0); }), 11s + 500ms);
    inflict(faults::route_changed{0, ""});
    EXPECT_LE(until("created again", 30s, [&] { return owns_everything(0); }), 11s + 500ms);
    EXPECT_EQ(taken_by(0), 2U);
}

TEST_F(takeover_stories, a_lower_priority_that_speaks_up_is_answered_with_a_look)
{
    begin(machines({150, 100}));
    inflict(faults::partition{{{0, 1}}}, 4s);
    until("machine 1 takes the route", 10s, [&] { return world->target(0) == world->options().interface_id(1); });
    EXPECT_LE(until("and machine 0 takes it back", 12s, [&] { return world->target(0) == world->options().interface_id(0); }),
              1500ms);
}

TEST_F(takeover_stories, one_table_that_is_denied_holds_up_no_other)
{
    auto options = machines({150, 100});
    options.tables = 3;
    begin(options);
    inflict(faults::permission_missing{1, 1}, 2min);
    let_machine_1_take_over();
    until("the others", 100ms,
          [&] { return world->target(0) == options.interface_id(1) && world->target(2) == options.interface_id(1); });
    EXPECT_NE(world->target(1), options.interface_id(1));
    until("and that one, once it may", 6min, [&] { return owns_everything(1); });
}

TEST_F(takeover_stories, credentials_that_were_revoked_are_fetched_again)
{
    begin(machines({150, 100}));
    inflict(faults::credentials_revoked{1});
    let_machine_1_take_over();
    until("moved", 2s, [&] { return owns_everything(1); });
    EXPECT_GE(world->situations().of(situation::takeover_with_refused_credentials), 1U);
}

TEST_F(takeover_stories, a_removed_local_address_is_put_back)
{
    begin(machines({150, 100}));
    inflict(faults::address_removed{0});
    wait(10ms);
    EXPECT_TRUE(world->node(0).has_address(world->options().virtual_address()));
}

TEST_F(takeover_stories, a_restart_while_imds_is_down_goes_by_the_identity_of_this_boot)
{
    auto options = machines({150, 100});
    options.chosen = table_choice::whole_vpc;
    begin(options);
    cloud::fault down;
    down.action = "imds:*/network/*";
    down.effect = cloud::effects::fail{};
    world->cloud().faults().add(down);
    inflict(faults::kill_process{1}, 1s);
    wait(10s);
    let_machine_1_take_over();
    until("moved", 10s, [&] { return owns_everything(1); });
}

TEST_F(takeover_stories, a_rule_and_a_route_that_somebody_removes_are_put_back)
{
    begin(machines({150, 100}));
    const auto is_whole = [&] { return world->node(0).policy_parts() == cluster_options::policy_parts(); };
    ASSERT_TRUE(is_whole());
    for (const bool rule : {true, false}) {
        inflict(faults::policy_removed{0, rule});
        wait(10ms);
        EXPECT_TRUE(is_whole()) << (rule ? "the rule" : "the route");
    }
    EXPECT_EQ(world->node(1).policy_parts(), 0U) << "it follows the address";
}

}  // namespace
}  // namespace vipd::sim
