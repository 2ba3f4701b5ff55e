#include "agent/takeover/duel_breaker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0 = time_point{1000s};
const std::string taker = "eni-of-the-rival";

// How many losses in a row, one a second, are repaired at once.
unsigned repairs_before_a_pause(standing s)
{
    duel_breaker b;
    unsigned repairs = 0;
    while (repairs < 100 && b.lost(t0 + repairs * 1s, s, taker) == duration::zero()) {
        ++repairs;
    }
    return repairs;
}

TEST(duel_breaker, one_loss_is_repaired_at_once_and_is_no_duel)
{
    for (const auto s : {standing::unknown, standing::outranked, standing::outranking}) {
        duel_breaker b;
        EXPECT_EQ(b.lost(t0, s, taker), duration::zero());
        EXPECT_FALSE(b.is_duel());
        EXPECT_FALSE(b.is_open());
    }
}

TEST(duel_breaker, the_outranked_side_gives_way_first_then_the_one_that_knows_nothing_and_the_outranking_one_never)
{
    EXPECT_EQ(repairs_before_a_pause(standing::outranked), 2u);
    EXPECT_EQ(repairs_before_a_pause(standing::unknown), 5u);
    EXPECT_EQ(repairs_before_a_pause(standing::outranking), 100u);
}

TEST(duel_breaker, three_losses_within_a_minute_are_a_duel_whoever_gives_way)
{
    for (const auto s : {standing::unknown, standing::outranked, standing::outranking}) {
        duel_breaker b;
        b.lost(t0, s, taker);
        b.lost(t0 + 30s, s, taker);
        EXPECT_FALSE(b.is_duel());
        b.lost(t0 + 60s, s, taker);
        EXPECT_TRUE(b.is_duel()) << to_string(s);
        EXPECT_EQ(b.is_open(), s == standing::outranked);
    }
}

TEST(duel_breaker, losses_that_are_more_than_a_minute_apart_are_no_duel)
{
    duel_breaker b;
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(b.lost(t0 + i * 31s, standing::outranked, taker), duration::zero());
    }
    EXPECT_FALSE(b.is_duel());
    EXPECT_LE(b.losses(), 2u);
}

TEST(duel_breaker, pauses_grow_from_30_s_to_5_min)
{
    duel_breaker b;
    b.lost(t0, standing::outranked, taker);
    b.lost(t0, standing::outranked, taker);
    std::vector<duration> pauses;
    auto now = t0;
    for (int i = 0; i < 40; ++i) {
        pauses.push_back(b.lost(now, standing::outranked, taker));
        now += pauses.back();
    }
    EXPECT_EQ(std::vector<duration>(pauses.begin(), pauses.begin() + 6),
              (std::vector<duration>{30s, 60s, 120s, 240s, 300s, 300s}));
    EXPECT_EQ(pauses.back(), duration{300s});
    EXPECT_LE(b.losses(), std::size_t{duel_breaker::losses_unknown});
}

TEST(duel_breaker, a_duel_that_goes_on_in_the_next_epoch_is_the_same_duel)
{
    duel_breaker b;
    for (int i = 0; i < 3; ++i) {
        b.lost(t0, standing::outranked, taker);
    }
    b.epoch_begins(t0 + 30s);
    EXPECT_TRUE(b.is_open());
    EXPECT_EQ(b.lost(t0 + 31s, standing::unknown, taker), duration{60s}) << "at the first loss, and for longer than before";
    b.epoch_begins(t0 + 31s + 5min);
    EXPECT_TRUE(b.is_open()) << "its longest pause is no end of it";
    b.epoch_begins(t0 + 31s + 5min + 1ns);
    EXPECT_FALSE(b.is_open());
    EXPECT_FALSE(b.is_duel());
    EXPECT_EQ(b.lost(t0 + 6min, standing::outranked, taker), duration::zero());
}

TEST(duel_breaker, somebody_else_than_the_last_rival_is_met_without_a_pause)
{
    duel_breaker b;
    for (int i = 0; i < 4; ++i) {
        b.lost(t0, standing::outranked, taker);
    }
    ASSERT_TRUE(b.is_open());
    EXPECT_EQ(b.lost(t0 + 2min, standing::outranked, "eni-of-an-operator"), duration::zero());
    EXPECT_FALSE(b.is_open());
}

TEST(duel_breaker, rivals_by_turns_do_not_keep_it_closed)
{
    duel_breaker b;
    unsigned at_once = 0;
    for (int i = 0; i < 60; ++i) {
        const auto* by = i % 2 == 0 ? "eni-one" : "eni-two";
        at_once += b.lost(t0 + i * 1s, standing::unknown, by) == duration::zero() ? 1U : 0U;
    }
    EXPECT_LE(at_once, duel_breaker::losses_unknown);
}

TEST(duel_breaker, what_was_kept_for_a_minute_has_no_duel)
{
    duel_breaker b;
    for (int i = 0; i < 3; ++i) {
        b.lost(t0, standing::outranked, taker);
    }
    b.kept();
    EXPECT_FALSE(b.is_duel());
    EXPECT_EQ(b.lost(t0 + 1s, standing::outranked, taker), duration::zero());
}

TEST(duel_breaker, whoever_turns_out_to_outrank_the_other_stops_giving_way)
{
    duel_breaker b;
    for (int i = 0; i < 6; ++i) {
        b.lost(t0, standing::unknown, taker);
    }
    ASSERT_TRUE(b.is_open());
    EXPECT_EQ(b.lost(t0 + 30s, standing::outranking, taker), duration::zero());
    EXPECT_FALSE(b.is_open());
    EXPECT_TRUE(b.is_duel());
}

TEST(rival, what_was_heard_of_it_counts_for_five_minutes)
{
    rival r;
    EXPECT_EQ(r.at(t0), standing::unknown);
    r.heard(t0, true);
    EXPECT_EQ(r.at(t0), standing::outranked);
    EXPECT_EQ(r.at(t0 + 5min), standing::outranked);
    EXPECT_EQ(r.at(t0 + 5min + 1ns), standing::unknown);
    r.heard(t0 + 10min, false);
    EXPECT_EQ(r.at(t0 + 10min), standing::outranking);
    r.forget();
    EXPECT_EQ(r.at(t0 + 10min), standing::unknown);
}

}  // namespace
}  // namespace vipd::takeover
