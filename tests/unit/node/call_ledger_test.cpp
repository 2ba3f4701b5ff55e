#include "agent/node/call_ledger.hpp"

#include "tests/support/ec2_builders.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

using namespace vipd::test;

aws::call_done ended(std::uint64_t id, const aws::ec2_reply& reply)
{
    return {aws::ec2_call_id{id}, reply, {}, never, {}};
}

TEST(call_ledger, an_answer_finds_its_owner_once)
{
    call_ledger l;
    l.enter(aws::ec2_call_id{1}, takeover_call{7, 3}, "ReplaceRoute");
    ASSERT_NE(l.owner_of(aws::ec2_call_id{1}), nullptr);
    EXPECT_EQ(l.close(ended(1, reply_done())), (closed_call{takeover_call{7, 3}, "ReplaceRoute"}));
    EXPECT_FALSE(l.close(ended(1, reply_done())));
    EXPECT_EQ(l.owner_of(aws::ec2_call_id{1}), nullptr);
}

TEST(call_ledger, outcomes_are_counted_by_action_and_code)
{
    call_ledger l;
    for (std::uint64_t id = 1; id <= 3; ++id) {
        l.enter(aws::ec2_call_id{id}, world_call{id}, "DescribeRouteTables");
        l.close(ended(id, id == 3 ? reply_error(aws::ec2_error_class::throttled, "RequestLimitExceeded") : reply_done()));
    }
    const auto counts = l.counts();
    ASSERT_EQ(counts.size(), 2u);
    EXPECT_EQ(counts[0].code, "RequestLimitExceeded");
    EXPECT_EQ(counts[0].count, 1u);
    EXPECT_EQ(counts[1].code, "ok");
    EXPECT_EQ(counts[1].count, 2u);
}

TEST(call_ledger, codes_that_nobody_knows_cannot_grow_it_without_bound)
{
    call_ledger l;
    for (std::uint64_t id = 1; id <= 1000; ++id) {
        l.enter(aws::ec2_call_id{id}, interface_call{}, "DescribeNetworkInterfaces");
        l.close(ended(id, reply_error(aws::ec2_error_class::transient, "Code" + std::to_string(id))));
    }
    EXPECT_LE(l.counts().size(), 257u);
    std::uint64_t sum = 0;
    for (const auto& c : l.counts()) {
        sum += c.count;
    }
    EXPECT_EQ(sum, 1000u);
}

TEST(call_ledger, what_is_withdrawn_is_waited_for_no_more)
{
    call_ledger l;
    l.enter(aws::ec2_call_id{1}, takeover_call{7, 3}, "ReplaceRoute");
    EXPECT_FALSE(l.withdraw({7, 4}));
    EXPECT_EQ(l.withdraw({7, 3}), aws::ec2_call_id{1});
    EXPECT_FALSE(l.close(ended(1, reply_done())));
}

}  // namespace
}  // namespace vipd::node
