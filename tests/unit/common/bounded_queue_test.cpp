#include "common/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace vipd {

namespace {

TEST(bounded_queue, is_first_in_first_out)
{
    bounded_queue<int> queue{3};
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(queue.push(1));
    EXPECT_TRUE(queue.push(2));
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_TRUE(queue.push(3));
    EXPECT_EQ(std::vector<int>(queue.begin(), queue.end()), (std::vector{2, 3}));
    EXPECT_EQ(queue.pop(), 2);
    EXPECT_EQ(queue.pop(), 3);
    EXPECT_TRUE(queue.empty());
}

TEST(bounded_queue, refuses_what_is_more_than_its_capacity)
{
    bounded_queue<int> queue{2};
    EXPECT_TRUE(queue.push(1));
    EXPECT_TRUE(queue.push(2));
    EXPECT_FALSE(queue.push(3));
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_EQ(queue.capacity(), 2U);
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_TRUE(queue.push(4));
}

TEST(bounded_queue, a_history_drops_its_oldest)
{
    bounded_queue<int> queue{3};
    for (int i = 0; i < 10; ++i) {
        queue.push_dropping_oldest(i);
    }
    EXPECT_EQ(std::vector<int>(queue.begin(), queue.end()), (std::vector{7, 8, 9}));
}

TEST(bounded_queue, carries_what_can_only_be_moved)
{
    bounded_queue<std::unique_ptr<int>> queue{1};
    EXPECT_TRUE(queue.push(std::make_unique<int>(5)));
    EXPECT_EQ(*queue.pop(), 5);
}

TEST(bounded_queue_death, an_empty_queue_has_nothing_to_give_and_none_has_no_room)
{
    bounded_queue<int> queue{1};
    EXPECT_DEATH(queue.pop(), "items_.empty");
    EXPECT_DEATH(bounded_queue<int>{0}, "capacity > 0");
}

}  // namespace

}  // namespace vipd
