#include "agent/aws/call_queue.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

const ec2_call change = disable_source_dest_check{network_interface_id{"eni-1"}};
const ec2_call look = describe_route_tables{};

struct queue_with_ids : call_queue {
    using call_queue::call_queue;

    void add_call(std::uint64_t id, const ec2_call& what, time_point give_up = never)
    {
        add({ec2_call_id{id}, what, time_point{}, give_up});
    }

    // Sends what is to be sent; the numbers of the calls in order.
    std::vector<std::uint64_t> send()
    {
        std::vector<std::uint64_t> sent;
        while (auto call = next()) {
            sent.push_back(call->id.value());
            const http_exchange_id exchange{100 + call->id.value()};
            mark_sent(exchange, {std::move(*call), 0, {}});
        }
        return sent;
    }
};

TEST(call_queue, changes_go_first_and_each_kind_keeps_its_order)
{
    queue_with_ids q{8};
    q.add_call(1, look);
    q.add_call(2, change);
    q.add_call(3, look);
    q.add_call(4, change);
    EXPECT_EQ(q.send(), (std::vector<std::uint64_t>{2, 4, 1, 3}));
    EXPECT_EQ(q.waiting(), 0U);
    EXPECT_EQ(q.under_way(), 4U);
}

TEST(call_queue, places_are_bounded_and_reads_get_half_of_them)
{
    queue_with_ids q{4};
    for (std::uint64_t id = 1; id <= 5; ++id) {
        q.add_call(id, look);
    }
    EXPECT_EQ(q.send(), (std::vector<std::uint64_t>{1, 2}));
    for (std::uint64_t id = 11; id <= 15; ++id) {
        q.add_call(id, change);
    }
    EXPECT_EQ(q.send(), (std::vector<std::uint64_t>{11, 12}));
    EXPECT_FALSE(q.can_send());
    ASSERT_TRUE(q.finish(http_exchange_id{101}).has_value());
    EXPECT_EQ(q.send(), (std::vector<std::uint64_t>{13}));
    q.finish(http_exchange_id{111});
    q.finish(http_exchange_id{112});
    q.finish(http_exchange_id{113});
    EXPECT_EQ(q.send(), (std::vector<std::uint64_t>{14, 15, 3}));
}

TEST(call_queue, one_place_serves_reads_too)
{
    queue_with_ids q{1};
    q.add_call(1, look);
    EXPECT_EQ(q.send(), (std::vector<std::uint64_t>{1}));
}

TEST(call_queue, removing_frees_the_place_of_either_kind)
{
    queue_with_ids q{2};
    q.add_call(1, look);
    q.add_call(2, look);
    q.send();
    EXPECT_TRUE(q.remove(ec2_call_id{2}).was_waiting);
    EXPECT_EQ(q.remove(ec2_call_id{1}).exchange, http_exchange_id{101});
    EXPECT_FALSE(q.remove(ec2_call_id{1}).exchange.has_value());
    EXPECT_FALSE(q.finish(http_exchange_id{101}).has_value());
    q.add_call(3, look);
    EXPECT_EQ(q.send(), (std::vector<std::uint64_t>{3}));
}

TEST(call_queue, calls_whose_time_is_over_are_taken_out)
{
    queue_with_ids q{2};
    q.add_call(1, look, time_point{3s});
    q.add_call(2, change, time_point{1s});
    q.add_call(3, change, time_point{2s});
    EXPECT_EQ(q.first_expiry(), time_point{1s});
    EXPECT_TRUE(q.take_expired(time_point{999ms}).empty());
    EXPECT_EQ(q.take_expired(time_point{2s}).size(), 2U);
    EXPECT_EQ(q.first_expiry(), time_point{3s});
    EXPECT_EQ(q.waiting(), 1U);
}

TEST(call_queue, the_call_behind_an_exchange_is_known_until_it_is_over)
{
    queue_with_ids q{2};
    q.add_call(7, change);
    q.send();
    EXPECT_EQ(q.call_of(http_exchange_id{107}), ec2_call_id{7});
    EXPECT_FALSE(q.call_of(http_exchange_id{108}).has_value());
    q.finish(http_exchange_id{107});
    EXPECT_FALSE(q.call_of(http_exchange_id{107}).has_value());
}

}  // namespace
}  // namespace vipd::aws
