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
            if (route.interface.empty() && !route.interface_id) {
                route.interface = r.interface;
            }
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
