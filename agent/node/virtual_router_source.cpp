// Which address the adverts of a virtual router come from.
//
// An IPv6 address is none before duplicate address detection has ended: for the second or two that this takes the kernel
// delivers nothing to it, and a Backup with short intervals would take what it does not hear for silence.

#include "agent/node/virtual_router.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::node {

std::optional<net::link_address> virtual_router::find_source(const net::link_table& links,
                                                             const std::vector<ip_address>& virtual_addresses) const
{
    if (configuration_.source) {
        const auto* const found = links.find_address(*configuration_.source);
        return found == nullptr ? std::nullopt : std::optional{*found};
    }
    const auto* link = links.find_link(configuration_.interface);
    if (link == nullptr) {
        return std::nullopt;
    }
    const auto addresses = links.addresses_of(link->index);
    // The first one is what the peers know this node by. Apart from that the one in use stays for as long as it is there: an
    // address that is added to the interface is no reason for an election.
    std::vector<net::link_address> candidates;
    for (const auto& known : {first_source_, source_}) {
        const auto found =
            std::ranges::find_if(addresses, [&](const net::link_address& a) { return a.address.address() == known; });
        if (found != addresses.end() && !found->tentative) {
            return *found;
        }
        if (found != addresses.end()) {
            candidates.push_back(*found);
        }
    }
    const auto family = configuration_.peers.front().address.family();
    for (const auto& entry : addresses) {
        const auto& address = entry.address;
        const bool usable = address.family() == family && !(address.address().is_v6() && address.address().is_link_local()) &&
                            std::ranges::find(virtual_addresses, address.address()) == virtual_addresses.end();
        if (usable) {
            candidates.push_back(entry);
        }
    }
    // A tentative one is waited for rather than that the peers hear of another, unless it will never be usable.
    const auto best = std::ranges::find(candidates, false, &net::link_address::duplicate);
    if (best != candidates.end()) {
        return *best;
    }
    return candidates.empty() ? std::nullopt : std::optional{candidates.front()};
}

std::string virtual_router::explain_missing_source() const
{
    if (found_source_) {
        return fmt::format("its source address {} {}", found_source_->address.address().to_string(),
                           net::why_unusable(*found_source_));
    }
    return configuration_.source ? "its source address " + configuration_.source->to_string() + " is not on this node"
                                 : "interface '" + configuration_.interface + "' has no address of the peers' family";
}

}  // namespace vipd::node
