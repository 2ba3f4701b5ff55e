#include "common/log_limiter.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace vipd {

namespace {

using namespace std::chrono_literals;

const time_point start{1000s};

TEST(log_limiter, one_line_in_ten_seconds_and_the_next_tells_how_many_were_kept_back)
{
    log_limiter limiter;
    EXPECT_TRUE(limiter.admit(start, "discarded", "10.0.0.1").write);
    for (int i = 1; i < 100; ++i) {
        EXPECT_FALSE(limiter.admit(start + i * 100ms, "discarded", "10.0.0.1").write);
    }
    const auto next = limiter.admit(start + 10s, "discarded", "10.0.0.1");
    EXPECT_TRUE(next.write);
    EXPECT_EQ(next.suppressed, 99U);
    EXPECT_FALSE(limiter.admit(start + 19s + 999ms, "discarded", "10.0.0.1").write);
    EXPECT_EQ(limiter.admit(start + 20s, "discarded", "10.0.0.1").suppressed, 1U);
}

TEST(log_limiter, events_and_keys_are_told_apart)
{
    log_limiter limiter;
    EXPECT_TRUE(limiter.admit(start, "a", "1").write);
    EXPECT_TRUE(limiter.admit(start, "a", "2").write);
    EXPECT_TRUE(limiter.admit(start, "b", "1").write);
    EXPECT_TRUE(limiter.admit(start, "a1", "").write);
    EXPECT_FALSE(limiter.admit(start, "a", "1").write);
    EXPECT_FALSE(limiter.admit(start, "b", "1").write);
}

TEST(log_limiter, keys_of_an_attacker_cannot_grow_the_table_or_the_log)
{
    log_limiter limiter{{10s, 100}};
    int written = 0;
    for (int i = 0; i < 100'000; ++i) {
        written += limiter.admit(start + i * 50us, "discarded", std::to_string(i)).write ? 1 : 0;
        ASSERT_LE(limiter.size(), 101U);
    }
    EXPECT_EQ(written, 101);
    // And yet a key that was there before is limited by itself, and another event is heard.
    EXPECT_FALSE(limiter.admit(start + 6s, "discarded", "0").write);
    EXPECT_TRUE(limiter.admit(start + 6s, "transition", "x").write);
}

TEST(log_limiter, a_full_table_makes_room_for_new_keys_when_old_ones_are_quiet)
{
    log_limiter limiter{{10s, 2}};
    limiter.admit(start, "e", "1");
    limiter.admit(start + 1s, "e", "2");
    EXPECT_TRUE(limiter.admit(start + 10s, "e", "3").write);
    EXPECT_EQ(limiter.size(), 2U);
    EXPECT_FALSE(limiter.admit(start + 10s, "e", "2").write);
    EXPECT_TRUE(limiter.admit(start + 10s, "e", "4").write);  // the shared one
    EXPECT_FALSE(limiter.admit(start + 10s, "e", "5").write);
    EXPECT_EQ(limiter.size(), 3U);
}

TEST(log_limiter, a_count_is_told_even_when_its_key_never_comes_again)
{
    log_limiter limiter{{10s, 2}};
    limiter.admit(start, "e", "quiet");
    limiter.admit(start, "e", "loud");
    limiter.admit(start + 1s, "e", "loud");
    limiter.admit(start + 2s, "e", "other");
    limiter.admit(start + 2s, "e", "another");
    EXPECT_EQ(limiter.next_wakeup().at, start + 10s);

    std::vector<log_limiter::summary> summaries;
    limiter.collect(start + 10s - 1ns, summaries);
    EXPECT_TRUE(summaries.empty());
    limiter.collect(start + 12s, summaries);
    ASSERT_EQ(summaries.size(), 2U);
    EXPECT_EQ(summaries[0].key, "loud");
    EXPECT_EQ(summaries[0].suppressed, 1U);
    EXPECT_EQ(summaries[1].event, "e");
    EXPECT_EQ(summaries[1].key, log_limiter::shared_key);
    EXPECT_EQ(summaries[1].suppressed, 1U);
    EXPECT_EQ(limiter.size(), 0U);
    EXPECT_EQ(limiter.next_wakeup().at, never);
}

TEST(log_limiter, an_endless_key_is_cut)
{
    log_limiter limiter;
    const std::string long_key(1'000'000, 'x');
    EXPECT_TRUE(limiter.admit(start, "e", long_key).write);
    EXPECT_FALSE(limiter.admit(start, "e", long_key + "y").write);
    std::vector<log_limiter::summary> summaries;
    limiter.collect(start + 10s, summaries);
    ASSERT_EQ(summaries.size(), 1U);
    EXPECT_EQ(summaries[0].key.size(), log_limiter::key_size_max);
}

}  // namespace

}  // namespace vipd
