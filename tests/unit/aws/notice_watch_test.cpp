#include "agent/aws/notice_watch.hpp"

#include <gtest/gtest.h>

#include <map>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

const std::string spot = "/latest/meta-data/spot/instance-action";
const std::string rebalance = "/latest/meta-data/events/recommendations/rebalance";
const std::string events = "/latest/meta-data/events/maintenance/scheduled";
const std::string lifecycle = "/latest/meta-data/autoscaling/target-lifecycle-state";

class notice_watch_test : public testing::Test {
protected:
    // Answers whatever is asked until the pass is over; what was asked.
    std::vector<std::string> pass()
    {
        now.steady = std::max(now.steady, w.next_wakeup().at);
        std::vector<std::string> asked;
        while (const auto path = w.poll_path(now.steady)) {
            asked.push_back(*path);
            const auto found = items.find(*path);
            if (!is_up) {
                w.handle(now, error{error_class::timed_out, "no answer"});
            } else if (found == items.end()) {
                w.handle(now, error{error_class::not_found, "404"});
            } else {
                w.handle(now, found->second);
            }
        }
        return asked;
    }
    [[nodiscard]] std::string current() const
    {
        const auto* const n = w.current(now.wall);
        return n == nullptr ? "none" : std::string(to_string(n->kind)) + ": " + n->what;
    }

    instant now{time_point{1000s}, wall_time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + 9h}};
    std::map<std::string, std::string> items;
    bool is_up = true;
    notice_watch w{1};
};

TEST_F(notice_watch_test, asks_for_what_is_wanted_every_five_seconds)
{
    EXPECT_FALSE(w.poll_path(now.steady));
    w.start(now.steady, {});
    EXPECT_EQ(pass(), (std::vector{spot, events, lifecycle}));
    const auto after = w.next_wakeup().at - now.steady;
    EXPECT_GE(after, 4500ms);
    EXPECT_LE(after, 5500ms);
    EXPECT_EQ(current(), "none");
}

TEST_F(notice_watch_test, a_recommendation_is_asked_for_when_it_is_wanted)
{
    items[rebalance] = R"({"noticeTime":"2026-11-26T08:59:00Z"})";
    w.start(now.steady, {});
    pass();
    EXPECT_EQ(current(), "none");
    notice_settings all;
    all.rebalance = true;
    w.start(now.steady, all);
    EXPECT_EQ(pass(), (std::vector{spot, rebalance, events, lifecycle}));
    EXPECT_EQ(current(), "rebalance recommendation: rebalance");
    w.start(now.steady, {});
    EXPECT_EQ(current(), "none") << "what is no longer wanted is forgotten";
}

TEST_F(notice_watch_test, a_spot_interruption_counts_at_once_and_until_it_is_called_off)
{
    w.start(now.steady, {});
    items[spot] = R"({"action":"terminate","time":"2026-11-26T09:02:00Z"})";
    pass();
    EXPECT_EQ(current(), "spot interruption: terminate");
    EXPECT_EQ(w.current(now.wall)->at, now.wall + 2min);
    items.clear();
    pass();
    EXPECT_EQ(current(), "none");
}

TEST_F(notice_watch_test, a_scheduled_event_counts_when_it_is_near)
{
    w.start(now.steady, {});
    items[events] = R"([{"NotBefore":"26 Nov 2026 10:00:00 GMT","Code":"instance-reboot","EventId":"e","State":"active"},
                        {"NotBefore":"26 Nov 2026 09:05:00 GMT","Code":"system-reboot","EventId":"f","State":"canceled"},
                        {"NotBefore":"26 Nov 2026 09:30:00 GMT","Code":"instance-stop","EventId":"g","State":"active"}])";
    pass();
    EXPECT_EQ(current(), "none");
    now.wall += 28min - 1s;
    EXPECT_EQ(current(), "none");
    now.wall += 1s;
    EXPECT_EQ(current(), "scheduled event: instance-stop");
    notice_settings longer;
    longer.lead = 1h;
    now.wall -= 28min;
    w.start(now.steady, longer);
    EXPECT_EQ(current(), "scheduled event: instance-stop");
}

TEST_F(notice_watch_test, auto_scaling_counts_when_it_takes_the_instance_out_of_service)
{
    w.start(now.steady, {});
    for (const auto* state : {"InService", "Detached", "Warmed:Running", "", "nonsense"}) {
        items[lifecycle] = state;
        pass();
        EXPECT_EQ(current(), "none") << state;
    }
    for (const std::string state : {"Terminated", "Standby", "Warmed:Stopped"}) {
        items[lifecycle] = state;
        pass();
        EXPECT_EQ(current(), "Auto Scaling: " + state);
    }
}

TEST_F(notice_watch_test, what_cannot_be_read_changes_nothing)
{
    w.start(now.steady, {});
    items[spot] = R"({"action":"stop","time":"2026-11-26T09:02:00Z"})";
    pass();
    for (const auto* broken : {"", "{", "[]", "{}", "<html>", R"({"action":7})"}) {
        items[spot] = broken;
        pass();
        EXPECT_EQ(current(), "spot interruption: stop") << broken;
    }
    for (const auto* broken : {"{}", "7", R"([7,{"State":"active"},{"State":"active","NotBefore":"soon"}])"}) {
        const auto read = parse_notice(notice_kind::scheduled_event, broken);
        EXPECT_FALSE(read && read->has_value()) << broken;
    }
}

TEST_F(notice_watch_test, an_imds_that_does_not_answer_is_asked_once_a_pass_and_less_and_less_often)
{
    w.start(now.steady, {});
    items[spot] = R"({"action":"stop","time":"2026-11-26T09:02:00Z"})";
    pass();
    is_up = false;
    duration longest{};
    for (int i = 0; i < 20; ++i) {
        const auto before = now.steady;
        EXPECT_EQ(pass().size(), 1U);
        longest = std::max(longest, now.steady - before);
    }
    EXPECT_GT(longest, 20s);
    EXPECT_LE(longest, 66s);
    EXPECT_EQ(current(), "spot interruption: stop") << "what it said last stands";
}

TEST_F(notice_watch_test, what_another_process_was_told_stands_until_imds_says_otherwise)
{
    const notice stop{notice_kind::spot, "stop", now.wall + 2min};
    const notice reboot{notice_kind::scheduled_event, "system-reboot", now.wall + 30min};
    w.start(now.steady, {});
    w.recall({stop, reboot, {notice_kind::rebalance, "rebalance", {}}});
    EXPECT_EQ(w.heard(), (std::vector{stop, reboot})) << "a recommendation is not asked for";
    EXPECT_EQ(current(), "spot interruption: stop");
    is_up = false;
    pass();
    EXPECT_EQ(current(), "spot interruption: stop");
    is_up = true;
    now.steady = std::max(now.steady, w.next_wakeup().at);
    ASSERT_EQ(w.poll_path(now.steady), spot);
    w.handle(now, error{error_class::not_found, "404"});
    EXPECT_EQ(current(), "none");
    EXPECT_EQ(w.heard(), std::vector{reboot}) << "that has not been asked for yet";
}

}  // namespace
}  // namespace vipd::aws
