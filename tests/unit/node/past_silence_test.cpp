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

class silence_of_a_slower_active : public past_silence {
protected:
    silence_of_a_slower_active()
    {
        configuration = changed([](auto& c) { c.routers[0].advert_interval = 200ms; });
        h.replace(configuration);
        h.start();
    }

    void be_kept_out_for(duration d)
    {
        h.tell(set_maintenance{true});
        h.advance(d);
        h.tell(set_maintenance{false});
        h.advance(0s);
    }

    static constexpr duration own_down_interval = 722ms;
    static constexpr duration its_down_interval = 3s + 610ms;
};

TEST_F(silence_of_a_slower_active, is_counted_by_its_interval)
{
    h.hear(200, 0, 1s);
    h.advance(50ms);
    be_kept_out_for(700ms);
    listens_for_a_down_interval(its_down_interval - 750ms);
}

TEST_F(silence_of_a_slower_active, is_so_when_it_was_heard_by_one_that_took_no_part)
{
    h.tell(set_maintenance{true});
    h.advance(1s);
    h.hear(200, 0, 1s);
    h.advance(750ms);
    h.tell(set_maintenance{false});
    h.advance(0s);
    listens_for_a_down_interval(its_down_interval - 750ms);
}

TEST_F(silence_of_a_slower_active, is_so_from_an_advert_that_came_in_the_same_moment)
{
    h.tell(set_maintenance{true});
    h.hear(200, 0, 1s);
    h.tell(set_maintenance{false});
    listens_for_a_down_interval(its_down_interval);
}

TEST_F(silence_of_a_slower_active, is_so_by_a_successor_that_is_kept_out_before_it_has_heard_anybody)
{
    h.hear(200, 0, 1s);
    h.succeed(80ms);
    h.start();
    be_kept_out_for(750ms);
    listens_for_a_down_interval(its_down_interval - 750ms);
}

TEST_F(silence_of_a_slower_active, is_not_so_by_one_that_was_active_since)
{
    h.hear(200, 0, 1s);
    h.advance(4s);
    ASSERT_EQ(h.state(), state::active);
    be_kept_out_for(500ms);
    listens_for_a_down_interval(own_down_interval - 500ms);
}

TEST_F(silence_of_a_slower_active, is_not_so_by_one_that_gave_way_to_another)
{
    h.hear(200, 0, 1s);
    h.advance(4s);
    ASSERT_EQ(h.state(), state::active);
    h.hear(200, 0, 2s);
    ASSERT_EQ(h.state(), state::backup);
    be_kept_out_for(1s);
    listens_for_a_down_interval(2 * its_down_interval - 1s - 1ms);
}

TEST_F(silence_of_a_slower_active, says_nothing_to_one_that_has_had_no_network_since)
{
    h.hear(200, 0, 1s);
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", false, false}});
    h.advance(10s);
    h.kernel(net::link_seen{{2, "ens5", "0a:00:00:00:00:01", true, true}});
    listens_for_a_down_interval(own_down_interval);
}

TEST_F(silence_of_a_slower_active, says_nothing_to_one_that_a_reload_makes_another_router)
{
    h.hear(200, 0, 1s);
    h.reload(changed([](auto& c) { c.routers[0].vrid = 99; }));
    listens_for_a_down_interval(own_down_interval);
}

}  // namespace
}  // namespace vipd::node
