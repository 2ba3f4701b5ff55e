#include "agent/takeover/world.hpp"

#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;

constexpr time_point t0 = time_point{1000s};

class world_test : public testing::Test {
protected:
    read_call expect_read(time_point at)
    {
        w.handle_timeout(at);
        auto call = w.poll_output();
        EXPECT_TRUE(call);
        EXPECT_FALSE(w.poll_output()) << "one read at a time";
        return call.value_or(read_call{});
    }

    // The next moment at which it wants to read, reached.
    read_call next_read()
    {
        now = std::max(now, w.next_wakeup().at);
        return expect_read(now);
    }

    static const aws::describe_route_tables& asked(const read_call& read)
    {
        return std::get<aws::describe_route_tables>(read.call);
    }

    time_point now = t0;
    world w{10s, 1};
    table_query query{{}, aws::vpc_id{"vpc-1"}, {}};
    watch_list watched{{query, {destination()}}};
};

TEST_F(world_test, a_new_query_is_read_at_once_and_then_once_a_period)
{
    w.watch(t0, watched);
    const auto first = expect_read(t0);
    EXPECT_EQ(asked(first).vpc, aws::vpc_id{"vpc-1"});
    EXPECT_TRUE(w.handle(t0 + 20ms, first.ticket, reply_page({table("rtb-1", {route_to("eni-1")})})));
    for (int i = 0; i < 100; ++i) {
        const auto before = now;
        const auto read = next_read();
        EXPECT_GE(now - before, 9s - 20ms);
        EXPECT_LE(now - before, 11s);
        w.handle(now, read.ticket, reply_page({}));
    }
}

TEST_F(world_test, a_shorter_period_counts_from_now_and_a_longer_one_from_the_next_read)
{
    w.set_period(t0, 1h);
    w.watch(t0, watched);
    auto read = expect_read(t0);
    w.handle(t0, read.ticket, reply_page({}));
    now = t0 + 1min;
    w.set_period(now, 10s);
    EXPECT_GE(w.next_wakeup().at, now + 9s);
    EXPECT_LE(w.next_wakeup().at, now + 11s);
    const auto wanted = w.next_wakeup().at;
    w.set_period(now + 1s, 10s);
    EXPECT_EQ(w.next_wakeup().at, wanted) << "nothing has changed";
    w.set_period(now + 1s, 1h);
    EXPECT_EQ(w.next_wakeup().at, wanted);
    read = next_read();
    w.handle(now, read.ticket, reply_page({}));
    EXPECT_GE(w.next_wakeup().at, now + 54min);
}

TEST_F(world_test, a_view_holds_only_what_is_watched)
{
    w.watch(t0, watched);
    const auto read = expect_read(t0);
    const auto unwatched = route_to("eni-9", aws::route_state::active, destination("10.0.0.0/8"));
    w.handle(t0 + 1ms, read.ticket, reply_page({table("rtb-1", {unwatched, route_to("eni-1")}), table("rtb-2", {})}));
    const auto* view = w.find(query);
    ASSERT_NE(view, nullptr);
    ASSERT_EQ(view->tables.size(), 2u);
    EXPECT_EQ(view->tables.at(rtb("rtb-1")).routes.size(), 1u);
    EXPECT_EQ(view->tables.at(rtb("rtb-1")).routes.at(destination()).interface, eni("eni-1"));
    EXPECT_TRUE(view->tables.at(rtb("rtb-2")).routes.empty());
    EXPECT_EQ(view->read_began, t0);
    EXPECT_EQ(view->read_ended, t0 + 1ms);
}

TEST_F(world_test, a_static_route_hides_a_propagated_one_in_either_order)
{
    auto propagated = route_to("eni-vgw");
    propagated.propagated = true;
    for (const bool static_first : {true, false}) {
        w.watch(now, {});
        w.watch(now, watched);
        const auto read = expect_read(now);
        const auto fixed = route_to("eni-1");
        w.handle(now, read.ticket,
                 reply_page({table("rtb-1", static_first ? std::vector{fixed, propagated} : std::vector{propagated, fixed})}));
        EXPECT_FALSE(w.find(query)->tables.at(rtb("rtb-1")).routes.at(destination()).propagated);
    }
}

TEST_F(world_test, pages_make_one_view_and_only_when_the_last_has_come)
{
    w.watch(t0, watched);
    const auto first = expect_read(t0);
    EXPECT_FALSE(w.handle(t0 + 1ms, first.ticket, reply_page({table("rtb-1", {})}, "more")));
    EXPECT_EQ(w.find(query), nullptr);
    const auto second = w.poll_output();
    ASSERT_TRUE(second);
    EXPECT_EQ(asked(*second).next_token, "more");
    EXPECT_TRUE(w.handle(t0 + 2ms, second->ticket, reply_page({table("rtb-2", {})})));
    EXPECT_EQ(w.find(query)->tables.size(), 2u);
}

TEST_F(world_test, a_later_page_that_fails_in_passing_is_asked_for_again_by_itself)
{
    w.watch(t0, watched);
    const auto first = expect_read(t0);
    w.handle(t0, first.ticket, reply_page({table("rtb-1", {})}, "more"));
    auto page = w.poll_output();
    ASSERT_TRUE(page);
    for (const auto error : {aws::ec2_error_class::throttled, aws::ec2_error_class::transient}) {
        w.handle(now, page->ticket, reply_error(error, "Trouble"));
        EXPECT_EQ(w.last_error(query), "Trouble: some message");
        page = next_read();
        EXPECT_EQ(asked(*page).next_token, "more");
    }
    EXPECT_TRUE(w.handle(now, page->ticket, reply_page({table("rtb-2", {})})));
    EXPECT_EQ(w.find(query)->tables.size(), 2u);
    EXPECT_EQ(w.find(query)->read_began, t0);
    EXPECT_EQ(w.last_error(query), "");
}

TEST_F(world_test, a_page_that_goes_on_failing_or_is_refused_begins_the_read_anew)
{
    for (const auto error : {aws::ec2_error_class::throttled, aws::ec2_error_class::denied}) {
        w.watch(now, {});
        w.watch(now, watched);
        auto page = expect_read(now);
        w.handle(now, page.ticket, reply_page({table("rtb-1", {})}, "more"));
        page = w.poll_output().value();
        unsigned tries = 0;
        for (; asked(page).next_token == "more"; ++tries) {
            w.handle(now, page.ticket, reply_error(error));
            page = next_read();
        }
        EXPECT_EQ(tries, error == aws::ec2_error_class::throttled ? 4u : 1u);
        EXPECT_TRUE(w.handle(now, page.ticket, reply_page({})));
        EXPECT_TRUE(w.find(query)->tables.empty()) << "nothing of the broken read is left";
    }
}

TEST_F(world_test, pages_are_bounded_to_20_and_5_a_second)
{
    w.watch(t0, watched);
    unsigned pages = 0;
    for (now = t0; now < t0 + 10s; now += 1ms) {
        w.handle_timeout(now);
        while (const auto call = w.poll_output()) {
            ++pages;
            w.handle(now, call->ticket, reply_page({}, "again"));
        }
    }
    EXPECT_GE(pages, 69u);
    EXPECT_LE(pages, 70u);
}

TEST_F(world_test, pages_grow_back_slowly_after_one_that_was_too_large)
{
    w.watch(t0, watched);
    auto read = expect_read(t0);
    w.handle(now, read.ticket, reply_error(aws::ec2_error_class::page_too_large));
    std::vector<unsigned> sizes;
    for (int i = 0; i < 60; ++i) {
        read = next_read();
        sizes.push_back(asked(read).results_max);
        w.handle(now, read.ticket, reply_page({}));
    }
    EXPECT_EQ(sizes.front(), 50u);
    EXPECT_EQ(sizes.at(10), 60u);
    EXPECT_EQ(sizes.back(), 100u);
}

TEST_F(world_test, edge_tables_are_left_out_unless_they_are_named)
{
    auto edge = table("rtb-edge", {});
    edge.of_gateway = true;
    const table_query named{{rtb("rtb-edge")}, {}, {}};
    w.watch(t0, {{query, {destination()}}, {named, {destination()}}});
    w.handle_timeout(t0);
    while (const auto call = w.poll_output()) {
        w.handle(t0, call->ticket, reply_page({edge, table("rtb-1", {})}));
    }
    EXPECT_FALSE(w.find(query)->tables.contains(rtb("rtb-edge")));
    EXPECT_TRUE(w.find(query)->tables.contains(rtb("rtb-1")));
    EXPECT_TRUE(w.find(named)->tables.contains(rtb("rtb-edge")));
}

TEST_F(world_test, a_view_says_which_destinations_it_looked_for)
{
    const auto added = destination("172.16.1.101/32");
    w.watch(t0, watched);
    const auto read = expect_read(t0);
    w.watch(t0, {{query, {destination(), added}}});
    w.handle(t0 + 1ms, read.ticket, reply_page({table("rtb-1", {route_to("eni-1", aws::route_state::active, added)})}));
    EXPECT_EQ(w.find(query)->destinations, std::set{destination()});
    EXPECT_FALSE(w.find(query)->tables.at(rtb("rtb-1")).routes.contains(added));
    const auto again = expect_read(t0 + 1ms);
    w.handle(t0 + 2ms, again.ticket, reply_page({}));
    EXPECT_TRUE(w.find(query)->destinations.contains(added));
}

TEST_F(world_test, a_page_that_is_too_large_is_asked_for_in_smaller_ones)
{
    w.watch(t0, watched);
    auto read = expect_read(t0);
    std::vector<unsigned> sizes;
    for (int i = 0; i < 7; ++i) {
        sizes.push_back(asked(read).results_max);
        w.handle(now, read.ticket, reply_error(aws::ec2_error_class::page_too_large));
        read = next_read();
    }
    EXPECT_EQ(sizes, (std::vector<unsigned>{100, 50, 25, 12, 6, 5, 5}));
}

TEST_F(world_test, a_failed_read_keeps_the_view_and_is_repeated_with_backoff)
{
    w.watch(t0, watched);
    auto read = expect_read(t0);
    w.handle(t0, read.ticket, reply_page({table("rtb-1", {})}));
    read = next_read();
    w.handle(now, read.ticket, reply_error(aws::ec2_error_class::denied, "UnauthorizedOperation"));
    EXPECT_EQ(w.last_error(query), "UnauthorizedOperation: some message");
    ASSERT_NE(w.find(query), nullptr);
    read = next_read();
    w.handle(now, read.ticket, reply_page({}));
    EXPECT_EQ(w.last_error(query), "");
}

TEST_F(world_test, the_pause_after_a_failure_follows_its_kind_and_never_exceeds_the_period)
{
    using kind = aws::ec2_error_class;
    struct bounds {
        kind error;
        duration first_max;
        duration later_min;  // of twelve failures together
    };
    for (const auto& b : {bounds{kind::transient, 100ms, 2s}, {kind::throttled, 1s, 10s}, {kind::denied, 5s, 40s}}) {
        w.watch(now, {});
        w.watch(now, watched);
        auto read = expect_read(now);
        const auto began = now;
        for (int i = 0; i < 12; ++i) {
            const auto failed_at = now;
            w.read_at(query, now);  // a wish does not shorten it
            w.handle(now, read.ticket, reply_error(b.error));
            read = next_read();
            EXPECT_LE(now - failed_at, i == 0 ? b.first_max : duration{10s});
        }
        EXPECT_GE(now - began, b.later_min) << aws::to_string(b.error);
    }
}

TEST_F(world_test, a_wish_is_read_at_once_also_when_an_older_read_is_under_way)
{
    w.watch(t0, watched);
    const auto old = expect_read(t0);
    w.read_at(query, t0 + 5ms);
    w.handle_timeout(t0 + 5ms);
    EXPECT_FALSE(w.poll_output()) << "one read at a time";
    w.handle(t0 + 20ms, old.ticket, reply_page({}));
    const auto fresh = expect_read(t0 + 20ms);
    EXPECT_NE(fresh.ticket, old.ticket);
}

TEST_F(world_test, wishes_are_bounded_to_5_and_one_a_second)
{
    w.watch(t0, watched);
    unsigned reads = 0;
    for (now = t0; now < t0 + 20s; now += 1ms) {
        w.read_at(query, now);
        w.handle_timeout(now);
        if (const auto call = w.poll_output()) {
            ++reads;
            w.handle(now, call->ticket, reply_page({}));
        }
    }
    EXPECT_LE(reads, 25u);
    EXPECT_GE(reads, 24u);
}

TEST_F(world_test, no_wish_repeats_what_ec2_has_refused_before_its_pause_is_over)
{
    for (const auto why : {aws::ec2_error_class::denied, aws::ec2_error_class::invalid}) {
        w = world{60s, 1};
        w.watch(t0, watched);
        unsigned reads = 0;
        for (now = t0; now < t0 + 10min; now += 10ms) {
            w.read_at(query, now);
            w.handle_timeout(now);
            if (const auto call = w.poll_output()) {
                ++reads;
                w.handle(now, call->ticket, reply_error(why));
            }
        }
        EXPECT_LE(reads, 40U) << aws::to_string(why);
        now = w.next_wakeup().at;
        w.handle(now, expect_read(now).ticket, reply_page({}));
        w.read_at(query, now + 1ms);
        expect_read(now + 1ms);
    }
}

TEST_F(world_test, the_answer_to_a_query_that_is_no_longer_watched_is_dropped)
{
    w.watch(t0, watched);
    const auto read = expect_read(t0);
    w.watch(t0, {});
    EXPECT_FALSE(w.handle(t0 + 1ms, read.ticket, reply_page({table("rtb-1", {})})));
    EXPECT_EQ(w.find(query), nullptr);
    EXPECT_EQ(w.next_wakeup().at, never);
}

TEST_F(world_test, a_cloud_that_pages_for_ever_is_stopped)
{
    w.watch(t0, watched);
    auto call = expect_read(t0);
    int pages = 0;
    while (w.last_error(query).empty()) {
        ++pages;
        w.handle(now, call.ticket, reply_page({}, "again"));
        const auto next = w.poll_output();
        call = next ? *next : next_read();
        ASSERT_LE(pages, 1001);
    }
    EXPECT_EQ(asked(call).next_token, "") << "the read begins anew";
    EXPECT_EQ(w.find(query), nullptr);
    EXPECT_NE(w.last_error(query), "");
}

TEST_F(world_test, interfaces_and_elastic_ips_are_read_like_tables)
{
    interface_query by_address;
    by_address.address = ip_address::v4(10, 0, 1, 100);
    const elastic_ip_query by_allocation{aws::allocation_id{"eipalloc-1"}};
    w.watch(t0, {{by_address, {}}, {by_allocation, {}}});
    w.handle_timeout(t0);
    unsigned answered = 0;
    while (const auto read = w.poll_output()) {
        aws::ec2_reply reply;
        if (const auto* interfaces = std::get_if<aws::describe_network_interfaces>(&read->call)) {
            EXPECT_EQ(interfaces->address, by_address.address);
            aws::network_interfaces_page page;
            page.interfaces.emplace_back().id = eni("eni-1");
            page.next_token = interfaces->next_token.empty() ? "more" : "";
            reply.value = page;
        } else {
            EXPECT_EQ(std::get<aws::describe_addresses>(read->call).ids, std::vector{by_allocation.allocation});
            reply.value = aws::elastic_addresses{{{by_allocation.allocation, "203.0.113.7", "", {}, std::nullopt}}};
        }
        w.handle(t0 + 1ms, read->ticket, reply);
        ++answered;
    }
    EXPECT_EQ(answered, 3u) << "two pages, and one of Elastic IPs";
    EXPECT_EQ(w.find(by_address)->interfaces.count(eni("eni-1")), 1u);
    EXPECT_EQ(w.find(by_allocation)->elastic_addresses.at(by_allocation.allocation).public_ip, "203.0.113.7");
}

TEST_F(world_test, an_answer_of_another_kind_is_no_view)
{
    w.watch(t0, watched);
    const auto read = expect_read(t0);
    aws::ec2_reply reply;
    reply.value = aws::elastic_addresses{};
    EXPECT_FALSE(w.handle(t0, read.ticket, reply));
    EXPECT_EQ(w.find(query), nullptr);
}

TEST_F(world_test, a_move_of_an_interface_can_be_watched_closely)
{
    const interface_query moving{eni("eni-1"), {}, {}, {}};
    w.watch(t0, {{moving, {}}});
    unsigned reads = 0;
    for (auto at = t0; at < t0 + 60s; at += 10ms) {
        w.read_at(moving, at);
        w.handle_timeout(at);
        while (const auto read = w.poll_output()) {
            ++reads;
            aws::ec2_reply reply;
            reply.value = aws::network_interfaces_page{};
            w.handle(at, read->ticket, reply);
        }
    }
    EXPECT_LE(reads, 20u + 120u);
    EXPECT_GE(reads, 100u);
}

}  // namespace
}  // namespace vipd::takeover
