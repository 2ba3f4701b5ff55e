// Two that both have a reason to be Active and both reach EC2 take the route from one another. It must not go on like that.

#include "tests/scenarios/scenario.hpp"

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

class duel_stories : public scenario {
protected:
    // Machine 0, the better one, is not heard by machine 1 any more, and hears it.
    void begin_with_one_deaf()
    {
        begin(machines({150, 100}));
        ASSERT_TRUE(owns_everything(0));
        inflict(faults::partition{{{0, 1}}, {}}, 10min);
        until("machine 1 is Active too", down_interval(1) + 100ms, [&] { return is_active(1); });
    }
};

TEST_F(duel_stories, of_two_actives_the_one_with_the_lower_priority_gives_way)
{
    begin_with_one_deaf();
    until("machine 1 leaves the route alone", 2min, [&] { return world->has_duel(1); });
    EXPECT_TRUE(is_active(0));
    EXPECT_TRUE(is_active(1)) << "it hears nobody";
    // A few times each, and then the better one has it.
    until("machine 0 has the route", 11s, [&] { return world->routes_lead_to(0); });
    const auto taken_before = taken_by(1);
    EXPECT_LE(taken_before, 6U);
    // From here on the lower one tries seldom, and the better one takes it back as soon as it hears of it.
    duration lost{};
    for (duration passed{}; passed < 5min; passed += 1s) {
        wait(1s);
        lost += world->routes_lead_to(0) ? 0s : 1s;
    }
    EXPECT_LE(taken_by(1) - taken_before, 5U);
    EXPECT_LE(lost, 15s);
}

TEST_F(duel_stories, when_they_hear_each_other_again_the_better_one_has_everything_and_the_duel_ends)
{
    begin_with_one_deaf();
    until("machine 1 leaves the route alone", 2min, [&] { return world->has_duel(1); });
    world->heal();
    until("machine 1 gives way", 2s, [&] { return !is_active(1); });
    until("machine 0 has everything", 3s, [&] { return owns_everything(0); });
    wait(80s);  // it has been here for a minute, and was read again
    EXPECT_TRUE(owns_everything(0));
    EXPECT_FALSE(world->has_duel(0));
    EXPECT_FALSE(world->has_duel(1));
}

TEST_F(duel_stories, a_script_that_takes_the_route_again_and_again_is_left_alone_for_a_while_and_answered_in_the_end)
{
    begin(machines({150, 100}));
    ASSERT_TRUE(owns_everything(0));
    inflict(faults::second_cluster{2s}, 3min);
    until("an alarm is raised", 1min, [&] { return world->has_duel(0); });
    EXPECT_LE(taken_by(0), 6U);
    wait(3min);
    EXPECT_LE(taken_by(0), 12U) << "far fewer than the ninety times that it was taken";
    EXPECT_TRUE(is_active(0)) << "what EC2 says is no business of the election";
    until("it is put back when nobody takes it any more", 5min, [&] { return owns_everything(0); });
}

}  // namespace
}  // namespace vipd::sim
