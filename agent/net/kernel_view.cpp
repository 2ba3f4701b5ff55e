#include "agent/net/kernel_view.hpp"

#include "common/overloaded.hpp"

namespace vipd::net {

void kernel_view::begin_dump()
{
    ++dump_;
}

void kernel_view::apply(const netlink_message& message, std::vector<kernel_event>& out)
{
    std::visit(overloaded{
                   [&](const link_seen& e) { see(e.value, out); },
                   [&](const link_gone& e) { lose_link(e.index, out); },
                   [&](const address_seen& e) { see(e.value, out); },
                   [&](const address_gone& e) {
                       lose_address({e.value.link_index, e.value.address}, out);
                   },
                   [&](const rule_told& e) { hear(e, out); },
                   [&](const route_told& e) { hear(e, out); },
                   [](const auto&) {},
               },
               message);
}

void kernel_view::end_dump(std::vector<kernel_event>& out)
{
    for (auto i = rules_.begin(); i != rules_.end();) {
        const auto [value, dump] = *i++;
        if (dump != dump_) {
            lose_rule(value, out);
        }
    }
    for (auto i = routes_.begin(); i != routes_.end();) {
        const auto key = i->first;
        const bool stale = i->second.dump != dump_;
        ++i;
        if (stale) {
            lose_route(key, out);
        }
    }
    for (auto i = addresses_.begin(); i != addresses_.end();) {
        const auto key = i->first;
        const bool stale = i->second.dump != dump_;
        ++i;
        if (stale) {
            lose_address(key, out);
        }
    }
    for (auto i = links_.begin(); i != links_.end();) {
        const int index = i->first;
        const bool stale = i->second.dump != dump_;
        ++i;
        if (stale) {
            lose_link(index, out);
        }
    }
    out.emplace_back(dump_done{});
}

void kernel_view::see(const link& value, std::vector<kernel_event>& out)
{
    auto& entry = links_[value.index];
    entry.dump = dump_;
    if (entry.value != value) {
        entry.value = value;
        out.emplace_back(link_seen{value});
    }
}

void kernel_view::see(const link_address& value, std::vector<kernel_event>& out)
{
    const auto [place, is_new] = addresses_.try_emplace({value.link_index, value.address});
    place->second.dump = dump_;
    if (is_new || place->second.value != value) {
        place->second.value = value;
        out.emplace_back(address_seen{value});
    }
}

void kernel_view::hear(const rule_told& told, std::vector<kernel_event>& out)
{
    if (told.protocol != route_protocol) {
        return;
    }
    if (told.gone) {
        lose_rule(told.value, out);
        return;
    }
    const auto found = rules_.find(told.value);
    if (found != rules_.end()) {
        found->second = dump_;
    } else if (rules_.size() < policy_parts_seen_max) {
        rules_.emplace(told.value, dump_);
        out.emplace_back(rule_seen{told.value});
    }
}

void kernel_view::hear(const route_told& told, std::vector<kernel_event>& out)
{
    const auto& key = told.value.key;
    if (told.protocol != route_protocol) {
        // Whoever replaces a route of ours makes it his.
        if (told.replaces && !told.gone) {
            lose_route(key, out);
        }
        return;
    }
    if (told.gone) {
        lose_route(key, out);
        return;
    }
    const auto found = routes_.find(key);
    if (found == routes_.end() && routes_.size() >= policy_parts_seen_max) {
        return;
    }
    auto& entry = routes_[key];
    entry.dump = dump_;
    if (found == routes_.end() || entry.value != told.value) {
        entry.value = told.value;
        out.emplace_back(route_seen{told.value});
    }
}

void kernel_view::lose_rule(const policy_rule& value, std::vector<kernel_event>& out)
{
    if (rules_.erase(value) != 0) {
        out.emplace_back(rule_gone{value});
    }
}

void kernel_view::lose_route(const route_key& key, std::vector<kernel_event>& out)
{
    const auto found = routes_.find(key);
    if (found != routes_.end()) {
        out.emplace_back(route_gone{found->second.value});
        routes_.erase(found);
    }
}

void kernel_view::lose_link(int index, std::vector<kernel_event>& out)
{
    const auto first = addresses_.lower_bound({index, ip_prefix{}});
    for (auto i = first; i != addresses_.end() && i->first.first == index;) {
        const auto key = i->first;
        ++i;
        lose_address(key, out);
    }
    if (links_.erase(index) != 0) {
        out.emplace_back(link_gone{index});
    }
}

void kernel_view::lose_address(const address_key& key, std::vector<kernel_event>& out)
{
    const auto found = addresses_.find(key);
    if (found != addresses_.end()) {
        out.emplace_back(address_gone{found->second.value});
        addresses_.erase(found);
    }
}

}  // namespace vipd::net
