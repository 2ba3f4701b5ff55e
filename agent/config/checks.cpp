#include "agent/config/checks.hpp"

#include "agent/config/text.hpp"
#include "common/duration_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace vipd::config {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t advert_size_max = 1400;  // bytes that pass every tunnel without a fragment
constexpr duration short_interval = 100ms;     // below it, scheduling noise on a loaded node is as long as the interval

// One table of the file and what was read from it.
template <class Section>
struct entry {
    const Section& value;
    const node& at;
    std::string path;

    [[nodiscard]] const node* key(std::string_view name) const
    {
        const auto* const members = at.as_table();
        return members == nullptr ? nullptr : find(*members, name);
    }
    // Where the value is, or where it is missing.
    [[nodiscard]] std::size_t where(std::string_view name) const
    {
        const auto* const value_node = key(name);
        return value_node == nullptr ? at.offset : value_node->offset;
    }
    [[nodiscard]] std::string path_to(std::string_view name) const { return fmt::format("{}.{}", path, name); }
};

// Whether these keys were read as they stand, or are absent and need not be there.
template <class Section>
bool is_sound(const reading& r, const entry<Section>& e, std::string_view section,
              std::initializer_list<std::string_view> names)
{
    return e.at.as_table() != nullptr && std::ranges::all_of(names, [&](std::string_view name) {
               const auto* const value = e.key(name);
               return value == nullptr ? find_key(section, name)->need == presence::optional : !r.is_broken(*value);
           });
}

// Calls visit(entry) for each element of a list that was read from key `name` of `parent`.
template <class Parent, class Element, class Visit>
void for_each_entry(const entry<Parent>& parent, std::string_view name, const std::vector<Element>& elements, Visit visit)
{
    const auto* const value = parent.key(name);
    const auto* const nodes = value == nullptr ? nullptr : value->as_list();
    if (nodes == nullptr || nodes->size() != elements.size()) {
        return;
    }
    const auto prefix = parent.path.empty() ? std::string(name) : parent.path_to(name);
    for (std::size_t i = 0; i < elements.size(); ++i) {
        visit(entry<Element>{elements[i], (*nodes)[i], fmt::format("{}[{}]", prefix, i)});
    }
}

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

void check_http(reading& r, const entry<http_section>& e)
{
    std::vector<tcp_listener> seen;
    for_each_entry(e, "listen", e.value.listen, [&](const entry<tcp_listener>& listener) {
        if (r.is_broken(listener.at)) {
            return;
        }
        if (std::ranges::find(seen, listener.value) != seen.end()) {
            r.error(listener.at.offset, listener.path,
                    fmt::format("found {} a second time; remove one of the two", shown(r, listener.at)));
        } else if (!listener.value.address.is_loopback()) {
            r.warning(
                listener.at.offset, listener.path,
                fmt::format("{} can be reached from other machines: status and metrics are readable by whoever may connect; "
                            "let a security group or firewall decide who that is",
                            shown(r, listener.at)));
        }
        seen.push_back(listener.value);
    });
}

// --- one router by itself ---

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
    if (!is_sound(r, e, "router", {"peers"})) {
        return;
    }
    const bool source_is_known = is_sound(r, e, "router", {"source"}) && e.value.source;
    const auto family = source_is_known ? e.value.source->family() : e.value.peers.front().address.family();
    const std::string_view reference = source_is_known ? "source" : "the first peer";
    std::vector<ip_address> seen;
    for_each_entry(e, "peers", e.value.peers, [&](const entry<vrrp::peer_rule>& peer) {
        const auto& address = peer.value.address;
        const auto text = quoted(address.to_string());
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
                            quoted(e.value.source->to_string())));
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
    if (interval > 40950ms || interval % 10ms != 0s) {
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
    const bool peers_are_sound = is_sound(r, e, "router", {"peers"});
    const bool is_v6 = peers_are_sound && e.value.peers.front().address.is_v6();
    if (is_v2 && is_v6) {
        r.error(e.where("version"), e.path_to("version"), "found 2 with IPv6 peers; VRRPv2 is IPv4 only; set version = 3");
    }
    if (is_sound(r, e, "router", {"auth"}) && e.value.password) {
        if (is_v2) {
            r.warning(e.where("auth"), e.path_to("auth"),
                      "the password travels in clear text with every advert: it keeps out mistakes, not attackers");
        } else {
            r.error(e.where("auth"), e.path_to("auth"),
                    "found kind \"password\" with version 3; passwords are VRRPv2's; remove [router.auth], or set version = 2");
        }
    }
    if (is_sound(r, e, "router", {"checksum"}) && e.key("checksum") != nullptr && (is_v2 || is_v6)) {
        r.warning(e.where("checksum"), e.path_to("checksum"),
                  "has no effect: there are two forms for version 3 over IPv4 only; remove it");
    }
}

void check_preemption(reading& r, const entry<router>& e)
{
    if (is_sound(r, e, "router", {"preempt", "preempt_delay"}) && !e.value.preempt && e.key("preempt_delay") != nullptr) {
        r.warning(e.where("preempt_delay"), e.path_to("preempt_delay"),
                  "has no effect with preempt = false; remove one of the two");
    }
}

void check_advertised(reading& r, const entry<router>& e)
{
    if (!is_sound(r, e, "router", {"peers", "version", "address", "route", "advertised_addresses"})) {
        return;
    }
    const auto family = e.value.peers.front().address.family();
    const auto& addresses = e.value.advertised_addresses;
    if (addresses.empty()) {
        r.error(e.at.offset, e.path_to("advertised_addresses"),
                fmt::format(
                    "is missing, and there is no {} [[router.address]] or host route that adverts could list; give at least "
                    "one address",
                    family_name(family)));
        return;
    }
    std::vector<ip_address> seen;
    for_each_entry(e, "advertised_addresses", addresses, [&](const entry<ip_address>& item) {
        const auto text = quoted(item.value.to_string());
        if (item.value.family() != family) {
            r.error(item.at.offset, item.path,
                    fmt::format("found {}, which is {}, while the peers are {}; adverts list addresses of their own family",
                                text, family_name(item.value.family()), family_name(family)));
        } else if (std::ranges::find(seen, item.value) != seen.end()) {
            r.error(item.at.offset, item.path, fmt::format("found {} a second time; remove one of the two", text));
        }
        seen.push_back(item.value);
    });
    const std::size_t address_size = family == ip_family::v4 ? 4 : 16;
    const std::size_t overhead = e.value.version == vrrp::version::v2 ? 16 : 8;
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
    std::vector<aws::route_table_id> seen;
    for_each_entry(e, "ids", e.value.ids, [&](const entry<aws::route_table_id>& id) {
        if (std::ranges::find(seen, id.value) != seen.end()) {
            r.error(id.at.offset, id.path, fmt::format("found {} a second time; remove one of the two", shown(r, id.at)));
        }
        seen.push_back(id.value);
    });
}

void check_route(reading& r, const entry<route_entry>& e, bool router_interface_is_sound)
{
    if (is_sound(r, e, "router.route", {"tables"})) {
        check_tables(r, {e.value.tables, *e.key("tables"), e.path_to("tables")});
    }
    if (!is_sound(r, e, "router.route", {"interface", "interface_id"})) {
        return;
    }
    if (e.key("interface") != nullptr && e.value.interface_id) {
        r.error(e.where("interface_id"), e.path_to("interface_id"),
                fmt::format("found {} beside interface = {}; remove one of the two", quoted(e.value.interface_id->str()),
                            quoted(e.value.interface)));
    } else if (e.value.interface.empty() && !e.value.interface_id && router_interface_is_sound) {
        r.error(e.at.offset, e.path_to("interface"),
                "is missing, and the router has none; give interface, here or in [[router]], or interface_id");
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
    check_interval(r, e, realtime);
    check_preemption(r, e);
    check_advertised(r, e);
    const bool interface_is_sound = is_sound(r, e, "router", {"interface"});
    for_each_entry(e, "route", e.value.routes,
                   [&](const entry<route_entry>& route) { check_route(r, route, interface_is_sound); });
}

// --- routers with each other ---

// Remembers who had something first.
template <class Key>
class first_owners {
public:
    struct owner {
        std::string path;
        std::size_t offset = 0;
    };

    // The one who had it before; null when nobody had, and then it is this one's.
    const owner* claim(const Key& what, const std::string& path, std::size_t offset)
    {
        const auto [at, is_new] = owners_.try_emplace(what, owner{path, offset});
        return is_new ? nullptr : &at->second;
    }

private:
    std::map<Key, owner> owners_;
};

class checks_between_routers {
public:
    explicit checks_between_routers(reading& r) : r_(r) {}

    void add(const entry<router>& e)
    {
        if (e.at.as_table() == nullptr) {
            return;
        }
        check_name(e);
        check_admission(e);
        for_each_entry(e, "address", e.value.addresses, [&](const entry<address_entry>& address) { check_address(address); });
        for_each_entry(e, "route", e.value.routes, [&](const entry<route_entry>& route) { check_destination(route); });
    }

private:
    template <class Owner>
    [[nodiscard]] std::string name(const Owner& owner) const
    {
        return fmt::format("{} (line {})", owner.path, r_.line_of(owner.offset));
    }

    void check_name(const entry<router>& e)
    {
        if (!is_sound(r_, e, "router", {"name"})) {
            return;
        }
        if (const auto* const other = names_.claim(e.value.name, e.path, e.where("name"))) {
            r_.error(
                e.where("name"), e.path_to("name"),
                fmt::format("found {}, which {} has already; names are unique in a file", quoted(e.value.name), name(*other)));
        }
    }

    // An advert is told by its destination, its source and its VRID. The destination is our source; where only the interface is
    // given it is known at the start, and what turns out to be the same then is refused there.
    void check_admission(const entry<router>& e)
    {
        if (!is_sound(r_, e, "router", {"vrid", "source", "interface", "peers"})) {
            return;
        }
        const bool has_source = e.value.source.has_value();
        const auto end = has_source ? "source " + e.value.source->to_string() : "primary of " + e.value.interface;
        for (const auto& peer : e.value.peers) {
            const auto* const other = ends_.claim({end, e.value.vrid, peer.address}, e.path, e.at.offset);
            if (other != nullptr && other->offset != e.at.offset) {
                r_.error(
                    e.where("vrid"), e.path_to("vrid"),
                    fmt::format("found {} with the peer {}, as {} has from the same {}; their adverts could not be told apart; "
                                "choose another vrid",
                                e.value.vrid, peer.address.to_string(), name(*other), has_source ? "source" : "interface"));
                return;
            }
        }
    }

    void check_address(const entry<address_entry>& e)
    {
        if (!is_sound(r_, e, "router.address", {"address", "interface"})) {
            return;
        }
        const auto* const other = addresses_.claim({e.value.interface, e.value.address.address()}, e.path, e.where("address"));
        if (other != nullptr) {
            r_.error(e.where("address"), e.path_to("address"),
                     fmt::format("found {}, which {} has on {} already; remove one of the two", shown(r_, *e.key("address")),
                                 name(*other), e.value.interface));
        }
    }

    // Which tables a selection means is EC2's to say; here only what is the same for certain.
    void check_destination(const entry<route_entry>& e)
    {
        if (!is_sound(r_, e, "router.route", {"destination", "tables", "interface", "interface_id"})) {
            return;
        }
        const auto where = e.where("destination");
        const auto refuse_second = [&](const first_owners<register_key>::owner& other, std::string_view table) {
            r_.error(where, e.path_to("destination"),
                     fmt::format("found {}, which {} moves in {} already; one route cannot follow two routers",
                                 shown(r_, *e.key("destination")), name(other), table));
        };
        for (const auto& id : e.value.tables.ids) {
            const auto* const other = registers_.claim({id.str(), {}, e.value.destination}, e.path, where);
            if (other != nullptr && other->path != e.path) {
                refuse_second(*other, id.str());
                return;
            }
        }
        if (e.value.tables.ids.empty()) {
            // Tags alone mean tables of the same VPC as `vpc = true` does.
            auto tags = std::vector<std::pair<std::string, std::string>>{};
            for (const auto& tag : e.value.tables.tags) {
                tags.emplace_back(tag.key, tag.value);
            }
            std::ranges::sort(tags);
            const auto target = e.value.interface_id ? e.value.interface_id->str() : e.value.interface;
            if (const auto* const other = registers_.claim({"vpc of " + target, tags, e.value.destination}, e.path, where)) {
                refuse_second(*other, "the same tables");
            }
        }
    }

    using local_end = std::tuple<std::string, std::uint8_t, ip_address>;
    using register_key = std::tuple<std::string, std::vector<std::pair<std::string, std::string>>, aws::route_destination>;

    reading& r_;
    first_owners<std::string> names_;
    first_owners<local_end> ends_;
    first_owners<std::pair<std::string, ip_address>> addresses_;
    first_owners<register_key> registers_;
};

}  // namespace

void check(reading& r, const node& root, const configuration& all)
{
    const entry<configuration> top{all, root, ""};
    if (const auto* const aws = top.key("aws")) {
        check_aws(r, {all.aws, *aws, "aws"});
    }
    if (const auto* const http = top.key("http")) {
        check_http(r, {all.http, *http, "http"});
    }
    const auto* const routers = top.key("router");
    if (routers != nullptr && routers->as_list() != nullptr && routers->as_list()->empty()) {
        r.error(routers->offset, "router", "found no entry; at least one [[router]] is needed");
    }
    checks_between_routers between{r};
    for_each_entry(top, "router", all.routers, [&](const entry<router>& e) {
        check_router(r, e, all.realtime);
        between.add(e);
    });
}

}  // namespace vipd::config
