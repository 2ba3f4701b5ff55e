// How long the address is served by nobody, against the protocol's own arithmetic: after a crash or a pause of the Active its
// peer waits for 3 A + skew since the last advert, which is A / 2 old in the mean, and then makes one call. Nothing may be lost
// beyond that.

#include "tests/scenarios/scenario.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace vipd::sim {
namespace {

using namespace std::chrono_literals;

constexpr int events = 60;
constexpr duration call_mean = 22ms;  // EC2's 20 ms in these stories, and the way there and back

class availability : public scenario, public ::testing::WithParamInterface<duration> {
protected:
    [[nodiscard]] bool is_served() const
    {
        for (std::size_t i = 0; i < world->size(); ++i) {
            const auto& m = world->node(i);
            if (world->routes_lead_to(i)) {
                return m.is_running() && !m.is_paused() && m.has_address(world->options().virtual_address());
            }
        }
        return false;
    }

    duration unserved_during(duration length)
    {
        duration sum{};
        auto last = world->now();
        bool served = is_served();
        world->run_until(
            [&] {
                sum += served ? duration::zero() : world->now() - last;
                last = world->now();
                served = is_served();
                return false;
            },
            length);
        return sum;
    }

    // The mean of so many, each at another moment between two adverts.
    duration mean_unserved(const fault_kind& what, duration lasts)
    {
        const auto& a = world->options().advert_interval;
        duration sum{};
        for (int i = 0; i < events; ++i) {
            wait(30s + a * i / events);
            EXPECT_TRUE(owns_everything(0));
            inflict(what, lasts);
            sum += unserved_during(60s);
        }
        return sum / events;
    }

    void expect_near_the_arithmetic(const std::string& what, duration measured)
    {
        const auto expected = down_interval(1) - world->options().advert_interval / 2 + call_mean;
        std::printf("%s\n", fmt::format("A = {:.0f} ms, {}: {:.3f} s unserved in the mean, {:.3f} by the protocol",
                                        to_milliseconds(world->options().advert_interval), what, to_seconds(measured),
                                        to_seconds(expected))
                                .c_str());
        EXPECT_LE(to_seconds(measured), 1.1 * to_seconds(expected)) << what;
        EXPECT_GE(to_seconds(measured), 0.9 * to_seconds(expected)) << what << ": a measurement that is too good is wrong";
    }
};

TEST_P(availability, loses_nothing_beyond_the_protocols_own_time)
{
    auto options = machines({150, 100});
    options.advert_interval = GetParam();
    begin(options);
    expect_near_the_arithmetic("crash", mean_unserved(faults::power_off{0}, 20s));
    expect_near_the_arithmetic("pause of 5 s", mean_unserved(faults::pause{0}, 5s));
}

INSTANTIATE_TEST_SUITE_P(intervals, availability, ::testing::Values(duration{1s}, duration{200ms}));

}  // namespace
}  // namespace vipd::sim
