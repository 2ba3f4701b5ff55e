#include "agent/aws/credential_keeper.hpp"

#include "agent/aws/time_text.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

constexpr wall_time wall_start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

// A keeper of an instance role, whose IMDS answers what the test says.
struct role_keeper {
    explicit role_keeper(std::uint64_t seed = 1) : keeper(seed, log) { keeper.start(now, {from_instance_role{}}, {}); }

    void pass(duration d)
    {
        now.steady += d;
        now.wall += d;
    }

    // Passes the time to the next wake-up; what it was.
    duration sleep()
    {
        const auto d = keeper.next_wakeup().at - now.steady;
        pass(d);
        return d;
    }

    static std::string document(const std::string& key, wall_time expires)
    {
        return R"({"Code":"Success","AccessKeyId":")" + key + R"(","SecretAccessKey":"s","Token":"t","Expiration":")" +
               format_iso8601(expires) + "\"}";
    }

    // Both questions of a fetch; false when none was due.
    bool fetch(const std::string& key, duration life)
    {
        if (!keeper.poll_question(now)) {
            return false;
        }
        keeper.handle(now, result<std::string>{"role"});
        EXPECT_TRUE(keeper.poll_question(now).has_value());
        keeper.handle(now, result<std::string>{document(key, now.wall + life)});
        return true;
    }

    bool fail(const std::string& text = "down")
    {
        if (!keeper.poll_question(now)) {
            return false;
        }
        keeper.handle(now, result<std::string>{error{error_class::unavailable, text}});
        return true;
    }

    test::recording_log log;
    instant now{time_point{1h}, wall_start};
    credential_keeper keeper;
};

TEST(credential_keeper, fetches_at_once_and_then_an_hour_later_at_most)
{
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        role_keeper k{seed};
        ASSERT_TRUE(k.fetch("A", 6h));
        EXPECT_EQ(k.keeper.current()->access_key_id, "A");
        EXPECT_EQ(k.keeper.generation(), 1U);
        const auto pause = k.sleep();
        EXPECT_GE(pause, 55min);
        EXPECT_LE(pause, 60min);
    }
}

TEST(credential_keeper, fetches_fifteen_minutes_and_some_before_the_end)
{
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        role_keeper k{seed};
        ASSERT_TRUE(k.fetch("A", 50min));
        const auto pause = k.sleep();
        EXPECT_GE(pause, 30min);
        EXPECT_LE(pause, 35min);
    }
}

TEST(credential_keeper, short_lived_ones_are_fetched_again_at_half_time_but_never_in_a_hurry)
{
    role_keeper k;
    ASSERT_TRUE(k.fetch("A", 20min));
    EXPECT_EQ(k.sleep(), 10min);
    ASSERT_TRUE(k.fetch("B", 10s));
    EXPECT_EQ(k.sleep(), 30s);
    ASSERT_TRUE(k.fetch("C", -1h));
    EXPECT_EQ(k.keeper.current()->access_key_id, "C") << "EC2 decides whether they work";
    EXPECT_EQ(k.sleep(), 30s);
}

TEST(credential_keeper, the_last_ones_stay_when_a_fetch_fails_even_past_their_end)
{
    role_keeper k;
    ASSERT_TRUE(k.fetch("A", 50min));
    for (int i = 0; i < 200; ++i) {
        k.sleep();
        ASSERT_TRUE(k.fail());
        ASSERT_TRUE(k.keeper.current().has_value());
    }
    EXPECT_GT(k.now.wall, wall_start + 50min);
    EXPECT_EQ(k.keeper.problem(), "down");
    EXPECT_EQ(k.log.count({"warning event=credentials", "using_last=true"}), 1U) << "said once";
    k.sleep();
    ASSERT_TRUE(k.fetch("B", 6h));
    EXPECT_EQ(k.keeper.problem(), "");
    EXPECT_EQ(k.log.count({"info event=credentials", "access_key_id=B"}), 1U);
}

TEST(credential_keeper, without_any_the_first_fetch_is_repeated_within_seconds)
{
    role_keeper k;
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(k.fail());
        EXPECT_LE(k.sleep(), 5s);
    }
    EXPECT_FALSE(k.keeper.current().has_value());
    ASSERT_TRUE(k.fetch("A", 6h));
    k.sleep();
    ASSERT_TRUE(k.fail());
    EXPECT_LE(k.sleep(), 1s) << "a pause starts small again";
}

TEST(credential_keeper, the_same_credentials_again_are_no_change)
{
    role_keeper k;
    const auto end = wall_start + 90min;
    ASSERT_TRUE(k.fetch("A", end - k.now.wall));
    k.sleep();
    ASSERT_TRUE(k.fetch("A", end - k.now.wall));
    EXPECT_EQ(k.keeper.generation(), 1U);
    EXPECT_EQ(k.log.count({"event=credentials"}), 1U);
}

TEST(credential_keeper, a_refusal_fetches_at_once_but_not_within_five_seconds_of_the_last)
{
    role_keeper k;
    ASSERT_TRUE(k.fetch("A", 6h));
    k.keeper.refused(k.now, k.keeper.generation());
    EXPECT_EQ(k.sleep(), 5s);
    ASSERT_TRUE(k.fetch("A", 6h));
    k.pass(10min);
    k.keeper.refused(k.now, k.keeper.generation());
    EXPECT_EQ(k.sleep(), 0s);
}

TEST(credential_keeper, a_refusal_of_replaced_ones_or_during_a_fetch_changes_nothing)
{
    role_keeper k;
    ASSERT_TRUE(k.fetch("A", 6h));
    k.pass(1min);
    k.keeper.refused(k.now, 0);
    EXPECT_GT(k.sleep(), 50min);
    ASSERT_TRUE(k.keeper.poll_question(k.now).has_value());
    k.keeper.refused(k.now, 1);
    EXPECT_EQ(k.keeper.next_wakeup().at, never) << "an answer is awaited";
}

TEST(credential_keeper, a_doubt_asks_the_source_at_once_but_not_within_a_minute_of_the_last_question)
{
    role_keeper k;
    ASSERT_TRUE(k.fetch("A", 6h));
    k.pass(60s - 1ns);
    k.keeper.doubted(k.now, k.keeper.generation());
    EXPECT_GT(k.keeper.next_wakeup().at, k.now.steady + 50min);
    k.pass(1ns);
    k.keeper.doubted(k.now, k.keeper.generation());
    EXPECT_EQ(k.sleep(), 0s);
    ASSERT_TRUE(k.fetch("A", 6h));
    k.pass(59s);
    k.keeper.doubted(k.now, k.keeper.generation());
    EXPECT_GT(k.keeper.next_wakeup().at, k.now.steady + 50min) << "the source has just said that there are no others";
    k.pass(1s);
    k.keeper.doubted(k.now, k.keeper.generation());
    EXPECT_EQ(k.sleep(), 0s);
    ASSERT_TRUE(k.fetch("B", 6h));
    EXPECT_EQ(k.keeper.current()->access_key_id, "B");
}

TEST(credential_keeper, a_doubt_holds_nothing_back_and_takes_nothing_away)
{
    role_keeper k;
    ASSERT_TRUE(k.fetch("A", 6h));
    k.pass(10min);
    k.keeper.doubted(k.now, 1);
    ASSERT_TRUE(k.keeper.poll_question(k.now).has_value());
    EXPECT_LE(k.keeper.hold_until(), k.now.steady);
    k.keeper.handle(k.now, result<std::string>{error{error_class::unavailable, "down"}});
    EXPECT_EQ(k.keeper.current()->access_key_id, "A");
    EXPECT_EQ(k.keeper.problem(), "down");
}

TEST(credential_keeper, a_doubt_of_replaced_ones_or_during_a_fetch_changes_nothing)
{
    role_keeper k;
    ASSERT_TRUE(k.fetch("A", 6h));
    k.pass(2min);
    k.keeper.doubted(k.now, 0);
    EXPECT_GT(k.sleep(), 50min);
    ASSERT_TRUE(k.keeper.poll_question(k.now).has_value());
    k.pass(2min);
    k.keeper.doubted(k.now, 1);
    EXPECT_EQ(k.keeper.next_wakeup().at, never) << "an answer is awaited";
    EXPECT_LE(k.keeper.hold_until(), k.now.steady);
}

TEST(credential_keeper, keys_of_the_environment_are_there_at_once_and_never_fetched_again)
{
    test::recording_log log;
    credential_keeper keeper{1, log};
    EXPECT_EQ(keeper.source(), credential_source::none);
    const instant now{time_point{1h}, wall_start};
    keeper.start(now, {from_environment{{"A", "s", "", {}}}}, {});
    EXPECT_FALSE(keeper.poll_question(now).has_value());
    EXPECT_EQ(keeper.current()->access_key_id, "A");
    EXPECT_EQ(keeper.source(), credential_source::environment);
    EXPECT_EQ(keeper.next_wakeup().at, never);
    keeper.refused(now, 1);
    EXPECT_EQ(keeper.next_wakeup().at, never);
    keeper.doubted({now.steady + 10min, now.wall + 10min}, 1);
    EXPECT_EQ(keeper.next_wakeup().at, never);
    EXPECT_EQ(log.count({"source=environment", "expires=never"}), 1U);
}

}  // namespace
}  // namespace vipd::aws
