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
    for (const auto& entry : r.secondary_ips) {
        add(entry.address);
    }
    for (const auto& entry : r.routes) {
        const auto* const prefix = std::get_if<ip_prefix>(&entry.destination.value);
        if (prefix != nullptr && prefix->is_host()) {
            add(prefix->address());
        }
    }
}

void default_to(std::string& interface, const std::optional<aws::network_interface_id>& id, const router& r)
{
    if (interface.empty() && !id) {
        interface = r.interface;
    }
}

// Three adverts may be late, and clocks that a time service holds differ by far less.
duration window_for(duration advert_interval)
{
    return std::clamp<duration>(3 * advert_interval, std::chrono::seconds{5}, std::chrono::seconds{300});
}

}  // namespace

void complete(configuration& all)
{
    for (auto& r : all.routers) {
        for (auto& route : r.routes) {
            default_to(route.interface, route.interface_id, r);
        }
        for (auto& entry : r.elastic_ips) {
            default_to(entry.interface, entry.interface_id, r);
        }
        for (auto& entry : r.secondary_ips) {
            default_to(entry.interface, entry.interface_id, r);
        }
        if (r.auth.hmac && r.auth.hmac->window == duration::zero()) {
            r.auth.hmac->window = window_for(r.advert_interval);
        }
        if (r.advertised_addresses.empty()) {
            advertise_what_follows(r);
        }
    }
}

}  // namespace vipd::config
