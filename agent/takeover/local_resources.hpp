#pragma once

// What a router has on this node, or the node itself: addresses, routes and rules, reconciled against what the kernel tells.
// They are the first thing that becoming Active changes and the last thing that leaving does: while they drain, traffic that
// still arrives is served.
//
// All that is to be changed is asked for in one turn: links, addresses, routes, then rules, and the other way round when it is
// undone. A rule does not wait for a route that has to wait for its interface: until that is there the kernel finds nothing in
// the table and goes on to the next rule, as it did before.
//
// An address is ours because the configuration names it, whoever added it: one that a killed predecessor left behind is removed
// when this node starts as Backup. A rule or route is ours when it carries our protocol. Either stays when something else on
// this node needs it: a router that a reload has moved it to or from, or adverts that are sent from it. Whoever needs it last
// removes it.

#include "agent/config/config.hpp"
#include "agent/net/link.hpp"
#include "agent/net/link_table.hpp"
#include "agent/status/journal.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/local_item.hpp"
#include "common/backoff.hpp"
#include "common/log_limiter.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::takeover {

class local_resources;

// What a resource is needed for on this node beside the owner that has no use for it any more.
class local_needs {
public:
    [[nodiscard]] virtual bool is_needed_elsewhere(const local_value& value, const local_resources& asking) const = 0;

protected:
    ~local_needs() = default;
};

class local_resources {
public:
    local_resources(std::string router, std::uint64_t seed, status::journal& journal, const local_needs& needs) :
        router_(std::move(router)), random_(seed), journal_(journal), needs_(needs)
    {}

    // What is no longer configured is removed, but for addresses that are always there. Nothing is done before the next call:
    // in a reload all routers have to say first what they want.
    void want(std::vector<local_item> items);
    // Rules and routes that carry our protocol, and addresses of a predecessor, that nobody wants: they are removed.
    void take_remains(std::vector<local_value> remains);
    // Until this is called nothing is added or removed: what was there at the start may serve traffic.
    void start(time_point now, const net::link_table& kernel);
    void become_active(time_point now, const net::link_table& kernel);
    // Removal begins at `until`; end_drain() brings it forward.
    void leave_active(time_point until);
    void end_drain(time_point now);
    // As one that has left Active: in the place of a process that did, before the start.
    void go_on_draining(time_point until) { drain_until_ = until; }
    void kernel_changed(time_point now, const net::link_table& kernel);
    // Likewise, where it is known what has changed: only what the event is about is looked at.
    void kernel_changed(time_point now, const net::link_table& kernel, const net::kernel_event& event);
    void answered(time_point now, const net::kernel_answer& answer, const net::link_table& kernel);
    void handle_timeout(time_point now, const net::link_table& kernel);

    // The request ids come from the caller so that they are unique on the node.
    struct change {
        std::uint64_t entry = 0;
        net::kernel_change what;
    };
    std::optional<change> poll_output();
    void issued(std::uint64_t entry, net::kernel_request_id id);
    // Addresses that have come since it was last asked: the neighbours may have to hear of them.
    std::vector<config::address_entry> take_arrived() { return std::exchange(arrived_, {}); }

    [[nodiscard]] wakeup next_wakeup() const;
    [[nodiscard]] bool concerns(const net::kernel_event& event) const;
    // Whether this owner wants it on this node, or is changing that at this moment.
    [[nodiscard]] bool cares_for(const local_value& value) const;
    // Whether it is among what is or was configured.
    [[nodiscard]] bool names(const local_value& value) const { return find(value) != nullptr; }
    // Calls visit(local_value) for all, those that are no longer configured among them.
    template <class Visit>
    void for_each(Visit&& visit) const
    {
        for (const auto& e : entries_) {
            visit(e.item.value);
        }
    }
    // Everything that is wanted on this node was seen there.
    [[nodiscard]] bool all_here(const net::link_table& kernel) const;
    // Nothing is left to add or remove.
    [[nodiscard]] bool settled(const net::link_table& kernel) const;
    [[nodiscard]] bool draining() const { return drain_until_ != never; }
    [[nodiscard]] std::optional<time_point> drain_until() const
    {
        return draining() ? std::optional{drain_until_} : std::nullopt;
    }
    // One for each link and address, and one for each table of a policy.
    void snapshot(const net::link_table& kernel, std::vector<status::resource>& out) const;
    // What becoming Active would change, a line for each; see node::plan().
    [[nodiscard]] std::vector<std::string> plan(const net::link_table& kernel) const;

private:
    struct entry_state {
        local_item item;
        std::uint64_t number = 0;
        bool retired = false;  // dropped from the configuration; removed when it can be
        net::kernel_request_id in_flight{};
        bool waiting_for_id = false;
        bool wanted_in_flight = false;  // what was asked for
        bool was_here = false;
        bool was_tentative = false;
        bool met_another = false;  // the kernel says that there is one already
        bool was_added = false;    // by this process
        // It is another node's as well: when it is removed and added again, and whether that has been done since it was usable.
        time_point renew_at = never;
        bool is_renewed = false;
        backoff renew_pause{{std::chrono::milliseconds{500}, std::chrono::seconds{10}}};
        time_point retry_at = time_point::min();
        backoff pause{{std::chrono::milliseconds{10}, std::chrono::seconds{1}}};
        std::uint64_t changes = 0;
        std::uint64_t repairs = 0;
        std::uint64_t failures = 0;
        std::string obstacle;  // what it waits for
        std::string last_error;

        [[nodiscard]] bool is_busy() const { return in_flight || waiting_for_id; }
        [[nodiscard]] bool is_address() const { return std::holds_alternative<config::address_entry>(item.value); }
        [[nodiscard]] bool is_link() const { return std::holds_alternative<raised_link>(item.value); }
        // A part of a table of many.
        [[nodiscard]] bool is_policy() const { return !is_address() && !is_link(); }
    };

    [[nodiscard]] const entry_state* find(const local_value& value) const;
    [[nodiscard]] bool wanted_here(const entry_state& e) const;
    [[nodiscard]] bool stays_for_others(const entry_state& e) const;
    [[nodiscard]] sight look_at(const entry_state& e, const net::link_table& kernel) const;
    [[nodiscard]] bool is_right(const entry_state& e, const sight& seen) const;
    [[nodiscard]] bool is_ready(const net::link_table& kernel) const { return started_ && kernel.complete(); }
    void add(local_item item, bool retired);
    void reconcile(time_point now, const net::link_table& kernel);
    void consider(entry_state& e, time_point now, const net::link_table& kernel);
    void ask(entry_state& e, bool wanted, presence found, const net::link_table& kernel);
    void wait_for(entry_state& e, time_point now, sight&& seen, const net::link_table& kernel);
    void renew(entry_state& e, time_point now, const net::link_table& kernel);
    void forget_retired(const net::link_table& kernel);
    void note_duplicate(const entry_state& e, time_point now);
    void note_address(const entry_state& e, std::string_view outcome);
    void note_lost(const entry_state& e, time_point now);
    void note_refused(const entry_state& e, time_point now, int error_number);
    void note_done(const entry_state& e);
    [[nodiscard]] status::resource snapshot_single(const entry_state& e, const net::link_table& kernel) const;
    [[nodiscard]] status::resource snapshot_table(std::uint32_t table, const net::link_table& kernel) const;

    std::string router_;
    random_source random_;
    status::journal& journal_;
    const local_needs& needs_;
    std::vector<entry_state> entries_;  // in the order in which they are added
    std::uint64_t last_number_ = 0;
    bool started_ = false;
    bool active_ = false;
    time_point drain_until_ = never;
    std::deque<change> outputs_;
    std::vector<config::address_entry> arrived_;
    // What has been done to the tables of policies since the last line about each.
    struct work_done {
        std::uint64_t added = 0;
        std::uint64_t removed = 0;
    };
    std::map<std::uint32_t, work_done> done_;
    // What goes wrong the same way again and again is told once a minute: the history is for transitions.
    log_limiter repeated_{{std::chrono::minutes{1}, 256}};
};

}  // namespace vipd::takeover
