// What a node has of an interface that moves ([[router.eni]]) where two routers of the node know of it.

#include "agent/aws/identity_cache.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

class floating_interface_test : public node_test {
protected:
    static constexpr auto mac = "0a:00:00:00:00:f0";
    static constexpr auto on_it = "10.1.0.50/32";

    floating_interface_test()
    {
        configuration = changed([](auto& c) {
            auto& router = c.routers[0];
            router.routes.clear();
            router.drain = 10s;
            router.enis.emplace_back().match.id = aws::network_interface_id{"eni-000000000000000f0"};
        });
        use_configuration();
    }

    // Who it is comes from the cache: there is no metadata service.
    void use_configuration()
    {
        h.replace(configuration);
        aws::instance_identity identity;
        identity.instance = aws::instance_id{"i-000000000000000a1"};
        identity.region = "eu-west-1";
        identity.availability_zone = "eu-west-1a";
        identity.account = "111122223333";
        identity.interfaces.push_back({mac,
                                       aws::network_interface_id{"eni-000000000000000f0"},
                                       aws::vpc_id{"vpc-00000001"},
                                       "subnet-00000001",
                                       {*ip_prefix::parse("10.1.0.0/24")},
                                       {ip_address::v4(10, 1, 0, 50)}});
        h.files[configuration->aws.identity_cache] = aws::format_identity(identity, aws::parse_boot_id(node_harness::boot_id));
        h.intercept = [](const aws::http_exchange& exchange) -> std::optional<aws::http_result> {
            return exchange.origin.tls ? std::nullopt : std::optional{node_harness::failure(false, "connection refused")};
        };
    }

    void link_appears() { h.kernel(net::link_seen{{7, "eth1", mac, true, true}}); }
    [[nodiscard]] bool has_everything() const
    {
        return h.has_local(on_it) && h.policies.rules.size() == 1 && h.policies.routes.size() == 2;
    }
    [[nodiscard]] bool has_nothing() const
    {
        return !h.has_local(on_it) && h.policies.rules.empty() && h.policies.routes.empty();
    }
    [[nodiscard]] std::size_t lost() const { return h.log.count({"event=address_lost"}) + h.log.count({"event=policy_lost"}); }
    [[nodiscard]] std::size_t removed() const { return h.log.count({"event=address ", "10.1.0.50", "outcome=removed"}); }
    std::shared_ptr<config::configuration> renamed()
    {
        return changed([](auto& c) { c.routers[0].name = "renamed"; });
    }
};

TEST_F(floating_interface_test, an_active_has_its_addresses_and_a_backup_has_not)
{
    start_as_active();
    link_appears();
    EXPECT_TRUE(has_everything());
    advance_with_peer(11s, 200);
    EXPECT_TRUE(has_nothing());
    EXPECT_EQ(removed(), 1U);
}

TEST_F(floating_interface_test, an_active_that_a_reload_renames_serves_during_its_drain_and_is_undone_once)
{
    start_as_active();
    link_appears();
    h.reload(renamed());
    ASSERT_EQ(h.state(), state::backup);
    ASSERT_EQ(lost(), 0U);
    advance_with_peer(9s, 200);
    EXPECT_TRUE(has_everything());
    advance_with_peer(2s, 200);
    EXPECT_TRUE(has_nothing());
    EXPECT_EQ(removed(), 1U);
    EXPECT_EQ(lost(), 0U);
}

TEST_F(floating_interface_test, a_renamed_router_that_becomes_active_takes_over_what_is_there)
{
    start_as_active();
    link_appears();
    h.reload(renamed());
    ASSERT_EQ(lost(), 0U);
    h.advance(20s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_TRUE(has_everything());
    EXPECT_EQ(removed(), 0U);
    EXPECT_EQ(lost(), 0U);
}

TEST_F(floating_interface_test, a_router_may_come_back_while_it_drains)
{
    start_as_active();
    link_appears();
    h.reload(renamed());
    ASSERT_EQ(lost(), 0U);
    advance_with_peer(1s, 200);
    h.reload(configuration);
    ASSERT_EQ(lost(), 0U);
    advance_with_peer(8s, 200);
    EXPECT_TRUE(has_everything());
    advance_with_peer(2s, 200);
    EXPECT_TRUE(has_nothing());
    EXPECT_EQ(removed(), 1U);
}

TEST_F(floating_interface_test, a_backup_leaves_it_to_the_active_that_found_the_same_interface_in_another_way)
{
    configuration = changed([](auto& c) {
        auto second = c.routers[0];
        second.name = "db";
        second.vrid = 52;
        second.addresses.clear();
        second.enis[0].match = {.id = {}, .address = ip_address::v4(10, 1, 0, 50), .tags = {}};
        c.routers.push_back(second);
    });
    use_configuration();
    const auto run = [&](duration d, bool first_speaks) {
        for (duration passed{}; passed < d; passed += 100ms) {
            h.hear(200, 1);
            if (first_speaks) {
                h.hear(200, 0);
            }
            h.advance(100ms);
        }
    };
    h.start();
    run(500ms, false);
    ASSERT_EQ(h.state(0), state::active);
    ASSERT_EQ(h.state(1), state::backup);
    link_appears();
    ASSERT_EQ(lost(), 0U);
    run(1min, false);
    EXPECT_TRUE(has_everything());
    EXPECT_EQ(lost(), 0U);
    EXPECT_EQ(removed(), 0U);
    run(11s, true);
    ASSERT_EQ(h.state(0), state::backup);
    EXPECT_TRUE(has_nothing()) << "neither needs it any more";
}

}  // namespace
}  // namespace vipd::node
