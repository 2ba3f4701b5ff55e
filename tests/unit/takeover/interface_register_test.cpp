#include "agent/takeover/interface_register.hpp"

#include "agent/takeover/interface_watch.hpp"
#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using kind = aws::ec2_error_class;

constexpr time_point t0 = time_point{1000s};

TEST(interface_register, a_check_that_is_on_is_switched_off_by_the_active_that_may)
{
    interface_register r{eni("eni-1"), true};
    r.see(t0, true);
    EXPECT_FALSE(r.issue(t0)) << "a Backup changes nothing";
    r.become_active(t0);
    const auto call = r.issue(t0);
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::disable_source_dest_check>(*call).interface, eni("eni-1"));
    EXPECT_FALSE(r.issue(t0)) << "one call at a time";
    random_source random{1};
    r.answered(t0, reply_done(), random);
    EXPECT_FALSE(r.issue(t0 + 1h));
    EXPECT_EQ(r.snapshot(t0).owner, "off");
}

TEST(interface_register, without_permission_it_only_says_so)
{
    interface_register r{eni("eni-1"), false};
    EXPECT_TRUE(r.see(t0, true));
    EXPECT_FALSE(r.see(t0, true)) << "told once";
    r.become_active(t0);
    EXPECT_FALSE(r.issue(t0));
    EXPECT_NE(r.snapshot(t0).last_error.find("source_dest_check = \"disable\""), std::string::npos);
    EXPECT_FALSE(r.see(t0, false));
    EXPECT_TRUE(r.see(t0, true)) << "switched on again: told again";
}

TEST(interface_register, what_was_never_seen_is_left_alone)
{
    interface_register r{eni("eni-1"), true};
    r.become_active(t0);
    EXPECT_FALSE(r.issue(t0));
    EXPECT_EQ(r.snapshot(t0).state, status::resource_state::unknown);
}

TEST(interface_register, refusals_are_repeated_within_the_budget)
{
    interface_register r{eni("eni-1"), true};
    random_source random{1};
    r.see(t0, true);
    r.become_active(t0);
    unsigned calls = 0;
    for (auto now = t0; now < t0 + 60s; now += 10ms) {
        if (r.issue(now)) {
            ++calls;
            r.answered(now, reply_error(kind::denied), random);
        }
    }
    EXPECT_GE(calls, 3u);
    EXPECT_LE(calls, 35u);
}

TEST(interface_watch, reads_what_is_watched_once_a_minute)
{
    interface_watch w{1};
    EXPECT_EQ(w.next_wakeup().at, never);
    w.watch(t0, {eni("eni-1"), eni("eni-2")});
    w.handle_timeout(t0);
    const auto call = w.poll_output();
    ASSERT_TRUE(call);
    EXPECT_EQ(call->ids.size(), 2u);
    EXPECT_FALSE(w.poll_output());
    aws::network_interfaces_page page;
    page.interfaces.emplace_back().id = eni("eni-1");
    EXPECT_EQ(w.handle(t0 + 1s, {page, {}, {}}).size(), 1u);
    EXPECT_GE(w.next_wakeup().at, t0 + 54s);
    EXPECT_LE(w.next_wakeup().at, t0 + 66s);
}

TEST(interface_watch, a_failed_read_is_repeated_with_backoff_and_says_why)
{
    interface_watch w{1};
    w.watch(t0, {eni("eni-1")});
    w.handle_timeout(t0);
    ASSERT_TRUE(w.poll_output());
    EXPECT_TRUE(w.handle(t0, reply_error(kind::denied, "UnauthorizedOperation")).empty());
    EXPECT_EQ(w.last_error(), "UnauthorizedOperation: some message");
    EXPECT_LE(w.next_wakeup().at, t0 + 1s);
}

}  // namespace
}  // namespace vipd::takeover
