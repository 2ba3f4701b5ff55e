#pragma once

// A router's share of the cloud, reconciled. While Active every register it wants has this node as its desired owner; what the
// world says otherwise is a difference, and each difference is a call. While Backup nothing is ever changed.
//
// Each time the router becomes Active begins an epoch. Calls carry it; leaving Active cancels what is under way in the same
// turn and an answer that comes later finds no one waiting. There is no call on leaving: the next Active takes, the last one
// does not give.

#include "agent/status/journal.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/cloud_register.hpp"
#include "agent/takeover/desired.hpp"
#include "agent/takeover/interface_register.hpp"
#include "agent/takeover/world.hpp"
#include "common/log_limiter.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::takeover {

// --- outputs ---

struct issue_call {
    std::uint64_t ticket = 0;  // comes back with the answer
    std::uint64_t epoch = 0;
    aws::ec2_call call;
};
struct cancel_call {
    std::uint64_t ticket = 0;
};
struct want_read {
    cloud_query query;
    time_point at;
};

using takeover_output = std::variant<issue_call, cancel_call, want_read>;

class takeover {
public:
    // `router` is the name that log lines carry; `interfaces` are shared with the other routers of the node.
    takeover(std::string router, std::uint64_t seed, status::journal& journal, interface_registers& interfaces);

    void want(time_point now, const desired& wanted, const world& seen);

    // `due` is when the deciding timer was due: latencies are counted from it.
    void become_active(time_point now, time_point due, std::uint64_t epoch);
    // The epoch of a process before this one goes on: what moves here is read, and written only where it is not here.
    void resume_active(time_point now, std::uint64_t epoch);
    void leave_active();
    // Of another Active, before become_active() or while Active: it decides who gives way in a duel over a register.
    void heard_rival(time_point at, bool outranks) { rival_.heard(at, outranks); }
    void heard_no_rival() { rival_.forget(); }
    // A lower-priority advert was heard while Active: somebody else may just have taken what is ours.
    void suspect(time_point now);

    void world_changed(time_point now, const cloud_query& query, const query_view& view);
    void interface_seen(time_point now, const aws::network_interface& seen);
    void answered(time_point now, std::uint64_t ticket, const aws::call_done& done);
    void handle_timeout(time_point now);

    std::optional<takeover_output> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;

    [[nodiscard]] bool active() const { return epoch_ != 0; }
    [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
    // Whether a call was issued in this epoch and is still waited for: what a permit asks.
    [[nodiscard]] bool is_under_way(std::uint64_t ticket) const { return active() && under_way_.contains(ticket); }
    // A read has shown everything that moves here, in this epoch.
    [[nodiscard]] bool confirmed() const { return active() && confirmed_noted_; }
    [[nodiscard]] std::size_t register_count() const { return registers_.size(); }
    void snapshot(time_point now, const world& seen, std::vector<status::resource>& out) const;
    [[nodiscard]] const status::takeover_times& times() const { return times_; }
    [[nodiscard]] std::optional<duration> last_takeover() const { return last_takeover_; }
    // One line for each register, and for each route without one: what a takeover would do at this moment.
    [[nodiscard]] std::vector<std::string> plan(const world& seen) const;

private:
    static constexpr log_limiter::limits failure_limits{std::chrono::minutes{1}, 256};
    struct tracked_register {
        cloud_register value;
        cloud_query query;
        time_point last_view = time_point::min();  // when the read of the last one that was looked at began
        unsigned views_without_it = 0;
        unsigned views_without_any = 0;  // of these, the last ones in which it was not one of several either
    };

    void add_register(time_point now, const cloud_query& query, const resource& what);
    // A new one, or the one that was set aside a short while ago.
    tracked_register make_register(time_point now, const cloud_query& query, const resource& what);
    void begin(time_point now, cloud_register& value) const;
    // The address that it is a public one of, where this router moves that too and it is not here yet: EC2 would refuse it.
    [[nodiscard]] std::optional<ip_address> missing_address(const cloud_register& value) const;
    // The tables of a query that a view shows and nobody has noticed yet.
    void add_found(time_point now, const wanted_route& wanted, const query_view& view);
    void drop_register(time_point now, const resource_name& name);
    void forget_set_aside(time_point now);
    // What is wanted of a register that there is; null when nobody wants it any more.
    [[nodiscard]] std::optional<resource> wanted_of(const tracked_register& tracked) const;
    // Whether there is a table to put it into, as far as this node knows.
    [[nodiscard]] bool has_register(const wanted_route& wanted) const;
    [[nodiscard]] std::string why_no_register(const wanted_route& wanted, const world& seen) const;
    [[nodiscard]] std::string why_not_seen(const tracked_register& tracked, const world& seen) const;
    [[nodiscard]] static bool is_gone(const tracked_register& tracked);
    [[nodiscard]] static bool rests_on_a_read(const status::resource& r, const tracked_register& tracked);
    void look(time_point now, const cloud_query& query, const query_view& view);
    // The calls and reads that are due.
    void act(time_point now);
    void note_progress(time_point now);
    void log_repair(const tracked_register& tracked);
    void log_duel(time_point now, const cloud_register& value, duel_news news);
    void log_call(time_point now, const std::string& interface, const resource_name& name, const aws::call_done& done,
                  const aws::ec2_call& call);
    struct pending;
    // Those of which `is_unwanted` is true.
    template <class Predicate>
    void cancel_calls(Predicate is_unwanted);
    void log_cancelled(const pending& call) const;

    std::string router_;
    random_source random_;
    status::journal& journal_;
    desired wanted_;
    std::map<resource_name, tracked_register> registers_;
    // Those that are not wanted any more, for as long as a pause in a duel may be: what cannot be resolved for a moment, again
    // and again, gets neither a new budget by that nor a new patience.
    struct former_register {
        cloud_register value;
        time_point since;
    };
    std::map<resource_name, former_register> set_aside_;
    interface_registers& interfaces_;
    // A call that fails the same way again and again is told once a minute: the history is for transitions.
    log_limiter failures_told_{failure_limits};

    rival rival_;
    std::uint64_t epoch_ = 0;  // 0 while not Active
    time_point due_{};
    std::uint64_t last_ticket_ = 0;
    struct pending {
        std::variant<resource_name, aws::network_interface_id> of;  // a register, or an interface's check
        aws::ec2_call call;
    };
    std::map<std::uint64_t, pending> under_way_;
    std::vector<takeover_output> outputs_;
    std::size_t outputs_taken_ = 0;

    // Progress of this epoch, each noted once.
    bool is_resumed_ = false;  // it began in another process: its times are not ours
    bool first_request_noted_ = false;
    bool accepted_noted_ = false;
    bool confirmed_noted_ = false;
    status::takeover_times times_;
    std::optional<duration> last_takeover_;
};

}  // namespace vipd::takeover
