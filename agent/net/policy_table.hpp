#pragma once

#include "agent/net/policy.hpp"

#include <map>
#include <set>

namespace vipd::net {

// The rules and routes of vipd on this node, as the kernel tells of them. Those of others are not here.
class policy_table {
public:
    void see(const policy_rule& value) { rules_.insert(value); }
    void lose(const policy_rule& value) { rules_.erase(value); }
    void see(const route& value) { routes_.insert_or_assign(value.key, value); }
    void lose(const route_key& key) { routes_.erase(key); }

    [[nodiscard]] bool has(const policy_rule& value) const { return rules_.contains(value); }
    // Null when there is none.
    [[nodiscard]] const route* find(const route_key& key) const
    {
        const auto found = routes_.find(key);
        return found == routes_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] const std::set<policy_rule>& rules() const { return rules_; }
    [[nodiscard]] const std::map<route_key, route>& routes() const { return routes_; }

private:
    std::set<policy_rule> rules_;
    std::map<route_key, route> routes_;
};

}  // namespace vipd::net
