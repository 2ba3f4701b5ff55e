#pragma once

// The part of a played kernel that keeps rules and routes, ours and those of others.

#include "agent/net/link.hpp"

#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace vipd::test {

class policy_kernel {
public:
    std::set<net::policy_rule> rules;
    std::map<net::route_key, net::route> routes;
    // What somebody else has: vipd is not told of these, and may not touch them.
    std::set<net::policy_rule> foreign_rules;
    std::set<net::route_key> foreign_routes;

    // The errno of the answer, with what is told of the change; nothing when it is about something else.
    std::optional<int> apply(const net::kernel_change& change, std::vector<net::kernel_event>& told)
    {
        if (const auto* add = std::get_if<net::add_rule>(&change)) {
            if (foreign_rules.contains(add->value) || !rules.insert(add->value).second) {
                return EEXIST;
            }
            told.emplace_back(net::rule_seen{add->value});
            return 0;
        }
        if (const auto* remove = std::get_if<net::remove_rule>(&change)) {
            take(remove->value, told);
            return 0;
        }
        if (const auto* add = std::get_if<net::add_route>(&change)) {
            if (foreign_routes.contains(add->value.key) || !routes.try_emplace(add->value.key, add->value).second) {
                return EEXIST;
            }
            told.emplace_back(net::route_seen{add->value});
            return 0;
        }
        if (const auto* replace = std::get_if<net::replace_route>(&change)) {
            routes.insert_or_assign(replace->value.key, replace->value);
            told.emplace_back(net::route_seen{replace->value});
            return 0;
        }
        if (const auto* remove = std::get_if<net::remove_route>(&change)) {
            take(remove->value.key, told);
            return 0;
        }
        return std::nullopt;
    }

    void take(const net::policy_rule& rule, std::vector<net::kernel_event>& told)
    {
        if (auto taken = rules.extract(rule)) {
            told.emplace_back(net::rule_gone{std::move(taken.value())});
        }
    }
    void take(const net::route_key& key, std::vector<net::kernel_event>& told)
    {
        if (auto taken = routes.extract(key)) {
            told.emplace_back(net::route_gone{std::move(taken.mapped())});
        }
    }
    // With their link.
    void take_routes_of(int link_index, std::vector<net::kernel_event>& told)
    {
        for (auto i = routes.begin(); i != routes.end();) {
            const auto key = i->first;
            const bool is_on_it = i->second.link_index == link_index;
            ++i;
            if (is_on_it) {
                take(key, told);
            }
        }
    }

    [[nodiscard]] std::vector<net::kernel_event> dump() const
    {
        std::vector<net::kernel_event> all;
        for (const auto& rule : rules) {
            all.emplace_back(net::rule_seen{rule});
        }
        for (const auto& [key, route] : routes) {
            all.emplace_back(net::route_seen{route});
        }
        return all;
    }
};

}  // namespace vipd::test
