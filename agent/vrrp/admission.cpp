#include "agent/vrrp/admission.hpp"

#include "common/ensure.hpp"

#include <algorithm>
#include <bitset>
#include <utility>

namespace vipd::vrrp {

namespace {

bool is_broadcast(const ip_address& address)
{
    return address == ip_address::v4(255, 255, 255, 255);
}

bool is_unicast(const ip_address& address)
{
    return !address.is_multicast() && !is_broadcast(address) && !address.is_unspecified();
}

discard_reason reason_of(advert_fault fault)
{
    switch (fault) {
        case advert_fault::length:
            return discard_reason::length;
        case advert_fault::checksum:
            return discard_reason::checksum;
        case advert_fault::address_count:
            return discard_reason::address_count;
        case advert_fault::interval_zero:
            return discard_reason::interval_zero;
        case advert_fault::auth_type:
            return discard_reason::auth_type;
    }
    return discard_reason::malformed;
}

discard_reason reason_of(signature_fault fault)
{
    switch (fault) {
        case signature_fault::missing:
            return discard_reason::auth_missing;
        case signature_fault::malformed:
            return discard_reason::auth_malformed;
        case signature_fault::window:
            return discard_reason::auth_window;
        case signature_fault::unknown_key:
            return discard_reason::auth_unknown_key;
        case signature_fault::replay:
            return discard_reason::auth_replay;
        case signature_fault::mismatch:
            return discard_reason::auth_hmac;
    }
    return discard_reason::auth_malformed;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ (hash >> 32U);
}

std::uint64_t mix(std::uint64_t hash, const ip_address& address)
{
    const auto bytes = address.bytes();
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
        hash = mix(hash, load_big_u32(bytes, i));
    }
    return hash;
}

void sort_unique(std::vector<ip_address>& addresses)
{
    std::ranges::sort(addresses);
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

}  // namespace

std::string_view to_string(discard_reason reason)
{
    switch (reason) {
        case discard_reason::malformed:
            return "malformed";
        case discard_reason::destination:
            return "destination";
        case discard_reason::unknown_peer:
            return "unknown_peer";
        case discard_reason::self:
            return "self";
        case discard_reason::ttl:
            return "ttl";
        case discard_reason::type:
            return "type";
        case discard_reason::vrid:
            return "vrid";
        case discard_reason::version:
            return "version";
        case discard_reason::length:
            return "length";
        case discard_reason::checksum:
            return "checksum";
        case discard_reason::address_count:
            return "address_count";
        case discard_reason::interval_zero:
            return "interval_zero";
        case discard_reason::auth_type:
            return "auth_type";
        case discard_reason::auth_password:
            return "auth_password";
        case discard_reason::interval_mismatch:
            return "interval_mismatch";
        case discard_reason::address_list:
            return "address_list";
        case discard_reason::auth_missing:
            return "auth_missing";
        case discard_reason::auth_malformed:
            return "auth_malformed";
        case discard_reason::auth_window:
            return "auth_window";
        case discard_reason::auth_unknown_key:
            return "auth_unknown_key";
        case discard_reason::auth_replay:
            return "auth_replay";
        case discard_reason::auth_hmac:
            return "auth_hmac";
    }
    return "unknown";
}

std::size_t admission::route_key_hash::operator()(const route_key& key) const noexcept
{
    return static_cast<std::size_t>(mix(mix(mix(0, key.vrid), key.source), key.destination));
}

admission::admission(std::vector<router_rule> rules) :
    rules_(std::move(rules)), expected_(rules_.size()), counters_(rules_.size())
{
    for (const auto& rule : rules_) {
        own_.push_back(rule.source);
        for (const auto& peer : rule.peers) {
            peers_.push_back(peer.address);
        }
    }
    sort_unique(own_);
    sort_unique(peers_);
    peers_min_ttl_.assign(peers_.size(), 255);

    for (std::uint32_t router = 0; router < rules_.size(); ++router) {
        const auto& rule = rules_[router];
        ENSURE(rule.addresses.size() <= address_count_max);
        for (const auto& address : rule.addresses) {
            append(expected_[router].in_order, address.bytes());
        }
        expected_[router].sorted = rule.addresses;
        std::ranges::sort(expected_[router].sorted);
        for (const auto& peer : rule.peers) {
            ENSURE(peer.address.family() == rule.source.family());
            const bool is_self = std::ranges::binary_search(own_, peer.address);
            const route_key key{peer.address, rule.source, rule.vrid};
            const bool is_new = routes_.emplace(key, route{router, peer.min_ttl, is_self}).second;
            ENSURE(is_new);
            auto& lowest =
                peers_min_ttl_[static_cast<std::size_t>(std::ranges::lower_bound(peers_, peer.address) - peers_.begin())];
            lowest = std::min(lowest, peer.min_ttl);
        }
    }
}

void admission::carry_over(const admission& before, std::span<const kept_router> kept)
{
    counters_before_router_ = before.counters_before_router_;
    for (const auto& router : kept) {
        ENSURE(router.here < counters_.size());
        counters_[router.here] = router.counted;
    }
}

std::variant<admitted, discarded> admission::check(const datagram& d, wall_time now)
{
    const auto header = peek_advert(d.message);
    if (!header) {
        return discard(discard_reason::malformed);
    }
    const auto found = routes_.find(route_key{d.source, d.destination, header->vrid});
    if (found == routes_.end()) {
        const auto reason = reject_unrouted(d, *header);
        return discard(reason.value_or(discard_reason::vrid));
    }
    const auto& [router, min_ttl, is_self] = found->second;
    if (is_self) {
        return discard(discard_reason::self, router);
    }
    if (d.ttl < min_ttl) {
        return discard(discard_reason::ttl, router);
    }
    if (header->type != advert_type) {
        return discard(discard_reason::type, router);
    }
    return check_routed(d, *header, router, now);
}

// What is wrong with a datagram that is no router's, unless it is just that.
std::optional<discard_reason> admission::reject_unrouted(const datagram& d, const advert_header& header) const
{
    if (!is_unicast(d.destination)) {
        return discard_reason::destination;
    }
    if (std::ranges::binary_search(own_, d.source)) {
        return discard_reason::self;
    }
    const auto peer = std::ranges::lower_bound(peers_, d.source);
    if (peer == peers_.end() || *peer != d.source) {
        return discard_reason::unknown_peer;
    }
    if (d.ttl < peers_min_ttl_[static_cast<std::size_t>(peer - peers_.begin())]) {
        return discard_reason::ttl;
    }
    if (header.type != advert_type) {
        return discard_reason::type;
    }
    return std::nullopt;
}

std::variant<admitted, discarded> admission::check_routed(const datagram& d, const advert_header& header, std::uint32_t router,
                                                          wall_time now)
{
    const auto& rule = rules_[router];
    if (header.protocol_version != static_cast<std::uint8_t>(rule.protocol_version)) {
        return discard(discard_reason::version, router);
    }
    const auto [message, trailer] = rule.signatures != nullptr
                                        ? split_trailer(d.message, rule.protocol_version, d.source.family())
                                        : message_and_trailer{d.message, {}};
    const auto decoded = decode_advert(message, rule.protocol_version, d.source, d.destination, trailer);
    if (const auto* const fault = std::get_if<advert_fault>(&decoded)) {
        return discard(reason_of(*fault), router);
    }
    const auto& a = std::get<advert>(decoded);
    const bool is_v2 = rule.protocol_version == version::v2;
    if (is_v2) {
        if (const auto reason = reject_v2(a, router)) {
            return discard(*reason, router);
        }
    }
    const bool interval_differs = a.interval != rule.advert_interval;
    const bool list_differs = !lists_expected_addresses(a.addresses, router);
    if (is_v2 && list_differs && a.priority != priority_owner) {
        return discard(discard_reason::address_list, router);
    }
    // Last, because it costs most, and because only what is accepted may move the mark against replays.
    if (rule.signatures != nullptr) {
        if (const auto fault = rule.signatures->check(message, trailer, d.source, now)) {
            return discard(reason_of(*fault), router);
        }
        ++(trailer.empty() ? counters_[router].without_signature : counters_[router].with_signature);
    }

    auto& counters = counters_[router];
    ++counters.accepted;
    counters.address_list_differs += list_differs ? 1 : 0;
    counters.interval_differs += interval_differs ? 1 : 0;
    if (!is_v2 && d.source.is_v4()) {
        ++(a.form == checksum_form::rfc5798 ? counters.checksum_rfc5798 : counters.checksum_rfc9568);
    }
    return admitted{router, {d.source, a.priority, a.interval}, list_differs, interval_differs};
}

// RFC 3768 7.1 and RFC 2338 5.3.6: authentication, then the interval.
std::optional<discard_reason> admission::reject_v2(const advert& a, std::uint32_t router) const
{
    const auto& rule = rules_[router];
    const auto expected = rule.password ? auth_type::simple_password : auth_type::none;
    if (a.authentication != expected) {
        return discard_reason::auth_type;
    }
    if (rule.password && !equal_in_constant_time(a.password.bytes, rule.password->bytes)) {
        return discard_reason::auth_password;
    }
    if (a.interval != rule.advert_interval) {
        return discard_reason::interval_mismatch;
    }
    return std::nullopt;
}

// The same addresses, each as often, in any order: the RFCs recommend one order and demand none.
bool admission::lists_expected_addresses(const address_list_view& list, std::uint32_t router) const
{
    const auto& expected = expected_[router];
    if (std::ranges::equal(list.bytes(), expected.in_order)) {
        return true;
    }
    if (list.size() != expected.sorted.size()) {
        return false;
    }
    std::bitset<address_count_max> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto address = list[i];
        auto at = static_cast<std::size_t>(std::ranges::lower_bound(expected.sorted, address) - expected.sorted.begin());
        while (at < expected.sorted.size() && seen[at] && expected.sorted[at] == address) {
            ++at;
        }
        if (at == expected.sorted.size() || expected.sorted[at] != address) {
            return false;
        }
        seen[at] = true;
    }
    return true;
}

discarded admission::discard(discard_reason reason, std::optional<std::uint32_t> router)
{
    auto& counts = is_before_router(reason) ? counters_before_router_ : counters_[router.value()].discarded;
    ++counts[static_cast<std::size_t>(reason)];
    return {reason, router};
}

}  // namespace vipd::vrrp
