// Routes whose destination is a managed prefix list: however many addresses it holds, a table takes one call.

#include "tests/scenarios/scenario.hpp"
#include "tests/sim/account.hpp"

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

class prefix_list_stories : public scenario {
protected:
    static cluster_options two_machines()
    {
        auto options = machines({150, 100});
        options.by_prefix_list = true;
        options.tables = 2;
        return options;
    }
    void let_machine_1_take_over()
    {
        inflict(faults::power_off{0});
        until("machine 1 is Active", down_interval(1) + 100ms, [&] { return is_active(1); });
    }
    // What the second table has for the address itself, beside the list that holds it.
    [[nodiscard]] std::string target_of_the_address() const
    {
        const auto& options = world->options();
        const auto* table = world->cloud().model().primary().table(cloud::route_table_id{options.table_id(1)});
        const auto* route = table->static_route(options.virtual_address());
        return route == nullptr ? std::string{} : route->target.id;
    }
};

TEST_F(prefix_list_stories, a_list_that_is_in_no_table_yet_is_put_there)
{
    auto options = two_machines();
    options.routes_exist = false;
    begin(options);
    EXPECT_TRUE(owns_everything(0));
    EXPECT_TRUE(has_confirmed(0));
}

TEST_F(prefix_list_stories, a_list_moves_with_one_call_for_each_table)
{
    begin(two_machines());
    const auto calls = world->mutating_calls();
    let_machine_1_take_over();
    until("both tables", world->options().cloud_latency * 3 / 2 + 10ms, [&] { return owns_everything(1); });
    until("confirmed", 3s, [&] { return has_confirmed(1); });
    EXPECT_EQ(taken_by(1), 2U);
    EXPECT_EQ(world->mutating_calls(), calls + 2);
}

TEST_F(prefix_list_stories, a_route_for_one_of_its_addresses_is_another_route)
{
    begin(two_machines());
    const auto& options = world->options();
    const auto stranger = options.interface_id(2);
    world->cloud().model().put_route(world->now(), cloud::route_table_id{options.table_id(1)},
                                     {options.virtual_address(), {stranger}, cloud::route_origin::create_route});
    let_machine_1_take_over();
    until("the list leads to machine 1", 1s, [&] { return owns_everything(1); });
    wait(30s);
    EXPECT_EQ(target_of_the_address(), stranger);
    EXPECT_EQ(taken_by(1), 2U);
}

TEST_F(prefix_list_stories, a_list_that_is_moved_or_removed_by_hand_is_put_back)
{
    begin(two_machines());
    inflict(faults::route_changed{1, world->options().interface_id(1)});
    EXPECT_LE(until("put back", 30s, [&] { return owns_everything(0); }), 11s + 500ms)
        << "10 s + 10 %, a second look, and a call";
    inflict(faults::route_changed{1, ""});
    EXPECT_LE(until("created again", 30s, [&] { return owns_everything(0); }), 11s + 500ms);
    EXPECT_EQ(taken_by(0), 2U);
}

TEST_F(prefix_list_stories, a_lost_reply_is_read_before_the_call_is_repeated)
{
    begin(two_machines());
    next_call("ReplaceRoute", 1, cloud::effects::reset{true});
    let_machine_1_take_over();
    until("confirmed", 5s, [&] { return has_confirmed(1); });
    EXPECT_TRUE(owns_everything(1));
    EXPECT_EQ(taken_by(1), 2U) << "both had arrived; nothing had to be repeated";
}

TEST_F(prefix_list_stories, a_call_that_lands_late_is_repaired_within_a_reconcile_period)
{
    begin(two_machines());
    // Machine 1 takes over, one of its calls is held up for a minute, and machine 0 is back long before.
    next_call("ReplaceRoute", 1, cloud::effects::land_late{cloud::delay::fixed(60s), true}, world->options().table_id(1));
    inflict(faults::power_off{0}, 5s);
    until("machine 1 is Active", 10s, [&] { return is_active(1); });
    const auto called = world->now();
    until("machine 0 owns both tables", 30s, [&] { return owns_everything(0); });
    world->run_until(called + 59s);
    forget();
    until("it has landed", 5s, [&] { return taken_by(1) == 1; });
    EXPECT_LE(until("repaired", 30s, [&] { return owns_everything(0); }), 11s + 500ms);
}

}  // namespace
}  // namespace vipd::sim
