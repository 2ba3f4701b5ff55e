#include "agent/doctor/holdings.hpp"

#include "agent/doctor/questions.hpp"
#include "agent/takeover/resource.hpp"

#include <algorithm>
#include <variant>

namespace vipd::doctor {

holdings holdings_of(const evidence& known)
{
    holdings all;
    for (const auto& router : known.configuration->routers) {
        for (const auto& other : known.resolve(router).wanted.others) {
            if (const auto* const secondary = std::get_if<takeover::secondary_address>(&other.what)) {
                all.secondary_addresses.emplace(secondary->address, secondary->target);
            } else if (const auto* const floating = std::get_if<takeover::floating_interface>(&other.what)) {
                if (const auto found = floating_interface(*floating, known)) {
                    all.interfaces.insert(found->id);
                }
            }
        }
    }
    return all;
}

unsigned addresses_at(const aws::network_interface& target, ip_family family, const holdings& all)
{
    const auto stays = [&](const ip_address& address) {
        const auto moved = all.secondary_addresses.find(address);
        return address.family() == family && (moved == all.secondary_addresses.end() || moved->second == target.id);
    };
    const auto comes = [&](const auto& moved) {
        return moved.first.family() == family && moved.second == target.id &&
               std::ranges::find(target.addresses, moved.first) == target.addresses.end();
    };
    return static_cast<unsigned>(std::ranges::count_if(target.addresses, stays) +
                                 std::ranges::count_if(all.secondary_addresses, comes));
}

}  // namespace vipd::doctor
