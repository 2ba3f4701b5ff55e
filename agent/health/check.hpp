#pragma once

// One check: when it is looked at next, and what the answers make of it. The first answer counts at once, because until then
// nothing is known; later it takes `rise` or `fall` answers in a row to change it, so that one lost packet moves no address.
//
// A look begins `interval` after the last one began, and never before that one has ended. What the shell watches by itself (a
// process that was found) is not looked at again until its end is told.

#include "agent/config/track.hpp"
#include "agent/health/probe.hpp"
#include "agent/status/snapshot.hpp"
#include "common/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vipd::health {

using status::tracker_state;

class check {
public:
    check(check_id id, config::health_check what, time_point first_at) : id_(id), what_(std::move(what)), due_at_(first_at) {}

    // The next look begins; there is none under way.
    start_probe begin(time_point now);
    // Each returns whether it is of another opinion now.
    bool handle(time_point now, const probe_ended& answer);
    bool handle(time_point now, const watch_ended& news);
    // Of an interface, which nobody has to look at.
    bool tell(time_point now, bool is_well, std::string_view reason);

    [[nodiscard]] check_id id() const { return id_; }
    [[nodiscard]] const config::health_check& what() const { return what_; }
    // `never` while a look is under way or nothing is to be looked at.
    [[nodiscard]] time_point due_at() const { return due_at_; }
    [[nodiscard]] bool is_under_way() const { return is_under_way_; }
    [[nodiscard]] tracker_state state() const { return state_; }
    // What it was that has made it fail. The text of later failures changes nothing about that: who tells it would tell the
    // same thing again and again. Empty while it is well.
    [[nodiscard]] const std::string& reason() const { return reason_; }
    // Of a file, as last read.
    [[nodiscard]] std::int64_t number() const { return number_; }

    void snapshot(time_point now, status::tracker& out) const;

private:
    bool judge(time_point now, bool has_passed, std::string_view text);

    check_id id_;
    config::health_check what_;
    tracker_state state_ = tracker_state::unknown;
    std::string reason_;
    std::string last_text_;
    unsigned contrary_ = 0;  // answers in a row that speak against the state
    std::int64_t number_ = 0;
    bool is_under_way_ = false;
    time_point due_at_;
    time_point began_at_{};
    std::optional<time_point> changed_at_;
    std::optional<duration> took_;
    std::array<std::uint64_t, status::check_result_count> results_{};
};

}  // namespace vipd::health
