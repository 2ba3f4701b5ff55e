// Two routers that are of use only together, each with a network of its own: what happens to one happens to both, and what
// happens to one network alone happens to none.

#include "tests/scenarios/scenario.hpp"

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

class sync_group_stories : public scenario {
protected:
    void begin_with_group()
    {
        auto options = machines({150, 100});
        options.sync_group = true;
        begin(options);
        ASSERT_TRUE(owns_everything(0));
    }
    [[nodiscard]] bool is_active_with_both(std::size_t machine) const
    {
        const auto& m = world->node(machine);
        return is_active(machine) && m.snapshot(1).state == vrrp::state::active &&
               m.has_address(world->options().virtual_address(0)) && m.has_address(world->options().virtual_address(1)) &&
               world->routes_lead_to(machine);
    }
    [[nodiscard]] bool has_neither(std::size_t machine) const
    {
        const auto& m = world->node(machine);
        return !is_active(machine) && m.snapshot(1).state != vrrp::state::active &&
               !m.has_address(world->options().virtual_address(0)) && !m.has_address(world->options().virtual_address(1));
    }
};

TEST_F(sync_group_stories, both_move_when_the_active_dies)
{
    begin_with_group();
    inflict(faults::power_off{0});
    until("machine 1 has both", down_interval(1) + 200ms, [&] { return is_active_with_both(1); });
    EXPECT_EQ(taken_by(1), 2U);
}

TEST_F(sync_group_stories, nothing_moves_when_one_of_two_networks_fails)
{
    begin_with_group();
    const auto transitions = world->transitions();
    inflict(faults::second_network_down{0}, 60s);
    wait(59s);
    EXPECT_TRUE(is_active_with_both(0));
    EXPECT_TRUE(has_neither(1));
    EXPECT_NE(world->node(1).snapshot(1).state_reason.find("waits for router 'web'"), std::string::npos)
        << world->node(1).snapshot(1).state_reason;
    wait(61s);
    EXPECT_TRUE(is_active_with_both(0));
    EXPECT_EQ(world->transitions(), transitions);
    EXPECT_EQ(taken_by(1), 0U);
}

TEST_F(sync_group_stories, a_backup_that_waited_takes_both_over_as_soon_as_the_other_network_is_silent_too)
{
    begin_with_group();
    inflict(faults::second_network_down{0});
    wait(30s);
    inflict(faults::power_off{0});
    until("machine 1 has both", down_interval(1) + 200ms, [&] { return is_active_with_both(1); });
}

TEST_F(sync_group_stories, a_step_down_of_one_is_a_step_down_of_both)
{
    begin_with_group();
    inflict(faults::step_down{0, true});
    until("machine 1 has both", 2s, [&] { return is_active_with_both(1); });
    until("machine 0 has let go of both", world->options().drain + 1s, [&] { return has_neither(0); });
}

TEST_F(sync_group_stories, a_network_cut_in_two_gives_two_actives_and_its_mending_one_with_both)
{
    begin_with_group();
    inflict(faults::partition{{{0, 1}, {1, 0}}, {}}, 60s);
    until("machine 1 is Active too", down_interval(1) + 100ms, [&] { return is_active(1); });
    wait(60s);
    until("machine 0 has both", 5s, [&] { return is_active_with_both(0) && has_neither(1); });
}

}  // namespace
}  // namespace vipd::sim
