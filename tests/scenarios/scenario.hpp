#pragma once

// A story about a cluster, told in a few lines: who there is, what happens, what must be true afterwards. Time is simulated, so
// a minute costs a millisecond and a bound is exact. When a test fails, the whole history is printed.

#include "tests/sim/cluster.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vipd::sim {

class scenario : public ::testing::Test {
protected:
    // One machine for each priority, in two zones by turns; A = 1 s, no delays, one table.
    static cluster_options machines(std::initializer_list<std::uint8_t> priorities);

    // Switches on, and waits until one is Active and has read back every route.
    void begin(const cluster_options& options);

    void inflict(fault_kind what, duration lasts = std::chrono::hours{1});
    void wait(duration length) { world->run_for(length); }
    // How long it took; fails when it did not happen in time.
    duration until(const std::string& what, duration at_most, const std::function<bool()>& condition);

    [[nodiscard]] bool is_active(std::size_t machine) const { return world->judge().state(machine) == vrrp::state::active; }
    [[nodiscard]] bool owns_everything(std::size_t machine) const
    {
        return is_active(machine) && world->routes_lead_to(machine);
    }
    // As the machine itself says.
    [[nodiscard]] bool has_confirmed(std::size_t machine) const;
    // Routes that this machine has taken since the story was begun, or since forget().
    [[nodiscard]] std::size_t taken_by(std::size_t machine) const;
    void forget();
    // Whether one line of the history since then has all of these in it: "node-1", "action=ReplaceRoute", ...
    [[nodiscard]] bool was_told(std::initializer_list<std::string> parts) const;
    // 3 A + skew of this machine (RFC 9568 6.1), the longest it may listen to silence.
    [[nodiscard]] duration down_interval(std::size_t machine) const;
    // The next call of this kind by this machine meets that.
    void next_call(const std::string& action, std::size_t machine, cloud::fault_effect effect, const std::string& table = "*",
                   std::optional<std::uint64_t> count = 1);

    void TearDown() override;

    std::unique_ptr<cluster> world;

private:
    std::vector<std::string> lines_;
    std::size_t lines_before_ = 0;
    std::size_t landings_before_ = 0;
};

}  // namespace vipd::sim
