#include "agent/io/pool_policy.hpp"

#include <gtest/gtest.h>

#include <array>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

TEST(connections_to_open, every_waiting_request_has_one_on_its_way)
{
    EXPECT_EQ(connections_to_open({.waiting = 3}), 3U);
    EXPECT_EQ(connections_to_open({.waiting = 3, .opening = 2, .total = 2}), 1U);
    EXPECT_EQ(connections_to_open({.waiting = 3, .opening = 3, .total = 3}), 0U);
    EXPECT_EQ(connections_to_open({.waiting = 1, .opening = 3, .total = 3}), 0U);
}

TEST(connections_to_open, warm_ones_come_on_top_of_those_for_requests)
{
    EXPECT_EQ(connections_to_open({.warm = 2}), 2U);
    EXPECT_EQ(connections_to_open({.waiting = 3, .warm = 2}), 5U);
    EXPECT_EQ(connections_to_open({.waiting = 3, .warm = 2, .opening = 3, .total = 3}), 2U);
    EXPECT_EQ(connections_to_open({.waiting = 1, .warm = 2, .opening = 3, .total = 3}), 0U);
}

TEST(connections_to_open, those_in_use_count_as_warm)
{
    EXPECT_EQ(connections_to_open({.warm = 2, .idle = 1, .exchanging = 1, .total = 2}), 0U);
    EXPECT_EQ(connections_to_open({.warm = 4, .idle = 1, .exchanging = 1, .total = 2}), 2U);
}

TEST(connections_to_open, the_pause_after_a_failure_holds_for_warmth_and_not_for_requests)
{
    EXPECT_EQ(connections_to_open({.warm = 2, .may_open_warm = false}), 0U);
    EXPECT_EQ(connections_to_open({.waiting = 1, .warm = 2, .may_open_warm = false}), 1U);
}

TEST(connections_to_open, the_bound_holds_for_all)
{
    EXPECT_EQ(connections_to_open({.waiting = 50, .warm = 2, .total = 0, .total_max = 10}), 10U);
    EXPECT_EQ(connections_to_open({.waiting = 50, .opening = 10, .total = 10, .total_max = 10}), 0U);
    EXPECT_EQ(connections_to_open({.waiting = 50, .opening = 10, .total = 11, .total_max = 10}), 0U);
}

TEST(connection_for, a_mutating_request_takes_the_one_used_last_and_others_the_one_that_rested_longest)
{
    const std::array<idle_connection, 3> idle = {{{time_point{5s}}, {time_point{9s}}, {time_point{2s}}}};
    EXPECT_EQ(connection_for(true, idle), 1U);
    EXPECT_EQ(connection_for(false, idle), 2U);
}

TEST(addresses, the_one_that_is_preferred_is_tried_first_wherever_it_stands)
{
    const auto a = ip_address::v4(10, 0, 0, 1);
    const auto b = ip_address::v4(10, 0, 0, 2);
    const auto c = ip_address::v4(10, 0, 0, 3);
    EXPECT_EQ(first_to_try(std::array{a, b}, std::nullopt), 0U);
    EXPECT_EQ(first_to_try(std::array{a, b}, b), 1U);
    EXPECT_EQ(first_to_try(std::array{b, a}, b), 0U);
    EXPECT_EQ(first_to_try(std::array{a, b}, c), 0U) << "no longer one of the name's";
}

TEST(addresses, after_the_last_comes_the_first)
{
    const auto a = ip_address::v4(10, 0, 0, 1);
    const auto b = ip_address::v4(10, 0, 0, 2);
    EXPECT_EQ(address_after(std::array{a, b}, a), b);
    EXPECT_EQ(address_after(std::array{a, b}, b), a);
    EXPECT_EQ(address_after(std::array{a}, a), a);
}

TEST(connection_for, one_that_is_to_be_replaced_is_the_last_resort)
{
    const std::array<idle_connection, 2> idle = {{{time_point{9s}, true}, {time_point{2s}, false}}};
    EXPECT_EQ(connection_for(true, idle), 1U);
    EXPECT_EQ(connection_for(true, std::span{idle}.first(1)), 0U);
    EXPECT_EQ(connection_for(true, {}), std::nullopt);
}

}  // namespace
}  // namespace vipd::io
