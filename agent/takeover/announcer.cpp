#include "agent/takeover/announcer.hpp"

#include "agent/net/announcement.hpp"

#include <algorithm>

namespace vipd::takeover {

void announcer::begin(time_point now, const config::announce_section& how, const config::address_entry& address,
                      const std::string& router_interface)
{
    std::erase_if(under_way_, [&](const burst& b) {
        return b.address.address == address.address && b.address.interface == address.interface;
    });
    under_way_.push_back({address, router_interface, how, how.repeats + 1, now});
}

std::vector<announcement> announcer::take_due(time_point now, const net::link_table& kernel)
{
    std::vector<announcement> due;
    for (auto& b : under_way_) {
        if (b.at > now) {
            continue;
        }
        announce(b, kernel, due);
        --b.left;
        b.at = now + b.how.repeat_delay;
        b.is_first = false;
    }
    std::erase_if(under_way_, [](const burst& b) { return b.left == 0; });
    return due;
}

void announcer::announce(const burst& b, const net::link_table& kernel, std::vector<announcement>& out)
{
    const auto* own = kernel.find_link(b.address.interface);
    // The kernel has answered that the first burst's address is there, and may not have told of it yet.
    if (own == nullptr || (!b.is_first && !kernel.has_address(own->index, b.address.address))) {
        return;
    }
    const auto* link = own;
    auto mac = net::parse_mac(own->mac);
    if (!mac) {
        link = kernel.find_link(b.router_interface);
        mac = link == nullptr ? std::nullopt : net::parse_mac(link->mac);
    }
    if (!mac) {
        return;
    }
    const auto& address = b.address.address.address();
    const auto bytes = address.is_v4() ? net::gratuitous_arp(*mac, address) : net::unsolicited_advertisement(*mac, address);
    out.insert(out.end(), b.how.count, announcement{link->index, address, bytes});
}

wakeup announcer::next_wakeup() const
{
    wakeup next;
    for (const auto& b : under_way_) {
        next = earliest(next, {b.at, "announcement"});
    }
    return next;
}

}  // namespace vipd::takeover
