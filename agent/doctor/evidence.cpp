#include "agent/doctor/evidence.hpp"

#include <algorithm>

namespace vipd::doctor {

aws::vpc_id evidence::vpc_of(const config::router& router) const
{
    const auto* const who = identity();
    return who == nullptr ? aws::vpc_id{} : node::own_vpc(router, *who, links);
}

node::resolved evidence::resolve(const config::router& router) const
{
    // What EC2 says of interfaces decides only which links a node is to have, and nothing has moved yet.
    const takeover::world nothing_read{configuration->aws.reconcile_period, 1};
    return node::resolve(router, identity(), links, nothing_read);
}

std::set<ip_address> evidence::moving_addresses() const
{
    std::set<ip_address> all;
    for (const auto& router : configuration->routers) {
        for (const auto& address : router.addresses_on_node()) {
            all.insert(address.address.address());
        }
    }
    return all;
}

std::optional<ip_address> evidence::source_of(const config::router& router) const
{
    if (router.source) {
        return links.has_address(*router.source) ? router.source : std::nullopt;
    }
    const auto* const link = links.find_link(router.interface);
    if (link == nullptr || router.peers.empty()) {
        return std::nullopt;
    }
    // A daemon that runs here may have put the virtual addresses on the same interface.
    const auto moved = moving_addresses();
    const auto family = router.peers.front().address.family();
    for (const auto& [index, address, tentative, duplicate] : links.addresses_of(link->index)) {
        if (!tentative && address.family() == family && !address.address().is_link_local() &&
            !moved.contains(address.address())) {
            return address.address();
        }
    }
    return std::nullopt;
}

const aws::instance_interface* evidence::own_interface_with(const ip_address& address) const
{
    const auto* const who = identity();
    if (who == nullptr) {
        return nullptr;
    }
    const auto found = std::ranges::find_if(who->interfaces, [&](const aws::instance_interface& i) {
        return std::ranges::find(i.addresses, address) != i.addresses.end();
    });
    return found == who->interfaces.end() ? nullptr : &*found;
}

}  // namespace vipd::doctor
