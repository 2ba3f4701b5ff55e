#include "tests/unit/vrrp/election_fixture.hpp"

#include <gtest/gtest.h>

// What senders could make an election remember. Admission lets nobody through but peers; this holds without it.

namespace vipd::vrrp {

namespace {

ip_address sender(unsigned n)
{
    return ip_address::v4(10, 1, static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n));
}

TEST(election, as_many_releases_are_remembered_as_there_may_be_peers)
{
    constexpr unsigned peers_max = 255;
    auto h = active();
    for (unsigned n = 0; n < 1000; ++n) {
        EXPECT_FALSE(h.hear(sender(n), 0).empty()) << n << ": those before it may be peers no longer";
    }
    for (unsigned n = 1000 - peers_max; n < 1000; ++n) {
        EXPECT_EQ(h.hear(sender(n), 0), log{}) << n;
    }
    EXPECT_FALSE(h.hear(sender(999 - peers_max), 0).empty()) << "the oldest ones are forgotten";
    EXPECT_EQ(h.machine.counters().priority_zero_received, 1000U + peers_max + 1);
}

}  // namespace

}  // namespace vipd::vrrp
