#include "agent/node/deadline_heap.hpp"

#include "common/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vipd::node {
namespace {

TEST(deadline_heap, without_indices_there_is_nothing_to_wait_for)
{
    deadline_heap heap;
    EXPECT_EQ(heap.earliest(), never);
    heap.resize(3);
    EXPECT_EQ(heap.earliest(), never);
}

TEST(deadline_heap, agrees_with_a_search_through_all_for_any_sequence_of_moves)
{
    random_source random{3};
    for (std::size_t size = 1; size <= 40; ++size) {
        deadline_heap heap;
        heap.resize(size);
        std::vector<time_point> model(size, never);
        for (int step = 0; step < 500; ++step) {
            const auto index = static_cast<std::uint32_t>(random.below(size));
            const auto at = random.chance(0.1) ? never : time_point{duration{static_cast<std::int64_t>(random.below(50))}};
            heap.set(index, at);
            model[index] = at;
            const auto least = *std::ranges::min_element(model);
            ASSERT_EQ(heap.earliest(), least);
            ASSERT_EQ(model[heap.earliest_index()], least);
        }
    }
}

}  // namespace
}  // namespace vipd::node
