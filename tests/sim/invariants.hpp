#pragma once

// What must hold at every moment, whatever the faults: judged from outside, by what goes over the wire, by the cloud's
// registers and by the kernels, and not by what the nodes think of themselves alone. README.md of tests/ lists them.

#include "agent/vrrp/types.hpp"
#include "common/time.hpp"
#include "tests/cloud/access_key.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/options.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vipd::sim {

struct violation {
    time_point at;
    std::string invariant;
    std::string text;
};

// "5 at once, then one every two seconds": what a call is counted against. Rates are given a fortieth more, because a machine
// may count by a clock that runs faster than ours.
class rate_bound {
public:
    rate_bound(double burst, double per_second) : burst_(burst), per_second_(per_second) {}
    // False when this one is beyond the bound, with `more` allowed on top.
    bool count(time_point now, double more = 0.0);

private:
    double burst_;
    double per_second_;
    double used_ = 0.0;
    time_point last_ = time_point::min();
};

class invariants {
public:
    invariants(const cluster_options& options, const std::vector<std::unique_ptr<machine>>& machines, const network& net) :
        options_(options), machines_(machines), network_(net), seen_(options.machines.size())
    {}

    [[nodiscard]] const std::optional<violation>& found() const { return found_; }
    void violated(time_point now, std::string invariant, std::string text);

    void on_advert(time_point now, const machine& from, const node::send_advert& advert);
    // `route` is empty for what is about none.
    void on_first_byte(time_point now, const machine& from, const std::string& action, const std::string& route,
                       const std::string& interface, bool mutating);
    void on_transition(time_point now, const machine& of, std::size_t router, vrrp::state from, vrrp::state to,
                       std::string_view reason, std::uint64_t epoch);
    void on_log(time_point now, const machine& of, const log_record& record, const cloud::key_ring& keys);
    void on_process_end(const machine& of);
    void on_turn(time_point now, const machine& of);
    void on_late_answer(time_point now, const machine& to, const std::string& wrong);
    // After every event.
    void check(time_point now);
    // Now and then: what is too dear for every event.
    void check_addresses(time_point now);
    void check_services(time_point now);
    void check_queues(time_point now);
    // An Active that lacks what it moves, and could have it since then.
    void check_rest(time_point now, const machine& of, time_point lacking_since);

    // Of the first router; that of the second in its group is the same after every turn.
    [[nodiscard]] vrrp::state state(std::size_t machine) const { return seen_[machine].routers.front().state; }
    // Since when both have heard each other as they should; never while they do not.
    [[nodiscard]] time_point connected_since(std::size_t a, std::size_t b) const;
    // How long two Actives need at most to agree, once they hear each other: the next advert of the better one is enough.
    [[nodiscard]] duration agreement_time() const;

private:
    [[nodiscard]] std::size_t calls_max() const;
    // After how much silence an Active has to take it that another one has been elected.
    [[nodiscard]] duration stall_max(const machine& m, duration told_interval) const;
    [[nodiscard]] rate_bound bound_of_reads(const std::string& action) const;

    struct seen_router {
        vrrp::state state = vrrp::state::initialize;
        time_point since = time_point::min();  // in this state
        std::uint64_t epoch = 0;
        time_point left_active_at = time_point::min();
        time_point last_advert = time_point::min();
        duration told_interval{};  // by that one
    };
    struct seen_node {
        std::uint64_t process = 0;
        std::array<seen_router, 2> routers;
        time_point last_request = time_point::min();  // to EC2 or IMDS
        time_point last_change = time_point::min();   // a request that changes something
        std::map<std::string, rate_bound> mutating;   // by register
        std::map<std::string, rate_bound> reads;      // by action
    };
    seen_node& of(const machine& m);

    const cluster_options& options_;
    const std::vector<std::unique_ptr<machine>>& machines_;
    const network& network_;
    std::vector<seen_node> seen_;
    std::size_t actives_ = 0;
    std::optional<violation> found_;
};

}  // namespace vipd::sim
