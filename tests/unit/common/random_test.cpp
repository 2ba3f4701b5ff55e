#include "common/random.hpp"

#include "common/backoff.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace vipd {

namespace {

using namespace std::chrono_literals;

// The first outputs of SplitMix64 for this seed, from Vigna's reference implementation.
TEST(random_source, is_splitmix64)
{
    random_source random{1234567};
    EXPECT_EQ(random.next(), 6457827717110365317ULL);
    EXPECT_EQ(random.next(), 3203168211198807973ULL);
    EXPECT_EQ(random.next(), 9817491932198370423ULL);
}

TEST(random_source, gives_the_same_numbers_for_the_same_seed_and_others_for_another)
{
    random_source a{1};
    random_source b{1};
    random_source c{2};
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto number = a.next();
        EXPECT_EQ(number, b.next());
        seen.insert(number);
        seen.insert(c.next());
    }
    EXPECT_EQ(seen.size(), 2000U);
}

TEST(random_source, stays_within_its_bounds_and_reaches_them)
{
    random_source random{5};
    std::set<std::uint64_t> below;
    std::set<duration> between;
    for (int i = 0; i < 1000; ++i) {
        below.insert(random.below(4));
        between.insert(random.between(10ns, 13ns));
        const double u = random.unit();
        EXPECT_GE(u, 0.0);
        EXPECT_LT(u, 1.0);
    }
    EXPECT_EQ(below, (std::set<std::uint64_t>{0, 1, 2, 3}));
    EXPECT_EQ(between, (std::set<duration>{10ns, 11ns, 12ns, 13ns}));
    EXPECT_EQ(random.between(7s, 7s), 7s);
}

TEST(random_source, chance_is_about_what_it_says)
{
    random_source random{9};
    int hits = 0;
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_FALSE(random.chance(0.0));
        EXPECT_TRUE(random.chance(1.0));
        hits += random.chance(0.25) ? 1 : 0;
    }
    EXPECT_NEAR(hits, 2500, 200);
}

TEST(backoff, draws_from_a_range_that_doubles_up_to_the_cap)
{
    random_source random{21};
    for (int run = 0; run < 200; ++run) {
        backoff b{{100ms, 5s}};
        duration ceiling = 100ms;
        for (unsigned failure = 0; failure < 12; ++failure) {
            EXPECT_EQ(b.failures(), failure);
            const auto pause = b.next(random);
            EXPECT_GE(pause, 1ns);
            EXPECT_LE(pause, ceiling);
            ceiling = std::min<duration>(ceiling * 2, 5s);
        }
    }
}

TEST(backoff, has_full_jitter)
{
    random_source random{22};
    int short_pauses = 0;
    int long_pauses = 0;
    for (int run = 0; run < 1000; ++run) {
        backoff b{{1s, 1s}};
        const auto pause = b.next(random);
        short_pauses += pause < 100ms ? 1 : 0;
        long_pauses += pause > 900ms ? 1 : 0;
    }
    EXPECT_NEAR(short_pauses, 100, 50);
    EXPECT_NEAR(long_pauses, 100, 50);
}

TEST(backoff, begins_anew_after_a_reset_and_never_overflows)
{
    random_source random{23};
    backoff b{{100ms, 1h}};
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_LE(b.next(random), 1h);
    }
    b.reset();
    EXPECT_EQ(b.failures(), 0U);
    EXPECT_LE(b.next(random), 100ms);
}

}  // namespace

}  // namespace vipd
