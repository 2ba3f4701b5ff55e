#pragma once

// Visits every router once, a few at a time, although routers may come and go between the visits.
//
// The node numbers its routers, and a reload renumbers them: after one, the walk starts again from the first index and passes
// over the names that it has visited already. So no router is visited twice, and none that stays throughout is missed.

#include "agent/status/http.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace vipd::status {

// A router costs about as much to sample as so many of its peers and resources, and so many of these a turn of the loop can
// bear.
inline constexpr std::size_t router_weight = 8;
inline constexpr std::size_t sampling_weight_per_slice = 128;

class router_walk {
public:
    explicit router_walk(const node_view& view) : view_(view) {}

    enum class found : std::uint8_t {
        router,   // `out` holds one that was not visited before
        skipped,  // it had been visited; a step of its own because finding that out has its price
        end,
    };
    found step(instant now, router& out);

    // Of the router found last; valid in the same turn of the loop.
    [[nodiscard]] std::uint32_t index() const { return next_ - 1; }

private:
    const node_view& view_;
    std::uint64_t generation_ = 0;
    bool started_ = false;
    std::uint32_t next_ = 0;
    std::set<std::string, std::less<>> visited_;
};

}  // namespace vipd::status
