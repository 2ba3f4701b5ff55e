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
                   [&](const address_seen& e) { see(e.value); },
                   [&](const address_gone& e) { lose(e.value); },
                   [&](const rule_seen& e) { policies_.see(e.value); },
                   [&](const rule_gone& e) { policies_.lose(e.value); },
                   [&](const route_seen& e) { policies_.see(e.value); },
                   [&](const route_gone& e) { policies_.lose(e.value.key); },
                   [&](const dump_done&) { complete_ = true; },
               },
               event);
}

// Told again when it is no longer tentative, or is so anew; its place among the others stays.
void link_table::see(const link_address& value)
{
    auto& entry = addresses_[value.link_index][value.address];
    const bool is_new = entry.arrival == 0;
    if (is_new) {
        entry.arrival = ++last_arrival_;
    } else {
        count_down(entry.value);
    }
    entry.value = value;
    if (!value.tentative) {
        ++address_counts_[value.address.address()];
    }
}

void link_table::lose(const link_address& value)
{
    auto& of_link = addresses_[value.link_index];
    if (const auto found = of_link.find(value.address); found != of_link.end()) {
        count_down(found->second.value);
        of_link.erase(found);
    }
}

void link_table::forget_link(int index)
{
    links_.erase(index);
    if (const auto found = addresses_.find(index); found != addresses_.end()) {
        for (const auto& [prefix, entry] : found->second) {
            count_down(entry.value);
        }
        addresses_.erase(found);
    }
}

void link_table::count_down(const link_address& value)
{
    if (value.tentative) {
        return;
    }
    const auto found = address_counts_.find(value.address.address());
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
    const auto* const found = find_address(link_index, address);
    return found != nullptr && !found->tentative;
}

const link_address* link_table::find_address(int link_index, const ip_prefix& address) const
{
    const auto of_link = addresses_.find(link_index);
    if (of_link == addresses_.end()) {
        return nullptr;
    }
    const auto found = of_link->second.find(address);
    return found == of_link->second.end() ? nullptr : &found->second.value;
}

const link_address* link_table::find_address(const ip_address& address) const
{
    const link_address* best = nullptr;
    for (const auto& [index, of_link] : addresses_) {
        for (const auto& [prefix, entry] : of_link) {
            if (prefix.address() == address && (best == nullptr || best->tentative)) {
                best = &entry.value;
            }
        }
    }
    return best;
}

std::vector<link_address> link_table::addresses_of(int link_index) const
{
    std::vector<seen_address> ordered;
    if (const auto found = addresses_.find(link_index); found != addresses_.end()) {
        for (const auto& [prefix, entry] : found->second) {
            ordered.push_back(entry);
        }
    }
    std::ranges::sort(ordered, {}, &seen_address::arrival);
    std::vector<link_address> addresses;
    for (const auto& entry : ordered) {
        addresses.push_back(entry.value);
    }
    return addresses;
}

std::string_view why_unusable(const link_address& address)
{
    if (address.duplicate) {
        return "is another node's as well, as duplicate address detection has found";
    }
    return address.tentative ? "is tentative: duplicate address detection has not ended" : std::string_view{};
}

}  // namespace vipd::net
