#pragma once

// Many schedules, over days if need be: what has been done so far is kept in a small text file, so that a search can be
// interrupted and taken up again, and several can be added up. It goes on only with what it was begun with: the first schedules
// of a file are run again then, and have to be the same.

#include "common/result.hpp"
#include "tests/sim/situations.hpp"
#include "tests/sim/trial.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vipd::sim {

struct campaign {
    std::uint64_t first_seed = 0;
    std::uint64_t next_seed = 0;  // of those between first and next, all are done
    std::uint64_t faults = 0;
    std::uint64_t events = 0;
    std::uint64_t transitions = 0;
    std::uint64_t mutating_calls = 0;
    std::uint64_t simulated_seconds = 0;
    std::uint64_t processor_milliseconds = 0;
    // Of these, what usual clusters took.
    std::uint64_t usual_simulated_seconds = 0;
    std::uint64_t usual_processor_microseconds = 0;
    situation_counts situations;
    cluster::all_measured measured{};
    std::uint64_t added = 0;              // schedules of other campaigns
    std::vector<std::uint64_t> violated;  // by the schedules of these seeds
    // Of the histories of its first schedules, `fingerprinted_max` at most.
    std::uint64_t fingerprint = 0;
    static constexpr std::uint64_t fingerprinted_max = 100;

    [[nodiscard]] std::uint64_t schedules() const { return next_seed - first_seed + added; }
    void add(const trial_result& r);
    void add_usual(const trial_result& r, double processor_seconds);
    void add(const campaign& other);
    [[nodiscard]] std::string to_string() const;

private:
    void add_measured(const cluster::all_measured& more);
};

campaign beginning_at(std::uint64_t seed);
// A file that is not there is a campaign that has not begun.
result<campaign> read_campaign(const std::string& path, std::uint64_t first_seed);
// Whole or not at all.
result<void> write_campaign(const std::string& path, const campaign& c);

}  // namespace vipd::sim
