#include "agent/config/derived.hpp"

#include <algorithm>

namespace vipd::config {

namespace {

void advertise_what_follows(router& r)
{
    if (r.peers.empty()) {
        return;
    }
    const auto family = r.peers.front().address.family();
    const auto add = [&](const ip_address& address) {
        if (address.family() == family && std::ranges::find(r.advertised_addresses, address) == r.advertised_addresses.end()) {
            r.advertised_addresses.push_back(address);
        }
    };
    for (const auto& entry : r.addresses) {
        add(entry.address.address());
    }
    for (const auto& entry : r.routes) {
        const auto* const prefix = std::get_if<ip_prefix>(&entry.destination.value);
        if (prefix != nullptr && prefix->is_host()) {
            add(prefix->address());
        }
    }
}

}  // namespace

void complete(configuration& all)
{
    for (auto& r : all.routers) {
        for (auto& route : r.routes) {
            if (route.interface.empty() && !route.interface_id) {
                route.interface = r.interface;
            }
        }
        if (r.advertised_addresses.empty()) {
            advertise_what_follows(r);
        }
    }
}

}  // namespace vipd::config
