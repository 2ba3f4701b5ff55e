#include "agent/vrrp/timers.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace vipd::vrrp {

namespace {

using namespace std::chrono_literals;

TEST(timers, follow_the_formulas_to_the_nanosecond)
{
    struct row {
        version protocol_version;
        duration interval;
        std::uint8_t priority;
        duration skew;
        duration down;
    };
    const std::vector<row> rows = {
        {version::v3, 1s, 254, 7'812'500ns, 3'007'812'500ns},
        {version::v3, 1s, 150, 414'062'500ns, 3'414'062'500ns},
        {version::v3, 1s, 100, 609'375'000ns, 3'609'375'000ns},
        {version::v3, 1s, 1, 996'093'750ns, 3'996'093'750ns},
        {version::v3, 500ms, 100, 304'687'500ns, 1'804'687'500ns},
        {version::v3, 100ms, 100, 60'937'500ns, 360'937'500ns},
        {version::v3, 10ms, 100, 6'093'750ns, 36'093'750ns},
        {version::v3, 40'950ms, 1, 40'790'039'062ns, 163'640'039'062ns},
        {version::v3, 1s, 255, 3'906'250ns, 3'003'906'250ns},
        {version::v2, 1s, 100, 609'375'000ns, 3'609'375'000ns},
        {version::v2, 5s, 100, 609'375'000ns, 15'609'375'000ns},
        {version::v2, 255s, 1, 996'093'750ns, 765'996'093'750ns},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(skew_time(r.protocol_version, r.priority, r.interval), r.skew)
            << r.interval.count() << " " << int{r.priority};
        EXPECT_EQ(active_down_interval(r.protocol_version, r.priority, r.interval, 3), r.down)
            << r.interval.count() << " " << int{r.priority};
    }
}

TEST(timers, down_timer_adverts_scale_the_intervals_and_not_the_skew)
{
    EXPECT_EQ(active_down_interval(version::v3, 100, 1s, 10), 10s + skew_time(version::v3, 100, 1s));
    EXPECT_EQ(active_down_interval(version::v3, 100, 1s, 1), 1s + skew_time(version::v3, 100, 1s));
    EXPECT_EQ(active_down_interval(version::v2, 100, 5s, 100), 500s + skew_time(version::v2, 100, 5s));
}

TEST(timers, a_higher_priority_is_earlier_even_at_the_shortest_interval)
{
    for (const auto protocol_version : {version::v2, version::v3}) {
        for (unsigned priority = 2; priority < 256; ++priority) {
            const auto higher = skew_time(protocol_version, static_cast<std::uint8_t>(priority), 10ms);
            const auto lower = skew_time(protocol_version, static_cast<std::uint8_t>(priority - 1), 10ms);
            EXPECT_GE(lower - higher, 39us) << priority;
            EXPECT_GT(higher, 0ns);
        }
    }
}

TEST(timers, nobody_takes_over_from_an_active_that_is_no_later_than_it_may_be)
{
    for (const auto protocol_version : {version::v2, version::v3}) {
        const auto quickest = active_down_interval(protocol_version, 254, 1s, 3);
        EXPECT_EQ(1s + lateness_max(protocol_version, 1s, 3), quickest) << "the advert was due 1 s after the last one";
    }
}

TEST(timers, who_listens_may_always_be_late_by_an_interval)
{
    EXPECT_EQ(listener_lateness_max(version::v3, 100ms, 1), 100ms);
    EXPECT_EQ(listener_lateness_max(version::v3, 100ms, 3), lateness_max(version::v3, 100ms, 3));
    EXPECT_GT(listener_lateness_max(version::v3, 100ms, 3), 200ms);
}

TEST(timers, no_priority_waits_as_long_as_the_longest)
{
    EXPECT_EQ(longest_down_interval(version::v3, 200ms, 3), 800ms);
    EXPECT_EQ(longest_down_interval(version::v2, 5s, 3), 16s);
    for (const auto protocol_version : {version::v2, version::v3}) {
        for (const duration interval : {duration{10ms}, duration{1s}, duration{40950ms}}) {
            EXPECT_LT(active_down_interval(protocol_version, 1, interval, 5),
                      longest_down_interval(protocol_version, interval, 5));
        }
    }
}

}  // namespace

}  // namespace vipd::vrrp
