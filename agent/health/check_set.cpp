#include "agent/health/check_set.hpp"

#include "common/ensure.hpp"

#include <algorithm>
#include <limits>

namespace vipd::health {

namespace {

using namespace std::chrono_literals;

constexpr duration place_pause = 10min;  // between two lines about programs that wait

bool is_program(const config::health_check& what)
{
    return what.kind() == config::track_kind::script;
}

bool is_looked_at(const config::health_check& what)
{
    return what.kind() != config::track_kind::interface;
}

}  // namespace

void check_set::want(time_point now, const wanted_checks& wanted, const net::link_table& links)
{
    for (auto known = ids_.begin(); known != ids_.end();) {
        if (wanted.contains(known->first)) {
            ++known;
            continue;
        }
        const auto found = checks_.find(known->second);
        drop(found->first, found->second);
        checks_.erase(found);
        known = ids_.erase(known);
    }
    const auto is_new = [&](const auto& w) { return is_looked_at(w.first) && !ids_.contains(w.first); };
    const auto count = std::ranges::count_if(wanted, is_new);
    duration place{};
    for (const auto& [what, users] : wanted) {
        if (const auto known = ids_.find(what); known != ids_.end()) {
            checks_.at(known->second).users = users;
            continue;
        }
        const auto id = id_source_.next();
        auto first_at = never;
        if (is_looked_at(what)) {
            const auto distance = std::min<duration>(first_distance, what.interval / count);
            first_at = now + place + random_.between(duration{}, distance);
            place += distance;
        }
        const auto added = checks_.emplace(id, entry{check{id, what, first_at}, users});
        ids_.emplace(what, id);
        set_deadline(added.first->second);
        look_at_link(now, added.first->second, links);
    }
    begin_waiting(now);
}

void check_set::drop(check_id id, const entry& e)
{
    if (is_looked_at(e.what.what())) {
        outputs_.emplace_back(stop_probes{id});
    }
    deadlines_.erase({e.armed_at, id});
    std::erase(waiting_, id);
    programs_.erase(id);
}

time_point check_set::due_at(const entry& e) const
{
    return std::ranges::find(waiting_, e.what.id()) == waiting_.end() ? e.what.due_at() : never;
}

void check_set::set_deadline(entry& e)
{
    const auto id = e.what.id();
    const auto at = std::min(due_at(e), e.tell_at);
    if (e.armed_at == at) {
        return;
    }
    deadlines_.erase({e.armed_at, id});
    e.armed_at = at;
    if (at != never) {
        deadlines_.emplace(at, id);
    }
}

void check_set::links_changed(time_point now, const net::link_table& links)
{
    for (auto& [id, e] : checks_) {
        look_at_link(now, e, links);
    }
}

void check_set::look_at_link(time_point now, entry& e, const net::link_table& links)
{
    const auto* const wanted = std::get_if<config::interface_check>(&e.what.what().target);
    if (wanted == nullptr || !links.complete()) {
        return;
    }
    const auto* const link = links.find_link(wanted->interface);
    const auto* const problem = link == nullptr  ? "there is no such interface"
                                : !link->up      ? "it is down"
                                : !link->running ? "it has no carrier"
                                                 : "";
    if (e.what.tell(now, *problem == '\0', problem)) {
        note_change(now, e);
    }
}

void check_set::handle(time_point now, const probe_ended& answer)
{
    const auto found = checks_.find(answer.id);
    if (found == checks_.end()) {
        return;
    }
    auto& e = found->second;
    if (e.what.handle(now, answer)) {
        note_change(now, e);
    }
    set_deadline(e);
    free_place(now, answer.id);
}

void check_set::handle(time_point now, const watch_ended& news)
{
    const auto found = checks_.find(news.id);
    if (found == checks_.end()) {
        return;
    }
    if (found->second.what.handle(now, news)) {
        note_change(now, found->second);
    }
    set_deadline(found->second);
}

void check_set::handle_timeout(time_point now)
{
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        auto& e = checks_.at(deadlines_.begin()->second);
        if (e.tell_at <= now) {
            tell(now, e);
        }
        if (due_at(e) <= now) {
            begin(now, e);
        }
        set_deadline(e);
    }
}

void check_set::begin(time_point now, entry& e)
{
    const auto id = e.what.id();
    if (is_program(e.what.what())) {
        if (programs_.size() >= programs_max) {
            waiting_.push_back(id);
            if (place_told_at_ == time_point::min() || now - place_told_at_ >= place_pause) {
                place_told_at_ = now;
                journal_.record(log_level::warning, "tracker_programs", {},
                                {{"running", programs_.size()},
                                 {"what", "no more scripts of trackers than these run at once, so others wait for their end"},
                                 {"remedy", "give them longer intervals, shorter timeouts, or another kind of check"}});
            }
            return;
        }
        programs_.insert(id);
    }
    outputs_.emplace_back(e.what.begin(now));
}

void check_set::free_place(time_point now, check_id id)
{
    if (programs_.erase(id) > 0) {
        begin_waiting(now);
    }
}

void check_set::begin_waiting(time_point now)
{
    while (!waiting_.empty() && programs_.size() < programs_max) {
        auto& next = checks_.at(waiting_.front());
        waiting_.pop_front();
        begin(now, next);
        set_deadline(next);
    }
}

void check_set::note_change(time_point now, entry& e)
{
    changed_.push_back(e.what.id());
    ++e.untold;
    if (e.telling.try_take(now)) {
        tell(now, e);
    } else {
        e.tell_at = e.telling.available_at(now);
    }
    set_deadline(e);
}

void check_set::tell(time_point now, entry& e)
{
    if (e.tell_at != never) {
        static_cast<void>(e.telling.try_take(now));
        e.tell_at = never;
    }
    const bool is_alone = e.users.size() == 1;
    const auto what = config::describe(e.what.what().target);
    std::vector<log_field> fields = {{"tracker", is_alone ? std::string_view{e.users.front().tracker} : std::string_view{what}},
                                     {"kind", to_string(e.what.what().kind())},
                                     {"what", what},
                                     {"state", to_string(e.what.state())}};
    if (!e.what.reason().empty()) {
        fields.emplace_back("reason", e.what.reason());
    }
    if (e.what.what().kind() == config::track_kind::file) {
        fields.emplace_back("number", e.what.number());
    }
    if (!is_alone) {
        fields.emplace_back("trackers", e.users.size());
    }
    if (e.untold > 1) {
        fields.emplace_back("changes", e.untold);
    }
    e.untold = 0;
    journal_.record(e.what.state() == tracker_state::failing ? log_level::warning : log_level::info, "tracker",
                    is_alone ? std::string_view{e.users.front().router} : std::string_view{}, fields);
}

std::optional<health_output> check_set::poll_output()
{
    if (outputs_.empty()) {
        return std::nullopt;
    }
    auto first = std::move(outputs_.front());
    outputs_.pop_front();
    return first;
}

wakeup check_set::next_wakeup() const
{
    return {deadlines_.empty() ? never : deadlines_.begin()->first, "check"};
}

const check* check_set::find(const config::health_check& what) const
{
    const auto known = ids_.find(what);
    return known == ids_.end() ? nullptr : &checks_.at(known->second).what;
}

}  // namespace vipd::health
