#pragma once

// The inside of node::node, for the files that make it up: node.cpp (start, inputs, reload, farewell), node_work.cpp
// (what is carried between the machines, and outputs), node_groups.cpp (sync groups), node_priority.cpp (priorities that an
// operator has set), node_local.cpp (addresses, rules and routes), node_hooks.cpp (processes), node_health.cpp (checks) and
// node_status.cpp (what it says of itself).

#include "agent/health/check_set.hpp"
#include "agent/net/link_table.hpp"
#include "agent/node/advert_notes.hpp"
#include "agent/node/call_ledger.hpp"
#include "agent/node/call_notes.hpp"
#include "agent/node/deadline_heap.hpp"
#include "agent/node/ec2_path.hpp"
#include "agent/node/node.hpp"
#include "agent/node/virtual_router.hpp"
#include "agent/status/journal.hpp"
#include "agent/takeover/interface_register.hpp"
#include "agent/takeover/interface_watch.hpp"
#include "agent/takeover/local_resources.hpp"
#include "agent/takeover/world.hpp"
#include "common/random.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::node {

class node::impl final : public takeover::local_needs {
public:
    impl(const node_options& options, instant now, log_sink& log);

    void start(instant now);
    void handle(instant now, const advert_received& datagram);
    void handle(instant now, input&& what);
    void handle_timeout(instant now);
    std::optional<output> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;
    [[nodiscard]] bool permit(instant now, aws::http_exchange_id id) const;
    [[nodiscard]] result<void> can_reload(const config::configuration& next) const;
    [[nodiscard]] result<std::string> can_step_down(std::string_view router) const;
    [[nodiscard]] result<std::string> can_set_priority(const set_priority& wanted) const;
    [[nodiscard]] result<void> can_be_succeeded() const;
    [[nodiscard]] succession leave_behind(instant now) const;
    [[nodiscard]] std::optional<std::uint32_t> find_router(std::string_view name) const;
    [[nodiscard]] status::node snapshot(instant now) const;
    [[nodiscard]] std::size_t router_count() const { return routers_.size(); }
    [[nodiscard]] status::router router_snapshot(instant now, std::uint32_t router) const;
    [[nodiscard]] std::vector<status::event> events_after(std::uint64_t number) const { return journal_.after(number); }
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    [[nodiscard]] std::vector<std::string> plan(std::uint32_t router) const;

private:
    // A router with a number that outlives its index: calls under way refer to it.
    struct numbered_router {
        std::uint64_t number = 0;
        std::unique_ptr<virtual_router> router;
        std::optional<std::uint32_t> rule;  // index in admission
        vrrp::admission_counters counted;   // when it last lost its rule
    };
    numbered_router make_router(const config::router& r);
    [[nodiscard]] static result<std::string> can_step_down(const virtual_router& r);
    // Null when it has gone in the meantime.
    [[nodiscard]] virtual_router* find_by_number(std::uint64_t number) const;
    void touch(std::uint64_t number);
    [[nodiscard]] std::vector<ip_address> virtual_addresses() const;
    [[nodiscard]] std::string_view name_of_rule(std::uint32_t rule) const;

    void begin_turn(instant now) { journal_.set_now(now.wall); }
    void start_session(instant now);
    void watch_notices(instant now);
    void reconsider_all(instant now);
    // --- sync groups, as lists of indices of routers ---
    void form_groups();
    void share_weights();
    // What keeps a router out, or another one of its group; empty when nothing does.
    [[nodiscard]] found_obstacle obstacle_of(const virtual_router& r) const;
    // After anything that may have changed the state of a router.
    void keep_groups_together(instant now);
    void keep_together(instant now, const std::vector<std::uint32_t>& group);
    void note_groups_that_leave();
    void note_group(const std::vector<std::uint32_t>& group, vrrp::state to, const std::string& reason);
    // What a router of a group that could be Active waits for; empty when it does not.
    [[nodiscard]] std::string why_it_waits(const virtual_router& r) const;
    // After routers_ has changed: what refers to them by index.
    void number_routers();
    void rebuild_admission();
    void resolve_all(instant now);
    void keep_warm_connections();
    // Carries work between the machines until none has any left, then notes when each wants to be called.
    void settle(instant now);
    void settle_router(instant now, std::size_t index, numbered_router& r);
    void drain_local(std::uint64_t number, takeover::local_resources& local);
    bool drain_session(instant now);
    void finish_call(instant now, const aws::call_done& done);
    void finish_read(instant now, const std::string& action, const aws::call_done& done);
    void look_at_session(instant now);
    // What else the priority follows from, as the predecessor knew it: no news, since that has told it.
    void recall_cloud(instant now);
    void ask_for_unlisted_links(instant now);
    void path_changed(instant now);
    // Null: there is none.
    void follow_notice(instant now, const aws::notice* found);

    void apply(instant now, kernel_told&& e);
    void apply_local(instant now, const net::kernel_event& event);
    void start_statics(instant now);
    void clear_remains(instant now);
    void apply(instant now, const process_output& e);
    void apply(instant now, const process_ended& e);
    void drain_hooks(std::uint64_t number, hooks::hook_runner& hooks);
    // As many processes as there is a place for.
    void start_processes(instant now);
    [[nodiscard]] bool has_busy_namesake(std::uint64_t number) const;
    void want_checks(instant now);
    // Whom what is known now concerns, and what is to be looked at.
    void drain_checks(instant now);
    void apply_reload(instant now, const reload& r);
    void exchange_routers(instant now);
    void find_shared_resources();
    // What it speaks from, and did not bring here itself.
    [[nodiscard]] bool is_its_own(const ip_address& address) const;
    // Those that are not to stay for ever, of routers that leave and of predecessors among them.
    [[nodiscard]] std::vector<address_succession> addresses_for_a_while() const;
    [[nodiscard]] bool is_needed_elsewhere(const takeover::local_value& value,
                                           const takeover::local_resources& asking) const override;
    void apply_step_down(instant now, const step_down& s);
    // --- priorities that an operator has set ---
    // Whose priority it changes, by index, or why nobody's.
    [[nodiscard]] result<std::vector<std::uint32_t>> find_concerned(const set_priority& wanted) const;
    void apply_priority(instant now, const set_priority& wanted);
    // Of the routers of a group, which have one priority: a reload, or a predecessor, can have brought them different ones.
    void level_priorities(const std::vector<std::uint32_t>& group);
    void begin_farewell(instant now);
    void look_for_end(instant now);

    node_options options_;
    std::shared_ptr<const config::configuration> configuration_;
    random_source random_;
    status::journal journal_;
    advert_notes notes_{journal_};
    call_notes call_notes_{journal_};
    net::link_table links_;
    ec2_path ec2_path_;
    std::optional<aws::notice> notice_;
    health::check_set checks_;
    std::map<health::check_id, std::vector<std::uint64_t>> tracked_by_;  // numbers of routers
    std::unique_ptr<aws::cloud_session> session_;  // none without AWS resources; lives on when a reload drops them
    bool session_has_identity_ = false;            // it was started to find out who this instance is
    takeover::world world_;
    takeover::interface_watch interface_watch_;
    takeover::interface_registers interfaces_;
    time_point started_at_;

    std::vector<numbered_router> routers_;
    std::map<std::uint64_t, std::uint32_t> index_of_number_;
    std::vector<numbered_router> leaving_;  // dropped by a reload, not yet gone
    std::vector<std::vector<std::uint32_t>> groups_;
    // What the last reload has moved between routers, or left with one that is leaving, or both a router and the node have,
    // or two routers of an interface that both have found. Made anew when either may have changed.
    std::set<takeover::local_place> shared_;
    takeover::local_resources statics_;  // [[policy]], and what a predecessor left; their requests have the number 0
    bool statics_started_ = false;
    std::vector<takeover::local_value> remains_;  // of a predecessor, while it is not known yet whether they are needed
    std::set<ip_address> found_at_start_;         // by the kernel's first dump
    std::uint64_t last_router_number_ = 0;
    std::uint64_t generation_ = 1;
    deadline_heap deadlines_;
    std::vector<std::uint32_t> touched_;  // routers called since the last settle()
    bool all_touched_ = true;
    bool rules_changed_ = true;  // admission_ is to be made anew
    vrrp::admission admission_{{}};
    std::vector<std::uint32_t> router_of_rule_;

    standing_aside aside_;
    bool running_ = false;  // start() was called
    bool ready_ = false;
    bool end_announced_ = false;
    time_point farewell_until_ = never;

    advert_queue adverts_;
    std::deque<output> kernel_outputs_;
    std::deque<output> outputs_;
    id_source<net::kernel_request_id> kernel_ids_;
    std::map<net::kernel_request_id, std::uint64_t> kernel_requests_;  // the router's number
    // Looks at other things, and then hooks, come after everything else of a turn.
    std::deque<output> health_outputs_;
    std::deque<output> hook_outputs_;
    std::deque<std::uint64_t> waiting_for_process_;  // numbers of routers, first come first served
    id_source<hooks::process_id> process_ids_;
    std::map<hooks::process_id, std::uint64_t> processes_;  // the router's number
    call_ledger calls_;
    std::optional<aws::keep_warm> warm_;  // what the session asked for; the number is ours

    std::uint64_t reloads_ = 0;
    std::uint64_t refusals_ = 0;
};

}  // namespace vipd::node
