#pragma once

// How many connections an origin needs, which one a request gets, and at which address one begins: decisions without a socket.

#include "common/ip.hpp"
#include "common/time.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

namespace vipd::io {

struct pool_counts {
    std::size_t waiting = 0;     // requests without a connection
    std::size_t warm = 0;        // idle connections that are wanted at all times
    std::size_t opening = 0;     // connections that are being opened
    std::size_t idle = 0;        // ready and not due for replacement
    std::size_t exchanging = 0;  // in use; they come back
    std::size_t total = 0;       // all of the above and those that are due for replacement
    std::size_t total_max = 320;
    bool may_open_warm = true;  // false during the pause after a failure
};

// Every waiting request has a connection on its way; the warm ones come on top, and those in use count, since they will be
// idle in a moment.
constexpr std::size_t connections_to_open(const pool_counts& c)
{
    const std::size_t for_requests = c.waiting > c.opening ? c.waiting - c.opening : 0;
    const std::size_t spare_opening = c.opening > c.waiting ? c.opening - c.waiting : 0;
    const std::size_t warm_there = c.idle + c.exchanging + spare_opening;
    const std::size_t for_warmth = c.may_open_warm && c.warm > warm_there ? c.warm - warm_there : 0;
    const std::size_t room = c.total_max > c.total ? c.total_max - c.total : 0;
    return std::min(for_requests + for_warmth, room);
}

struct idle_connection {
    time_point last_used{};
    bool to_be_replaced = false;
};

// A mutating request takes the connection that was used last: the one least likely to be closed under it. Others take the one
// that rested longest, so that the periodic reads keep all of them in use.
inline std::optional<std::size_t> connection_for(bool mutating, std::span<const idle_connection> idle)
{
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < idle.size(); ++i) {
        if (!best) {
            best = i;
            continue;
        }
        const auto& a = idle[i];
        const auto& b = idle[*best];
        if (a.to_be_replaced != b.to_be_replaced) {
            best = a.to_be_replaced ? best : i;
        } else if (mutating ? a.last_used > b.last_used : a.last_used < b.last_used) {
            best = i;
        }
    }
    return best;
}

// Where to begin in the addresses of a name, of which there is at least one. DNS gives them in another order every time, and
// after a while others, so a preference is an address and not a place in the list.
inline std::size_t first_to_try(std::span<const ip_address> addresses, const std::optional<ip_address>& preferred)
{
    const auto found = preferred ? std::ranges::find(addresses, *preferred) : addresses.end();
    return found == addresses.end() ? 0 : static_cast<std::size_t>(found - addresses.begin());
}

inline ip_address address_after(std::span<const ip_address> addresses, const ip_address& one)
{
    return addresses[(first_to_try(addresses, one) + 1) % addresses.size()];
}

}  // namespace vipd::io
