#include "agent/node/ec2_path.hpp"

#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using kind = aws::ec2_error_class;

constexpr time_point t0 = time_point{1000s};

// How long a stream of this answer, one a second, takes to change the verdict; at most an hour.
std::optional<duration> time_to_change(ec2_path& path, const aws::ec2_reply& reply, time_point from = t0)
{
    for (duration passed{}; passed < 1h; passed += 1s) {
        if (path.read_ended(from + passed, reply)) {
            return passed;
        }
    }
    return std::nullopt;
}

ec2_path broken()
{
    ec2_path path;
    EXPECT_TRUE(time_to_change(path, reply_error(kind::transient, "timeout")));
    return path;
}

TEST(ec2_path_test, it_works_until_there_is_evidence_to_the_contrary)
{
    ec2_path path;
    EXPECT_TRUE(path.works());
    EXPECT_EQ(path.trouble(), "");
    EXPECT_FALSE(path.snapshot(t0).age);
}

TEST(ec2_path_test, ten_seconds_of_failures_break_it_and_thirty_of_successes_mend_it)
{
    for (const auto k : {kind::transient, kind::credentials, kind::clock, kind::not_sent, kind::unknown_outcome}) {
        ec2_path path;
        EXPECT_EQ(time_to_change(path, reply_error(k)), duration{10s});
        EXPECT_FALSE(path.works());
        EXPECT_EQ(path.trouble(), "SomeCode: some message");
        EXPECT_EQ(path.snapshot(t0 + 15s).age, duration{5s});
        EXPECT_EQ(time_to_change(path, reply_done(), t0 + 1h), duration{30s});
        EXPECT_TRUE(path.works());
        EXPECT_EQ(path.trouble(), "");
    }
}

TEST(ec2_path_test, throttling_and_refusals_say_nothing_of_the_path)
{
    for (const auto k : {kind::throttled, kind::denied, kind::invalid, kind::consistency, kind::page_too_large}) {
        ec2_path path;
        EXPECT_EQ(time_to_change(path, reply_error(k)), std::nullopt);
        auto bad = broken();
        EXPECT_EQ(time_to_change(bad, reply_error(k)), std::nullopt);
    }
}

TEST(ec2_path_test, two_failures_are_too_few_however_far_apart)
{
    ec2_path path;
    EXPECT_FALSE(path.read_ended(t0, reply_error(kind::transient)));
    EXPECT_FALSE(path.read_ended(t0 + 1h, reply_error(kind::transient)));
    EXPECT_TRUE(path.read_ended(t0 + 1h, reply_error(kind::transient)));
}

TEST(ec2_path_test, one_success_among_failures_begins_the_count_anew_and_the_other_way_round)
{
    ec2_path path;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_FALSE(path.read_ended(t0 + i * 1s, i % 10 == 9 ? reply_done() : reply_error(kind::transient)));
    }
    path = broken();
    for (int i = 0; i < 1000; ++i) {
        EXPECT_FALSE(path.read_ended(t0 + 1h + i * 1s, i % 20 == 19 ? reply_error(kind::transient) : reply_done()));
    }
}

}  // namespace
}  // namespace vipd::node
