#include "agent/takeover/local_item.hpp"

#include "agent/config/policies.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::takeover {

namespace {

using config::address_entry;
using net::policy_rule;

void add_policies(const std::vector<config::policy_entry>& policies, bool always, std::vector<local_item>& out)
{
    for (const auto& policy : policies) {
        for (const auto& route : policy.routes) {
            out.push_back({policy_route{config::to_route(route, policy.table), route.interface}, always});
        }
    }
    for (const auto& policy : policies) {
        for (const auto& rule : policy.rules) {
            out.push_back({config::to_rule(rule, policy.table), always});
        }
    }
}

sight look_at(const raised_link& wanted, const net::link_table& kernel)
{
    const auto* link = kernel.find_link(wanted.interface);
    if (link == nullptr) {
        return {presence::absent, "there is no interface '" + wanted.interface + "' on this node"};
    }
    return {link->up ? presence::here : presence::absent, {}};
}

sight look_at(const address_entry& entry, const net::link_table& kernel)
{
    const auto* link = kernel.find_link(entry.interface);
    if (link == nullptr) {
        return {presence::absent, "there is no interface '" + entry.interface + "' on this node"};
    }
    const auto* const found = kernel.find_address(link->index, entry.address);
    if (found == nullptr) {
        return {presence::absent, {}};
    }
    if (found->tentative) {
        return {presence::different, fmt::format("it {}", net::why_unusable(*found)), found->duplicate};
    }
    return {presence::here, {}};
}

// What the kernel would refuse, and what comes by itself or with an operator: it is waited for and not tried.
std::string obstacle_of(const policy_route& route, const net::link* link, const net::link_table& kernel, bool source_comes)
{
    if (route.value.kind != net::route_kind::unicast) {
        return {};
    }
    if (link == nullptr) {
        return "there is no interface '" + route.interface + "' on this node";
    }
    if (!link->up) {
        return "interface '" + route.interface + "' is down";
    }
    if (!route.value.source || source_comes || kernel.has_address(*route.value.source)) {
        return {};
    }
    const auto* const source = kernel.find_address(*route.value.source);
    return fmt::format("its source {} {}", route.value.source->to_string(),
                       source == nullptr ? "is not on this node" : net::why_unusable(*source));
}

net::route on_link(const policy_route& route, const net::link* link)
{
    auto value = route.value;
    if (value.kind == net::route_kind::unicast && link != nullptr) {
        value.link_index = link->index;
    }
    return value;
}

sight look_at(const policy_route& route, const net::link_table& kernel, bool source_comes)
{
    const auto* link = kernel.find_link(route.interface);
    auto obstacle = obstacle_of(route, link, kernel, source_comes);
    const auto* seen = kernel.policies().find(route.value.key);
    if (seen == nullptr) {
        return {presence::absent, std::move(obstacle)};
    }
    return {*seen == on_link(route, link) ? presence::here : presence::different, std::move(obstacle)};
}

sight look_at(const policy_rule& rule, const net::link_table& kernel)
{
    return {kernel.policies().has(rule) ? presence::here : presence::absent, {}};
}

// Only ever wanted.
net::kernel_change change_of(const raised_link& wanted, bool, presence, const net::link_table& kernel)
{
    const auto* link = kernel.find_link(wanted.interface);
    return net::set_link_up{link == nullptr ? 0 : link->index};
}

net::kernel_change change_of(const address_entry& entry, bool wanted, presence, const net::link_table& kernel)
{
    const auto* link = kernel.find_link(entry.interface);
    const net::link_address value{link == nullptr ? 0 : link->index, entry.address};
    if (!wanted) {
        return net::remove_address{value};
    }
    return net::add_address{value, {entry.label, entry.scope, entry.nodad, entry.deprecated}};
}

net::kernel_change change_of(const policy_route& route, bool wanted, presence found, const net::link_table& kernel)
{
    if (!wanted) {
        // As it was seen: that is what is there.
        const auto* seen = kernel.policies().find(route.value.key);
        return net::remove_route{seen == nullptr ? route.value : *seen};
    }
    const auto value = on_link(route, kernel.find_link(route.interface));
    return found == presence::different ? net::kernel_change{net::replace_route{value}} : net::add_route{value};
}

net::kernel_change change_of(const policy_rule& rule, bool wanted, presence, const net::link_table&)
{
    return wanted ? net::kernel_change{net::add_rule{rule}} : net::remove_rule{rule};
}

std::string describe(const policy_route& route)
{
    const auto& v = route.value;
    std::string text = "route ";
    switch (v.kind) {
        case net::route_kind::unicast:
            break;
        case net::route_kind::blackhole:
            text += "blackhole ";
            break;
        case net::route_kind::unreachable:
            text += "unreachable ";
            break;
        case net::route_kind::prohibit:
            text += "prohibit ";
            break;
    }
    const bool is_default = v.key.destination.length() == 0;
    text += !is_default                                   ? v.key.destination.to_string()
            : v.key.destination.family() == ip_family::v4 ? "default"
                                                          : "default (IPv6)";
    text += v.gateway ? " via " + v.gateway->to_string() : "";
    text += route.interface.empty() ? "" : " dev " + route.interface;
    // What the kernel chooses for IPv6 by itself is not worth a word.
    const bool has_metric = v.key.metric != 0 && !(v.key.destination.family() == ip_family::v6 && v.key.metric == 1024);
    text += has_metric ? fmt::format(" metric {}", v.key.metric) : "";
    return text + fmt::format(" table {}", v.key.table);
}

std::string describe(const policy_rule& rule)
{
    auto text = fmt::format("rule {} from {}", rule.priority, rule.from ? rule.from->to_string() : "all");
    text += rule.to ? " to " + rule.to->to_string() : "";
    text += rule.input_interface.empty() ? "" : " iif " + rule.input_interface;
    text += rule.output_interface.empty() ? "" : " oif " + rule.output_interface;
    text += rule.mark_mask == 0 ? "" : fmt::format(" fwmark {:#x}/{:#x}", rule.mark, rule.mark_mask);
    return text + fmt::format(" lookup {}", rule.table);
}

std::string describe(const raised_link& wanted)
{
    return "interface " + wanted.interface;
}

std::string describe(const address_entry& entry)
{
    return entry.address.to_string() + " on " + entry.interface;
}

bool same_place(const raised_link& a, const raised_link& b)
{
    return a == b;
}

bool same_place(const address_entry& a, const address_entry& b)
{
    return a.address == b.address && a.interface == b.interface;
}

bool same_place(const policy_route& a, const policy_route& b)
{
    return a.value.key == b.value.key;
}

bool same_place(const policy_rule& a, const policy_rule& b)
{
    return a == b;
}

// --- events ---

bool is_about_address(const ip_prefix& address, const local_value& value)
{
    if (const auto* entry = std::get_if<address_entry>(&value)) {
        return entry->address == address;
    }
    const auto* route = std::get_if<policy_route>(&value);
    return route != nullptr && route->value.source == address.address();
}

bool is_about_rule(const policy_rule& rule, const local_value& value)
{
    const auto* own = std::get_if<policy_rule>(&value);
    return own != nullptr && *own == rule;
}

bool is_about_route(const net::route_key& key, const local_value& value)
{
    const auto* own = std::get_if<policy_route>(&value);
    return own != nullptr && own->value.key == key;
}

}  // namespace

std::uint32_t local_item::table() const
{
    return std::visit(overloaded{
                          [](const raised_link&) { return std::uint32_t{0}; },
                          [](const address_entry&) { return std::uint32_t{0}; },
                          [](const policy_route& route) { return route.value.key.table; },
                          [](const policy_rule& rule) { return rule.table; },
                      },
                      value);
}

std::vector<local_item> local_items(const config::router& router)
{
    std::vector<local_item> all;
    for (const auto& entry : router.addresses_on_node()) {
        all.push_back({entry, entry.when == config::address_lifetime::always});
    }
    add_policies(router.policies, false, all);
    return all;
}

std::vector<local_item> local_items(const std::vector<config::policy_entry>& policies, bool always)
{
    std::vector<local_item> all;
    add_policies(policies, always, all);
    return all;
}

local_place place_of(const local_value& value)
{
    return std::visit(overloaded{
                          [](const raised_link& wanted) -> local_place { return wanted.interface; },
                          [](const address_entry& entry) -> local_place {
                              return std::pair{entry.address, entry.interface};
                          },
                          [](const policy_route& route) -> local_place { return route.value.key; },
                          [](const policy_rule& rule) -> local_place { return rule; },
                      },
                      value);
}

bool is_same_place(const local_value& a, const local_value& b)
{
    return std::visit(
        [&]<class Value>(const Value& first) {
            const auto* second = std::get_if<Value>(&b);
            return second != nullptr && same_place(first, *second);
        },
        a);
}

bool is_about(const net::kernel_event& event, const local_value& value)
{
    return std::visit(overloaded{
                          [&](const net::address_seen& e) { return is_about_address(e.value.address, value); },
                          [&](const net::address_gone& e) { return is_about_address(e.value.address, value); },
                          [&](const net::rule_seen& e) { return is_about_rule(e.value, value); },
                          [&](const net::rule_gone& e) { return is_about_rule(e.value, value); },
                          [&](const net::route_seen& e) { return is_about_route(e.value.key, value); },
                          [&](const net::route_gone& e) { return is_about_route(e.value.key, value); },
                          [](const auto&) { return true; },
                      },
                      event);
}

sight look(const local_value& value, const net::link_table& kernel, bool source_comes)
{
    return std::visit(overloaded{
                          [&](const policy_route& route) { return look_at(route, kernel, source_comes); },
                          [&](const auto& v) { return look_at(v, kernel); },
                      },
                      value);
}

net::kernel_change change_for(const local_value& value, bool wanted, presence found, const net::link_table& kernel)
{
    return std::visit([&](const auto& v) { return change_of(v, wanted, found, kernel); }, value);
}

std::string describe(const local_value& value)
{
    return std::visit([](const auto& v) { return describe(v); }, value);
}

}  // namespace vipd::takeover
