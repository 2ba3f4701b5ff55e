#include "agent/doctor/judgements.hpp"
#include "agent/doctor/questions.hpp"
#include "agent/takeover/resource.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::doctor {

namespace {

std::string missing_among(const net::link_table& links)
{
    std::string there;
    for (const auto& [index, other] : links.links()) {
        there += (there.empty() ? "" : ", ") + other.name;
    }
    return fmt::format("this node has no such interface, but {}", there.empty() ? "none at all" : there);
}

std::string command_to_set_up(const std::string& name)
{
    return fmt::format("`ip link set {} up`", name);
}

constexpr const char* no_carrier = "it is up, and has no carrier";
constexpr const char* other_end = "look at the link's other end";

// A router's own, which adverts come from and go to.
void judge_own(const evidence& known, const std::string& name, section& out)
{
    const auto check = "interface " + name;
    const auto* const link = known.links.find_link(name);
    if (link == nullptr) {
        out.fail(check, missing_among(known.links), "put right `interface` in [[router]]");
        return;
    }
    std::string addresses;
    for (const auto& address : known.links.addresses_of(link->index)) {
        addresses += (addresses.empty() ? "" : ", ") + address.address.to_string() + (address.tentative ? " (tentative)" : "");
    }
    if (!link->up || !link->running) {
        out.fail(check, link->up ? no_carrier : "it is down", link->up ? other_end : command_to_set_up(name));
    } else if (addresses.empty()) {
        out.fail(check, "it is up, and has no address", "give it one, or name another interface in [[router]]");
    } else {
        out.ok(check, fmt::format("up, {}", addresses));
    }
}

// What else names a link: entries of one kind, of which the first is said by name.
struct link_user {
    std::string link;
    std::string_view section;  // "[[router.address]]"
    friend auto operator<=>(const link_user&, const link_user&) = default;
};
struct link_use {
    bool has_addresses = false;  // without the link they are not on this node, and a takeover is not whole
    std::string first;           // "172.16.1.100/32 of router web"
    std::size_t more = 0;
};
using link_uses = std::map<link_user, link_use>;

void add(link_uses& uses, const std::string& link, std::string_view section, bool has_addresses, std::string name)
{
    const auto [at, is_new] = uses.try_emplace({link, section}, link_use{has_addresses, std::move(name), 0});
    at->second.more += is_new ? 0 : 1;
}

void add_policies(link_uses& uses, const std::vector<config::policy_entry>& policies, std::string_view section,
                  const std::string& whose)
{
    for (const auto& policy : policies) {
        for (const auto& route : policy.routes) {
            if (!route.interface.empty()) {
                add(uses, route.interface, section, false, fmt::format("a route of table {}{}", policy.table, whose));
            }
        }
    }
}

// Of those that are no router's own.
link_uses uses_of(const config::configuration& all)
{
    link_uses uses;
    add_policies(uses, all.policies, "[[policy]]", "");
    for (const auto& router : all.routers) {
        const auto whose = " of router " + router.name;
        for (const auto& entry : router.addresses) {
            add(uses, entry.interface, "[[router.address]]", true, entry.address.to_string() + whose);
        }
        for (const auto& entry : router.secondary_ips) {
            if (!entry.interface.empty()) {
                add(uses, entry.interface, "[[router.secondary_ip]]", true, entry.address.to_string() + whose);
            }
        }
        add_policies(uses, router.policies, "[[router.policy]]", whose);
        for (const auto& tracker : router.trackers) {
            if (const auto* const what = std::get_if<config::interface_check>(&tracker.what.target)) {
                add(uses, what->interface, "[[router.track]]", false, "tracker " + tracker.name + whose);
            }
        }
    }
    std::erase_if(uses, [&](const auto& use) {
        return std::ranges::find(all.routers, use.first.link, &config::router::interface) != all.routers.end();
    });
    return uses;
}

// The links of [[router.eni]]: vipd sets them up when they have come, and nobody knows their names before.
struct floating_links {
    bool some_are_elsewhere = false;  // or nobody has said where
    std::set<std::string> here;       // by MAC address
};

// Null where it is not at this instance, or nobody has said so.
const aws::instance_interface* find_own(const evidence& known, const takeover::floating_interface& floating)
{
    const auto* const who = known.identity();
    const auto found = floating_interface(floating, known);
    if (who == nullptr || !found) {
        return nullptr;
    }
    const auto own = std::ranges::find(who->interfaces, found->id, &aws::instance_interface::id);
    return own == who->interfaces.end() ? nullptr : &*own;
}

floating_links floating_links_of(const evidence& known)
{
    floating_links all;
    for (const auto& router : known.configuration->routers) {
        std::size_t here = 0;
        for (const auto& other : known.resolve(router).wanted.others) {
            const auto* const floating = std::get_if<takeover::floating_interface>(&other.what);
            const auto* const own = floating == nullptr ? nullptr : find_own(known, *floating);
            if (own != nullptr) {
                all.here.insert(own->mac);
                ++here;
            }
        }
        all.some_are_elsewhere = all.some_are_elsewhere || here < router.enis.size();
    }
    return all;
}

void judge_use(const evidence& known, const link_user& user, const link_use& use, const floating_links& floating, section& out)
{
    const auto check = "interface " + user.link;
    const auto more = use.more == 0 ? std::string{} : fmt::format(" and {} more", use.more);
    const auto whom = fmt::format("it is for {} {}{}", user.section, use.first, more);
    const auto* const link = known.links.find_link(user.link);
    if (link == nullptr && floating.some_are_elsewhere) {
        out.skip(check, fmt::format("{}; {}, and may be the link of a [[router.eni]] that is not at this instance",
                                    missing_among(known.links), whom));
    } else if (link == nullptr) {
        out.add(use.has_addresses ? verdict::fail : verdict::warn, check,
                fmt::format("{}; {}", missing_among(known.links), whom),
                fmt::format("put right `interface` in {}", user.section));
    } else if (floating.here.contains(link->mac)) {
        return;
    } else if (!link->up) {
        out.add(use.has_addresses ? verdict::fail : verdict::warn, check, fmt::format("it is down; {}", whom),
                command_to_set_up(user.link));
    } else if (!link->running) {
        // The node answers for addresses of such a link by its others.
        out.warn(check, fmt::format("{}; {}", no_carrier, whom), other_end);
    }
}

}  // namespace

void judge_links(const evidence& known, section& out)
{
    std::set<std::string> own;
    for (const auto& router : known.configuration->routers) {
        if (!router.interface.empty()) {
            own.insert(router.interface);
        }
    }
    for (const auto& name : own) {
        judge_own(known, name, out);
    }
    // Of these only what is wrong is said: they are many, and lo is nearly always one of them.
    const auto floating = floating_links_of(known);
    for (const auto& [user, use] : uses_of(*known.configuration)) {
        judge_use(known, user, use, floating, out);
    }
}

}  // namespace vipd::doctor
