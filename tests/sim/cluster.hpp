#pragma once

// The whole: machines, the network between them, the cloud, and what is done to all of these. One thread, one queue of events,
// one seed.

#include "common/random.hpp"
#include "tests/cloud/simulated_cloud.hpp"
#include "tests/sim/cloud_path.hpp"
#include "tests/sim/event_queue.hpp"
#include "tests/sim/history.hpp"
#include "tests/sim/invariants.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/measures.hpp"
#include "tests/sim/move_watch.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/role_watch.hpp"
#include "tests/sim/schedule.hpp"
#include "tests/sim/situations.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vipd::sim {

class cluster final : private machine::observer {
public:
    // Machines are switched on one after another in the first second.
    cluster(cluster_options options, std::uint64_t seed, std::function<void(const std::string&)> tell);
    cluster(const cluster&) = delete;
    cluster& operator=(const cluster&) = delete;

    // Until then, or until something is wrong.
    void run_until(time_point until);
    void run_for(duration length) { run_until(events_.now() + length); }
    // Until `condition` holds after some event; false when it has not by then.
    bool run_until(const std::function<bool()>& condition, duration at_most);

    // Begins now, and ends by itself.
    void inflict(const scheduled_fault& fault);
    // Ends everything that was inflicted: what is off is switched on, what is cut is mended.
    void heal();

    [[nodiscard]] time_point now() const { return events_.now(); }
    [[nodiscard]] const cluster_options& options() const { return options_; }
    [[nodiscard]] machine& node(std::size_t i) { return *machines_.at(i); }
    [[nodiscard]] const machine& node(std::size_t i) const { return *machines_.at(i); }
    [[nodiscard]] std::size_t size() const { return machines_.size(); }
    [[nodiscard]] cloud::simulated_cloud& cloud() { return cloud_; }
    [[nodiscard]] network& net() { return network_; }
    [[nodiscard]] invariants& judge() { return invariants_; }
    [[nodiscard]] const invariants& judge() const { return invariants_; }
    [[nodiscard]] const situation_counts& situations() const { return situations_; }
    [[nodiscard]] history& story() { return history_; }
    [[nodiscard]] std::uint64_t events_happened() const { return events_.happened(); }

    // The one machine that is Active; none when there is none, or more than one.
    [[nodiscard]] std::optional<std::size_t> sole_active() const;
    [[nodiscard]] std::size_t active_count() const;
    // The interface that a table's route for the address of a router leads to; empty when there is no such route.
    [[nodiscard]] const std::string& target(std::size_t table, std::size_t router = 0) const;
    // Whether every table leads there, for every router.
    [[nodiscard]] bool routes_lead_to(std::size_t machine) const;
    // What is moved beside routes and is not at this machine, in words; empty when all of it is.
    [[nodiscard]] std::string what_has_not_moved_to(std::size_t machine) const;
    struct role_change {
        time_point at;
        std::size_t machine = 0;
        vrrp::state to = vrrp::state::initialize;
        std::string reason;
        friend bool operator==(const role_change& a, const role_change& b)
        {
            return a.machine == b.machine && a.to == b.to && a.reason == b.reason;  // moments differ by what a loop is late
        }
    };
    [[nodiscard]] const std::vector<role_change>& role_changes() const { return role_changes_; }
    [[nodiscard]] std::uint64_t transitions() const { return role_changes_.size(); }
    [[nodiscard]] std::uint64_t mutating_calls() const { return mutating_calls_; }
    // Who has taken a route, in order; a machine's number, or none for others.
    struct landing {
        time_point at;
        std::optional<std::size_t> by;
        std::string table;
    };
    [[nodiscard]] const std::vector<landing>& landings() const { return landings_; }
    // Whether a route is taken from it again and again, as far as it knows.
    [[nodiscard]] bool has_duel(std::size_t machine) const;
    using all_measured = std::array<durations, measure_count>;
    [[nodiscard]] const all_measured& measured() const { return measured_; }
    // It was right again so long after it was healed.
    void note_converged(duration after);

private:
    // --- of the machines ---
    void on_advert(machine& from, const node::send_advert& advert) override;
    void on_first_byte(machine& from, const aws::http_exchange& exchange) override;
    void on_answer(machine& to, const aws::http_exchange& exchange, const cloud::exchange_record& record) override;
    void on_log(machine& of, const log_record& record) override;
    void on_suspicious(machine& by, bool discarded, const std::string& wrong) override;
    void on_turn(machine& of) override;
    void on_late_answer(machine& to, const std::string& wrong) override;
    void on_spinning(machine& of, const std::string& why) override;
    void on_unasked_end(machine& of) override;
    void on_refused_reload(machine& of, const std::string& wrong) override;

    void on_transition(machine& of, const log_record& record);
    void on_became_active(const machine& of, std::string_view reason);
    void deliver(std::size_t to, std::size_t from, const byte_buffer& message, bool corrupted);
    void settle_cloud();
    // --- what of it is counted as a situation ---
    void note_record(machine& of, const log_record& record);
    void note_epoch(const machine& of, std::string_view reason);
    void note_end_of_epoch(const machine& of, std::string_view reason);
    void note_landing(std::size_t by, const cloud::state_change& change);
    void note_route_by_hand(const std::string& table, const std::string& target);
    void note_trouble_around(std::size_t machine, duration until = {});
    void note_sequence_restart(machine& m);
    void note_double(const machine& to, const machine& from);
    void note_answer(const machine& to, const cloud::exchange_record& record);
    [[nodiscard]] bool is_better(const machine& a, const machine& b) const;
    void start(machine& m);
    void switch_on(machine& m);
    void kill(machine& m);
    void set_clock(machine& m, duration offset);
    void set_keys(machine& m, std::uint8_t active, const std::vector<std::uint8_t>& keys);
    void set_interval(machine& m, duration interval);
    void set_peer(machine& m, std::size_t peer, bool is_let_in);
    void let_all_peers_in(machine& m);
    // If that is planned.
    void replace_in_drain(machine& m);
    void after(duration wait, std::function<void()> what);
    // The same for the end of a trouble of which there may be two at once: the later end is that of both.
    void end_after(duration wait, const std::string& trouble, std::function<void()> end);
    void watch();
    void watch_what_is_moved();
    void judge_event();
    void forge(const faults::forged_adverts& f);
    void put_route(std::size_t table, const std::string& target, std::string_view by);
    void put_address(const std::string& target);
    void put_interface(const std::string& target);
    void put_everything_else(const std::string& target);
    void interrupt_move(std::size_t machine, const cloud::state_change& change);
    void carry_out(const faults::move_interrupted& f, std::size_t machine, time_point until);
    void rob(bool of_interface, time_point until);

    // --- what is timed ---
    struct pending_measure {
        measure what;
        time_point since;
        time_point due;
        std::size_t table = 0;
    };
    // Nothing has gone wrong for a while, and all is as it should be.
    [[nodiscard]] bool is_calm() const;
    // Every machine is at work, and none is about to stand still.
    [[nodiscard]] bool all_well() const;
    void announce(std::size_t machine, bool is_about_to_go);
    // How long the first of the other machines may take, after silence or after priority 0.
    struct succession {
        duration to_active, to_routes;
    };
    [[nodiscard]] succession after_active(std::size_t active, bool released) const;
    [[nodiscard]] duration calls_time(unsigned in_a_row) const;
    void expect(measure what, duration at_most, std::size_t table = 0);
    void observe_fault(const scheduled_fault& fault);
    void observe_end(const fault_kind& what);
    void observe_takeover(std::string_view reason);
    [[nodiscard]] std::optional<unsigned> changes_allowed(const fault_kind& what, duration lasts, std::size_t active) const;
    void count_change(std::size_t machine, vrrp::state from, vrrp::state to, std::string_view reason);
    [[nodiscard]] bool is_reached(const pending_measure& p) const;
    void observe();

    // --- what can be inflicted; each says how it ends ---
    void begin(const faults::kill_process& f, duration lasts);
    void begin(const faults::stop_process& f, duration lasts);
    void begin(const faults::replace_process& f, duration lasts);
    void begin(const faults::power_off& f, duration lasts);
    void begin(const faults::instance_stopped& f, duration lasts);
    void begin(const faults::pause& f, duration lasts);
    void begin(const faults::late_timers& f, duration lasts);
    void begin(const faults::no_descriptors& f, duration lasts);
    void begin(const faults::service_down& f, duration lasts);
    void begin(const faults::notice& f, duration lasts);
    void begin(const faults::link_down& f, duration lasts);
    void begin(const faults::address_removed& f, duration lasts);
    void begin(const faults::policy_removed& f, duration lasts);
    void begin(const faults::clock_set& f, duration lasts);
    void begin(const faults::other_interfaces& f, duration lasts);
    void take_other_interfaces(std::size_t machine);
    void begin(const faults::partition& f, duration lasts);
    void begin(const faults::second_network_down& f, duration lasts);
    void begin(const faults::poor_network& f, duration lasts);
    void begin(const faults::forged_adverts& f, duration lasts);
    void begin(const faults::cloud_unreachable& f, duration lasts);
    void begin(const faults::cloud_trouble& f, duration lasts);
    void begin(const faults::throttled& f, duration lasts);
    void begin(const faults::credentials_revoked& f, duration lasts);
    void begin(const faults::permission_missing& f, duration lasts);
    void begin(const faults::route_changed& f, duration lasts);
    void begin(const faults::second_cluster& f, duration lasts);
    void begin(const faults::step_down& f, duration lasts);
    void begin(const faults::maintenance& f, duration lasts);
    void begin(const faults::adverts_refused& f, duration lasts);
    void begin(const faults::priority_set& f, duration lasts);
    void begin(const faults::reload& f, duration lasts);
    void begin(const faults::refused_reload& f, duration lasts);
    void begin(const faults::other_reload& f, duration lasts);
    void begin(const faults::rotate_keys& f, duration lasts);
    void begin(const faults::interval_changed& f, duration lasts);
    void begin(const faults::peer_removed& f, duration lasts);
    void begin(const faults::replaced_in_drain& f, duration lasts);
    void begin(const faults::move_interrupted& f, duration lasts);
    void restart_later(std::size_t machine, duration wait, unsigned kills_left);

    cluster_options options_;
    random_source random_;
    event_queue events_;
    history history_;
    situation_counts situations_;
    cloud::simulated_cloud cloud_;
    cloud_site site_;
    std::vector<std::unique_ptr<machine>> machines_;
    std::map<ip_address, std::size_t> by_address_;
    network network_;
    invariants invariants_;
    move_watch moves_;
    role_watch roles_;
    // Of which a fault is the last one to end it; a fault that was overtaken ends nothing.
    std::uint64_t era_ = 0;
    std::map<std::string, time_point> ends_;  // of troubles

    std::vector<role_change> role_changes_;
    std::uint64_t mutating_calls_ = 0;
    unsigned looks_ = 0;
    std::vector<landing> landings_;
    time_point cloud_wakes_at_ = never;
    // What a machine met since it became Active, for the situations.
    struct epoch_notes {
        time_point since = time_point::min();
        std::uint64_t process = 0;
        bool is_over = false;
        bool is_double_noted = false;
        // Tables whose routes led to it when it became Active, and those that it has taken since.
        std::set<std::string> found, taken;
        std::set<situation> met;  // those that are counted once in an epoch
    };
    // Once since it became Active.
    void note_once(std::size_t machine, situation what);
    // A takeover is not over: at this table, or at any.
    [[nodiscard]] bool has_yet_to_take(std::size_t machine, const std::string& table) const;
    [[nodiscard]] bool has_yet_to_take(std::size_t machine) const;
    std::vector<epoch_notes> notes_;
    // Of machines, tables and interfaces: asked for too often to be written each time.
    std::vector<std::string> names_;
    std::vector<cloud::route_table_id> table_ids_;
    std::vector<std::string> interface_ids_;
    std::vector<cloud::route_destination> destinations_;  // of each router's routes
    std::map<std::string, time_point> changed_by_hand_;   // tables
    std::string first_destination_;                       // of the first router's routes, as calls have it
    // The last advert that a machine has heard, for whoever sends it again.
    struct heard_advert {
        std::uint64_t process = 0;
        std::size_t from = 0;
        byte_buffer message;
    };
    std::vector<heard_advert> heard_;
    std::vector<std::optional<faults::reload>> reload_in_takeover_;
    std::vector<std::optional<duration>> replacement_in_drain_;  // until the next process begins
    std::set<std::size_t> second_network_down_;                  // machines
    std::set<std::size_t> announced_;                            // machines that EC2 is about to take away
    // At whoever takes the first step of a move next; with the number of the fault.
    std::vector<std::pair<std::uint64_t, faults::move_interrupted>> aimed_;
    std::vector<pending_measure> pending_;
    time_point busy_until_;
    bool only_partitions_ = false;
    time_point cloud_troubled_at_ = time_point::min();  // when it was last seen to be
    time_point astray_since_ = time_point::min();       // what is moved is not where the Active is
    bool was_refused_ = false;                          // what EC2 refuses is tried again a minute later
    std::uint64_t fault_number_ = 0;
    // Of the last fault, when it came alone: by machine.
    std::optional<unsigned> changes_allowed_;
    std::vector<unsigned> changes_;
    all_measured measured_{};
    std::uint8_t active_key_ = 1;
    time_point rotated_at_ = time_point::min();
};

}  // namespace vipd::sim
