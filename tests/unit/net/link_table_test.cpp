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
    EXPECT_EQ(t.addresses_of(2),
              (std::vector{link_address{2, prefix("10.0.1.20/24")}, link_address{2, prefix("10.0.1.10/24")}}));
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

TEST(link_table, an_address_cannot_be_used_while_it_is_tentative)
{
    link_table t;
    const auto subnet = prefix("fd00::1/64");
    const auto says = [&](bool tentative) { t.apply(address_seen{{2, subnet, tentative}}); };
    const auto can_be_used = [&] {
        EXPECT_EQ(t.has_address(2, subnet), t.has_address(subnet.address()));
        return t.has_address(2, subnet);
    };
    says(true);
    t.apply(address_seen{{2, prefix("fd00::2/64")}});
    EXPECT_FALSE(can_be_used());
    ASSERT_NE(t.find_address(2, subnet), nullptr);
    EXPECT_TRUE(t.find_address(subnet.address())->tentative);
    says(false);
    EXPECT_TRUE(can_be_used());
    EXPECT_EQ(t.addresses_of(2).front(), (link_address{2, subnet})) << "it keeps its place";
    says(false);
    says(true);
    EXPECT_FALSE(can_be_used()) << "its link was down for a moment";
    t.apply(address_gone{{2, subnet}});
    EXPECT_EQ(t.find_address(subnet.address()), nullptr);
    says(false);
    t.apply(link_gone{2});
    EXPECT_FALSE(can_be_used());
}

TEST(link_table, an_address_is_found_where_it_can_be_used)
{
    link_table t;
    const auto address = prefix("fd00::1/64").address();
    t.apply(address_seen{{2, prefix("fd00::1/64"), true}});
    t.apply(address_seen{{3, prefix("fd00::1/128")}});
    t.apply(address_seen{{4, prefix("fd00::1/128"), true}});
    EXPECT_EQ(t.find_address(address)->link_index, 3);
    EXPECT_TRUE(t.has_address(address));
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
