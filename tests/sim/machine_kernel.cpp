// What the kernel of a machine has, what it is asked for, and what others do to it.

#include "common/overloaded.hpp"
#include "tests/sim/machine.hpp"

#include <cerrno>
#include <utility>

namespace vipd::sim {

bool machine::has_address(const ip_prefix& address) const
{
    return addresses_.contains({loopback, address}) || addresses_.contains({ethernet, address});
}

void machine::take_address(const ip_prefix& address)
{
    if (addresses_.erase({loopback, address}) > 0) {
        tell(node::kernel_told{net::address_gone{{loopback, address, false}}});
    }
}

void machine::take_policy(bool rule)
{
    std::vector<net::kernel_event> told;
    if (rule && !policies_.rules.empty()) {
        policies_.take(*policies_.rules.begin(), told);
    } else if (!rule && !policies_.routes.empty()) {
        policies_.take(policies_.routes.begin()->first, told);
    }
    tell_all(std::move(told));
}

std::optional<net::link> machine::plugged_link() const
{
    return plugged_mac_.empty() ? std::nullopt
                                : std::optional{net::link{plugged, "ens6", plugged_mac_, plugged_up_, plugged_up_}};
}

void machine::plug(const std::string& mac)
{
    plugged_mac_ = mac;
    plugged_up_ = false;
    tell(node::kernel_told{net::link_seen{*plugged_link()}});
}

void machine::unplug()
{
    if (plugged_mac_.empty()) {
        return;
    }
    // In the kernel's order.
    plugged_up_ = false;
    std::vector<net::kernel_event> told{net::link_seen{*plugged_link()}};
    for (const auto& [index, prefix] : addresses_) {
        if (index == plugged) {
            told.emplace_back(net::address_gone{{index, prefix, false}});
        }
    }
    std::erase_if(addresses_, [](const auto& a) { return a.first == plugged; });
    policies_.take_routes_of(plugged, told);
    told.emplace_back(net::link_gone{plugged});
    plugged_mac_.clear();
    tell_all(std::move(told));
}

void machine::change(const node::change_kernel& wanted)
{
    int refused = 0;
    std::visit(overloaded{[&](const net::set_link_up& c) {
                              if (c.link_index != plugged || plugged_mac_.empty()) {
                                  refused = ENODEV;
                                  return;
                              }
                              plugged_up_ = true;
                              push(node::kernel_told{net::link_seen{*plugged_link()}});
                          },
                          [&](const net::add_address& c) {
                              if (c.value.link_index == plugged && plugged_mac_.empty()) {
                                  refused = ENODEV;
                              } else if (addresses_.insert({c.value.link_index, c.value.address}).second) {
                                  push(node::kernel_told{net::address_seen{c.value}});
                              }
                          },
                          [&](const net::remove_address& c) {
                              if (addresses_.erase({c.value.link_index, c.value.address}) > 0) {
                                  push(node::kernel_told{net::address_gone{c.value}});
                              }
                          },
                          [](const auto&) {}},
               wanted.change);
    std::vector<net::kernel_event> told;
    const auto error = policies_.apply(wanted.change, told).value_or(refused);
    for (auto& event : told) {
        push(node::kernel_told{std::move(event)});
    }
    push(node::kernel_answered{{wanted.id, error, ""}});
}

}  // namespace vipd::sim
