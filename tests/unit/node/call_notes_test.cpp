#include "agent/node/call_notes.hpp"

#include "tests/support/ec2_builders.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

using namespace std::chrono_literals;
using test::reply_done;
using test::reply_error;

struct call_notes_test : testing::Test {
    test::recording_log log;
    status::journal journal{log, 16};
    call_notes notes{journal};
    time_point now{1000s};

    void ends(const aws::ec2_reply& reply)
    {
        notes.read_ended(now, "DescribeRouteTables", {aws::ec2_call_id{1}, reply, now - 20ms, never, now});
    }
};

TEST_F(call_notes_test, a_read_that_answers_is_for_the_person_who_debugs)
{
    ends(reply_done());
    ASSERT_EQ(log.lines.size(), 1u);
    EXPECT_EQ(log.count({"debug", "ec2_call", "outcome=ok"}), 1u);
    EXPECT_TRUE(journal.after(0).empty());
}

TEST_F(call_notes_test, a_read_that_fails_the_same_way_again_and_again_is_one_story_and_its_end_is_told)
{
    for (int i = 0; i < 9; ++i) {
        ends(reply_error(aws::ec2_error_class::denied, "UnauthorizedOperation"));
        now += 1s;
    }
    EXPECT_EQ(log.lines.size(), 1u);
    EXPECT_EQ(log.count({"warning", "code=UnauthorizedOperation"}), 1u);
    ends(reply_error(aws::ec2_error_class::throttled, "RequestLimitExceeded"));
    EXPECT_EQ(log.lines.size(), 2u) << "another way to fail is another story";
    now += 1min;
    ends(reply_error(aws::ec2_error_class::denied, "UnauthorizedOperation"));
    EXPECT_EQ(log.count({"code=UnauthorizedOperation", "like_it_since_last_line=8"}), 1u);
    ends(reply_done());
    EXPECT_EQ(journal.after(0).size(), 4u);
    EXPECT_NE(journal.after(0).back().text.find("answers again"), std::string::npos);
}

TEST_F(call_notes_test, a_read_that_fails_now_and_then_is_told_of_once_a_minute)
{
    for (int i = 0; i < 60; ++i) {
        ends(reply_error(aws::ec2_error_class::throttled, "RequestLimitExceeded"));
        ends(reply_done());
        now += 1s;
    }
    EXPECT_EQ(journal.after(0).size(), 2u) << "that it failed, and that it answered again";
}

}  // namespace
}  // namespace vipd::node
