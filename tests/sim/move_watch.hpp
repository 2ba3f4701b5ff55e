#pragma once

// What becomes of the things that are moved beside routes, as EC2's registers have it and not as machines believe: of calls
// that were carried out, of movements that came about, and of what people did. It finds the situations that lie between those.

#include "common/time.hpp"
#include "tests/cloud/simulated_cloud.hpp"
#include "tests/sim/invariants.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/situations.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vipd::sim {

class move_watch {
public:
    move_watch(const cluster_options& options, const std::vector<std::unique_ptr<machine>>& machines, const invariants& judge,
               situation_counts& counts) :
        options_(options), machines_(machines), judge_(judge), counts_(counts)
    {}

    // A machine's call was carried out.
    void on_call(std::size_t by, const cloud::state_change& change);
    void on_movement(const cloud::movement& movement);
    // Somebody puts it there by hand; an empty interface is nowhere.
    void on_address_by_hand(time_point now, const std::string& interface);
    void on_elastic_ip_by_hand(time_point now, const std::string& interface);
    void on_interface_by_hand(const std::string& interface);
    // A machine was told that what it wanted to attach is in use.
    void on_attach_refused(std::size_t to, const cloud::ec2_model& model);
    // A machine has read where the address is, and the answer was not stale.
    void on_address_read(std::size_t by, const cloud::ec2_model& model);

private:
    // Between the first and the second step of a move: nobody has it.
    struct gap {
        std::size_t machine = 0;
        std::uint64_t process = 0;
        time_point since;
    };
    struct reassignment {
        std::size_t machine = 0;
        time_point since;
        bool has_landed = false;
    };

    [[nodiscard]] std::optional<std::size_t> machine_of(const cloud::network_interface_id& interface) const;
    [[nodiscard]] bool is_active(std::size_t machine) const { return judge_.state(machine) == vrrp::state::active; }
    void end_interface_gap(std::optional<std::size_t> taken_by);
    void end_address_gap(std::optional<std::size_t> taken_by);
    void on_address_moved(const cloud::movement& movement);

    const cluster_options& options_;
    const std::vector<std::unique_ptr<machine>>& machines_;
    const invariants& judge_;
    situation_counts& counts_;

    std::optional<gap> interface_gap_;
    std::optional<gap> address_gap_;
    std::optional<std::size_t> robbed_of_interface_;  // and has not tried to attach it since
    std::optional<reassignment> reassignment_;
    // Since when it has been a stranger's, or an Elastic IP nobody's, because of people.
    std::optional<time_point> address_held_since_;
    std::optional<time_point> elastic_held_since_;
};

}  // namespace vipd::sim
