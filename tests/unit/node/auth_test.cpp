// Signed adverts through a whole node: what it sends, whom it believes, and how a cluster gets there without a transition.

#include "agent/vrrp/authentication.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <vector>

namespace vipd::node {
namespace {

vrrp::hmac_settings with_keys(vrrp::hmac_mode mode, std::initializer_list<std::uint8_t> ids)
{
    vrrp::hmac_settings s;
    s.mode = mode;
    s.active_key = *ids.begin();
    for (const auto id : ids) {
        s.keys.push_back({id, *vrrp::hmac_secret::from_file(byte_buffer(32, static_cast<std::uint8_t>(0x80 + id)))});
    }
    return s;
}

constexpr auto receive_only = vrrp::hmac_mode::receive_only;
constexpr auto permissive = vrrp::hmac_mode::permissive;
constexpr auto enforce = vrrp::hmac_mode::enforce;

class auth_test : public testing::Test {
protected:
    void start(const std::optional<vrrp::hmac_settings>& settings)
    {
        configuration = node_harness::one_router();
        auto& r = configuration->routers[0];
        // Nothing but the election: what EC2 answers is not the matter here.
        r.routes.clear();
        r.peers.push_back({ip_address::v4(10, 0, 2, 11), 255});
        r.auth.hmac = settings;
        peer_signer_.reset();
        harness_ = std::make_unique<node_harness>(configuration);
        h().start();
    }

    [[nodiscard]] node_harness& h() const { return *harness_; }

    void use(const std::optional<vrrp::hmac_settings>& settings)
    {
        reload([&](config::router& r) { r.auth.hmac = settings; });
    }

    void reload(const std::function<void(config::router&)>& edit)
    {
        configuration = std::make_shared<config::configuration>(*configuration);
        edit(configuration->routers[0]);
        h().reload(configuration);
    }

    // An advert of the peer, as it would sign with `settings`; or without.
    void peer_speaks(std::uint8_t priority, const std::optional<vrrp::hmac_settings>& settings)
    {
        const auto& r = configuration->routers[0];
        const auto peer = r.peers[0].address;
        vrrp::advert_template t({.protocol_version = r.version,
                                 .vrid = r.vrid,
                                 .priority = priority,
                                 .interval = r.advert_interval,
                                 .addresses = r.advertised_addresses},
                                peer, *r.source, r.checksum);
        auto message = t.message(priority, r.advert_interval);
        if (settings) {
            if (!peer_signer_) {
                peer_signer_.emplace(*settings, h().now);
            }
            peer_signer_->change(*settings, h().now);
            message = t.message(priority, r.advert_interval, peer_signer_->sign(message, peer, h().now));
        }
        const byte_buffer bytes{message.begin(), message.end()};
        h().hear(advert_received{peer, *r.source, 255, bytes});
    }

    [[nodiscard]] std::uint64_t discarded(vrrp::discard_reason reason) const
    {
        return h().router().received.discarded[static_cast<std::size_t>(reason)];
    }

    // Of the adverts since then: the ids of the keys, 0 for an unsigned one; each once.
    [[nodiscard]] std::vector<unsigned> keys_of_adverts(time_point since) const
    {
        std::vector<unsigned> ids;
        for (const auto& a : h().adverts) {
            if (a.at >= since) {
                ids.push_back(a.message.size() == 12 ? 0U : a.message.at(13));
            }
        }
        std::ranges::sort(ids);
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        return ids;
    }

    [[nodiscard]] std::uint64_t transitions() const
    {
        const auto r = h().router();
        return r.election.became_active + r.election.became_backup;
    }

    std::shared_ptr<config::configuration> configuration;
    std::unique_ptr<node_harness> harness_;
    std::optional<vrrp::signer> peer_signer_;
};

using ids = std::vector<unsigned>;

TEST_F(auth_test, an_active_signs_once_for_all_its_peers)
{
    start(with_keys(enforce, {1}));
    h().advance(1s);
    ASSERT_EQ(h().state(), state::active);
    ASSERT_GE(h().adverts.size(), 4U);
    vrrp::verifier first(with_keys(enforce, {1}), std::array{ip_address::v4(10, 0, 1, 10)});
    for (std::size_t i = 0; i + 1 < h().adverts.size(); i += 2) {
        const byte_view a{h().adverts[i].message};
        const byte_view b{h().adverts[i + 1].message};
        ASSERT_EQ(a.size(), 12U + vrrp::trailer_size);
        EXPECT_NE(h().adverts[i].destination, h().adverts[i + 1].destination);
        EXPECT_TRUE(std::ranges::equal(a.subspan(12), b.subspan(12)));
        EXPECT_FALSE(std::ranges::equal(a.subspan(6, 2), b.subspan(6, 2))) << "the checksum is each peer's own";
        EXPECT_FALSE(first.check(a.first(12), a.subspan(12), ip_address::v4(10, 0, 1, 10), h().now.wall).has_value());
        EXPECT_TRUE(first.check(b.first(12), b.subspan(12), ip_address::v4(10, 0, 1, 10), h().now.wall).has_value())
            << "a copy";
    }
}

TEST_F(auth_test, the_farewell_is_signed)
{
    start(with_keys(enforce, {1}));
    h().advance(1s);
    h().tell(shut_down{});
    EXPECT_EQ(h().adverts.back().priority, 0);
    EXPECT_EQ(h().adverts.back().message.size(), 12U + vrrp::trailer_size);
}

TEST_F(auth_test, a_usurper_without_the_key_changes_nothing)
{
    start(with_keys(enforce, {1}));
    h().advance(1s);
    ASSERT_EQ(h().state(), state::active);
    const auto before = transitions();
    auto wrong = with_keys(enforce, {1});
    wrong.keys[0].secret = with_keys(enforce, {9}).keys[0].secret;
    for (unsigned i = 0; i < 20; ++i) {
        peer_speaks(254, std::nullopt);
        peer_speaks(254, wrong);
        h().advance(100ms);
    }
    EXPECT_EQ(h().state(), state::active);
    EXPECT_EQ(transitions(), before);
    EXPECT_EQ(discarded(vrrp::discard_reason::auth_missing), 20U);
    EXPECT_EQ(discarded(vrrp::discard_reason::auth_hmac), 20U);
    EXPECT_EQ(h().router().received.accepted, 0U);
}

TEST_F(auth_test, a_flood_of_forgeries_is_a_line_and_not_a_line_each)
{
    start(with_keys(enforce, {1}));
    for (unsigned i = 0; i < 1000; ++i) {
        peer_speaks(254, std::nullopt);
    }
    EXPECT_EQ(h().log.count({"advert_discarded"}), 1U);
    EXPECT_EQ(h().log.count({"reason=auth_missing"}), 1U);
}

TEST_F(auth_test, signatures_are_rolled_out_and_back_without_a_transition)
{
    for (const bool active : {true, false}) {
        SCOPED_TRACE(active ? "Active" : "Backup");
        start(std::nullopt);
        const std::uint8_t priority = active ? 50 : 200;
        std::optional<vrrp::hmac_settings> peers;
        const auto live = [&] {
            for (unsigned i = 0; i < 10; ++i) {
                if (!active) {
                    peer_speaks(priority, peers);
                }
                h().advance(100ms);
            }
        };
        live();
        ASSERT_EQ(h().state(), active ? state::active : state::backup);
        const auto before = transitions();
        for (const auto& step : std::vector<std::optional<vrrp::hmac_settings>>{
                 with_keys(receive_only, {1}), with_keys(permissive, {1}), with_keys(enforce, {1}), with_keys(permissive, {1}),
                 with_keys(receive_only, {1}), std::nullopt}) {
            // This node first and its peer later; on the way back the other way round, which is the same for it.
            if (!step || step->mode != enforce) {
                use(step);
                live();
            }
            peers = step && step->mode != receive_only ? step : std::nullopt;
            live();
            use(step);
            const auto since = h().now.steady;
            live();
            EXPECT_EQ(transitions(), before);
            if (active) {
                EXPECT_EQ(keys_of_adverts(since + 100ms), (step && step->mode != receive_only ? ids{1} : ids{0}));
            }
        }
        EXPECT_EQ(h().state(), active ? state::active : state::backup);
        for (const auto count : h().router().received.discarded) {
            EXPECT_EQ(count, 0U);
        }
    }
}

TEST_F(auth_test, keys_are_rotated_without_a_transition)
{
    start(with_keys(enforce, {1}));
    auto peers = with_keys(enforce, {1});
    const auto live = [&] {
        for (unsigned i = 0; i < 10; ++i) {
            peer_speaks(200, peers);
            h().advance(100ms);
        }
    };
    live();
    ASSERT_EQ(h().state(), state::backup);
    const auto before = transitions();
    use(with_keys(enforce, {1, 2}));
    live();
    use(with_keys(enforce, {2, 1}));
    live();
    peers = with_keys(enforce, {2, 1});
    live();
    use(with_keys(enforce, {2}));
    live();
    EXPECT_EQ(h().state(), state::backup);
    EXPECT_EQ(transitions(), before);
    EXPECT_EQ(h().router().received.accepted, 50U);
    // Who still has the old key only is no longer heard.
    peers = with_keys(enforce, {1});
    peer_speaks(200, peers);
    EXPECT_EQ(discarded(vrrp::discard_reason::auth_unknown_key), 1U);
}

TEST_F(auth_test, an_active_changes_its_key_at_its_next_advert)
{
    start(with_keys(enforce, {1}));
    h().advance(1s);
    use(with_keys(enforce, {2, 1}));
    const auto since = h().now.steady;
    h().advance(1s);
    EXPECT_EQ(keys_of_adverts(since + 1ms), ids{2});
    EXPECT_EQ(h().state(), state::active);
    EXPECT_EQ(h().log.count({"auth", "mode=enforce", "active_key=2"}), 1U);
}

TEST_F(auth_test, a_reload_forgets_no_mark)
{
    start(with_keys(enforce, {1}));
    peer_speaks(200, with_keys(enforce, {1}));
    EXPECT_EQ(h().router().received.accepted, 1U);
    reload([](config::router& r) { r.priority = 99; });
    peer_signer_.reset();  // it says the same again
    peer_speaks(200, with_keys(enforce, {1}));
    EXPECT_EQ(discarded(vrrp::discard_reason::auth_replay), 1U);
}

TEST_F(auth_test, status_says_what_is_in_force)
{
    start(std::nullopt);
    EXPECT_FALSE(h().router().signatures);
    use(with_keys(permissive, {7, 8}));
    const auto s = h().router().signatures;
    ASSERT_TRUE(s);
    EXPECT_EQ(s->mode, permissive);
    EXPECT_EQ(s->active_key, 7);
    EXPECT_EQ(s->keys, (std::vector<std::uint8_t>{7, 8}));
}

}  // namespace
}  // namespace vipd::node
