// What a router that was kept out for a while makes of the silence before it takes part again (a down interval is 360.9 ms
// here).

#include "agent/vrrp/authentication.hpp"
#include "common/bytes.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

namespace vipd::node {
namespace {

class past_silence : public node_test {
protected:
    // Nobody is heard for a minute, but for what `edit` lets in from then on.
    void be_kept_out_until_a_reload(const std::function<void(config::router&)>& edit)
    {
        h.start();
        h.tell(set_maintenance{true});
        h.advance(1min);
        h.reload(changed([&](auto& c) { edit(c.routers[0]); }));
        h.tell(set_maintenance{false});
        h.advance(0s);
    }

    void listens_for_a_down_interval(duration interval)
    {
        ASSERT_EQ(h.state(), state::backup);
        h.advance(interval - 1ms);
        EXPECT_EQ(h.state(), state::backup);
        h.advance(2ms);
        EXPECT_EQ(h.state(), state::active);
    }

    static constexpr duration down_interval = 361ms;
};

TEST_F(past_silence, of_a_peer_that_a_reload_has_brought_counts_from_the_reload_on)
{
    be_kept_out_until_a_reload([](auto& r) { r.peers.push_back({ip_address::v4(10, 0, 3, 10), 255}); });
    listens_for_a_down_interval(down_interval);
}

TEST_F(past_silence, of_a_peer_that_was_too_far_away_does_so_too)
{
    be_kept_out_until_a_reload([](auto& r) { r.peers[0].min_ttl = 250; });
    listens_for_a_down_interval(down_interval);
}

TEST_F(past_silence, of_one_that_had_the_wrong_key_does_so_too)
{
    vrrp::hmac_settings hmac;
    hmac.keys.push_back({1, *vrrp::hmac_secret::from_file(byte_buffer(32, 0x81))});
    configuration = changed([&](auto& c) { c.routers[0].auth.hmac = hmac; });
    h.replace(configuration);
    be_kept_out_until_a_reload([](auto& r) { r.auth.hmac.reset(); });
    listens_for_a_down_interval(down_interval);
}

TEST_F(past_silence, of_one_that_spoke_at_another_interval_does_so_too_in_version_2)
{
    configuration = changed([](auto& c) {
        c.routers[0].version = vrrp::version::v2;
        c.routers[0].advert_interval = 1s;
    });
    h.replace(configuration);
    be_kept_out_until_a_reload([](auto& r) { r.advert_interval = 2s; });
    listens_for_a_down_interval(6s + 610ms);
}

TEST_F(past_silence, counts_when_a_reload_lets_in_nobody_else)
{
    be_kept_out_until_a_reload([](auto& r) { r.advert_interval = 200ms; });
    EXPECT_EQ(h.state(), state::active);
}

}  // namespace
}  // namespace vipd::node
