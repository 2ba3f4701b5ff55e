#include "agent/config/policies.hpp"

#include "agent/config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace vipd::config {

namespace {

constexpr std::uint32_t first_system_table = 253;  // default, main, local
constexpr std::uint32_t last_system_table = 255;
constexpr std::uint32_t first_system_priority = 32'766;  // main, default
constexpr std::uint32_t last_system_priority = 32'767;
// Table and priority of amazon-ec2-net-utils 2.x: 10000 + 100 * network card + device number.
constexpr std::uint32_t first_of_net_utils = 10'000;
constexpr std::uint32_t last_of_net_utils = 11'999;
constexpr std::uint32_t metric_of_ipv6 = 1024;  // the kernel's IP6_RT_PRIO_USER
constexpr unsigned mtu_of_ipv6 = 1280;

bool is_within(std::uint32_t value, std::uint32_t first, std::uint32_t last)
{
    return first <= value && value <= last;
}

// What several keys say of one family.
class family_vote {
public:
    void add(std::optional<ip_family> family)
    {
        if (family) {
            differs_ = differs_ || (found_ && *found_ != *family);
            found_ = family;
        }
    }
    [[nodiscard]] std::optional<ip_family> verdict() const { return differs_ ? std::nullopt : found_; }
    [[nodiscard]] bool differs() const { return differs_; }

private:
    std::optional<ip_family> found_;
    bool differs_ = false;
};

template <class Value>
std::optional<ip_family> family_in(const std::optional<Value>& value)
{
    return value ? std::optional{value->family()} : std::nullopt;
}

std::optional<ip_family> family_in(const std::optional<rule_prefix>& value)
{
    return value ? std::optional{value->value.family()} : std::nullopt;
}

family_vote vote(const policy_rule_entry& entry)
{
    family_vote vote;
    vote.add(family_in(entry.from));
    vote.add(family_in(entry.to));
    vote.add(entry.family);
    return vote;
}

family_vote vote(const policy_route_entry& entry)
{
    family_vote vote;
    vote.add(family_in(entry.to.value));
    vote.add(family_in(entry.via));
    vote.add(family_in(entry.source));
    vote.add(entry.family);
    return vote;
}

// Everything is what length 0 means, and what the kernel does not keep.
std::optional<ip_prefix> selector(const std::optional<rule_prefix>& prefix)
{
    return prefix && prefix->value.length() > 0 ? std::optional{prefix->value} : std::nullopt;
}

// --- a policy, and an interface that moves ---

// Whether it is not the system's.
template <class Entry>
bool check_table(reading& r, const entry<Entry>& e, std::uint32_t table)
{
    if (is_within(table, first_system_table, last_system_table)) {
        constexpr std::array names = {"default", "main", "local"};
        r.error(
            e.where("table"), e.path_to("table"),
            fmt::format("found {}, the system's table \"{}\": what every packet depends on is not vipd's to change; choose a "
                        "number of your own, such as 100",
                        table, names[table - first_system_table]));
        return false;
    }
    if (is_within(table, first_of_net_utils, last_of_net_utils)) {
        r.warning(e.where("table"), e.path_to("table"),
                  fmt::format("found {}; amazon-ec2-net-utils has the tables 10000 to 11999 for itself and clears them; choose "
                              "another where that package is installed (Amazon Linux)",
                              table));
    }
    return true;
}

template <class Entry>
void check_priority_of_rules(reading& r, const entry<Entry>& e, std::string_view key, std::uint32_t priority)
{
    if (is_within(priority, first_system_priority, last_system_priority)) {
        r.error(
            e.where(key), e.path_to(key),
            fmt::format("found {}, where the system's own rules are; allowed is 1 to 32765 (or more than 32767: after them)",
                        priority));
    } else if (is_within(priority, first_of_net_utils, last_of_net_utils)) {
        r.warning(e.where(key), e.path_to(key),
                  fmt::format("found {}; amazon-ec2-net-utils has the priorities 10000 to 11999 for its own rules and clears "
                              "them; choose another where that package is installed (Amazon Linux)",
                              priority));
    }
}

// --- one policy ---

template <class Entry>
void check_family(reading& r, const entry<Entry>& e, std::string_view keys)
{
    const auto said = vote(e.value);
    if (said.differs()) {
        r.error(e.at.offset, e.path, fmt::format("{} are of IPv4 and of IPv6; one entry is of one family", keys));
    } else if (!said.verdict()) {
        r.error(e.at.offset, e.path,
                fmt::format("says of no family which it is; set family = \"ipv4\" or \"ipv6\", or one of {}", keys));
    }
}

void check_rule(reading& r, const entry<policy_rule_entry>& e)
{
    if (e.at.as_table() == nullptr) {
        return;
    }
    const auto& rule = e.value;
    if (is_sound(r, e, "policy.rules", {"priority"})) {
        check_priority_of_rules(r, e, "priority", rule.priority);
    }
    if (is_sound(r, e, "policy.rules", {"from", "to", "family"})) {
        check_family(r, e, "from and to");
    }
    if (is_sound(r, e, "policy.rules", {"fwmark", "fwmask"})) {
        if (rule.fwmask && !rule.fwmark) {
            r.error(e.where("fwmask"), e.path_to("fwmask"), "is given without fwmark; add that, or remove it");
        } else if (rule.fwmask && (*rule.fwmark & ~*rule.fwmask) != 0) {
            r.error(e.where("fwmark"), e.path_to("fwmark"),
                    fmt::format(
                        "found {:#x} under the mask {:#x}, which no packet can have; choose a mask with all bits of the mark",
                        *rule.fwmark, *rule.fwmask));
        }
    }
}

// A route that ends here leads by no interface to no gateway.
void check_end(reading& r, const entry<policy_route_entry>& e)
{
    for (const auto* const key : {"via", "interface", "source", "mtu", "onlink", "scope"}) {
        if (e.key(key) != nullptr) {
            r.error(e.where(key), e.path_to(key),
                    "has no meaning for a route that ends here; remove it, or set kind = \"unicast\"");
        }
    }
}

void check_unicast_route(reading& r, const entry<policy_route_entry>& e)
{
    const auto& route = e.value;
    const auto family = family_of(route);
    if (route.interface.empty()) {
        r.error(e.at.offset, e.path_to("interface"),
                "is missing; name the interface that the route leaves by: it waits for that to be there and up");
    }
    if (route.onlink && !route.via) {
        r.error(e.where("onlink"), e.path_to("onlink"), "is about the gateway, and there is no via; add that, or remove it");
    }
    if (route.scope && family == ip_family::v6) {
        r.error(e.where("scope"), e.path_to("scope"), "has no meaning with IPv6; remove it");
    } else if (route.scope && route.via && *route.scope != net::route_scope::global) {
        r.error(e.where("scope"), e.path_to("scope"),
                "says that the destination is no further than the link, and there is a gateway; remove one of the two");
    }
    if (route.mtu && family == ip_family::v6 && *route.mtu < mtu_of_ipv6) {
        r.error(e.where("mtu"), e.path_to("mtu"),
                fmt::format("found {}; allowed is {} and more with IPv6", *route.mtu, mtu_of_ipv6));
    }
}

void check_route(reading& r, const entry<policy_route_entry>& e)
{
    if (e.at.as_table() == nullptr) {
        return;
    }
    if (is_sound(r, e, "policy.routes", {"to", "via", "source", "family"})) {
        check_family(r, e, "to, via and source");
    }
    if (!is_sound(r, e, "policy.routes", {"to", "via", "interface", "source", "mtu", "onlink", "scope", "kind", "family"})) {
        return;
    }
    if (e.value.kind == net::route_kind::unicast) {
        check_unicast_route(r, e);
    } else {
        check_end(r, e);
    }
}

// --- policies among each other ---

class policy_finder {
public:
    explicit policy_finder(reading& r) : r_(r) {}

    // `owner`: which of them are there together and by themselves.
    void add(const entry<policy_entry>& e, const std::string& owner)
    {
        if (e.at.as_table() == nullptr) {
            return;
        }
        if (is_sound(r_, e, "policy", {"table"})) {
            check_table(r_, e, e.value.table);
        }
        for_each_entry(e, "rules", e.value.rules, [&](const entry<policy_rule_entry>& rule) { check_rule(r_, rule); });
        for_each_entry(e, "routes", e.value.routes, [&](const entry<policy_route_entry>& route) { check_route(r_, route); });
        if (!is_sound(r_, e, "policy", {"table"})) {
            return;
        }
        if (e.key("rules") == nullptr && e.key("routes") == nullptr) {
            r_.error(e.at.offset, e.path, "has neither rules nor routes; give it some, or remove it");
        }
        if (const auto [at, is_new] = tables_.try_emplace({owner, e.value.table}, place{e.path, e.at.offset}); !is_new) {
            r_.error(e.where("table"), e.path_to("table"),
                     fmt::format("found {}, which {} has already; put all of a table into one policy", e.value.table,
                                 name(at->second)));
        }
        users_.try_emplace(e.value.table, place{e.path, e.at.offset});
        for_each_sound_entry(r_, e, "rules", e.value.rules, [&](const entry<policy_rule_entry>& rule) { add_rule(e, rule); });
        for_each_sound_entry(r_, e, "routes", e.value.routes,
                             [&](const entry<policy_route_entry>& route) { add_route(e, route); });
    }

    // After the policies: a table of theirs need not be given up, for an interface without one gets its own.
    void add_interface(const entry<eni_entry>& e)
    {
        if (is_sound(r_, e, "router.eni", {"rule_priority"})) {
            check_priority_of_rules(r_, e, "rule_priority", e.value.rule_priority);
        }
        if (!is_sound(r_, e, "router.eni", {"table"}) || !e.value.table || !check_table(r_, e, *e.value.table) ||
            !is_sound(r_, e, "router.eni", {"configure"}) || !e.value.configure) {
            return;
        }
        const auto table = *e.value.table;
        if (const auto [at, is_new] = users_.try_emplace(table, place{e.path, e.at.offset}); !is_new) {
            r_.error(e.where("table"), e.path_to("table"),
                     fmt::format("found {}, which {} has already: a table has one default route, and each would be in the "
                                 "other's way; choose another, or remove it for a table of its own",
                                 table, name(at->second)));
        }
    }

    // Bounded, so that a file can be read in a bounded time and the view of the kernel holds all of it.
    void check_count(const entry<configuration>& all) const
    {
        if (parts_ > policy_parts_max) {
            r_.error(all.at.offset, "policy",
                     fmt::format("found {} rules and routes in all policies; allowed are {}", parts_, policy_parts_max));
        }
    }

private:
    struct place {
        std::string path;
        std::size_t offset = 0;
        std::uint32_t table = 0;
    };

    [[nodiscard]] std::string name(const place& p) const { return fmt::format("{} (line {})", p.path, r_.line_of(p.offset)); }

    void add_rule(const entry<policy_entry>& policy, const entry<policy_rule_entry>& e)
    {
        ++parts_;
        const auto family = family_of(e.value);
        if (!family) {
            return;
        }
        const place here{e.path, e.at.offset, policy.value.table};
        if (const auto [at, is_new] = rules_.try_emplace(to_rule(e.value, policy.value.table), here); !is_new) {
            r_.error(e.at.offset, e.path, fmt::format("is the same rule as {}; remove one of the two", name(at->second)));
            return;
        }
        // Rules of one priority are asked in the order in which they were added, and one that is put back comes last.
        const auto [at, is_new] = priorities_.try_emplace({*family, e.value.priority}, here);
        if (!is_new && at->second.table != policy.value.table) {
            r_.error(e.where("priority"), e.path_to("priority"),
                     fmt::format("found {}, which {} has for another table: which of the two is asked first would change with "
                                 "every repair; choose another",
                                 e.value.priority, name(at->second)));
        }
    }

    void add_route(const entry<policy_entry>& policy, const entry<policy_route_entry>& e)
    {
        ++parts_;
        if (!family_of(e.value)) {
            return;
        }
        const auto key = to_route(e.value, policy.value.table).key;
        if (const auto [at, is_new] = routes_.try_emplace(key, place{e.path, e.at.offset}); !is_new) {
            r_.error(
                e.where("to"), e.path_to("to"),
                fmt::format("found {} with metric {}, which {} leads elsewhere or as well in table {}; choose another metric, "
                            "or remove one of the two",
                            shown(r_, *e.key("to")), key.metric, name(at->second), key.table));
        }
    }

    reading& r_;
    std::map<std::pair<std::string, std::uint32_t>, place> tables_;
    std::map<std::uint32_t, place> users_;  // of a table: the first policy or interface
    std::map<net::policy_rule, place> rules_;
    std::map<std::pair<ip_family, std::uint32_t>, place> priorities_;
    std::map<net::route_key, place> routes_;
    std::size_t parts_ = 0;
};

}  // namespace

std::optional<ip_family> family_of(const policy_rule_entry& entry)
{
    return vote(entry).verdict();
}

std::optional<ip_family> family_of(const policy_route_entry& entry)
{
    return vote(entry).verdict();
}

net::policy_rule to_rule(const policy_rule_entry& entry, std::uint32_t in)
{
    net::policy_rule rule;
    rule.family = family_of(entry).value_or(ip_family::v4);
    rule.priority = entry.priority;
    rule.table = in;
    rule.from = selector(entry.from);
    rule.to = selector(entry.to);
    rule.input_interface = entry.iif;
    rule.output_interface = entry.oif;
    rule.mark = entry.fwmark.value_or(0);
    rule.mark_mask = entry.fwmark ? entry.fwmask.value_or(0xffff'ffffU) : 0U;
    return rule;
}

net::route to_route(const policy_route_entry& entry, std::uint32_t in)
{
    const auto family = family_of(entry).value_or(ip_family::v4);
    const auto everything = *ip_prefix::parse(family == ip_family::v4 ? "0.0.0.0/0" : "::/0");
    net::route route;
    route.key = {in, entry.to.value.value_or(everything), entry.metric.value_or(family == ip_family::v6 ? metric_of_ipv6 : 0)};
    if (family == ip_family::v6 && route.key.metric == 0) {
        route.key.metric = metric_of_ipv6;  // 0 means "not chosen" there
    }
    route.kind = entry.kind;
    route.gateway = entry.via;
    route.source = entry.source;
    route.mtu = entry.mtu.value_or(0);
    route.onlink = entry.onlink;
    const bool on_link = family == ip_family::v4 && entry.kind == net::route_kind::unicast && !entry.via;
    route.scope = entry.scope.value_or(on_link ? net::route_scope::link : net::route_scope::global);
    return route;
}

void check_policies(reading& r, const entry<configuration>& all)
{
    policy_finder finder{r};
    for_each_entry(all, "policy", all.value.policies, [&](const entry<policy_entry>& e) { finder.add(e, ""); });
    for_each_entry(all, "router", all.value.routers, [&](const entry<router>& e) {
        for_each_entry(e, "policy", e.value.policies, [&](const entry<policy_entry>& policy) { finder.add(policy, e.path); });
    });
    for_each_entry(all, "router", all.value.routers, [&](const entry<router>& e) {
        for_each_entry(e, "eni", e.value.enis, [&](const entry<eni_entry>& eni) { finder.add_interface(eni); });
    });
    finder.check_count(all);
}

void check_address_options(reading& r, const entry<address_entry>& e)
{
    if (!is_sound(r, e, "router.address", {"address", "interface", "label", "nodad", "deprecated"})) {
        return;
    }
    const bool is_v6 = e.value.address.family() == ip_family::v6;
    for (const auto* const key : {"nodad", "deprecated"}) {
        if (!is_v6 && e.key(key) != nullptr) {
            r.warning(e.where(key), e.path_to(key), "has no effect with IPv4; remove it");
        }
    }
    const auto& label = e.value.label;
    if (label.empty()) {
        return;
    }
    if (is_v6) {
        r.warning(e.where("label"), e.path_to("label"), "has no effect with IPv6; remove it");
    } else if (label != e.value.interface && !label.starts_with(e.value.interface + ":")) {
        r.error(e.where("label"), e.path_to("label"),
                fmt::format("found {} on {}; allowed is {}, or that and a colon and more", in_quotes(label), e.value.interface,
                            in_quotes(e.value.interface)));
    }
}

}  // namespace vipd::config
