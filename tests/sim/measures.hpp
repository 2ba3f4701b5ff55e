#pragma once

// How long a cluster takes for what it is there for. Each is measured only when nothing else goes wrong at the same time: a
// search at random has such moments, and there the protocol's own arithmetic is the bound.

#include "common/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vipd::sim {

enum class measure : std::uint8_t {
    crash_to_active,  // another machine is
    crash_to_routes,  // all of them lead to it
    stop_to_active,
    stop_to_routes,
    mended_to_one_active,  // the network, between two that both were
    mended_to_routes,
    foreign_write_to_repair,
    outage_to_routes,  // EC2 can be reached again, and an Active lacks routes
    healed_to_right,   // everything that was wrong ends at once: until all is as it should be, and stays so
};
inline constexpr std::size_t measure_count = 9;

std::string_view to_string(measure m);

// Many durations, each known to a sixteenth.
class durations {
public:
    void add(duration d);
    void add(const durations& other);
    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] duration max() const { return max_; }
    // `share` of them are not above it; in [0, 1].
    [[nodiscard]] duration quantile(double share) const;

    // "MAX_NANOSECONDS PLACE:COUNT PLACE:COUNT ..."
    [[nodiscard]] std::string to_string() const;
    static std::optional<durations> parse(std::string_view text);

private:
    static constexpr std::size_t places = 64 * 16;
    static std::size_t place_of(duration d);
    static duration upper_edge(std::size_t place);

    std::array<std::uint32_t, places> counts_{};
    duration max_{};
};

}  // namespace vipd::sim
