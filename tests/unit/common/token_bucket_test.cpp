#include "common/token_bucket.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace vipd {

namespace {

using namespace std::chrono_literals;

const time_point start{1000s};

TEST(token_bucket, starts_full_and_then_refills_at_its_rate)
{
    token_bucket bucket{5, 0.5};
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(bucket.try_take(start));
    }
    EXPECT_FALSE(bucket.try_take(start));
    EXPECT_FALSE(bucket.try_take(start + 1999ms));
    EXPECT_TRUE(bucket.try_take(start + 2001ms));
    EXPECT_FALSE(bucket.try_take(start + 2001ms));
}

TEST(token_bucket, never_holds_more_than_its_capacity)
{
    token_bucket bucket{3, 100};
    EXPECT_TRUE(bucket.try_take(start));
    int taken = 0;
    while (bucket.try_take(start + 24h)) {
        ++taken;
    }
    EXPECT_EQ(taken, 3);
}

TEST(token_bucket, gives_at_most_capacity_and_rate_in_any_window)
{
    token_bucket bucket{5, 0.5};
    int taken = 0;
    for (duration t{}; t < 100s; t += 10ms) {
        taken += bucket.try_take(start + t) ? 1 : 0;
    }
    EXPECT_LE(taken, 55);
    EXPECT_GE(taken, 53);
}

TEST(token_bucket, tells_when_the_next_one_is_there)
{
    token_bucket bucket{1, 0.3};
    EXPECT_EQ(bucket.available_at(start), start);
    EXPECT_TRUE(bucket.try_take(start));
    for (int i = 0; i < 100; ++i) {
        const auto now = start + i * 10s;
        if (const auto at = bucket.available_at(now); at > now) {
            EXPECT_FALSE(bucket.try_take(at - 1us));
            EXPECT_TRUE(bucket.try_take(at));
        } else {
            EXPECT_TRUE(bucket.try_take(now));
        }
    }
}

TEST(token_bucket, time_that_goes_back_gives_nothing)
{
    token_bucket bucket{1, 1};
    EXPECT_TRUE(bucket.try_take(start));
    EXPECT_FALSE(bucket.try_take(start - 1h));
    EXPECT_FALSE(bucket.try_take(start + 999ms));
    EXPECT_TRUE(bucket.try_take(start + 1001ms));
}

}  // namespace

}  // namespace vipd
