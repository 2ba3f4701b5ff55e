#include "agent/takeover/floating_link.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace vipd::takeover {

namespace {

// The VPC's router has the first address of each IPv4 subnet, and this one in all of them (VPC User Guide, "Subnet sizing",
// "Subnet route tables").
constexpr std::string_view router_of_ipv6 = "fe80:ec2::1";

ip_address first_after(const ip_prefix& subnet)
{
    const auto network = subnet.canonical().address();
    const auto bytes = network.bytes();
    return ip_address::v4(bytes[0], bytes[1], bytes[2], static_cast<std::uint8_t>(bytes[3] + 1U));
}

ip_address gateway_of(const ip_prefix& subnet)
{
    return subnet.family() == ip_family::v4 ? first_after(subnet) : *ip_address::parse(router_of_ipv6);
}

const std::vector<ip_address>& addresses_of(const config::eni_entry& entry, const aws::instance_interface& interface)
{
    return entry.addresses.empty() ? interface.addresses : entry.addresses;
}

config::policy_entry own_table(const config::eni_entry& entry, const aws::instance_interface& interface, const net::link& link)
{
    const auto& addresses = addresses_of(entry, interface);
    config::policy_entry policy;
    policy.table = entry.table.value_or(config::floating_table_base + static_cast<unsigned>(link.index));
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        const auto is_of_family = [&](const auto& x) { return x.family() == family; };
        const auto first = std::ranges::find_if(interface.subnet_prefixes, is_of_family);
        const bool is_used = std::ranges::any_of(addresses, is_of_family);
        if (first == interface.subnet_prefixes.end() || !is_used) {
            continue;
        }
        for (const auto& subnet : interface.subnet_prefixes) {
            if (is_of_family(subnet)) {
                config::policy_route_entry to_subnet;
                to_subnet.to = {subnet.canonical()};
                to_subnet.interface = link.name;
                policy.routes.push_back(std::move(to_subnet));
            }
        }
        config::policy_route_entry beyond;
        beyond.via = gateway_of(*first);
        beyond.interface = link.name;
        beyond.onlink = true;
        beyond.family = family;
        policy.routes.push_back(std::move(beyond));
    }
    for (const auto& address : addresses) {
        config::policy_rule_entry rule;
        rule.from = {ip_prefix::host(address)};
        rule.priority = entry.rule_priority;
        policy.rules.push_back(std::move(rule));
    }
    return policy;
}

}  // namespace

std::vector<local_item> floating_items(const config::eni_entry& entry, const aws::instance_interface& interface,
                                       const net::link& link)
{
    std::vector<local_item> all{{raised_link{link.name}, true}};
    for (const auto& address : addresses_of(entry, interface)) {
        all.push_back({config::address_entry{.address = ip_prefix::host(address), .interface = link.name}, false});
    }
    auto policy = local_items(std::vector{own_table(entry, interface, link)}, false);
    std::ranges::move(policy, std::back_inserter(all));
    return all;
}

}  // namespace vipd::takeover
