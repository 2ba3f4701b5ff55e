#pragma once

// All checks of a node, each once, whoever tracks it. They are spread over time, so that a hundred of them do not begin in one
// moment: new ones begin one after the other, and keep their distance because each counts from its own last beginning.
//
// Programs are dear (each is a process), so only a few run at once; the others wait for a place, first come first served.

#include "agent/config/track.hpp"
#include "agent/health/check.hpp"
#include "agent/health/probe.hpp"
#include "agent/net/link_table.hpp"
#include "agent/status/journal.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::health {

using health_output = std::variant<start_probe, stop_probes>;

class check_set {
public:
    static constexpr std::size_t programs_max = 8;
    // Between the beginnings of new checks, or less where that would take longer than their interval.
    static constexpr duration first_distance = std::chrono::milliseconds{10};

    check_set(std::uint64_t seed, status::journal& journal) : random_(seed), journal_(journal) {}

    // Who is told when a check is of another opinion: the name of the router and that of its tracker.
    struct user {
        std::string router;
        std::string tracker;
    };
    using wanted_checks = std::map<config::health_check, std::vector<user>>;

    // These and no others. One that is kept knows what it knew.
    void want(time_point now, const wanted_checks& wanted, const net::link_table& links);
    void links_changed(time_point now, const net::link_table& links);
    void handle(time_point now, const probe_ended& answer);
    void handle(time_point now, const watch_ended& news);
    void handle_timeout(time_point now);
    std::optional<health_output> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;

    // Which are of another opinion since the last call.
    std::vector<check_id> take_changed() { return std::exchange(changed_, {}); }

    // Null when nobody has asked for it.
    [[nodiscard]] const check* find(const config::health_check& what) const;
    [[nodiscard]] std::size_t size() const { return checks_.size(); }

private:
    struct entry {
        check what;
        std::vector<user> users;
        // Ten changes at once are told, then one every ten seconds: what flaps is no news each time.
        token_bucket telling{10.0, 0.1};
        std::uint64_t untold = 0;
        time_point tell_at = never;
        time_point armed_at = never;  // in deadlines_
    };

    void drop(check_id id, const entry& e);
    void look_at_link(time_point now, entry& e, const net::link_table& links);
    void note_change(time_point now, entry& e);
    void tell(time_point now, entry& e);
    // `never` as well while it waits for a place.
    [[nodiscard]] time_point due_at(const entry& e) const;
    // After anything that may have moved a deadline of it.
    void set_deadline(entry& e);
    void begin(time_point now, entry& e);
    void begin_waiting(time_point now);
    void free_place(time_point now, check_id id);

    random_source random_;
    status::journal& journal_;
    std::map<check_id, entry> checks_;
    std::map<config::health_check, check_id> ids_;
    id_source<check_id> id_source_;
    std::set<std::pair<time_point, check_id>> deadlines_;
    std::set<check_id> programs_;   // that run
    std::deque<check_id> waiting_;  // for a place among them
    time_point place_told_at_ = time_point::min();
    std::vector<check_id> changed_;
    std::deque<health_output> outputs_;
};

}  // namespace vipd::health
