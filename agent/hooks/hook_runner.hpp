#pragma once

// The programs of one router's [router.hooks]: one at a time, in the order of what happened, each with a deadline.
//
// What waits is bounded because the role is one thing: an event of the role (active, backup, fault) outdates every program that
// waits for an earlier one, also where nothing is configured for it. So a program may not be run for a role that came and went
// while another ran, and the last role is always told. `stopping` outdates all the others and is outdated by none.
//
// A program that runs is never ended because the role has changed again: it may be half-way through something. Its deadline
// ends it, SIGTERM first and SIGKILL later, its whole process group each time. Should not even that help (a process that hangs
// in the kernel), it is waited for no longer, so that the next one has its turn.

#include "agent/config/hooks.hpp"
#include "agent/hooks/environment.hpp"
#include "agent/hooks/output_lines.hpp"
#include "agent/hooks/process.hpp"
#include "agent/status/journal.hpp"
#include "agent/status/snapshot.hpp"
#include "common/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::hooks {

class hook_runner {
public:
    static constexpr duration kill_after = std::chrono::seconds{2};      // SIGTERM
    static constexpr duration abandon_after = std::chrono::seconds{10};  // SIGKILL
    // What a program that runs when vipd ends may still take of the time that there is for all.
    static constexpr duration last_run_max = std::chrono::seconds{20};

    hook_runner(std::string router, status::journal& journal) : router_(std::move(router)), journal_(journal) {}

    // The programs and their account are those of `configured` at this moment; a reload changes nothing about them.
    void happened(const config::hooks_section& configured, const occasion& what);
    // Before the event `stopping`: from here on there is a limit to all of it.
    void stop(time_point now);

    // True once for each program that waits for a place among the node's processes. begin() is what it is answered with, and
    // returns false when it is not needed any more.
    bool takes_place();
    bool begin(time_point now, process_id id);

    void handle(const process_output& what);
    void handle(time_point now, const process_ended& what);
    void handle_timeout(time_point now);
    std::optional<hook_output> poll_output();
    [[nodiscard]] wakeup next_wakeup() const;

    [[nodiscard]] bool idle() const { return !running_ && waiting_.empty(); }
    // One for each program that is configured.
    void snapshot(time_point now, const config::hooks_section& configured, std::vector<status::hook>& out) const;

private:
    // One program for one event.
    struct run {
        config::hook_event event = config::hook_event::active;
        bool is_notify = false;
        std::uint64_t epoch = 0;
        config::command command;
        std::vector<std::string> environment;
        std::optional<config::account> user;
        duration timeout{};
    };
    enum class phase : std::uint8_t { running, terminated, killed };
    struct running_process {
        run what;
        process_id id;
        time_point since;
        time_point until;  // of the phase
        duration allowed{};
        phase stage = phase::running;
        output_lines lines;
    };
    // What is remembered of a program and event.
    struct record {
        std::array<std::uint64_t, status::hook_outcome_count> runs{};
        std::uint64_t superseded = 0;
        std::uint64_t lines_dropped = 0;
        std::optional<status::hook_run> last;
        std::string last_command;
        time_point ended_at{};
    };

    void supersede(config::hook_event by);
    void add(const config::hooks_section& configured, const occasion& what, const config::command& command, bool is_notify);
    void end(time_point now, status::hook_outcome outcome, std::string problem, bool left_others);
    void give_up_waiting(time_point now);
    void account_for(time_point now, const run& what, const status::hook_run& how, const output_lines& lines, bool left_others);
    void tell(const run& what, const status::hook_run& how, const output_lines& lines, bool left_others);
    void tell_line(const run& what, std::string_view line);
    static std::size_t place_of(config::hook_event event, bool is_notify)
    {
        return 2 * static_cast<std::size_t>(event) + (is_notify ? 1 : 0);
    }
    record& record_of(const run& r);
    [[nodiscard]] bool is_waiting(config::hook_event event, bool is_notify) const;

    std::string router_;
    status::journal& journal_;
    std::vector<run> waiting_;
    bool asked_for_place_ = false;
    std::optional<running_process> running_;
    std::vector<hook_output> outputs_;
    bool stopping_ = false;
    time_point stop_until_ = never;
    // By place_of(); empty until there is something to remember, because most routers have no hooks.
    std::vector<record> records_;
};

}  // namespace vipd::hooks
