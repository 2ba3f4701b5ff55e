#include "agent/hooks/hook_runner.hpp"

#include "common/duration_text.hpp"
#include "common/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace vipd::hooks {

namespace {

using config::hook_event;
using status::hook_outcome;

// The programs of one role, of `owned`, of one lower advert, and of the end.
constexpr std::size_t waiting_max = 8;

bool is_role(hook_event event)
{
    return event == hook_event::active || event == hook_event::backup || event == hook_event::fault ||
           event == hook_event::stopping;
}

bool outdates(hook_event later, hook_event earlier)
{
    if (earlier == hook_event::stopping) {
        return false;
    }
    return is_role(later) || later == earlier;
}

}  // namespace

void hook_runner::happened(const config::hooks_section& configured, const occasion& what)
{
    if (stopping_ && what.event != hook_event::stopping) {
        return;
    }
    supersede(what.event);
    add(configured, what, configured.of(what.event), false);
    if (auto arguments = keepalived_arguments(what); !configured.notify.empty() && !arguments.empty()) {
        auto command = configured.notify;
        std::ranges::move(arguments, std::back_inserter(command.argv));
        add(configured, what, command, true);
    }
    ENSURE(waiting_.size() <= waiting_max);
}

hook_runner::record& hook_runner::record_of(const run& r)
{
    records_.resize(2 * config::hook_events.size());
    return records_[place_of(r.event, r.is_notify)];
}

void hook_runner::supersede(hook_event by)
{
    const auto is_outdated = [&](const run& r) { return outdates(by, r.event); };
    for (const auto& r : waiting_) {
        if (is_outdated(r)) {
            ++record_of(r).superseded;
            journal_.record(log_level::info, "hook_superseded", router_,
                            {{"hook", to_string(r.event)}, {"notify", r.is_notify}, {"epoch", r.epoch}, {"by", to_string(by)}});
        }
    }
    std::erase_if(waiting_, is_outdated);
}

void hook_runner::add(const config::hooks_section& configured, const occasion& what, const config::command& command,
                      bool is_notify)
{
    if (!command.empty()) {
        waiting_.push_back(
            {what.event, is_notify, what.epoch, command, environment_of(what), configured.runs_as, configured.timeout});
    }
}

void hook_runner::stop(time_point now)
{
    if (stopping_) {
        return;
    }
    stopping_ = true;
    stop_until_ = now + config::hook_stop_max;
    if (running_ && running_->stage == phase::running) {
        running_->until = std::min(running_->until, now + last_run_max);
        running_->allowed = running_->until - running_->since;
    }
}

bool hook_runner::takes_place()
{
    return !running_ && !waiting_.empty() && !std::exchange(asked_for_place_, true);
}

bool hook_runner::begin(time_point now, process_id id)
{
    ENSURE(!running_);
    asked_for_place_ = false;
    if (waiting_.empty()) {
        return false;
    }
    auto next = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    outputs_.emplace_back(start_process{id, next.command.argv, next.environment, next.user});
    const auto until = std::min(now + next.timeout, stop_until_);
    running_ = running_process{std::move(next), id, now, until, until - now, phase::running, {}};
    return true;
}

void hook_runner::handle(const process_output& what)
{
    if (running_ && running_->id == what.id) {
        running_->lines.take(what.bytes, [&](std::string_view line) { tell_line(running_->what, line); });
    }
}

void hook_runner::handle(time_point now, const process_ended& what)
{
    if (!running_ || running_->id != what.id) {
        return;
    }
    if (what.how == process_end::not_started) {
        end(now, hook_outcome::not_started, what.why, false);
        return;
    }
    const bool was_exit = what.how == process_end::exited;
    const auto how = fmt::format("{} {}", was_exit ? "exit status" : "signal", what.code);
    if (running_->stage != phase::running) {
        const auto allowed = format_duration(std::chrono::round<std::chrono::milliseconds>(running_->allowed));
        end(now, hook_outcome::timed_out, fmt::format("it ran for longer than {} and was ended ({})", allowed, how),
            what.left_others);
    } else if (was_exit && what.code == 0) {
        end(now, hook_outcome::succeeded, "", what.left_others);
    } else {
        end(now, was_exit ? hook_outcome::failed : hook_outcome::signalled, how, what.left_others);
    }
}

void hook_runner::handle_timeout(time_point now)
{
    if (running_ && running_->until <= now) {
        switch (running_->stage) {
            case phase::running:
                running_->stage = phase::terminated;
                running_->until = now + kill_after;
                outputs_.emplace_back(signal_process{running_->id, process_signal::terminate});
                break;
            case phase::terminated:
                running_->stage = phase::killed;
                running_->until = now + abandon_after;
                outputs_.emplace_back(signal_process{running_->id, process_signal::kill});
                break;
            case phase::killed:
                end(now, hook_outcome::abandoned, "it was killed and has not ended: it hangs in the kernel", false);
                break;
        }
    }
    if (stop_until_ <= now) {
        give_up_waiting(now);
    }
}

// A program that has not ended in its time still runs here.
void hook_runner::give_up_waiting(time_point now)
{
    for (const auto& next : std::exchange(waiting_, {})) {
        const auto* const why = "no time was left before the end of vipd";
        account_for(now, next, {next.epoch, hook_outcome::not_started, why, {}, {}}, {}, false);
    }
}

void hook_runner::end(time_point now, hook_outcome outcome, std::string problem, bool left_others)
{
    auto process = std::move(*running_);
    running_.reset();
    process.lines.end([&](std::string_view line) { tell_line(process.what, line); });
    account_for(now, process.what, {process.what.epoch, outcome, std::move(problem), now - process.since, {}}, process.lines,
                left_others);
}

// Whether it has run or not.
void hook_runner::account_for(time_point now, const run& what, const status::hook_run& how, const output_lines& lines,
                              bool left_others)
{
    auto& r = record_of(what);
    ++r.runs[static_cast<std::size_t>(how.outcome)];
    r.lines_dropped += lines.dropped();
    r.last = how;
    r.last_command = what.command.argv.front();
    r.ended_at = now;
    tell(what, how, lines, left_others);
}

void hook_runner::tell(const run& what, const status::hook_run& how, const output_lines& lines, bool left_others)
{
    const bool is_good = how.outcome == hook_outcome::succeeded;
    std::vector<log_field> fields = {{"hook", to_string(what.event)},
                                     {"notify", what.is_notify},
                                     {"epoch", what.epoch},
                                     {"outcome", to_string(how.outcome)}};
    if (!is_good) {
        fields.emplace_back("problem", how.problem);
    }
    const auto command = what.command.to_string();
    fields.emplace_back("took_ms", how.took);
    fields.emplace_back("lines", lines.told());
    fields.emplace_back("lines_dropped", lines.dropped());
    if (left_others) {
        fields.emplace_back("left_behind", "processes of its group, which were ended");
    }
    fields.emplace_back("command", command);
    journal_.record(is_good ? log_level::info : log_level::warning, "hook", router_, fields);
}

// Not among the events: a program may write more lines than the history has.
void hook_runner::tell_line(const run& what, std::string_view line)
{
    journal_.log().info("hook_output", {{"router", router_}, {"hook", to_string(what.event)}, {"line", line}});
}

std::optional<hook_output> hook_runner::poll_output()
{
    if (outputs_.empty()) {
        return std::nullopt;
    }
    auto first = std::move(outputs_.front());
    outputs_.erase(outputs_.begin());
    return first;
}

wakeup hook_runner::next_wakeup() const
{
    const wakeup end_of_phase{running_ ? running_->until : never, "hook"};
    return waiting_.empty() ? end_of_phase : earliest(end_of_phase, {stop_until_, "hook"});
}

bool hook_runner::is_waiting(hook_event event, bool is_notify) const
{
    return std::ranges::any_of(waiting_, [&](const run& r) { return r.event == event && r.is_notify == is_notify; });
}

void hook_runner::snapshot(time_point now, const config::hooks_section& configured, std::vector<status::hook>& out) const
{
    const auto add_one = [&](hook_event event, const config::command& command, bool is_notify) {
        if (command.empty()) {
            return;
        }
        const auto r = records_.empty() ? record{} : records_[place_of(event, is_notify)];
        status::hook h{event,  is_notify,    command.to_string(), {}, is_waiting(event, is_notify), {},
                       r.runs, r.superseded, r.lines_dropped};
        if (running_ && running_->what.event == event && running_->what.is_notify == is_notify) {
            h.running = now - running_->since;
        }
        // What another program did says nothing about this one.
        if (r.last && r.last_command == command.argv.front()) {
            h.last = r.last;
            h.last->age = now - r.ended_at;
        }
        out.push_back(std::move(h));
    };
    for (const auto event : config::hook_events) {
        add_one(event, configured.of(event), false);
    }
    for (const auto event : config::hook_events) {
        if (event != hook_event::owned) {
            add_one(event, configured.notify, true);
        }
    }
}

}  // namespace vipd::hooks
