#include "agent/config/checks.hpp"

#include "agent/config/conflicts.hpp"
#include "agent/config/entry.hpp"
#include "agent/config/fields.hpp"
#include "agent/config/hook_checks.hpp"
#include "agent/config/node_addresses.hpp"
#include "agent/config/policies.hpp"
#include "agent/config/sync_groups.hpp"
#include "agent/config/text.hpp"
#include "agent/config/trackers.hpp"
#include "common/duration_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::config {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t advert_size_max = 1400;  // bytes that pass every tunnel without a fragment
constexpr duration api_preempt_delay = 30s;    // within which nodes that lose EC2 together notice it
constexpr duration short_interval = 100ms;     // below it, scheduling noise on a loaded node is as long as the interval

std::string_view family_name(ip_family family)
{
    return family == ip_family::v4 ? "IPv4" : "IPv6";
}

// --- [aws] and [http] ---

void check_aws(reading& r, const entry<aws_section>& e)
{
    if (!is_sound(r, e, "aws", {"endpoint", "use_fips_endpoint", "use_dualstack_endpoint"}) || !e.value.endpoint) {
        return;
    }
    const auto refuse_variant = [&](std::string_view name, bool is_set) {
        if (is_set) {
            r.error(e.where(name), e.path_to(name),
                    "found true beside endpoint, which names the host itself; remove one of the two");
        }
    };
    refuse_variant("use_fips_endpoint", e.value.use_fips_endpoint);
    refuse_variant("use_dualstack_endpoint", e.value.use_dualstack_endpoint);
}

// The file is replaced whole whenever the identity changes.
void check_identity_cache(reading& r, const entry<aws_section>& e, const http_section& http)
{
    if (!is_sound(r, e, "aws", {"identity_cache", "ca_bundle"}) || e.value.identity_cache.empty()) {
        return;
    }
    const auto refuse_other = [&](std::string_view other, const std::string& path) {
        if (e.value.identity_cache == path) {
            r.error(e.where("identity_cache"), e.path_to("identity_cache"),
                    fmt::format("found {}, which is also {}; give it a file of its own", in_quotes(path), other));
        }
    };
    refuse_other("ca_bundle", e.value.ca_bundle);
    refuse_other("socket in [http]", http.socket);
}

// What it brings about is an alarm in another system that says nothing of the cause.
void check_reconcile_period(reading& r, const entry<aws_section>& e, bool uses_aws)
{
    if (is_sound(r, e, "aws", {"reconcile_period"}) && uses_aws && e.value.reconcile_period > reconcile_period_expected) {
        r.warning(
            e.where("reconcile_period"), e.path_to("reconcile_period"),
            fmt::format("found {}; status warns of what EC2 has not confirmed for {}, and the alert "
                        "VipdResourceNotConfirmed fires after another minute of it, though the Active is well; set {} or "
                        "less (a read may be late by a tenth), or raise the bound in the alert and bear with the warnings",
                        format_duration(e.value.reconcile_period), format_duration(confirmed_age_expected),
                        format_duration(reconcile_period_expected)));
    }
}

// Whether the kernel would refuse to bind the second one. Sockets of IPv6 are for IPv6 only.
bool is_same_place(const tcp_listener& a, const tcp_listener& b)
{
    return a.port == b.port && a.address.family() == b.address.family() &&
           (a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified());
}

void check_http(reading& r, const entry<http_section>& e)
{
    std::vector<entry<tcp_listener>> seen;
    for_each_sound_entry(r, e, "listen", e.value.listen, [&](const entry<tcp_listener>& listener) {
        const auto other =
            std::ranges::find_if(seen, [&](const entry<tcp_listener>& s) { return is_same_place(s.value, listener.value); });
        if (other != seen.end() && other->value == listener.value) {
            r.error(listener.at.offset, listener.path,
                    fmt::format("found {} a second time; remove one of the two", shown(r, listener.at)));
        } else if (other != seen.end()) {
            r.error(listener.at.offset, listener.path,
                    fmt::format("found {} beside {}, and one of the two is on every address; remove one of the two",
                                shown(r, listener.at), shown(r, other->at)));
        } else if (!listener.value.address.is_loopback()) {
            r.warning(
                listener.at.offset, listener.path,
                fmt::format("{} can be reached from other machines: status and metrics are readable by whoever may connect; "
                            "let a security group or firewall decide who that is",
                            shown(r, listener.at)));
        }
        seen.push_back(listener);
    });
}

// --- one router by itself ---

// What family the others have to be of; null when no peer is right.
const ip_address* first_sound_peer(const reading& r, const entry<router>& e)
{
    const ip_address* first = nullptr;
    for_each_sound_entry(r, e, "peers", e.value.peers,
                         [&](const entry<vrrp::peer_rule>& peer) { first = first == nullptr ? &peer.value.address : first; });
    return first;
}

void check_priority(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router", {"priority", "address_owner"})) {
        return;
    }
    if (e.value.priority == vrrp::priority_owner && !e.value.address_owner) {
        r.error(e.where("priority"), e.path_to("priority"),
                "found 255 without address_owner = true; allowed are 1 to 254, and 255 with address_owner = true");
    }
    if (e.value.priority != vrrp::priority_owner && e.value.address_owner) {
        r.error(e.where("address_owner"), e.path_to("address_owner"),
                fmt::format("found true with priority {}; an address owner has priority 255; set priority = 255, or remove "
                            "address_owner",
                            e.value.priority));
    }
}

void check_peers(reading& r, const entry<router>& e)
{
    const auto* const first = first_sound_peer(r, e);
    if (first == nullptr) {
        return;
    }
    const bool source_is_known = is_sound(r, e, "router", {"source"}) && e.value.source;
    const auto family = source_is_known ? e.value.source->family() : first->family();
    const std::string_view reference = source_is_known ? "source" : "the first peer";
    std::vector<ip_address> seen;
    for_each_sound_entry(r, e, "peers", e.value.peers, [&](const entry<vrrp::peer_rule>& peer) {
        const auto& address = peer.value.address;
        const auto text = in_quotes(address.to_string());
        if (std::ranges::find(seen, address) != seen.end()) {
            r.error(peer.at.offset, peer.path, fmt::format("found {} a second time; remove one of the two", text));
        } else if (source_is_known && address == *e.value.source) {
            r.error(peer.at.offset, peer.path,
                    fmt::format("found {}, which is this node's own source; list the other nodes only", text));
        } else if (address.family() != family) {
            r.error(
                peer.at.offset, peer.path,
                fmt::format("found {}, which is {}, while {} is {}; use one family for a router, and a router for each family",
                            text, family_name(address.family()), reference, family_name(family)));
        }
        seen.push_back(address);
    });
}

void check_source(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router", {"source", "interface"})) {
        return;
    }
    if (!e.value.source && e.value.interface.empty()) {
        r.error(
            e.at.offset, e.path_to("source"),
            "is missing, and so is interface; give the address that adverts come from, or the interface whose primary address "
            "that is");
    }
    if (e.value.source && e.value.source->is_v6() && e.value.source->is_link_local()) {
        r.error(e.where("source"), e.path_to("source"),
                fmt::format("found {}; a link-local address reaches one subnet only and means nothing without its interface; "
                            "allowed is a global or unique local address",
                            in_quotes(e.value.source->to_string())));
    }
}

void check_interval(reading& r, const entry<router>& e, bool realtime)
{
    if (!is_sound(r, e, "router", {"version", "advert_interval"})) {
        return;
    }
    const auto interval = e.value.advert_interval;
    const auto refuse_interval = [&](std::string_view allowed) {
        r.error(e.where("advert_interval"), e.path_to("advert_interval"),
                fmt::format("found {}; allowed is {}", format_duration(interval), allowed));
    };
    if (e.value.version == vrrp::version::v2) {
        if (interval < 1s || interval % 1s != 0s) {
            refuse_interval("1s to 255s in whole seconds with version 2; set version = 3 for shorter ones");
        }
        return;
    }
    if (interval > vrrp::advert_interval_max_v3 || interval % 10ms != 0s) {
        refuse_interval("10ms to 40.95s in steps of 10ms with version 3");
    } else if (interval < short_interval && !realtime) {
        r.warning(
            e.where("advert_interval"), e.path_to("advert_interval"),
            fmt::format("{} is shorter than what a busy node keeps up without real-time scheduling; set realtime = true, or "
                        "100ms or more",
                        format_duration(interval)));
    }
}

void check_version(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router", {"version"})) {
        return;
    }
    const bool is_v2 = e.value.version == vrrp::version::v2;
    const auto* const peer = first_sound_peer(r, e);
    const bool is_v6 = peer != nullptr && peer->is_v6();
    if (is_v2 && is_v6) {
        r.error(e.where("version"), e.path_to("version"), "found 2 with IPv6 peers; VRRPv2 is IPv4 only; set version = 3");
    }
    if (is_sound(r, e, "router", {"checksum"}) && e.key("checksum") != nullptr && (is_v2 || is_v6)) {
        r.warning(e.where("checksum"), e.path_to("checksum"),
                  "has no effect: there are two forms for version 3 over IPv4 only; remove it");
    }
}

void check_password(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router", {"version"}) || !e.value.auth.password) {
        return;
    }
    if (e.value.version == vrrp::version::v2) {
        r.warning(e.where("auth"), e.path_to("auth"),
                  "the password travels in clear text with every advert: it keeps out mistakes, not attackers");
    } else {
        r.error(
            e.where("auth"), e.path_to("auth"),
            "found kind \"password\" with version 3; passwords are VRRPv2's; use kind = \"hmac\", remove [router.auth], or set "
            "version = 2");
    }
}

void check_hmac(reading& r, const entry<router>& e)
{
    const entry<vrrp::hmac_settings> auth{*e.value.auth.hmac, *e.key("auth"), e.path_to("auth")};
    std::vector<std::uint8_t> seen;
    for_each_entry(auth, "keys", auth.value.keys, [&](const entry<vrrp::identified_secret>& key) {
        if (std::ranges::find(seen, key.value.id) != seen.end()) {
            r.error(key.where("id"), key.path_to("id"),
                    fmt::format("found {} a second time; give every key an id of its own", key.value.id));
        }
        seen.push_back(key.value.id);
    });
    if (std::ranges::find(seen, auth.value.active_key) == seen.end()) {
        r.error(auth.where("active_key"), auth.path_to("active_key"),
                fmt::format("found {}, which is the id of none of the keys", auth.value.active_key));
    }
    if (auth.value.against_replay == vrrp::anti_replay::monotonic && auth.key("window") != nullptr) {
        r.warning(auth.where("window"), auth.path_to("window"),
                  "has no effect with anti_replay = \"monotonic\"; remove one of the two");
    }
}

void check_auth(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router", {"auth"})) {
        return;
    }
    check_password(r, e);
    if (e.value.auth.hmac) {
        check_hmac(r, e);
    }
}

void check_preemption(reading& r, const entry<router>& e)
{
    if (is_sound(r, e, "router", {"preempt", "preempt_delay"}) && !e.value.preempt && e.key("preempt_delay") != nullptr) {
        r.warning(e.where("preempt_delay"), e.path_to("preempt_delay"),
                  "has no effect with preempt = false; remove one of the two");
    }
    if (is_sound(r, e, "router", {"startup_delay", "address_owner"}) && e.value.startup_delay > 0s && e.value.address_owner) {
        r.error(
            e.where("startup_delay"), e.path_to("startup_delay"),
            "found a delay beside address_owner = true: the owner of an address is Active from the start (RFC 9568, section "
            "6.4.1); remove one of the two");
    }
}

// What moves the role after a change of priority is preemption.
void check_api_weight(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router",
                  {"api_weight", "address_owner", "preempt", "preempt_delay", "route", "secondary_ip", "elastic_ip", "eni"}) ||
        e.value.api_weight == 0) {
        return;
    }
    const auto warn = [&](const std::string& text) { r.warning(e.where("api_weight"), e.path_to("api_weight"), text); };
    if (!e.value.moves_in_cloud()) {
        warn("has no effect: this router moves nothing in EC2; remove it");
    } else if (e.value.address_owner) {
        warn("has no effect: the priority of an address owner is always 255; remove it");
    } else if (!e.value.preempt) {
        warn(
            "a node with preempt = false does not take over from an Active whose priority has dropped; set preempt = true on "
            "the nodes that are to do so");
    } else if (e.value.preempt_delay < api_preempt_delay) {
        warn(
            fmt::format("with preempt_delay {} an outage of EC2 that every node has may move the role there and back, because "
                        "one notices it before the other; allow {} or more",
                        format_duration(e.value.preempt_delay), format_duration(api_preempt_delay)));
    }
}

void refuse_second(reading& r, const entry<ip_address>& item)
{
    r.error(item.at.offset, item.path,
            fmt::format("found {} a second time; remove one of the two", in_quotes(item.value.to_string())));
}

void check_advertised_list(reading& r, const entry<router>& e, ip_family family)
{
    std::vector<ip_address> seen;
    for_each_sound_entry(r, e, "advertised_addresses", e.value.advertised_addresses, [&](const entry<ip_address>& item) {
        const auto text = in_quotes(item.value.to_string());
        if (item.value.family() != family) {
            r.error(item.at.offset, item.path,
                    fmt::format("found {}, which is {}, while the peers are {}; adverts list addresses of their own family",
                                text, family_name(item.value.family()), family_name(family)));
        } else if (std::ranges::find(seen, item.value) != seen.end()) {
            refuse_second(r, item);
        }
        seen.push_back(item.value);
    });
}

void check_advertised(reading& r, const entry<router>& e)
{
    const auto* const peer = first_sound_peer(r, e);
    if (peer == nullptr) {
        return;
    }
    const auto family = peer->family();
    const auto& addresses = e.value.advertised_addresses;
    check_advertised_list(r, e, family);
    if (!is_sound(r, e, "router", {"version", "auth", "address", "route", "secondary_ip", "advertised_addresses"})) {
        return;
    }
    if (addresses.empty()) {
        r.error(
            e.at.offset, e.path_to("advertised_addresses"),
            fmt::format(
                "is missing, and there is no {} address or host route of this router that adverts could list; give at least "
                "one address",
                family_name(family)));
        return;
    }
    const std::size_t address_size = family == ip_family::v4 ? 4 : 16;
    const std::size_t overhead =
        (e.value.version == vrrp::version::v2 ? 16U : 8U) + (e.value.auth.hmac ? vrrp::trailer_size : 0U);
    const std::size_t count_max = std::min<std::size_t>(255, (advert_size_max - overhead) / address_size);
    if (addresses.size() > count_max) {
        r.error(
            e.where("advertised_addresses"), e.path_to("advertised_addresses"),
            fmt::format("found {} addresses; allowed are {} of {} at most, so that an advert stays within {} bytes; list fewer "
                        "in advertised_addresses",
                        addresses.size(), count_max, family_name(family), advert_size_max));
    }
}

void check_tables(reading& r, const entry<table_selection>& e)
{
    std::vector<aws::route_table_id> seen;
    for_each_sound_entry(r, e, "ids", e.value.ids, [&](const entry<aws::route_table_id>& id) {
        if (std::ranges::find(seen, id.value) != seen.end()) {
            r.error(id.at.offset, id.path, fmt::format("found {} a second time; remove one of the two", shown(r, id.at)));
        }
        seen.push_back(id.value);
    });
    if (r.is_broken(e.at)) {
        return;
    }
    const bool by_id = !e.value.ids.empty();
    const bool by_vpc = e.value.whole_vpc || !e.value.tags.empty();
    if (e.key("vpc") != nullptr && !e.value.whole_vpc) {
        r.error(e.where("vpc"), e.path_to("vpc"), "found false; allowed is true; remove it, and choose tables by ids or tags");
    } else if (by_id && by_vpc) {
        r.error(e.at.offset, e.path, "found ids beside vpc or tags; allowed is ids, or vpc, or tags with or without vpc");
    } else if (!by_id && !by_vpc) {
        r.error(e.at.offset, e.path, "found none of ids, vpc and tags; choose the tables by one of them");
    }
}

// An interface of this node by its name or by its id.
template <class Entry>
void check_target(reading& r, const entry<Entry>& e, bool router_interface_is_sound)
{
    if (!is_sound(r, e, section_name<Entry>(), {"interface", "interface_id"})) {
        return;
    }
    if (e.key("interface") != nullptr && e.value.interface_id) {
        r.error(e.where("interface_id"), e.path_to("interface_id"),
                fmt::format("found {} beside interface = {}; remove one of the two", in_quotes(e.value.interface_id->str()),
                            in_quotes(e.value.interface)));
    } else if (e.value.interface.empty() && !e.value.interface_id && router_interface_is_sound) {
        r.error(e.at.offset, e.path_to("interface"),
                "is missing, and the router has none; give interface, here or in [[router]], or interface_id");
    }
}

void check_route(reading& r, const entry<route_entry>& e, bool router_interface_is_sound)
{
    if (const auto* const tables = e.key("tables"); tables != nullptr && tables->as_table() != nullptr) {
        check_tables(r, {e.value.tables, *tables, e.path_to("tables")});
    }
    check_target(r, e, router_interface_is_sound);
}

void check_secondary_ip(reading& r, const entry<router>& router, const entry<secondary_ip_entry>& e)
{
    if (!is_sound(r, e, "router.secondary_ip", {"address", "interface", "interface_id"})) {
        return;
    }
    const auto& listed = router.value.addresses;
    const bool is_listed =
        std::ranges::any_of(listed, [&](const address_entry& a) { return a.address.address() == e.value.address; });
    if (e.value.interface.empty() && e.value.interface_id && !is_listed) {
        r.warning(e.where("interface_id"), e.path_to("interface_id"),
                  fmt::format("does not say which local interface that is, so {} is not put on this node; give interface, or "
                              "add a [[router.address]]",
                              e.value.address.to_string()));
    }
}

void check_elastic_ip(reading& r, const entry<elastic_ip_entry>& e)
{
    const auto& address = e.value.private_address;
    if (is_sound(r, e, "router.elastic_ip", {"private_address"}) && address && address->is_v6()) {
        r.error(e.where("private_address"), e.path_to("private_address"),
                fmt::format("found {}; an Elastic IP is IPv4, and so is the private address that it stands for",
                            in_quotes(address->to_string())));
    }
}

void check_eni_addresses(reading& r, const entry<eni_entry>& e)
{
    std::vector<ip_address> seen;
    for_each_sound_entry(r, e, "addresses", e.value.addresses, [&](const entry<ip_address>& item) {
        if (std::ranges::find(seen, item.value) != seen.end()) {
            refuse_second(r, item);
        }
        seen.push_back(item.value);
    });
    if (is_sound(r, e, "router.eni", {"addresses", "configure"}) && !e.value.addresses.empty() && !e.value.configure) {
        r.error(e.where("addresses"), e.path_to("addresses"),
                "found addresses beside configure = false, which leaves the interface's addresses to others; remove one of the "
                "two");
    }
}

void check_eni(reading& r, const entry<eni_entry>& e)
{
    check_eni_addresses(r, e);
    const auto* const match = e.key("match");
    if (match == nullptr || r.is_broken(*match)) {
        return;
    }
    const auto& m = e.value.match;
    const int given = (m.id ? 1 : 0) + (m.address ? 1 : 0) + (m.tags.empty() ? 0 : 1);
    if (given != 1) {
        r.error(match->offset, e.path_to("match"),
                fmt::format("found {} of id, address and tags; name the interface by exactly one of them", given));
    }
}

// An address on a link without a MAC address, as lo is, is announced as one of the router's interface.
void check_announce(reading& r, const entry<router>& e)
{
    const auto is_on_loopback = [](const address_entry& a) { return a.interface == "lo"; };
    if (!e.value.announce || !is_sound(r, e, "router", {"announce", "interface", "address"}) || !e.value.interface.empty()) {
        return;
    }
    if (const auto found = std::ranges::find_if(e.value.addresses, is_on_loopback); found != e.value.addresses.end()) {
        r.error(e.where("announce"), e.path_to("announce"),
                fmt::format("found it beside {} on lo, which has no MAC address to announce; give the router the interface "
                            "whose one is announced, or remove the section",
                            found->address.to_string()));
    }
}

void check_router(reading& r, const entry<router>& e, bool realtime)
{
    if (e.at.as_table() == nullptr) {
        return;
    }
    check_source(r, e);
    check_priority(r, e);
    check_peers(r, e);
    check_version(r, e);
    check_auth(r, e);
    check_interval(r, e, realtime);
    check_preemption(r, e);
    check_api_weight(r, e);
    check_advertised(r, e);
    check_hooks(r, e);
    check_trackers(r, e);
    check_announce(r, e);
    for_each_entry(e, "address", e.value.addresses,
                   [&](const entry<address_entry>& address) { check_address_options(r, address); });
    const bool interface_is_sound = is_sound(r, e, "router", {"interface"});
    for_each_entry(e, "route", e.value.routes,
                   [&](const entry<route_entry>& route) { check_route(r, route, interface_is_sound); });
    for_each_entry(e, "secondary_ip", e.value.secondary_ips, [&](const entry<secondary_ip_entry>& secondary) {
        check_target(r, secondary, interface_is_sound);
        check_secondary_ip(r, e, secondary);
    });
    for_each_entry(e, "elastic_ip", e.value.elastic_ips, [&](const entry<elastic_ip_entry>& elastic) {
        check_target(r, elastic, interface_is_sound);
        check_elastic_ip(r, elastic);
    });
    for_each_entry(e, "eni", e.value.enis, [&](const entry<eni_entry>& eni) { check_eni(r, eni); });
}

}  // namespace

void check(reading& r, const node& root, const configuration& all)
{
    const entry<configuration> top{all, root, ""};
    if (const auto* const aws = top.key("aws")) {
        check_aws(r, {all.aws, *aws, "aws"});
        check_identity_cache(r, {all.aws, *aws, "aws"}, all.http);
        check_reconcile_period(r, {all.aws, *aws, "aws"}, all.uses_aws());
    }
    if (const auto* const http = top.key("http")) {
        check_http(r, {all.http, *http, "http"});
    }
    const auto* const routers = top.key("router");
    if (routers != nullptr && routers->as_list() != nullptr && routers->as_list()->empty()) {
        r.error(routers->offset, "router", "found no entry; at least one [[router]] is needed");
    }
    for_each_entry(top, "router", all.routers, [&](const entry<router>& e) { check_router(r, e, all.realtime); });
    check_conflicts(r, top);
    check_node_addresses(r, top);
    check_policies(r, top);
    check_sync_groups(r, top);
}

}  // namespace vipd::config
