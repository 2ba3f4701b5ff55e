#pragma once

// What a file says about policy routing and about how addresses are put on the node: what it means to the kernel, and what is
// wrong with it.

#include "agent/config/entry.hpp"
#include "agent/net/policy.hpp"

#include <optional>

namespace vipd::config {

// All of a configuration, its routers' together.
inline constexpr std::size_t policy_parts_max = 4096;

// What the entry says of its family; none: nothing, or two things. Only entries that were checked have one for certain.
std::optional<ip_family> family_of(const policy_rule_entry& entry);
std::optional<ip_family> family_of(const policy_route_entry& entry);

// For entries that were checked. A route's link is the caller's to find.
net::policy_rule to_rule(const policy_rule_entry& entry, std::uint32_t in);
net::route to_route(const policy_route_entry& entry, std::uint32_t in);

// Errors of each policy by itself, and at the second of two policies that contradict each other; and of the tables and
// priorities that a [[router.eni]] has for its own routes and rules, which are a policy that the file does not spell out.
void check_policies(reading& r, const entry<configuration>& all);

// label, scope, nodad and deprecated.
void check_address_options(reading& r, const entry<address_entry>& address);

}  // namespace vipd::config
