#include "agent/takeover/interface_register.hpp"

#include "agent/takeover/interface_watch.hpp"
#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using kind = aws::ec2_error_class;

constexpr time_point t0 = time_point{1000s};

TEST(interface_register, a_check_that_is_on_is_switched_off_by_the_active_that_may)
{
    interface_register r{eni("eni-1")};
    r.see(t0, true);
    EXPECT_EQ(r.snapshot(t0, false, true).state, status::resource_state::elsewhere);
    EXPECT_EQ(r.snapshot(t0, true, true).state, status::resource_state::taking);
    const auto call = r.issue(t0);
    ASSERT_TRUE(call);
    EXPECT_EQ(std::get<aws::disable_source_dest_check>(*call).interface, eni("eni-1"));
    EXPECT_FALSE(r.issue(t0)) << "one call at a time";
    EXPECT_EQ(r.next_wakeup().at, never);
    random_source random{1};
    r.answered(t0, reply_done(), random);
    EXPECT_FALSE(r.issue(t0 + 1h));
    EXPECT_EQ(r.snapshot(t0, true, true).owner, "off");
    EXPECT_EQ(r.snapshot(t0, false, false).state, status::resource_state::here) << "off for every router";
}

TEST(interface_register, a_check_that_comes_on_is_news_once_and_without_permission_the_remedy_is_said)
{
    interface_register r{eni("eni-1")};
    EXPECT_TRUE(r.see(t0, true));
    EXPECT_FALSE(r.see(t0, true)) << "told once";
    EXPECT_NE(r.snapshot(t0, true, false).last_error.find("source_dest_check = \"disable\""), std::string::npos);
    EXPECT_EQ(r.snapshot(t0, true, true).last_error, "");
    EXPECT_FALSE(r.see(t0, false));
    EXPECT_TRUE(r.see(t0, true)) << "switched on again: told again";
}

TEST(interface_register, what_was_never_seen_is_left_alone)
{
    interface_register r{eni("eni-1")};
    r.urge(t0);
    EXPECT_FALSE(r.issue(t0));
    EXPECT_EQ(r.next_wakeup().at, never);
    EXPECT_EQ(r.snapshot(t0, true, true).state, status::resource_state::unknown);
}

TEST(interface_register, refusals_are_repeated_within_the_budget_whoever_urges)
{
    interface_register r{eni("eni-1")};
    random_source random{1};
    r.see(t0, true);
    unsigned calls = 0;
    for (auto now = t0; now < t0 + 60s; now += 10ms) {
        r.urge(now);
        if (r.issue(now)) {
            ++calls;
            r.answered(now, reply_error(kind::denied), random);
        }
    }
    EXPECT_GE(calls, 30u);
    EXPECT_LE(calls, 35u);
}

TEST(interface_register, a_call_that_was_let_go_is_made_by_the_next)
{
    interface_register r{eni("eni-1")};
    r.see(t0, true);
    ASSERT_TRUE(r.issue(t0));
    EXPECT_FALSE(r.take_changed());
    r.let_go();
    EXPECT_TRUE(r.take_changed());
    EXPECT_FALSE(r.take_changed());
    EXPECT_LE(r.next_wakeup().at, t0);
    EXPECT_TRUE(r.issue(t0 + 1s));
}

TEST(interface_registers, what_nobody_routes_to_any_more_is_forgotten)
{
    interface_registers all;
    all.of(eni("eni-1")).see(t0, true);
    all.of(eni("eni-2")).see(t0, true);
    all.keep({eni("eni-2")});
    EXPECT_EQ(all.of(eni("eni-1")).snapshot(t0, false, true).state, status::resource_state::unknown);
    EXPECT_EQ(all.of(eni("eni-2")).snapshot(t0, false, true).state, status::resource_state::elsewhere);
}

aws::ec2_reply interfaces_page(std::string next_token = {})
{
    aws::network_interfaces_page page;
    page.interfaces.emplace_back().id = eni("eni-1");
    page.next_token = std::move(next_token);
    return {page, {}, {}};
}

std::set<aws::network_interface_id> many(int count)
{
    std::set<aws::network_interface_id> ids;
    for (int i = 0; i < count; ++i) {
        ids.insert(eni(("eni-" + std::to_string(1000 + i)).c_str()));
    }
    return ids;
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
    EXPECT_EQ(w.handle(t0 + 1s, interfaces_page()).size(), 1u);
    EXPECT_FALSE(w.poll_output());
    EXPECT_GE(w.next_wakeup().at, t0 + 54s);
    EXPECT_LE(w.next_wakeup().at, t0 + 66s);
}

TEST(interface_watch, reads_that_fail_are_repeated_within_a_budget)
{
    interface_watch w{1};
    w.watch(t0, {eni("eni-1")});
    int reads = 0;
    for (auto now = t0; now <= t0 + 60s; now = std::max(now + 1ms, w.next_wakeup().at)) {
        w.handle_timeout(now);
        if (w.poll_output()) {
            ++reads;
            EXPECT_LE(reads, 6 + to_seconds(now - t0));
            w.handle(now, reply_error(kind::transient));
        }
    }
    EXPECT_GE(reads, 10) << "it goes on";
}

TEST(interface_watch, a_filter_holds_200_ids_and_every_page_of_it_is_read)
{
    interface_watch w{1};
    const auto ids = many(450);
    w.watch(t0, ids);
    w.handle_timeout(t0);
    std::set<aws::network_interface_id> asked;
    std::vector<std::string> tokens;
    while (const auto call = w.poll_output()) {
        EXPECT_LE(call->ids.size(), 200u);
        asked.insert(call->ids.begin(), call->ids.end());
        tokens.push_back(call->next_token);
        EXPECT_EQ(w.handle(t0, interfaces_page(call->next_token.empty() ? "second" : "")).size(), 1u);
    }
    EXPECT_EQ(asked, ids);
    EXPECT_EQ(tokens, (std::vector<std::string>{"", "second", "", "second", "", "second"}));
    EXPECT_EQ(w.last_error(), "");
}

TEST(interface_watch, a_cloud_that_pages_for_ever_is_stopped)
{
    interface_watch w{1};
    w.watch(t0, {eni("eni-1")});
    w.handle_timeout(t0);
    int pages = 0;
    while (w.poll_output()) {
        w.handle(t0, interfaces_page("again"));
        ASSERT_LE(++pages, 20);
    }
    EXPECT_NE(w.last_error(), "");
}

TEST(interface_watch, without_ids_nothing_is_read_also_when_a_read_fails_meanwhile)
{
    for (const bool fails : {true, false}) {
        interface_watch w{1};
        w.watch(t0, {eni("eni-1")});
        w.handle_timeout(t0);
        ASSERT_TRUE(w.poll_output());
        w.watch(t0, {});
        w.handle(t0, fails ? reply_error(kind::transient) : interfaces_page("more"));
        EXPECT_EQ(w.next_wakeup().at, never);
        EXPECT_EQ(w.last_error(), "");
        w.handle_timeout(t0 + 1h);
        EXPECT_FALSE(w.poll_output());
    }
}

TEST(interface_watch, a_failed_read_is_repeated_with_a_pause_of_its_kind_and_says_why)
{
    for (const auto& [error, pause_max] : {std::pair{kind::transient, duration{100ms}}, {kind::denied, duration{5s}}}) {
        interface_watch w{1};
        w.watch(t0, {eni("eni-1")});
        w.handle_timeout(t0);
        ASSERT_TRUE(w.poll_output());
        EXPECT_TRUE(w.handle(t0, reply_error(error, "UnauthorizedOperation")).empty());
        EXPECT_EQ(w.last_error(), "UnauthorizedOperation: some message");
        EXPECT_LE(w.next_wakeup().at, t0 + pause_max);
        w.handle_timeout(w.next_wakeup().at);
        ASSERT_TRUE(w.poll_output());
        w.handle(t0 + 5s, interfaces_page());
        EXPECT_EQ(w.last_error(), "");
    }
}

}  // namespace
}  // namespace vipd::takeover
