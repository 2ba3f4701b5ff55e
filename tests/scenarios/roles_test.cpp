// Nothing outside VRRP changes a role by itself: the same faults of machines and network give the same transitions, whatever
// the cloud does meanwhile.

#include "tests/sim/trial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

bool is_of_the_cloud(const scheduled_fault& f)
{
    return std::holds_alternative<faults::cloud_unreachable>(f.what) || std::holds_alternative<faults::cloud_trouble>(f.what) ||
           std::holds_alternative<faults::throttled>(f.what) || std::holds_alternative<faults::credentials_revoked>(f.what) ||
           std::holds_alternative<faults::permission_missing>(f.what) ||
           std::holds_alternative<faults::route_changed>(f.what) || std::holds_alternative<faults::second_cluster>(f.what) ||
           std::holds_alternative<faults::address_removed>(f.what) || std::holds_alternative<faults::policy_removed>(f.what) ||
           std::holds_alternative<faults::no_descriptors>(f.what) || std::holds_alternative<faults::clock_set>(f.what);
}

// A pause that begins with a call begins at no call when there is none, and so does what is aimed at the middle of a move.
bool depends_on_the_cloud(const scheduled_fault& f)
{
    const auto* pause = std::get_if<faults::pause>(&f.what);
    return (pause != nullptr && pause->before_call) || std::holds_alternative<faults::move_interrupted>(f.what);
}

std::vector<cluster::role_change> roles_of(const trial_plan& plan)
{
    cluster world{plan.options, plan.seed, nullptr};
    const auto start = world.now();
    for (const auto& fault : plan.faults) {
        world.run_until(start + fault.at);
        world.inflict(fault);
    }
    world.run_until(start + fault_phase);
    EXPECT_FALSE(world.judge().found()) << "seed " << plan.seed;
    return world.role_changes();
}

class roles : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(roles, are_the_same_whatever_the_cloud_does)
{
    auto troubled = draw_plan(GetParam());
    std::erase_if(troubled.faults, depends_on_the_cloud);
    // What is meant to change roles: a weight for the path to EC2, and the time where adverts are signed with it.
    troubled.options.api_weight = 0;
    troubled.options.notices = false;
    if (troubled.options.auth) {
        std::erase_if(troubled.faults,
                      [](const scheduled_fault& f) { return std::holds_alternative<faults::clock_set>(f.what); });
    }
    auto untroubled = troubled;
    std::erase_if(untroubled.faults, is_of_the_cloud);
    ASSERT_LT(untroubled.faults.size(), troubled.faults.size());
    const auto expected = roles_of(untroubled);
    const auto found = roles_of(troubled);
    ASSERT_GE(expected.size(), troubled.options.machines.size());
    const auto differ = std::ranges::mismatch(expected, found);
    EXPECT_EQ(expected, found) << "from "
                               << (differ.in1 == expected.end() ? -1.0 : to_seconds(differ.in1->at.time_since_epoch()))
                               << " s on";
}

INSTANTIATE_TEST_SUITE_P(seeds, roles, ::testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace vipd::sim
