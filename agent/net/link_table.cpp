#include "agent/net/link_table.hpp"

#include "common/overloaded.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace vipd::net {

void link_table::apply(const kernel_event& event)
{
    std::visit(overloaded{
                   [&](const link_seen& e) { links_[e.value.index] = e.value; },
                   [&](const link_gone& e) { forget_link(e.index); },
                   [&](const address_seen& e) {
                       if (addresses_[e.value.link_index].try_emplace(e.value.address, ++last_arrival_).second) {
                           ++address_counts_[e.value.address.address()];
                       }
                   },
                   [&](const address_gone& e) {
                       if (addresses_[e.value.link_index].erase(e.value.address) != 0) {
                           count_down(e.value.address.address());
                       }
                   },
                   [&](const rule_seen& e) { policies_.see(e.value); },
                   [&](const rule_gone& e) { policies_.lose(e.value); },
                   [&](const route_seen& e) { policies_.see(e.value); },
                   [&](const route_gone& e) { policies_.lose(e.value.key); },
                   [&](const dump_done&) { complete_ = true; },
               },
               event);
}

void link_table::forget_link(int index)
{
    links_.erase(index);
    if (const auto found = addresses_.find(index); found != addresses_.end()) {
        for (const auto& [prefix, arrival] : found->second) {
            count_down(prefix.address());
        }
        addresses_.erase(found);
    }
}

void link_table::count_down(const ip_address& address)
{
    const auto found = address_counts_.find(address);
    if (--found->second == 0) {
        address_counts_.erase(found);
    }
}

const link* link_table::find_link(std::string_view name) const
{
    const auto found = std::ranges::find_if(links_, [&](const auto& entry) { return entry.second.name == name; });
    return found == links_.end() ? nullptr : &found->second;
}

const link* link_table::find_link_by_mac(std::string_view mac) const
{
    const auto found = std::ranges::find_if(links_, [&](const auto& entry) { return entry.second.mac == mac; });
    return found == links_.end() ? nullptr : &found->second;
}

bool link_table::has_address(const ip_address& address) const
{
    return address_counts_.contains(address);
}

bool link_table::has_address(int link_index, const ip_prefix& address) const
{
    const auto found = addresses_.find(link_index);
    return found != addresses_.end() && found->second.contains(address);
}

std::vector<ip_prefix> link_table::addresses_of(int link_index) const
{
    std::vector<std::pair<std::uint64_t, ip_prefix>> ordered;
    if (const auto found = addresses_.find(link_index); found != addresses_.end()) {
        for (const auto& [prefix, arrival] : found->second) {
            ordered.emplace_back(arrival, prefix);
        }
    }
    std::ranges::sort(ordered);
    std::vector<ip_prefix> addresses;
    for (const auto& [arrival, prefix] : ordered) {
        addresses.push_back(prefix);
    }
    return addresses;
}

}  // namespace vipd::net
