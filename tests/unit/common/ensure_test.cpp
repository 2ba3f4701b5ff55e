#include "common/ensure.hpp"

#include "agent/vrrp/election.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <vector>

namespace vipd {
namespace {

// Each statement runs in a child process.

TEST(ensure_death_test, broken_invariant_ends_the_process_with_a_line_that_says_which_and_where)
{
    EXPECT_EXIT(ENSURE(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
                R"(vipd: internal error: '1 \+ 1 == 3' does not hold at .*ensure_test\.cpp:[0-9]+; please report this)");
}

TEST(ensure_death_test, what_holds_goes_on)
{
    ENSURE(1 + 1 == 2);
    EXPECT_EXIT(
        {
            ENSURE(true);
            std::_Exit(7);
        },
        testing::ExitedWithCode(7), "^$");
}

TEST(ensure_death_test, active_whose_settings_are_broken_does_not_go_on_as_active)
{
    vrrp::election e{{.source = ip_address::v4(10, 0, 1, 10)}};
    std::vector<vrrp::election_output> out;
    e.startup(time_point{} + std::chrono::hours{1}, out);
    e.handle_timeout(e.next_wakeup().at, out);
    ASSERT_EQ(e.current(), vrrp::state::active);
    auto broken = e.settings();
    broken.priority = 0;
    EXPECT_EXIT(e.change(time_point{} + std::chrono::hours{2}, broken, out), testing::KilledBySignal(SIGABRT),
                "internal error: 'settings.priority > 0' does not hold");
}

}  // namespace
}  // namespace vipd
