#include "agent/vrrp/admission.hpp"

#include "tests/unit/vrrp/values.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

namespace vipd::vrrp {

namespace {

using namespace std::chrono_literals;

const auto self_v4 = address("10.0.1.10");
const auto peer_v4 = address("10.0.2.20");
const auto far_peer_v4 = address("10.0.3.30");
const auto self_v6 = address("2001:db8:1::a");
const auto peer_v6 = address("2001:db8:2::b");
const auto stranger = address("10.9.9.9");

// Indices of the rules below.
constexpr std::uint32_t router_v3 = 0;
constexpr std::uint32_t router_v2 = 1;
constexpr std::uint32_t router_v2_password = 2;
constexpr std::uint32_t router_v6 = 3;

constexpr wall_time now{std::chrono::seconds{1'780'000'000}};

std::vector<router_rule> rules()
{
    const std::vector<ip_address> list = {address("192.0.2.100"), address("192.0.2.101")};
    return {
        {version::v3, 51, self_v4, {{peer_v4, 255}, {far_peer_v4, 250}}, list, 1s, std::nullopt},
        {version::v2, 52, self_v4, {{peer_v4, 255}}, list, 1s, std::nullopt},
        {version::v2, 53, self_v4, {{peer_v4, 255}}, list, 1s, password("secret")},
        {version::v3, 51, self_v6, {{peer_v6, 255}}, {address("2001:db8::100")}, 1s, std::nullopt},
    };
}

// A datagram that its router accepts, to be spoilt.
struct sent {
    ip_address source;
    ip_address destination;
    std::uint8_t ttl = 255;
    byte_buffer message;

    [[nodiscard]] datagram view() const { return {source, destination, ttl, message}; }
};

struct options {
    std::uint8_t priority = 100;
    duration interval = 1s;
    checksum_form form = checksum_form::rfc5798;
    std::vector<ip_address> addresses = {};                       // empty: the rule's
    std::optional<simple_password> password_sent = std::nullopt;  // none: the rule's
};

sent good(std::uint32_t router, const options& o = {})
{
    const auto rule = rules()[router];
    sent s{rule.peers.front().address, rule.source, 255, {}};
    const auto secret = o.password_sent ? o.password_sent : rule.password;
    const auto& list = o.addresses.empty() ? rule.addresses : o.addresses;
    encode_advert({rule.protocol_version, rule.vrid, o.priority, o.interval, list, secret ? &*secret : nullptr}, s.source,
                  s.destination, o.form, s.message);
    return s;
}

std::uint64_t total(const std::array<std::uint64_t, discard_reason_count>& counts)
{
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

// One datagram into a fresh admission: refused for this reason, by this router, counted once and nowhere else.
void expect_discarded(const sent& s, discard_reason reason, std::optional<std::uint32_t> router)
{
    SCOPED_TRACE(to_string(reason));
    admission a{rules()};
    const auto verdict = a.check(s.view(), now);
    ASSERT_TRUE(std::holds_alternative<discarded>(verdict));
    EXPECT_EQ(to_string(std::get<discarded>(verdict).reason), to_string(reason));
    EXPECT_EQ(std::get<discarded>(verdict).router, router);
    std::uint64_t counted = total(a.counters_before_router());
    for (std::uint32_t i = 0; i < rules().size(); ++i) {
        counted += total(a.counters(i).discarded);
        EXPECT_EQ(a.counters(i).accepted, 0U);
    }
    EXPECT_EQ(counted, 1U);
    const auto& counts = is_before_router(reason) ? a.counters_before_router() : a.counters(router.value()).discarded;
    EXPECT_EQ(counts[static_cast<std::size_t>(reason)], 1U);
}

admitted expect_admitted(admission& a, const sent& s)
{
    const auto verdict = a.check(s.view(), now);
    if (const auto* const d = std::get_if<discarded>(&verdict)) {
        ADD_FAILURE() << "discarded: " << to_string(d->reason);
        return {};
    }
    return std::get<admitted>(verdict);
}

TEST(admission, every_router_accepts_an_advert_of_its_peer)
{
    admission a{rules()};
    for (std::uint32_t router = 0; router < rules().size(); ++router) {
        const auto result = expect_admitted(a, good(router, {.priority = 77}));
        EXPECT_EQ(result.router, router);
        EXPECT_EQ(result.advert.source, rules()[router].peers.front().address);
        EXPECT_EQ(result.advert.priority, 77);
        EXPECT_EQ(result.advert.interval, 1s);
        EXPECT_FALSE(result.address_list_differs);
        EXPECT_FALSE(result.interval_differs);
        EXPECT_EQ(a.counters(router).accepted, 1U);
    }
    EXPECT_EQ(total(a.counters_before_router()), 0U);
}

TEST(admission, a_datagram_shorter_than_any_advert_is_malformed)
{
    auto s = good(router_v3);
    s.message.resize(7);
    expect_discarded(s, discard_reason::malformed, std::nullopt);
    s.message.clear();
    expect_discarded(s, discard_reason::malformed, std::nullopt);
}

TEST(admission, multicast_and_broadcast_are_not_for_a_unicast_router)
{
    for (const auto* destination : {"224.0.0.18", "255.255.255.255", "ff02::12", "0.0.0.0", "::"}) {
        auto s = good(router_v3);
        s.destination = address(destination);
        expect_discarded(s, discard_reason::destination, std::nullopt);
    }
}

TEST(admission, an_unknown_source_is_refused_whatever_its_priority)
{
    for (const std::uint8_t priority : {std::uint8_t{0}, std::uint8_t{254}, std::uint8_t{255}}) {
        auto s = good(router_v3, {.priority = priority, .form = checksum_form::rfc9568});
        s.source = stranger;
        expect_discarded(s, discard_reason::unknown_peer, std::nullopt);
    }
}

TEST(admission, a_peer_of_another_router_is_known_but_has_no_router_here)
{
    auto s = good(router_v2);
    s.source = far_peer_v4;
    expect_discarded(s, discard_reason::vrid, std::nullopt);
}

TEST(admission, an_advert_from_our_own_address_is_told_apart_from_a_stranger)
{
    auto s = good(router_v3);
    s.source = self_v4;
    expect_discarded(s, discard_reason::self, std::nullopt);
    s.source = self_v6;
    expect_discarded(s, discard_reason::self, std::nullopt);
}

TEST(admission, a_peer_list_with_our_own_address_in_it_hears_nobody_there)
{
    auto with_self = rules();
    with_self[router_v3].peers.push_back({self_v4, 255});
    admission a{with_self};
    auto s = good(router_v3, {.form = checksum_form::rfc9568});
    s.source = self_v4;
    const auto verdict = a.check(s.view(), now);
    ASSERT_TRUE(std::holds_alternative<discarded>(verdict));
    EXPECT_EQ(std::get<discarded>(verdict).reason, discard_reason::self);
}

TEST(admission, a_ttl_below_255_is_refused_unless_the_peer_may)
{
    auto s = good(router_v3);
    for (const std::uint8_t ttl : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{254}}) {
        s.ttl = ttl;
        expect_discarded(s, discard_reason::ttl, router_v3);
    }
    s = good(router_v3, {.form = checksum_form::rfc9568});
    s.source = far_peer_v4;
    s.ttl = 249;
    expect_discarded(s, discard_reason::ttl, router_v3);
    s.ttl = 250;
    admission a{rules()};
    expect_admitted(a, s);
}

TEST(admission, a_low_ttl_is_told_before_an_unknown_vrid)
{
    auto s = good(router_v3);
    s.message[1] = 99;
    s.ttl = 254;
    expect_discarded(s, discard_reason::ttl, std::nullopt);
    s.source = far_peer_v4;  // may have 250 for one router
    expect_discarded(s, discard_reason::vrid, std::nullopt);
}

TEST(admission, every_type_but_advertisement_is_refused)
{
    for (unsigned type = 0; type < 16; ++type) {
        auto s = good(router_v3);
        s.message[0] = static_cast<std::uint8_t>(0x30U | type);
        store_checksum(s.message);
        if (type != advert_type) {
            expect_discarded(s, discard_reason::type, router_v3);
            s.message[1] = 99;
            expect_discarded(s, discard_reason::type, std::nullopt);
        }
    }
}

TEST(admission, an_unknown_vrid_or_a_destination_of_another_router_is_refused)
{
    for (unsigned vrid = 0; vrid < 256; ++vrid) {
        if (vrid >= 51 && vrid <= 53) {
            continue;
        }
        auto s = good(router_v3);
        s.message[1] = static_cast<std::uint8_t>(vrid);
        expect_discarded(s, discard_reason::vrid, std::nullopt);
    }
    auto s = good(router_v3);
    s.destination = address("10.0.1.11");
    expect_discarded(s, discard_reason::vrid, std::nullopt);
}

TEST(admission, the_vrid_of_one_family_is_not_the_vrid_of_the_other)
{
    admission a{rules()};
    EXPECT_EQ(expect_admitted(a, good(router_v3)).router, router_v3);
    EXPECT_EQ(expect_admitted(a, good(router_v6)).router, router_v6);
    EXPECT_EQ(a.counters(router_v3).accepted, 1U);
    EXPECT_EQ(a.counters(router_v6).accepted, 1U);
}

TEST(admission, the_vrid_of_one_interface_is_not_the_vrid_of_the_other)
{
    // The same peer speaks to both, for router 51 at either and for 60 at the second one alone.
    auto both = rules();
    auto there = both[router_v3];
    there.source = address("10.0.5.10");
    both.push_back(there);
    there.vrid = 60;
    both.push_back(there);
    admission a{both};
    auto s = good(router_v3, {.form = checksum_form::rfc9568});
    EXPECT_EQ(expect_admitted(a, s).router, router_v3);
    s.destination = there.source;
    EXPECT_EQ(expect_admitted(a, s).router, 4U);
    s.message[1] = 60;
    store_checksum(s.message);
    EXPECT_EQ(expect_admitted(a, s).router, 5U);
    s.destination = self_v4;
    const auto verdict = a.check(s.view(), now);
    ASSERT_TRUE(std::holds_alternative<discarded>(verdict)) << "nothing else is wrong with it";
    EXPECT_EQ(std::get<discarded>(verdict).reason, discard_reason::vrid);
}

TEST(admission, a_router_hears_its_own_version_only)
{
    for (unsigned other = 0; other < 16; ++other) {
        auto s = good(router_v3);
        s.message[0] = static_cast<std::uint8_t>((other << 4U) | advert_type);
        if (other != 3) {
            expect_discarded(s, discard_reason::version, router_v3);
        }
    }
    auto s = good(router_v2);
    s.message[0] = 0x31;
    expect_discarded(s, discard_reason::version, router_v2);
}

TEST(admission, a_wrong_length_is_refused)
{
    for (std::uint32_t router = 0; router < rules().size(); ++router) {
        auto s = good(router);
        s.message.push_back(0);
        expect_discarded(s, discard_reason::length, router);
        s.message.resize(s.message.size() - 2);
        expect_discarded(s, discard_reason::length, router);
        s = good(router);
        s.message[3] = 255;
        expect_discarded(s, discard_reason::length, router);
    }
}

TEST(admission, a_wrong_checksum_is_refused_in_both_versions_and_families)
{
    for (std::uint32_t router = 0; router < rules().size(); ++router) {
        auto s = good(router);
        s.message.back() ^= 1;
        expect_discarded(s, discard_reason::checksum, router);
    }
}

TEST(admission, an_advert_without_addresses_is_refused)
{
    auto s = good(router_v3);
    s.message.resize(8);
    s.message[3] = 0;
    store_checksum(s.message);
    expect_discarded(s, discard_reason::address_count, router_v3);
    s = good(router_v2);
    s.message.resize(16);
    s.message[3] = 0;
    store_checksum(s.message);
    expect_discarded(s, discard_reason::address_count, router_v2);
}

TEST(admission, a_zero_max_advertise_interval_is_refused)
{
    auto s = good(router_v3);
    store_big_u16(s.message, 4, 0xf000);
    store_checksum(s.message);
    expect_discarded(s, discard_reason::interval_zero, router_v3);
}

TEST(admission, version_2_wants_the_authentication_type_it_has_itself)
{
    expect_discarded(good(router_v2, {.password_sent = password("secret")}), discard_reason::auth_type, router_v2);
    auto s = good(router_v2_password);
    s.message[4] = 0;
    store_checksum(s.message);
    expect_discarded(s, discard_reason::auth_type, router_v2_password);
    s.message[4] = 2;
    store_checksum(s.message);
    expect_discarded(s, discard_reason::auth_type, router_v2_password);
}

TEST(admission, version_2_compares_all_eight_bytes_of_the_password)
{
    for (const auto* wrong : {"", "s", "secre", "secreu", "secret1", "Secret"}) {
        expect_discarded(good(router_v2_password, {.password_sent = password(wrong)}), discard_reason::auth_password,
                         router_v2_password);
    }
    auto s = good(router_v2_password);
    s.message.back() = 1;
    store_checksum(s.message);
    expect_discarded(s, discard_reason::auth_password, router_v2_password);
}

TEST(admission, version_2_without_a_password_ignores_the_authentication_data)
{
    auto s = good(router_v2);
    s.message.back() = 0xff;
    store_checksum(s.message);
    admission a{rules()};
    expect_admitted(a, s);
}

TEST(admission, version_2_refuses_another_interval_and_version_3_only_says_so)
{
    expect_discarded(good(router_v2, {.interval = 2s}), discard_reason::interval_mismatch, router_v2);
    auto zero = good(router_v2);
    zero.message[5] = 0;
    store_checksum(zero.message);
    expect_discarded(zero, discard_reason::interval_mismatch, router_v2);

    admission a{rules()};
    const auto result = expect_admitted(a, good(router_v3, {.interval = 200ms}));
    EXPECT_TRUE(result.interval_differs);
    EXPECT_EQ(result.advert.interval, 200ms);
    EXPECT_EQ(a.counters(router_v3).interval_differs, 1U);
}

TEST(admission, version_2_refuses_other_addresses_unless_the_owner_lists_them)
{
    const std::vector<ip_address> other = {address("192.0.2.100"), address("192.0.2.102")};
    expect_discarded(good(router_v2, {.addresses = other}), discard_reason::address_list, router_v2);
    admission a{rules()};
    EXPECT_TRUE(expect_admitted(a, good(router_v2, {.priority = 255, .addresses = other})).address_list_differs);
}

TEST(admission, version_3_accepts_other_addresses_and_says_so)
{
    admission a{rules()};
    for (const std::vector<ip_address>& other : {std::vector{address("192.0.2.100")},
                                                 {address("192.0.2.100"), address("192.0.2.102")},
                                                 {address("192.0.2.100"), address("192.0.2.100")},
                                                 {address("192.0.2.100"), address("192.0.2.101"), address("192.0.2.101")}}) {
        EXPECT_TRUE(expect_admitted(a, good(router_v3, {.addresses = other})).address_list_differs);
    }
    EXPECT_EQ(a.counters(router_v3).address_list_differs, 4U);
    EXPECT_EQ(a.counters(router_v3).accepted, 4U);
}

TEST(admission, the_order_of_the_addresses_is_free)
{
    admission a{rules()};
    const std::vector<ip_address> reversed = {address("192.0.2.101"), address("192.0.2.100")};
    EXPECT_FALSE(expect_admitted(a, good(router_v3, {.addresses = reversed})).address_list_differs);
    EXPECT_FALSE(expect_admitted(a, good(router_v2, {.addresses = reversed})).address_list_differs);
}

TEST(admission, both_checksum_forms_are_accepted_in_any_order_and_counted_apart)
{
    admission a{rules()};
    for (const auto form : {checksum_form::rfc9568, checksum_form::rfc5798, checksum_form::rfc5798, checksum_form::rfc9568,
                            checksum_form::rfc5798}) {
        expect_admitted(a, good(router_v3, {.form = form}));
    }
    expect_admitted(a, good(router_v2));
    expect_admitted(a, good(router_v6));
    EXPECT_EQ(a.counters(router_v3).checksum_rfc5798, 3U);
    EXPECT_EQ(a.counters(router_v3).checksum_rfc9568, 2U);
    for (const auto router : {router_v2, router_v6}) {
        EXPECT_EQ(a.counters(router).checksum_rfc5798 + a.counters(router).checksum_rfc9568, 0U);
    }
}

// The ladder: each step spoils one thing more, from the last check to the first, and the first failure decides.
TEST(admission, the_first_failing_check_decides)
{
    const std::vector<std::pair<discard_reason, std::function<void(sent&)>>> ladder = {
        {discard_reason::address_list, [](sent& s) { s.message[8] = 1, store_checksum(s.message); }},
        {discard_reason::interval_mismatch, [](sent& s) { s.message[5] = 9, store_checksum(s.message); }},
        {discard_reason::auth_password, [](sent& s) { s.message.back() = 1, store_checksum(s.message); }},
        {discard_reason::auth_type, [](sent& s) { s.message[4] = 0, store_checksum(s.message); }},
        {discard_reason::address_count,
         [](sent& s) { s.message[3] = 0, s.message.resize(16), s.message.back() = 1, store_checksum(s.message); }},
        {discard_reason::checksum, [](sent& s) { s.message.back() = 2; }},
        {discard_reason::length, [](sent& s) { s.message.resize(15); }},
        {discard_reason::version, [](sent& s) { s.message[0] = 0x41; }},
        {discard_reason::type, [](sent& s) { s.message[0] = 0x42; }},
        {discard_reason::ttl, [](sent& s) { s.ttl = 3; }},
    };
    auto s = good(router_v2_password);
    for (const auto& [reason, spoil] : ladder) {
        spoil(s);
        expect_discarded(s, reason, router_v2_password);
    }
    s.source = stranger;
    expect_discarded(s, discard_reason::unknown_peer, std::nullopt);
    s.destination = address("224.0.0.18");
    expect_discarded(s, discard_reason::destination, std::nullopt);
    s.message.resize(7);
    expect_discarded(s, discard_reason::malformed, std::nullopt);
}

TEST(admission, peers_are_listed_sorted_and_once)
{
    admission a{rules()};
    EXPECT_EQ(a.peers(), (std::vector{peer_v4, far_peer_v4, peer_v6}));
}

TEST(admission, thousands_of_routers_are_told_apart)
{
    std::vector<router_rule> many;
    for (unsigned i = 0; i < 5000; ++i) {
        const auto host = static_cast<std::uint8_t>(i / 250);
        const auto vrid = static_cast<std::uint8_t>(1 + i % 250);
        many.push_back({version::v3,
                        vrid,
                        ip_address::v4(10, 0, 1, host),
                        {{ip_address::v4(10, 0, 2, host), 255}, {ip_address::v4(10, 0, 3, host), 255}},
                        {address("192.0.2.100")},
                        1s,
                        std::nullopt});
    }
    admission a{many};
    byte_buffer message;
    for (std::uint32_t i = 0; i < many.size(); ++i) {
        for (const auto& peer : many[i].peers) {
            encode_advert({version::v3, many[i].vrid, 100, 1s, many[i].addresses, nullptr}, peer.address, many[i].source,
                          checksum_form::rfc5798, message);
            const auto verdict = a.check({peer.address, many[i].source, 255, message}, now);
            ASSERT_TRUE(std::holds_alternative<admitted>(verdict));
            ASSERT_EQ(std::get<admitted>(verdict).router, i);
        }
    }
}

TEST(admission, counters_are_carried_over_a_reload_for_the_routers_that_stay)
{
    admission before{rules()};
    expect_admitted(before, good(router_v3));
    expect_admitted(before, good(router_v6));
    auto unknown = good(router_v3);
    unknown.source = stranger;
    before.check(unknown.view(), now);

    auto fewer = rules();
    fewer.erase(fewer.begin(), fewer.begin() + 2);
    admission after{fewer};
    const std::vector<admission::kept_router> kept = {{0, before.counters(router_v2_password)},
                                                      {1, before.counters(router_v6)}};
    after.carry_over(before, kept);
    EXPECT_EQ(after.counters(0).accepted, 0U);
    EXPECT_EQ(after.counters(1).accepted, 1U);
    EXPECT_EQ(after.counters_before_router()[static_cast<std::size_t>(discard_reason::unknown_peer)], 1U);
}

TEST(admission, every_reason_has_a_name_of_its_own)
{
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < discard_reason_count; ++i) {
        names.push_back(to_string(static_cast<discard_reason>(i)));
    }
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
    EXPECT_EQ(std::ranges::count(names, "unknown"), 0);
}

}  // namespace

}  // namespace vipd::vrrp
