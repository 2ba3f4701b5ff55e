// Whatever happens to a cluster, the hooks of a machine are run one at a time and in the order of what happened to it, and the
// last one tells the role that it has.

#include "tests/sim/trial.hpp"

#include <gtest/gtest.h>

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

class hooks_of_a_cluster : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(hooks_of_a_cluster, are_run_one_at_a_time_and_in_order)
{
    auto plan = draw_plan(GetParam());
    plan.options.hooks = true;
    cluster world{plan.options, plan.seed, nullptr};
    const auto start = world.now();
    for (const auto& fault : plan.faults) {
        world.run_until(start + fault.at);
        world.inflict(fault);
    }
    world.run_until(start + fault_phase);
    world.heal();
    world.run_for(5min);
    EXPECT_FALSE(world.judge().found()) << "seed " << plan.seed;
    for (std::size_t i = 0; i < world.size(); ++i) {
        const auto& m = world.node(i);
        EXPECT_GT(m.counted().programs, 0U);
        EXPECT_EQ(m.counted().programs_at_once, 0U);
        EXPECT_EQ(m.counted().programs_out_of_order, 0U);
        if (!m.is_running()) {
            continue;
        }
        const bool is_active = m.snapshot().state == vrrp::state::active;
        EXPECT_EQ(m.last_hook() == "backup", !is_active) << m.last_hook();
    }
}

INSTANTIATE_TEST_SUITE_P(seeds, hooks_of_a_cluster, ::testing::Range<std::uint64_t>(1, 11));

}  // namespace
}  // namespace vipd::sim
