#include "agent/net/link_table.hpp"

#include "common/overloaded.hpp"

#include <algorithm>
#include <variant>

namespace vipd::net {

void link_table::apply(const kernel_event& event)
{
    std::visit(overloaded{
                   [&](const link_seen& e) { links_[e.value.index] = e.value; },
                   [&](const link_gone& e) {
                       links_.erase(e.index);
                       addresses_.erase(e.index);
                   },
                   [&](const address_seen& e) {
                       auto& list = addresses_[e.value.link_index];
                       if (std::ranges::find(list, e.value.address) == list.end()) {
                           list.push_back(e.value.address);
                       }
                   },
                   [&](const address_gone& e) { std::erase(addresses_[e.value.link_index], e.value.address); },
                   [&](const dump_done&) { complete_ = true; },
               },
               event);
}

const link* link_table::find_link(std::string_view name) const
{
    const auto found = std::ranges::find_if(links_, [&](const auto& entry) { return entry.second.name == name; });
    return found == links_.end() ? nullptr : &found->second;
}

bool link_table::has_address(const ip_address& address) const
{
    return std::ranges::any_of(addresses_, [&](const auto& entry) {
        return std::ranges::any_of(entry.second, [&](const ip_prefix& p) { return p.address() == address; });
    });
}

bool link_table::has_address(int link_index, const ip_prefix& address) const
{
    const auto found = addresses_.find(link_index);
    return found != addresses_.end() && std::ranges::find(found->second, address) != found->second.end();
}

std::vector<ip_prefix> link_table::addresses_of(int link_index) const
{
    const auto found = addresses_.find(link_index);
    return found == addresses_.end() ? std::vector<ip_prefix>{} : found->second;
}

}  // namespace vipd::net
