#include "tests/cloud/networks.hpp"

#include <algorithm>
#include <cstdint>

namespace vipd::cloud {

bool subnet::contains(const ip_address& address) const
{
    return std::ranges::any_of(cidrs, [&](const ip_prefix& cidr) { return cidr.contains(address); });
}

bool subnet::is_reserved(const ip_address& address) const
{
    if (!address.is_v4()) {
        return false;
    }
    const auto as_number = [](const ip_address& a) {
        std::uint32_t number = 0;
        for (const auto byte : a.bytes()) {
            number = number << 8U | byte;
        }
        return number;
    };
    return std::ranges::any_of(cidrs, [&](const ip_prefix& cidr) {
        if (!cidr.contains(address)) {
            return false;
        }
        const auto place = as_number(address) - as_number(cidr.canonical().address());
        const auto last = cidr.length() == 0 ? UINT32_MAX : (1U << (32U - cidr.length())) - 1U;
        return place < 4 || place == last;
    });
}

std::string zone_id(std::string_view region, std::string_view zone)
{
    const auto first = region.find('-');
    std::string out(region.substr(0, first));
    for (auto dash = first; dash != std::string_view::npos && dash + 1 < region.size(); dash = region.find('-', dash + 1)) {
        out.push_back(region[dash + 1]);
    }
    const char letter = zone.empty() ? 'a' : zone.back();
    return out + "-az" + std::to_string(letter - 'a' + 1);
}

}  // namespace vipd::cloud
