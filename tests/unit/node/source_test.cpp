#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

// Where the source address comes from when nobody configured one, and what happens when that changes.

namespace vipd::node {
namespace {

class source_test : public node_test {
protected:
    source_test()
    {
        use([](config::configuration& c) { c.routers[0].source.reset(); });
    }

    // Before the start.
    void use(const std::function<void(config::configuration&)>& edit)
    {
        configuration = changed(edit);
        h.reload(configuration);
    }

    void add_link(int index, const std::string& name, const std::string& address)
    {
        h.kernel(net::link_seen{{index, name, "0a:00:00:00:00:0" + std::to_string(index), true, true}});
        h.kernel(net::address_seen{{index, *ip_prefix::parse(address)}});
    }
    void take(int index, const std::string& address) { h.kernel(net::address_gone{{index, *ip_prefix::parse(address)}}); }
    void give(int index, const std::string& address) { h.kernel(net::address_seen{{index, *ip_prefix::parse(address)}}); }

    [[nodiscard]] std::string source(std::uint32_t router = 0) const
    {
        const auto found = h.router(router).source;
        return found ? found->to_string() : "none";
    }

    void give_tentative(int index, const std::string& address, bool duplicate = false)
    {
        h.kernel(net::address_seen{{index, *ip_prefix::parse(address), true, duplicate}});
    }

    // Its peers and what it advertises are IPv6 addresses; it has none itself.
    void use_ipv6(std::optional<ip_address> from = {})
    {
        use([&](auto& c) {
            c.routers[0].source = from;
            c.routers[0].peers = {{*ip_address::parse("2001:db8::20"), 255}};
            c.routers[0].addresses.clear();
            c.routers[0].advertised_addresses = {*ip_address::parse("2001:db8::100")};
        });
        h.start();
    }

    void start_as_active_again()
    {
        h.start();
        h.advance(461ms);
        ASSERT_EQ(h.state(), state::active);
    }
};

TEST_F(source_test, it_is_the_primary_address_of_the_interface)
{
    h.start();
    EXPECT_EQ(source(), "10.0.1.10");
}

TEST_F(source_test, another_interface_means_another_source_and_a_new_election)
{
    start_as_active_again();
    add_link(3, "ens6", "10.0.9.10/24");
    h.adverts.clear();
    h.reload(changed([](auto& c) { c.routers[0].interface = "ens6"; }));
    EXPECT_EQ(source(), "10.0.9.10");
    EXPECT_EQ(h.state(), state::backup);
    ASSERT_FALSE(h.adverts.empty());
    EXPECT_EQ(h.adverts.front().priority, 0) << "the peers need not wait";
}

TEST_F(source_test, peers_of_the_other_family_mean_another_source)
{
    start_as_active_again();
    give(2, "2001:db8::10/64");
    h.reload(changed([](auto& c) {
        c.routers[0].peers = {{*ip_address::parse("2001:db8::20"), 255}};
        c.routers[0].addresses.clear();
        c.routers[0].advertised_addresses = {*ip_address::parse("2001:db8::100")};
    }));
    EXPECT_EQ(source(), "2001:db8::10");
    h.advance(461ms);
    EXPECT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.back().destination, *ip_address::parse("2001:db8::20"));
}

TEST_F(source_test, the_first_source_is_returned_to)
{
    start_as_active_again();
    give(2, "10.0.1.99/24");
    EXPECT_EQ(source(), "10.0.1.10") << "an address more is no reason for an election";
    EXPECT_EQ(h.state(), state::active);
    take(2, "10.0.1.10/24");
    EXPECT_EQ(source(), "10.0.1.99");
    give(2, "10.0.1.10/24");
    EXPECT_EQ(source(), "10.0.1.10") << "it is what the peers know this node by";
}

TEST_F(source_test, a_configured_one_is_waited_for_while_it_is_tentative)
{
    use_ipv6(*ip_address::parse("2001:db8::10"));
    give_tentative(2, "2001:db8::10/64");
    h.advance(3s);
    EXPECT_EQ(source(), "none");
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.router().state_reason,
              "its source address 2001:db8::10 is tentative: duplicate address detection has not ended");
    give(2, "2001:db8::10/64");
    EXPECT_EQ(source(), "2001:db8::10");
    EXPECT_EQ(h.state(), state::backup);
    h.advance(360ms);
    EXPECT_EQ(h.state(), state::backup) << "it could hear nobody before";
    h.advance(2ms);
    EXPECT_EQ(h.state(), state::active);

    give_tentative(2, "2001:db8::10/64");
    EXPECT_EQ(h.state(), state::initialize) << "the link was down for a moment";
    give_tentative(2, "2001:db8::10/64", true);
    EXPECT_EQ(h.router().state_reason,
              "its source address 2001:db8::10 is another node's as well, as duplicate address detection has found");
}

TEST_F(source_test, the_primary_one_is_waited_for_while_it_is_tentative)
{
    use_ipv6();
    EXPECT_EQ(h.router().state_reason, "interface 'ens5' has no address of the peers' family");
    give(2, "fe80::1/64");
    give_tentative(2, "2001:db8::10/64");
    give(2, "2001:db8::99/64");
    EXPECT_EQ(source(), "none") << "the peers know this node by its first address";
    EXPECT_EQ(h.router().state_reason,
              "its source address 2001:db8::10 is tentative: duplicate address detection has not ended");
    give(2, "2001:db8::10/64");
    EXPECT_EQ(source(), "2001:db8::10");
    EXPECT_EQ(h.state(), state::backup);
    give_tentative(2, "2001:db8::10/64");
    EXPECT_EQ(source(), "none");
    give_tentative(2, "2001:db8::10/64", true);
    EXPECT_EQ(source(), "2001:db8::99") << "that will not be usable any more";
    give_tentative(2, "2001:db8::10/64");
    EXPECT_EQ(source(), "2001:db8::99");
    give(2, "2001:db8::10/64");
    EXPECT_EQ(source(), "2001:db8::10");
    give_tentative(2, "2001:db8::10/64", true);
    take(2, "2001:db8::99/64");
    EXPECT_EQ(h.router().state_reason,
              "its source address 2001:db8::10 is another node's as well, as duplicate address detection has found");
}

TEST_F(source_test, an_address_that_is_advertised_is_never_the_source)
{
    use([](auto& c) {
        c.routers[0].addresses.clear();
        c.routers[0].advertised_addresses = {*ip_address::parse("10.0.1.99")};
    });
    start_as_active_again();
    give(2, "10.0.1.99/24");
    take(2, "10.0.1.10/24");
    EXPECT_EQ(source(), "none") << "an alias for the virtual IP may stand on every node";
    EXPECT_EQ(h.state(), state::initialize);
}

TEST_F(source_test, of_two_routers_whose_adverts_could_not_be_told_apart_the_first_takes_part)
{
    use([](auto& c) {
        auto twin = c.routers[0];
        twin.name = "twin";
        twin.interface = "ens6";
        twin.addresses.clear();
        twin.routes.clear();
        c.routers.push_back(twin);
    });
    h.start();
    add_link(3, "ens6", "10.0.9.10/24");
    h.advance(461ms);
    EXPECT_EQ(h.state(0), state::active);
    EXPECT_EQ(h.state(1), state::active) << "two interfaces, two addresses: they can be told apart";

    give(3, "10.0.1.10/24");
    take(3, "10.0.9.10/24");
    EXPECT_EQ(source(1), "10.0.1.10") << "somebody gave both interfaces one address";
    EXPECT_EQ(h.state(0), state::active);
    EXPECT_EQ(h.state(1), state::initialize);
    EXPECT_NE(h.router(1).state_reason.find("router 'web' has the same vrid"), std::string::npos) << h.router(1).state_reason;

    give(3, "10.0.9.10/24");
    h.advance(461ms);
    EXPECT_EQ(h.state(1), state::active);
}

TEST_F(source_test, a_reload_may_exchange_the_keys_of_two_routers)
{
    use([](auto& c) {
        auto second = c.routers[0];
        second.name = "second";
        second.peers = {{*ip_address::parse("10.0.2.11"), 255}};
        second.addresses.clear();
        second.routes.clear();
        c.routers.push_back(second);
    });
    start_as_active_again();
    h.reload(changed([](auto& c) { std::swap(c.routers[0].peers, c.routers[1].peers); }));
    EXPECT_EQ(h.state(0), state::active);
    EXPECT_EQ(h.state(1), state::active);
}

}  // namespace
}  // namespace vipd::node
