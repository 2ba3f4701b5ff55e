#include "agent/doctor/networks.hpp"

#include <algorithm>

namespace vipd::doctor {

namespace {

bool speaks_vrrp(const aws::security_group_rule& rule)
{
    return rule.protocol == "-1" || rule.protocol == "112" || rule.protocol == "vrrp";
}

bool names(const aws::security_group_rule& rule, const party& other)
{
    const bool by_range = std::ranges::any_of(rule.cidrs, [&](const ip_prefix& cidr) { return cidr.contains(other.address); });
    return by_range || std::ranges::any_of(rule.groups, [&](const aws::security_group_id& group) {
               return std::ranges::find(other.groups, group) != other.groups.end();
           });
}

}  // namespace

bool covers(const ip_prefix& outer, const ip_prefix& inner)
{
    return inner.length() >= outer.length() && outer.contains(inner.address());
}

const ip_prefix* find_covering(const std::vector<ip_prefix>& prefixes, const ip_prefix& what)
{
    const auto found = std::ranges::find_if(prefixes, [&](const ip_prefix& p) { return covers(p, what); });
    return found == prefixes.end() ? nullptr : &*found;
}

place_of_destination place_of(const ip_prefix& destination, const std::vector<ip_prefix>& vpc,
                              const std::vector<aws::subnet>& subnets)
{
    const auto* const inside = find_covering(vpc, destination);
    if (inside == nullptr) {
        return place_of_destination::outside;
    }
    const bool is_subnet = std::ranges::any_of(
        subnets, [&](const aws::subnet& s) { return std::ranges::find(s.cidrs, destination.canonical()) != s.cidrs.end(); });
    if (is_subnet) {
        return place_of_destination::whole_subnet;
    }
    return destination.length() == inside->length() ? place_of_destination::whole_vpc : place_of_destination::inside;
}

passage passage_of(const std::vector<aws::security_group_rule>& rules, const party& other)
{
    auto best = passage::closed;
    for (const auto& rule : rules) {
        if (!speaks_vrrp(rule)) {
            continue;
        }
        if (names(rule, other)) {
            return passage::open;
        }
        if (!rule.prefix_lists.empty()) {
            best = passage::unclear;
        }
    }
    return best;
}

}  // namespace vipd::doctor
