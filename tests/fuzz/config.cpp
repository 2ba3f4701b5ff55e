// Any text gives a configuration or findings, and what was accepted keeps the promises of config/config.hpp.

#include "agent/config/load.hpp"
#include "common/ensure.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto read_key = [](const std::string& path) {
        const vipd::byte_buffer bytes(path.size() + 16, 0xa5);
        return vipd::vrrp::hmac_secret::from_file(bytes);
    };
    const auto find_account = [](const std::string& user) -> vipd::result<vipd::config::account> {
        return vipd::config::account{user, 1, 1, {1}};
    };
    const auto result = vipd::config::load(text, "fuzz.toml", {read_key, find_account, {}});
    if (const auto* const errors = std::get_if<std::vector<vipd::config::finding>>(&result)) {
        ENSURE(!errors->empty());
        std::size_t line_before = 0;
        for (const auto& error : *errors) {
            ENSURE(error.line >= line_before && error.column >= 1 && !error.text.empty());
            line_before = error.line;
        }
        return 0;
    }
    const auto& value = std::get<vipd::config::loaded>(result).value;
    ENSURE(!value.routers.empty());
    for (const auto& router : value.routers) {
        ENSURE(!router.name.empty() && router.vrid > 0 && router.priority > 0);
        ENSURE(!router.peers.empty() && !router.advertised_addresses.empty() && router.advertised_addresses.size() <= 255);
        ENSURE((router.priority == vipd::vrrp::priority_owner) == router.address_owner);
        ENSURE(router.source || !router.interface.empty());
        if (router.hooks) {
            ENSURE(router.hooks->timeout >= std::chrono::seconds{1} && router.hooks->timeout <= std::chrono::minutes{10});
            ENSURE(router.hooks->user.empty() == !router.hooks->runs_as);
        }
        if (router.auth.hmac) {
            const auto& hmac = *router.auth.hmac;
            ENSURE(hmac.window >= std::chrono::seconds{1} && hmac.window <= std::chrono::minutes{5});
            ENSURE(std::ranges::count(hmac.keys, hmac.active_key, &vipd::vrrp::identified_secret::id) == 1);
        }
        for (const auto& peer : router.peers) {
            ENSURE(peer.address.family() == router.peers.front().address.family() && peer.min_ttl > 0);
        }
        for (const auto& route : router.routes) {
            ENSURE(route.interface.empty() == route.interface_id.has_value());
            ENSURE(route.tables.ids.empty() != (!route.tables.whole_vpc && route.tables.tags.empty()));
        }
    }
    return 0;
}
