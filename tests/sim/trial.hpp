#pragma once

// One schedule from its seed: a phase of faults in which nothing may go wrong, then everything is healed, and a phase in which
// everything has to come right within its bound and then stay quiet.

#include "tests/sim/cluster.hpp"
#include "tests/sim/invariants.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/schedule.hpp"
#include "tests/sim/situations.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vipd::sim {

struct trial_plan {
    std::uint64_t seed = 0;
    cluster_options options;
    std::vector<scheduled_fault> faults;
    duration fault_length{};
};

// The same plan for the same seed, whatever the machine.
trial_plan draw_plan(std::uint64_t seed);
// Three machines with one router, one route and nothing to watch, an advert a second: the cluster by which speed is told, since
// others have more to do.
bool is_usual(const cluster_options& options);

struct trial_result {
    std::optional<violation> wrong;
    std::uint64_t fingerprint = 0;
    std::uint64_t events = 0;
    std::uint64_t transitions = 0;
    std::uint64_t mutating_calls = 0;
    std::size_t faults = 0;
    duration simulated{};
    // From the healing until there was one Active with every route, and until no longer anything changed.
    duration converged{};
    situation_counts situations;
    cluster::all_measured measured{};
};

inline constexpr duration fault_phase = std::chrono::minutes{10};
inline constexpr duration long_fault_phase = std::chrono::minutes{60};
inline constexpr duration quiet_phase = std::chrono::minutes{10};

trial_result run_trial(const trial_plan& plan, const std::function<void(const std::string&)>& tell = nullptr);

// Faults by their places in a plan.
using places = std::vector<std::size_t>;
places all_places(const trial_plan& plan);
// Only these faults of it.
trial_plan keep(const trial_plan& plan, const places& kept);
// Fewer of these that still break the same invariant, found by leaving out one part after the other.
places shrink(const trial_plan& plan, places kept, const violation& wrong, unsigned trials_max = 400);

}  // namespace vipd::sim
