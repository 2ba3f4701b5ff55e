#pragma once

// Whether somebody is Active when somebody can be, and nobody becomes it before its time: what an election owes its cluster at
// any moment, judged by the adverts that arrived and not by what the nodes tell.

#include "agent/vrrp/types.hpp"
#include "common/time.hpp"
#include "tests/sim/invariants.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/situations.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

namespace vipd::sim {

class role_watch {
public:
    role_watch(const cluster_options& options, const std::vector<std::unique_ptr<machine>>& machines, const network& net,
               invariants& judge, situation_counts& counts) :
        options_(options),
        machines_(machines),
        network_(net),
        judge_(judge),
        counts_(counts),
        heard_(machines_count() * machines_count()),
        priority_changed_(machines_count(), time_point::min()),
        misled_(machines_count(), time_point::min()),
        unfit_(machines_count(), time_point::min())
    {}

    // A genuine advert of the first router was put before `to`, whole, on a path without trouble.
    void on_delivered(time_point now, std::size_t to, std::size_t from, std::uint8_t priority);
    void on_became_active(time_point now, std::size_t machine, std::string_view reason);
    void on_priority_changed(time_point now, std::size_t machine) { priority_changed_[machine] = now; }
    // It has believed a corrupted advert, whose checksum was right all the same: that may have told it any interval.
    void on_misled(time_point now, std::size_t machine) { misled_[machine] = now; }
    void on_maintenance(std::size_t machine, bool on);
    // Once a second.
    void look(time_point now);

private:
    struct heard {
        time_point at = time_point::min();
        std::uint64_t process = 0;  // that heard it
        std::uint8_t priority = 0;
    };
    [[nodiscard]] std::size_t machines_count() const { return options_.machines.size(); }
    [[nodiscard]] heard& heard_by(std::size_t to, std::size_t from) { return heard_[to * machines_count() + from]; }
    void check_patience(time_point now, const machine& m);
    [[nodiscard]] bool is_fit(const machine& m) const;
    [[nodiscard]] time_point fit_since(const machine& m) const;

    const cluster_options& options_;
    const std::vector<std::unique_ptr<machine>>& machines_;
    const network& network_;
    invariants& judge_;
    situation_counts& counts_;
    std::vector<heard> heard_;
    std::vector<time_point> priority_changed_;
    std::vector<time_point> misled_;
    std::set<std::size_t> in_maintenance_;
    std::vector<time_point> unfit_;  // when each was last seen to be
    time_point nobody_since_ = time_point::min();
};

}  // namespace vipd::sim
