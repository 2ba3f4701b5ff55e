#include "agent/node/resolve.hpp"

#include "tests/support/ec2_builders.hpp"
#include "tests/support/node_harness.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

using namespace vipd::test;

class resolve_test : public testing::Test {
protected:
    resolve_test()
    {
        links.apply(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
        links.apply(net::link_seen{{3, "ens6", "0a:00:00:00:00:02", true, true}});
        identity.interfaces = {{"0a:00:00:00:00:01", eni("eni-first"), aws::vpc_id{"vpc-1"}, "subnet-1", {}}};
        route().interface_id.reset();
        route().interface.clear();
        route().tables = {};
        route().tables.whole_vpc = true;
    }

    config::route_entry& route() { return router.routes[0]; }

    config::router router = node_harness::one_router()->routers[0];
    net::link_table links;
    aws::instance_identity identity;
};

TEST_F(resolve_test, the_target_is_the_interface_id_behind_the_routers_interface)
{
    const auto r = resolve(router, &identity, links);
    ASSERT_EQ(r.wanted.routes.size(), 1u);
    EXPECT_EQ(r.wanted.routes[0].target, eni("eni-first"));
    EXPECT_EQ(r.wanted.routes[0].query.vpc, aws::vpc_id{"vpc-1"});
    EXPECT_TRUE(r.unresolved.empty());
    ASSERT_EQ(r.wanted.disable_source_dest_check.size(), 1u);
    EXPECT_FALSE(r.wanted.disable_source_dest_check.at(eni("eni-first")));
}

TEST_F(resolve_test, without_an_identity_it_says_that_it_waits)
{
    const auto r = resolve(router, nullptr, links);
    EXPECT_TRUE(r.wanted.routes.empty());
    ASSERT_EQ(r.unresolved.size(), 1u);
    EXPECT_NE(r.unresolved[0].last_error.find("waiting for the instance metadata service"), std::string::npos);
}

TEST_F(resolve_test, a_link_that_imds_does_not_know_is_named_with_its_mac)
{
    route().interface = "ens6";
    const auto r = resolve(router, &identity, links);
    ASSERT_EQ(r.unresolved.size(), 1u);
    EXPECT_NE(r.unresolved[0].last_error.find("0a:00:00:00:00:02"), std::string::npos);
    route().interface = "ens7";
    EXPECT_NE(resolve(router, &identity, links).unresolved.at(0).last_error.find("no interface 'ens7'"), std::string::npos);
}

TEST_F(resolve_test, ids_and_an_interface_id_need_nobody)
{
    route().interface_id = eni("eni-named");
    route().tables.whole_vpc = false;
    route().tables.ids = {rtb("rtb-1")};
    EXPECT_FALSE(needs_identity(*node_harness::one_router()));
    const auto r = resolve(router, nullptr, links);
    ASSERT_EQ(r.wanted.routes.size(), 1u);
    EXPECT_EQ(r.wanted.routes[0].target, eni("eni-named"));
    EXPECT_FALSE(r.wanted.routes[0].query.vpc);
}

TEST_F(resolve_test, tags_are_looked_for_in_the_vpc_of_the_target)
{
    route().tables.whole_vpc = false;
    route().tables.tags = {{"Name", "private-*"}};
    const auto r = resolve(router, &identity, links);
    ASSERT_EQ(r.wanted.routes.size(), 1u);
    EXPECT_EQ(r.wanted.routes[0].query.vpc, aws::vpc_id{"vpc-1"});
    EXPECT_EQ(r.wanted.routes[0].query.tags.at(0).value, "private-*");
}

}  // namespace
}  // namespace vipd::node
