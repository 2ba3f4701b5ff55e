#include "agent/vrrp/effective_priority.hpp"

#include <gtest/gtest.h>

namespace vipd::vrrp {
namespace {

TEST(effective_priority, positive_weight_is_added_while_all_is_well_and_a_negative_one_while_it_is_not)
{
    EXPECT_EQ(contribution(20, true), 20);
    EXPECT_EQ(contribution(20, false), 0);
    EXPECT_EQ(contribution(-20, true), 0);
    EXPECT_EQ(contribution(-20, false), -20);
    EXPECT_EQ(contribution(0, true), 0);
    EXPECT_EQ(contribution(0, false), 0);
}

TEST(effective_priority, no_weight_makes_it_0_or_255)
{
    for (int configured = 1; configured <= 254; ++configured) {
        for (int weight = -253; weight <= 253; ++weight) {
            const auto value = effective_priority(static_cast<std::uint8_t>(configured), weight);
            EXPECT_GE(value, 1);
            EXPECT_LE(value, 254);
            if (configured + weight >= 1 && configured + weight <= 254) {
                EXPECT_EQ(value, configured + weight);
            }
        }
    }
}

TEST(effective_priority, total_keeps_what_was_cut_off)
{
    EXPECT_EQ(priority_total(100, -253), -153);
    EXPECT_EQ(priority_total(100, 253), 353);
    EXPECT_EQ(priority_total(100, -253 + 253), 100);
}

TEST(effective_priority, address_owner_s_stays_255)
{
    EXPECT_EQ(effective_priority(255, -253), 255);
    EXPECT_EQ(priority_total(255, -253), 255);
}

}  // namespace
}  // namespace vipd::vrrp
