#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <vector>

// Whom the last advert of a router reaches.

namespace vipd::node {
namespace {

class farewell_test : public node_test {
protected:
    // Before the start.
    void use_three_peers()
    {
        configuration = changed([](config::configuration& c) {
            auto& peers = c.routers[0].peers;
            peers.push_back({ip_address::v4(10, 0, 2, 11), 255});
            peers.push_back({ip_address::v4(10, 0, 2, 12), 255});
        });
        h.replace(configuration);
    }

    [[nodiscard]] std::vector<ip_address> released() const
    {
        std::vector<ip_address> all;
        for (const auto& advert : h.adverts) {
            if (advert.priority == 0) {
                all.push_back(advert.destination);
            }
        }
        return all;
    }

    const std::vector<ip_address> everybody = {ip_address::v4(10, 0, 2, 10), ip_address::v4(10, 0, 2, 11),
                                               ip_address::v4(10, 0, 2, 12)};
};

TEST_F(farewell_test, every_peer_is_told_of_the_end_once)
{
    use_three_peers();
    start_as_active();
    h.tell(shut_down{});
    EXPECT_EQ(released(), everybody);
    h.advance(4s);
    EXPECT_TRUE(h.is_stopped);
    EXPECT_EQ(released(), everybody);
}

TEST_F(farewell_test, every_peer_is_told_of_a_hand_over_and_of_a_fault)
{
    use_three_peers();
    start_as_active();
    h.tell(step_down{});
    EXPECT_EQ(released(), everybody);
    h.advance(1s);
    ASSERT_EQ(h.state(), state::active);
    h.adverts.clear();
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, false}});
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(released(), everybody);
}

TEST_F(farewell_test, every_peer_is_told_when_a_reload_changes_who_the_router_is)
{
    use_three_peers();
    start_as_active();
    h.reload(changed([](auto& c) { c.routers[0].vrid = 52; }));
    EXPECT_EQ(released(), everybody);
}

}  // namespace
}  // namespace vipd::node
