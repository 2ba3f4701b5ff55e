#include "agent/config/config.hpp"

#include <algorithm>

namespace vipd::config {

std::vector<address_entry> router::addresses_on_node() const
{
    auto all = addresses;
    for (const auto& secondary : secondary_ips) {
        const bool is_listed =
            std::ranges::any_of(addresses, [&](const address_entry& a) { return a.address.address() == secondary.address; });
        if (!is_listed && !secondary.interface.empty()) {
            auto& own = all.emplace_back();
            own.address = ip_prefix::host(secondary.address);
            own.interface = secondary.interface;
        }
    }
    return all;
}

bool configuration::changes_network() const
{
    return !policies.empty() || std::ranges::any_of(routers, [](const router& r) {
        return !r.addresses_on_node().empty() || !r.policies.empty() || std::ranges::any_of(r.enis, &eni_entry::configure);
    });
}

}  // namespace vipd::config
