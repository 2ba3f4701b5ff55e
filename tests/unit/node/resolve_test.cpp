#include "agent/node/resolve.hpp"

#include "tests/support/ec2_builders.hpp"
#include "tests/support/node_harness.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace vipd::node {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;

class resolve_test : public testing::Test {
protected:
    resolve_test()
    {
        links.apply(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
        links.apply(net::link_seen{{3, "ens6", "0a:00:00:00:00:02", true, true}});
        identity.interfaces = {{"0a:00:00:00:00:01", eni("eni-first"), aws::vpc_id{"vpc-1"}, "subnet-1", {}, {}}};
        route().interface_id.reset();
        route().interface.clear();
        route().tables = {};
        route().tables.whole_vpc = true;
    }

    config::route_entry& route() { return router.routes[0]; }

    config::router router = node_harness::one_router()->routers[0];
    net::link_table links;
    aws::instance_identity identity;
    takeover::world world{10s, 1};
};

TEST_F(resolve_test, the_target_is_the_interface_id_behind_the_routers_interface)
{
    const auto r = resolve(router, &identity, links, world);
    ASSERT_EQ(r.wanted.routes.size(), 1u);
    EXPECT_EQ(r.wanted.routes[0].target, eni("eni-first"));
    EXPECT_EQ(r.wanted.routes[0].query.vpc, aws::vpc_id{"vpc-1"});
    EXPECT_TRUE(r.unresolved.empty());
    ASSERT_EQ(r.wanted.disable_source_dest_check.size(), 1u);
    EXPECT_FALSE(r.wanted.disable_source_dest_check.at(eni("eni-first")));
}

TEST_F(resolve_test, without_an_identity_it_says_that_it_waits)
{
    const auto r = resolve(router, nullptr, links, world);
    EXPECT_TRUE(r.wanted.routes.empty());
    ASSERT_EQ(r.unresolved.size(), 1u);
    EXPECT_NE(r.unresolved[0].last_error.find("waiting for the instance metadata service"), std::string::npos);
}

TEST_F(resolve_test, a_link_that_imds_does_not_know_is_named_with_its_mac)
{
    route().interface = "ens6";
    const auto r = resolve(router, &identity, links, world);
    ASSERT_EQ(r.unresolved.size(), 1u);
    EXPECT_NE(r.unresolved[0].last_error.find("0a:00:00:00:00:02"), std::string::npos);
    route().interface = "ens7";
    EXPECT_NE(resolve(router, &identity, links, world).unresolved.at(0).last_error.find("no interface 'ens7'"),
              std::string::npos);
}

TEST_F(resolve_test, ids_and_an_interface_id_need_nobody)
{
    route().interface_id = eni("eni-named");
    route().tables.whole_vpc = false;
    route().tables.ids = {rtb("rtb-1")};
    EXPECT_FALSE(needs_identity(*node_harness::one_router()));
    const auto r = resolve(router, nullptr, links, world);
    ASSERT_EQ(r.wanted.routes.size(), 1u);
    EXPECT_EQ(r.wanted.routes[0].target, eni("eni-named"));
    EXPECT_FALSE(r.wanted.routes[0].query.vpc);
}

TEST_F(resolve_test, tags_are_looked_for_in_the_vpc_of_the_target)
{
    route().tables.whole_vpc = false;
    route().tables.tags = {{"Name", "private-*"}};
    const auto r = resolve(router, &identity, links, world);
    ASSERT_EQ(r.wanted.routes.size(), 1u);
    EXPECT_EQ(r.wanted.routes[0].query.vpc, aws::vpc_id{"vpc-1"});
    EXPECT_EQ(r.wanted.routes[0].query.tags.at(0).value, "private-*");
}

// The metadata service lists interfaces by their MAC addresses.
TEST_F(resolve_test, an_interface_of_another_vpc_that_is_listed_first_turns_no_query_to_its_own)
{
    identity.interfaces.insert(identity.interfaces.begin(),
                               {"02:00:00:00:00:01", eni("eni-moved"), aws::vpc_id{"vpc-2"}, "subnet-2", {}, {}});
    identity.interfaces[1].addresses = {ip_address::v4(10, 0, 1, 10)};
    route().interface_id = eni("eni-of-a-peer");
    router.enis.emplace_back().match.tags = {{"Name", "floating"}};
    const auto vpcs = [&] {
        const auto r = resolve(router, &identity, links, world);
        return std::vector{r.wanted.routes.at(0).query.vpc,
                           std::get<takeover::interface_query>(r.wanted.others.at(0).query).vpc};
    };
    const std::vector both(2, std::optional{aws::vpc_id{"vpc-1"}});
    EXPECT_EQ(vpcs(), both);
    router.interface.clear();
    EXPECT_EQ(vpcs(), both) << "by its source";
    router.source = ip_address::v4(10, 0, 1, 99);
    EXPECT_NE(vpcs(), both) << "nothing says which one is its own";
    identity.interfaces.erase(identity.interfaces.begin());
    EXPECT_EQ(vpcs(), both);
}

TEST_F(resolve_test, addresses_and_elastic_ips_go_to_the_interface_behind_the_routers)
{
    router.routes.clear();
    router.secondary_ips = {{ip_address::v4(10, 0, 1, 100), "ens5", std::nullopt}};
    router.elastic_ips = {{aws::allocation_id{"eipalloc-1"}, "ens5", std::nullopt, ip_address::v4(10, 0, 1, 100)}};
    const auto r = resolve(router, &identity, links, world);
    ASSERT_EQ(r.wanted.others.size(), 2u);
    takeover::interface_query by_address;
    by_address.address = ip_address::v4(10, 0, 1, 100);
    by_address.vpc = aws::vpc_id{"vpc-1"};
    EXPECT_EQ(r.wanted.others[0],
              (takeover::wanted_resource{by_address, takeover::secondary_address{*by_address.address, eni("eni-first")}}));
    EXPECT_EQ(r.wanted.others[1],
              (takeover::wanted_resource{
                  takeover::elastic_ip_query{aws::allocation_id{"eipalloc-1"}},
                  takeover::elastic_ip{aws::allocation_id{"eipalloc-1"}, eni("eni-first"), ip_address::v4(10, 0, 1, 100)}}));
    EXPECT_TRUE(r.unresolved.empty());
    EXPECT_TRUE(r.wanted.disable_source_dest_check.empty()) << "neither needs it off";
}

// EC2 takes the primary one when none is named, but says of any of them that the Elastic IP is there.
TEST_F(resolve_test, an_elastic_ip_without_a_private_address_belongs_to_the_primary_one)
{
    identity.interfaces[0].addresses = {*ip_address::parse("2001:db8::10"), ip_address::v4(10, 0, 1, 10),
                                        ip_address::v4(10, 0, 1, 100)};
    router.routes.clear();
    router.elastic_ips = {{aws::allocation_id{"eipalloc-1"}, "ens5", std::nullopt, std::nullopt},
                          {aws::allocation_id{"eipalloc-2"}, "", eni("eni-elsewhere"), std::nullopt}};
    const auto r = resolve(router, &identity, links, world);
    ASSERT_EQ(r.wanted.others.size(), 2u);
    EXPECT_EQ(std::get<takeover::elastic_ip>(r.wanted.others[0].what).private_address, ip_address::v4(10, 0, 1, 10));
    EXPECT_EQ(std::get<takeover::elastic_ip>(r.wanted.others[1].what).private_address, std::nullopt);
}

TEST_F(resolve_test, an_interface_that_is_named_by_id_needs_nobody_to_tell)
{
    router.routes.clear();
    router.secondary_ips = {{ip_address::v4(10, 0, 1, 100), "", eni("eni-named")}};
    const auto r = resolve(router, nullptr, links, world);
    ASSERT_EQ(r.wanted.others.size(), 1u);
    config::configuration all;
    all.routers = {router};
    EXPECT_FALSE(needs_identity(all));
}

TEST_F(resolve_test, addresses_are_looked_for_in_one_vpc_as_far_as_it_is_known)
{
    const auto address = ip_address::v4(10, 0, 1, 100);
    router.routes.clear();
    router.secondary_ips = {{address, "ens5", std::nullopt}};
    router.enis.emplace_back().match.address = address;
    const auto vpcs = [&] {
        std::vector<std::optional<aws::vpc_id>> all;
        for (const auto& one : resolve(router, &identity, links, world).wanted.others) {
            all.push_back(std::get<takeover::interface_query>(one.query).vpc);
        }
        return all;
    };
    const std::optional ours{aws::vpc_id{"vpc-1"}};
    EXPECT_EQ(vpcs(), (std::vector{ours, ours}));
    router.secondary_ips = {{address, "", eni("eni-first")}};
    EXPECT_EQ(vpcs(), (std::vector{ours, ours}));
    router.secondary_ips = {{address, "", eni("eni-not-here")}};
    EXPECT_EQ(vpcs(), (std::vector{std::optional<aws::vpc_id>{}, ours}));
    identity.interfaces[0].vpc = {};
    router.secondary_ips = {{address, "ens5", std::nullopt}};
    EXPECT_EQ(vpcs(), std::vector<std::optional<aws::vpc_id>>(2)) << "nobody has said it";
}

TEST_F(resolve_test, a_floating_interface_goes_to_this_instance_and_tags_are_of_its_vpc)
{
    router.routes.clear();
    identity.instance = aws::instance_id{"i-me"};
    config::eni_entry by_tag;
    by_tag.match.tags = {{"Name", "floating"}};
    by_tag.device_index = 2;
    router.enis = {by_tag};
    const auto r = resolve(router, &identity, links, world);
    ASSERT_EQ(r.wanted.others.size(), 1u);
    const auto& query = std::get<takeover::interface_query>(r.wanted.others[0].query);
    EXPECT_EQ(query.vpc, aws::vpc_id{"vpc-1"});
    const auto& what = std::get<takeover::floating_interface>(r.wanted.others[0].what);
    EXPECT_EQ(what.instance, aws::instance_id{"i-me"});
    EXPECT_EQ(what.device_index, 2u);
    EXPECT_EQ(what.match, query);

    const auto waiting = resolve(router, nullptr, links, world);
    ASSERT_EQ(waiting.unresolved.size(), 1u);
    EXPECT_EQ(waiting.unresolved[0].kind, status::resource_kind::network_interface);
    EXPECT_FALSE(waiting.wanted.complete);
    config::configuration all;
    all.routers = {router};
    EXPECT_TRUE(needs_identity(all));
}

// --- the link of an interface that is moved ---

class floating_link_of : public resolve_test {
protected:
    floating_link_of()
    {
        router.routes.clear();
        router.enis.emplace_back().match.id = eni("eni-float");
        identity.instance = aws::instance_id{"i-me"};
        identity.interfaces.push_back({"0a:00:00:00:00:f0",
                                       eni("eni-float"),
                                       aws::vpc_id{"vpc-1"},
                                       "subnet-1",
                                       {*ip_prefix::parse("10.1.0.0/24")},
                                       {ip_address::v4(10, 1, 0, 50)}});
        links.apply(net::link_seen{{7, "eth1", "0a:00:00:00:00:f0", false, false}});
    }

    std::vector<takeover::local_item> items() { return resolve(router, &identity, links, world).of_interfaces; }
    // EC2 says that these have the tags.
    void see(std::initializer_list<const char*> ids)
    {
        takeover::interface_query query;
        query.vpc = aws::vpc_id{"vpc-1"};
        query.tags = router.enis[0].match.tags;
        world.watch(now, {{query, {}}});
        world.read_at(query, now);
        world.handle_timeout(now);
        const auto call = world.poll_output();
        ASSERT_TRUE(call);
        aws::network_interfaces_page page;
        for (const auto* id : ids) {
            page.interfaces.emplace_back().id = eni(id);
        }
        world.handle(now, call->ticket, {page, {}, {}});
    }

    static constexpr time_point now{1000s};
};

TEST_F(floating_link_of, an_id_is_there_when_imds_lists_it_and_the_kernel_has_its_mac)
{
    ASSERT_FALSE(items().empty());
    EXPECT_EQ(std::get<takeover::raised_link>(items().front().value).interface, "eth1");
    EXPECT_TRUE(resolve(router, &identity, links, world).unresolved.empty());
    links.apply(net::link_gone{7});
    EXPECT_TRUE(items().empty());
    const auto waiting = resolve(router, &identity, links, world);
    EXPECT_TRUE(waiting.wanted.complete);
    ASSERT_EQ(waiting.unresolved.size(), 1u);
    EXPECT_EQ(waiting.unresolved[0].name, "link of eni-float");
    EXPECT_EQ(waiting.unresolved[0].state, status::resource_state::elsewhere);
    links.apply(net::link_seen{{8, "eth2", "0a:00:00:00:00:f0", false, false}});
    EXPECT_EQ(std::get<takeover::raised_link>(items().front().value).interface, "eth2");
    identity.interfaces.pop_back();
    EXPECT_TRUE(items().empty());
}

TEST_F(floating_link_of, an_address_is_the_interface_that_has_it)
{
    router.enis[0].match.id.reset();
    router.enis[0].match.address = ip_address::v4(10, 1, 0, 50);
    EXPECT_FALSE(items().empty());
    auto foreign = identity.interfaces[1];
    foreign.vpc = aws::vpc_id{"vpc-2"};
    foreign.id = eni("eni-foreign");
    identity.interfaces.insert(identity.interfaces.begin() + 1, foreign);
    EXPECT_EQ(resolve(router, &identity, links, world).known.at(0).id, eni("eni-float"));
    router.enis[0].match.address = ip_address::v4(10, 1, 0, 51);
    EXPECT_TRUE(items().empty());
}

TEST_F(floating_link_of, tags_are_what_ec2_says_of_them)
{
    router.enis[0].match.id.reset();
    router.enis[0].match.tags = {{"Name", "floating"}};
    EXPECT_TRUE(depends_on_world(router));
    EXPECT_TRUE(items().empty()) << "nothing has been read yet";
    EXPECT_EQ(resolve(router, &identity, links, world).unresolved.at(0).state, status::resource_state::unknown);
    see({"eni-float"});
    EXPECT_FALSE(items().empty());
    links.apply(net::link_gone{7});
    EXPECT_EQ(resolve(router, &identity, links, world).unresolved.at(0).state, status::resource_state::elsewhere);
}

TEST_F(floating_link_of, tags_that_name_none_or_several_leave_it_what_it_was)
{
    router.enis[0].match.id.reset();
    router.enis[0].match.tags = {{"Name", "floating"}};
    see({"eni-float"});
    auto known = resolve(router, &identity, links, world).known;
    for (const auto& ids : {std::initializer_list<const char*>{}, {"eni-float", "eni-other"}}) {
        see(ids);
        EXPECT_TRUE(items().empty()) << "to who begins now it is not known";
        const auto r = resolve(router, &identity, links, world, known);
        EXPECT_FALSE(r.of_interfaces.empty());
        known = r.known;
    }
    see({"eni-other"});
    EXPECT_TRUE(resolve(router, &identity, links, world, known).of_interfaces.empty());
    known = resolve(router, nullptr, links, world, known).known;
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].id, eni("eni-float"));
}

TEST_F(floating_link_of, other_words_in_its_place_mean_the_same_interface_until_ec2_has_said)
{
    const auto known = resolve(router, &identity, links, world).known;
    auto& entry = router.enis[0];
    entry.match.id.reset();
    entry.match.tags = {{"Name", "floating"}};
    EXPECT_FALSE(resolve(router, &identity, links, world, known).of_interfaces.empty());
    router.enis.emplace_back().match.id = eni("eni-float");
    EXPECT_EQ(resolve(router, &identity, links, world, known).known[0].id.str(), "") << "it may be either's";
    router.enis.erase(router.enis.begin());
    EXPECT_FALSE(resolve(router, &identity, links, world, known).of_interfaces.empty());
}

TEST_F(floating_link_of, one_that_is_not_to_be_configured_is_left_alone)
{
    router.enis[0].configure = false;
    EXPECT_TRUE(items().empty());
    EXPECT_EQ(resolve(router, &identity, links, world).wanted.others.size(), 1u) << "it is moved all the same";
}

}  // namespace
}  // namespace vipd::node
