#include "agent/health/check.hpp"

#include <gtest/gtest.h>

namespace vipd::health {
namespace {

using namespace std::chrono_literals;

class check_test : public testing::Test {
protected:
    static config::health_check server() { return {config::tcp_check{ip_address::v4(127, 0, 0, 1), 3306}, 1s, 300ms, 3, 2}; }

    // One look, which takes 20 ms.
    bool look(probe_outcome outcome, const std::string& text = "")
    {
        now = std::max(now, c.due_at());
        EXPECT_EQ(c.begin(now).timeout, 300ms);
        now += 20ms;
        return c.handle(now, probe_ended{id, outcome, text, 0, false});
    }
    bool passes() { return look(probe_outcome::passed); }
    bool fails(const std::string& text = "refused") { return look(probe_outcome::failed, text); }

    const check_id id{7};
    config::health_check what = server();
    time_point now{1000s};
    check c{id, what, now};
};

TEST_F(check_test, first_answer_counts_at_once_and_later_ones_in_a_row)
{
    EXPECT_EQ(c.state(), tracker_state::unknown);
    EXPECT_TRUE(fails());
    EXPECT_EQ(c.state(), tracker_state::failing);
    EXPECT_FALSE(passes());
    EXPECT_FALSE(passes());
    EXPECT_FALSE(fails()) << "the row begins anew";
    EXPECT_FALSE(passes());
    EXPECT_FALSE(passes());
    EXPECT_TRUE(passes());
    EXPECT_EQ(c.state(), tracker_state::well);
    EXPECT_FALSE(fails());
    EXPECT_FALSE(passes());
    EXPECT_FALSE(fails());
    EXPECT_TRUE(fails());
    EXPECT_EQ(c.state(), tracker_state::failing);
}

TEST_F(check_test, a_time_out_is_a_failure_and_is_counted_by_itself)
{
    EXPECT_TRUE(look(probe_outcome::timed_out, "no answer in 300ms"));
    EXPECT_EQ(c.state(), tracker_state::failing);
    EXPECT_EQ(c.reason(), "no answer in 300ms");
    fails();
    passes();
    status::tracker shown;
    c.snapshot(now, shown);
    EXPECT_EQ(shown.checks, (std::array<std::uint64_t, 3>{1, 1, 1}));
    EXPECT_EQ(shown.took, 20ms);
}

TEST_F(check_test, reason_is_that_of_the_change_and_status_shows_the_latest)
{
    fails("first");
    fails("second");
    EXPECT_EQ(c.reason(), "first");
    status::tracker shown;
    c.snapshot(now, shown);
    EXPECT_EQ(shown.reason, "second");
    EXPECT_EQ(shown.age, 1000ms) << "since the first";
}

TEST_F(check_test, next_look_begins_an_interval_after_the_last_began_and_not_before_it_ended)
{
    c.begin(now);
    EXPECT_EQ(c.due_at(), never) << "one at a time";
    c.handle(now + 300ms, probe_ended{id, probe_outcome::timed_out, "", 0, false});
    EXPECT_EQ(c.due_at(), now + 1s);
    now += 1s;
    c.begin(now);
    c.handle(now + 1500ms, probe_ended{id, probe_outcome::passed, "", 0, false});
    EXPECT_EQ(c.due_at(), now + 1500ms);
}

TEST_F(check_test, what_is_watched_is_not_looked_at_until_its_end_is_told)
{
    c.begin(now);
    EXPECT_TRUE(c.handle(now, probe_ended{id, probe_outcome::passed, "", 0, true}));
    EXPECT_EQ(c.due_at(), never);
    now += 1h;
    EXPECT_FALSE(c.handle(now, watch_ended{id, "it has ended"})) << "fall is 2";
    EXPECT_EQ(c.due_at(), now + 1s);
    EXPECT_TRUE(fails("no such process"));
    EXPECT_EQ(c.state(), tracker_state::failing);
    // Watched already, but not well yet.
    for (int i = 0; i < 3; ++i) {
        now = c.due_at();
        EXPECT_NE(now, never);
        c.begin(now);
        c.handle(now, probe_ended{id, probe_outcome::passed, "", 0, true});
    }
    EXPECT_EQ(c.state(), tracker_state::well);
    EXPECT_EQ(c.due_at(), never);
}

TEST_F(check_test, end_of_a_process_with_fall_1_counts_in_the_same_moment)
{
    what.fall = 1;
    check quick{id, what, now};
    quick.begin(now);
    quick.handle(now, probe_ended{id, probe_outcome::passed, "", 0, true});
    EXPECT_TRUE(quick.handle(now + 5s, watch_ended{id, "it has ended"}));
    EXPECT_EQ(quick.state(), tracker_state::failing);
    EXPECT_EQ(quick.reason(), "it has ended");
}

TEST_F(check_test, answer_that_nobody_waits_for_changes_nothing)
{
    EXPECT_FALSE(c.handle(now, probe_ended{id, probe_outcome::failed, "late", 0, false}));
    EXPECT_EQ(c.state(), tracker_state::unknown);
    EXPECT_EQ(c.due_at(), now);
}

TEST_F(check_test, another_number_is_news_without_a_change_of_state)
{
    what.target = config::file_check{"/run/weight"};
    check file{id, what, now};
    const auto says = [&](std::int64_t number) {
        now = std::max(now, file.due_at());
        file.begin(now);
        return file.handle(now, probe_ended{id, probe_outcome::passed, "", number, false});
    };
    EXPECT_TRUE(says(0));
    EXPECT_FALSE(says(0));
    EXPECT_TRUE(says(-50));
    EXPECT_FALSE(says(-50));
    EXPECT_EQ(file.number(), -50);
    EXPECT_EQ(file.state(), tracker_state::well);
}

}  // namespace
}  // namespace vipd::health
