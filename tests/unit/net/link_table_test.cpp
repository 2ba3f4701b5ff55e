#include "agent/net/link_table.hpp"

#include <gtest/gtest.h>

namespace vipd::net {
namespace {

ip_prefix prefix(const char* text)
{
    return *ip_prefix::parse(text);
}

TEST(link_table, links_are_found_by_name_and_follow_renames)
{
    link_table t;
    t.apply(link_seen{{2, "eth0", "", true, true}});
    ASSERT_NE(t.find_link("eth0"), nullptr);
    t.apply(link_seen{{2, "ens5", "", true, true}});
    EXPECT_EQ(t.find_link("eth0"), nullptr);
    EXPECT_EQ(t.find_link("ens5")->index, 2);
    t.apply(link_gone{2});
    EXPECT_EQ(t.find_link("ens5"), nullptr);
}

TEST(link_table, addresses_keep_the_kernels_order)
{
    link_table t;
    t.apply(address_seen{{2, prefix("10.0.1.20/24")}});
    t.apply(address_seen{{2, prefix("10.0.1.10/24")}});
    t.apply(address_seen{{2, prefix("10.0.1.20/24")}});
    EXPECT_EQ(t.addresses_of(2), (std::vector{prefix("10.0.1.20/24"), prefix("10.0.1.10/24")}));
    EXPECT_TRUE(t.addresses_of(9).empty());
}

TEST(link_table, an_address_is_on_the_node_for_as_long_as_one_link_has_it)
{
    link_table t;
    const auto address = *ip_address::parse("10.0.1.10");
    t.apply(address_seen{{2, prefix("10.0.1.10/24")}});
    t.apply(address_seen{{3, prefix("10.0.1.10/32")}});
    t.apply(address_gone{{2, prefix("10.0.1.10/24")}});
    t.apply(address_gone{{2, prefix("10.0.1.10/24")}});
    EXPECT_TRUE(t.has_address(address));
    t.apply(link_gone{3});
    EXPECT_FALSE(t.has_address(address));
    EXPECT_FALSE(t.has_address(3, prefix("10.0.1.10/32")));
}

TEST(link_table, it_is_complete_once_the_dump_has_ended)
{
    link_table t;
    EXPECT_FALSE(t.complete());
    t.apply(dump_done{});
    EXPECT_TRUE(t.complete());
}

}  // namespace
}  // namespace vipd::net
