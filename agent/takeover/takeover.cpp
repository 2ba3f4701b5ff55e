#include "agent/takeover/takeover.hpp"

#include <algorithm>
#include <utility>

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

// The second opinion on a view that contradicts: soon enough for a repair within a second, late enough to meet another replica.
constexpr duration second_opinion_delay = 200ms;
// What is missing from one answer may be a stale read; missing from this many in succession it is gone.
constexpr unsigned views_without_it_max = 2;

}  // namespace

takeover::takeover(std::string router, std::uint64_t seed, status::journal& journal, interface_registers& interfaces) :
    router_(std::move(router)), random_(seed), journal_(journal), interfaces_(interfaces)
{}

template <class Predicate>
void takeover::cancel_calls(Predicate is_unwanted)
{
    for (auto entry = under_way_.begin(); entry != under_way_.end();) {
        if (!is_unwanted(entry->second)) {
            ++entry;
            continue;
        }
        outputs_.emplace_back(cancel_call{entry->first});
        log_cancelled(entry->second);
        if (const auto* id = std::get_if<aws::network_interface_id>(&entry->second.of)) {
            interfaces_.of(*id).let_go();
        }
        entry = under_way_.erase(entry);
    }
}

void takeover::add_register(time_point now, const cloud_query& query, const resource& what)
{
    const auto name = name_of(what);
    if (registers_.contains(name)) {
        return;
    }
    auto& added = registers_.emplace(name, make_register(now, query, what)).first->second;
    if (active()) {
        begin(now, added.value);
    }
}

takeover::tracked_register takeover::make_register(time_point now, const cloud_query& query, const resource& what)
{
    tracked_register made{cloud_register{what}, query};
    forget_set_aside(now);
    if (auto former = set_aside_.extract(name_of(what))) {
        made.value = std::move(former.mapped().value);
        made.value.change(what);
    }
    return made;
}

void takeover::forget_set_aside(time_point now)
{
    std::erase_if(set_aside_, [&](const auto& entry) { return now - entry.second.since > duel_breaker::pause_max; });
}

void takeover::begin(time_point now, cloud_register& value) const
{
    if (value.current() != cloud_register::stage::idle) {
        return;  // it was set aside in this epoch, in the midst of a duel
    }
    if (is_resumed_ && !confirmed_noted_) {
        value.resume_active(now);
    } else {
        value.become_active(now);
    }
}

void takeover::add_found(time_point now, const wanted_route& wanted, const query_view& view)
{
    if (wanted.query.by_id() || !view.destinations.contains(wanted.destination)) {
        return;
    }
    for (const auto& [id, table] : view.tables) {
        const resource what = wanted.in(id);
        if (registers_.contains(name_of(what))) {
            continue;
        }
        // Seen once before it becomes Active, so that the first call uses the right verb.
        auto fresh = make_register(now, wanted.query, what);
        if (fresh.value.current() == cloud_register::stage::idle) {
            fresh.value.see(view.read_began, now, *look_for(what, view));
            fresh.last_view = view.read_began;
        }
        if (active()) {
            begin(now, fresh.value);
        }
        registers_.try_emplace(name_of(what), std::move(fresh));
    }
}

void takeover::drop_register(time_point now, const resource_name& name)
{
    cancel_calls([&](const pending& call) {
        const auto* of = std::get_if<resource_name>(&call.of);
        return of != nullptr && *of == name;
    });
    forget_set_aside(now);
    auto dropped = registers_.extract(name);
    dropped.mapped().value.set_aside();
    set_aside_.insert_or_assign(name, former_register{std::move(dropped.mapped().value), now});
}

std::optional<resource> takeover::wanted_of(const tracked_register& tracked) const
{
    if (const auto* route = std::get_if<route_in_table>(&tracked.value.what())) {
        for (const auto& w : wanted_.routes) {
            if (w.destination == route->destination && cloud_query{w.query} == tracked.query) {
                return w.in(route->table);
            }
        }
        return std::nullopt;
    }
    const auto name = name_of(tracked.value.what());
    for (const auto& w : wanted_.others) {
        if (w.query == tracked.query && name_of(w.what) == name) {
            return w.what;
        }
    }
    return std::nullopt;
}

void takeover::want(time_point now, const desired& wanted, const world& seen)
{
    wanted_ = wanted;
    // What nobody wants any more is let go, without a call.
    std::vector<resource_name> unwanted;
    for (auto& [name, tracked] : registers_) {
        if (const auto kept = wanted_of(tracked)) {
            tracked.value.change(*kept);
        } else {
            unwanted.push_back(name);
        }
    }
    for (const auto& name : unwanted) {
        drop_register(now, name);
    }
    for (const auto& route : wanted.routes) {
        for (const auto& id : route.query.ids) {
            add_register(now, route.query, route.in(id));
        }
        if (const auto* view = seen.find(route.query)) {
            add_found(now, route, *view);
            look(now, route.query, *view);
        }
    }
    for (const auto& other : wanted.others) {
        add_register(now, other.query, other.what);
        if (const auto* view = seen.find(other.query)) {
            look(now, other.query, *view);
        }
    }
    cancel_calls([&](const pending& call) {
        const auto* id = std::get_if<aws::network_interface_id>(&call.of);
        if (id == nullptr) {
            return false;
        }
        const auto found = wanted.disable_source_dest_check.find(*id);
        return found == wanted.disable_source_dest_check.end() || !found->second;
    });
    act(now);
}

void takeover::become_active(time_point now, time_point due, std::uint64_t epoch)
{
    ENSURE(!active() && epoch != 0);
    epoch_ = epoch;
    due_ = due;
    is_resumed_ = false;
    first_request_noted_ = accepted_noted_ = confirmed_noted_ = false;
    failures_told_ = log_limiter{failure_limits};
    for (auto& [name, tracked] : registers_) {
        tracked.value.become_active(now);
    }
    for (const auto& [id, may_disable] : wanted_.disable_source_dest_check) {
        if (may_disable) {
            interfaces_.of(id).urge(now);
        }
    }
    // Tables that are found by a query and are not known yet: find them.
    for (const auto& route : wanted_.routes) {
        if (!route.query.by_id()) {
            outputs_.emplace_back(want_read{route.query, now});
        }
    }
    act(now);
}

void takeover::resume_active(time_point now, std::uint64_t epoch)
{
    ENSURE(!active() && epoch != 0);
    epoch_ = epoch;
    due_ = now;
    is_resumed_ = first_request_noted_ = accepted_noted_ = true;
    confirmed_noted_ = false;
    failures_told_ = log_limiter{failure_limits};
    for (auto& [name, tracked] : registers_) {
        begin(now, tracked.value);
    }
    for (const auto& route : wanted_.routes) {
        outputs_.emplace_back(want_read{route.query, now});
    }
    act(now);
}

void takeover::leave_active()
{
    if (!active()) {
        return;
    }
    cancel_calls([](const pending&) { return true; });
    epoch_ = 0;
    for (auto& [name, tracked] : registers_) {
        tracked.value.leave_active();
    }
    for (auto& [name, former] : set_aside_) {
        former.value.leave_active();
    }
}

void takeover::suspect(time_point now)
{
    if (!active()) {
        return;
    }
    rival_.heard(now, false);
    for (auto& [name, tracked] : registers_) {
        tracked.value.suspect(now);
    }
    for (const auto& route : wanted_.routes) {
        outputs_.emplace_back(want_read{route.query, now});
    }
    for (const auto& other : wanted_.others) {
        outputs_.emplace_back(want_read{other.query, now});
    }
    act(now);
}

void takeover::look(time_point now, const cloud_query& query, const query_view& view)
{
    bool second_opinion = false;
    std::vector<resource_name> gone;
    for (auto& [name, tracked] : registers_) {
        const bool is_news =
            tracked.query == query && view.read_began > tracked.last_view && was_asked(tracked.value.what(), view);
        if (!is_news) {
            continue;
        }
        tracked.last_view = view.read_began;
        const auto found = look_for(tracked.value.what(), view);
        if (!found) {
            tracked.views_without_any = is_absent(tracked.value.what(), view) ? tracked.views_without_any + 1 : 0;
            const auto* tables = std::get_if<table_query>(&query);
            if (++tracked.views_without_it >= views_without_it_max && tables != nullptr && !tables->by_id()) {
                gone.push_back(name);
            }
            if (tables == nullptr) {
                tracked.value.lose_sight();
            }
            continue;
        }
        tracked.views_without_it = tracked.views_without_any = 0;
        const auto consequence = tracked.value.see(view.read_began, now, *found, rival_.at(now));
        log_duel(now, tracked.value, consequence.duel);
        second_opinion = second_opinion || consequence.read_again_soon;
        if (consequence.repaired) {
            log_repair(tracked);
        }
    }
    for (const auto& name : gone) {
        journal_.record(log_level::info, "route_table_gone", router_, {{"table", name.table}, {"destination", name.thing}});
        drop_register(now, name);
    }
    if (second_opinion) {
        outputs_.emplace_back(want_read{query, now + second_opinion_delay});
    }
}

void takeover::world_changed(time_point now, const cloud_query& query, const query_view& view)
{
    for (const auto& route : wanted_.routes) {
        if (cloud_query{route.query} == query) {
            add_found(now, route, view);
        }
    }
    look(now, query, view);
    act(now);
    note_progress(now);
}

void takeover::interface_seen(time_point now, const aws::network_interface& seen)
{
    const auto wanted = wanted_.disable_source_dest_check.find(seen.id);
    if (wanted == wanted_.disable_source_dest_check.end()) {
        return;
    }
    if (interfaces_.of(seen.id).see(now, seen.source_dest_check)) {
        journal_.record(
            log_level::warning, "source_dest_check", router_,
            {{"interface", seen.id.str()},
             {"state", "on"},
             {"remedy", wanted->second ? "it is switched off when this node becomes Active"
                                       : "switch it off, or set source_dest_check = \"disable\" in [[router.route]]"}});
    }
    act(now);
}

std::optional<ip_address> takeover::missing_address(const cloud_register& value) const
{
    const auto* const elastic = std::get_if<elastic_ip>(&value.what());
    if (elastic == nullptr || !elastic->private_address) {
        return std::nullopt;
    }
    const secondary_address rests_on{*elastic->private_address, elastic->target};
    const auto found = registers_.find(name_of(rests_on));
    const bool is_missing =
        found != registers_.end() && found->second.value.what() == resource{rests_on} && !found->second.value.is_here();
    return is_missing ? elastic->private_address : std::nullopt;
}

void takeover::act(time_point now)
{
    if (!active()) {
        return;
    }
    for (auto& [name, tracked] : registers_) {
        tracked.value.wait_for(now, missing_address(tracked.value));
        if (auto call = tracked.value.issue(now)) {
            under_way_.emplace(++last_ticket_, pending{name, *call});
            outputs_.emplace_back(issue_call{last_ticket_, epoch_, std::move(*call)});
        }
        if (tracked.value.next_read() <= now) {
            tracked.value.read_asked(now);
            outputs_.emplace_back(want_read{tracked.query, now});
        }
    }
    for (const auto& [id, may_disable] : wanted_.disable_source_dest_check) {
        if (auto call = may_disable ? interfaces_.of(id).issue(now) : std::nullopt) {
            under_way_.emplace(++last_ticket_, pending{id, *call});
            outputs_.emplace_back(issue_call{last_ticket_, epoch_, std::move(*call)});
        }
    }
}

void takeover::answered(time_point now, std::uint64_t ticket, const aws::call_done& done)
{
    const auto found = under_way_.find(ticket);
    if (found == under_way_.end()) {
        return;
    }
    const auto entry = std::move(found->second);
    under_way_.erase(found);
    if (!first_request_noted_ && done.first_byte != never) {
        first_request_noted_ = true;
        times_.first_request.observe(std::max(duration::zero(), done.first_byte - due_));
    }
    if (const auto* name = std::get_if<resource_name>(&entry.of)) {
        log_call(now, {}, *name, done, entry.call);
        registers_.at(*name).value.answered(now, done.reply, random_);
    } else {
        const auto& id = std::get<aws::network_interface_id>(entry.of);
        log_call(now, id.str(), {}, done, entry.call);
        interfaces_.of(id).answered(now, done.reply, random_);
    }
    act(now);
    note_progress(now);
}

void takeover::note_progress(time_point now)
{
    if (!active() || registers_.empty() || confirmed_noted_) {
        return;
    }
    // A route that has no table yet is not here, whatever the others say.
    if (!wanted_.complete || !std::ranges::all_of(wanted_.routes, [&](const auto& route) { return has_register(route); })) {
        return;
    }
    const bool accepted = std::ranges::all_of(registers_, [](const auto& entry) { return entry.second.value.has_arrived(); });
    if (accepted && !accepted_noted_) {
        accepted_noted_ = true;
        times_.all_accepted.observe(now - due_);
        journal_.record(
            log_level::info, "takeover", router_,
            {{"epoch", epoch_}, {"phase", "accepted"}, {"resources", registers_.size()}, {"after_due_ms", now - due_}});
    }
    const bool confirmed = std::ranges::all_of(
        registers_, [](const auto& entry) { return entry.second.value.confirmed() && !is_gone(entry.second); });
    if (confirmed) {
        confirmed_noted_ = true;
        if (!is_resumed_) {
            times_.all_confirmed.observe(now - due_);
            last_takeover_ = now - due_;
        }
        journal_.record(
            log_level::info, "takeover", router_,
            {{"epoch", epoch_}, {"phase", "confirmed"}, {"resources", registers_.size()}, {"after_due_ms", now - due_}});
    }
}

void takeover::handle_timeout(time_point now)
{
    act(now);
}

std::optional<takeover_output> takeover::poll_output()
{
    if (outputs_taken_ == outputs_.size()) {
        outputs_.clear();
        outputs_taken_ = 0;
        return std::nullopt;
    }
    return std::move(outputs_[outputs_taken_++]);
}

wakeup takeover::next_wakeup() const
{
    wakeup next;
    if (!active()) {
        return next;
    }
    for (const auto& [key, tracked] : registers_) {
        next = earliest(next, tracked.value.next_wakeup());
    }
    for (const auto& [id, may_disable] : wanted_.disable_source_dest_check) {
        next = may_disable ? earliest(next, interfaces_.of(id).next_wakeup()) : next;
    }
    return next;
}

bool takeover::has_register(const wanted_route& wanted) const
{
    const auto thing = wanted.destination.to_string();
    for (auto at = registers_.lower_bound({thing, {}}); at != registers_.end() && at->first.thing == thing; ++at) {
        if (at->second.query == cloud_query{wanted.query}) {
            return true;
        }
    }
    return false;
}

std::string takeover::why_no_register(const wanted_route& wanted, const world& seen) const
{
    auto error = seen.last_error(wanted.query);
    if (!error.empty()) {
        return error;
    }
    const auto* view = seen.find(wanted.query);
    return view != nullptr && view->destinations.contains(wanted.destination)
               ? "no route table matches " + describe_query(wanted.query) + "; check tables in [[router.route]]"
               : std::string{};
}

std::string takeover::why_not_seen(const tracked_register& tracked, const world& seen) const
{
    auto error = seen.last_error(tracked.query);
    const auto* view = seen.find(tracked.query);
    const bool is_missing = view != nullptr && tracked.views_without_it > 0;
    return error.empty() && is_missing ? misfit(tracked.value.what(), *view) : error;
}

// EC2 has it no more, wherever it was seen before. Its register is not told: no call would bring it back.
bool takeover::is_gone(const tracked_register& tracked)
{
    return tracked.views_without_any >= views_without_it_max;
}

// What was seen here may not be so any more, what EC2 has accepted stays so until it can be read back, and what has not been
// seen at all waits for that. The others wait for a call, or are somebody else's.
bool takeover::rests_on_a_read(const status::resource& r, const tracked_register& tracked)
{
    return !tracked.value.seen() || !r.last_error.empty() || r.state == status::resource_state::here ||
           r.state == status::resource_state::accepted;
}

void takeover::snapshot(time_point now, const world& seen, std::vector<status::resource>& out) const
{
    for (const auto& route : wanted_.routes) {
        if (!has_register(route)) {
            auto& r = out.emplace_back();
            r.kind = status::resource_kind::route;
            r.destination = r.name = route.destination.to_string();
            r.state = active() ? status::resource_state::taking : status::resource_state::unknown;
            r.last_error = why_no_register(route, seen);
        }
    }
    for (const auto& [name, tracked] : registers_) {
        const auto* view = seen.find(tracked.query);
        auto r = tracked.value.snapshot(now);
        r.kind = kind_of(tracked.value.what());
        r.name = name_for_people(tracked.value.what(), view);
        if (is_gone(tracked)) {
            r.state = active() ? status::resource_state::taking : status::resource_state::unknown;
            r.owner.clear();
        }
        if (r.last_error.empty() && tracked.views_without_it >= views_without_it_max) {
            r.last_error = why_not_seen(tracked, seen);
        } else if (const auto unread = seen.last_error(tracked.query); !unread.empty() && rests_on_a_read(r, tracked)) {
            r.last_error += (r.last_error.empty() ? "it cannot be read: " : "; it cannot be read: ") + unread;
        }
        out.push_back(std::move(r));
    }
    for (const auto& [id, may_disable] : wanted_.disable_source_dest_check) {
        auto r = interfaces_.of(id).snapshot(now, active(), may_disable);
        if (r.last_error.empty() && !interfaces_.read_error().empty()) {
            r.last_error = "it cannot be read: " + interfaces_.read_error();
        }
        out.push_back(std::move(r));
    }
}

std::vector<std::string> takeover::plan(const world& seen) const
{
    std::vector<std::string> lines;
    for (const auto& route : wanted_.routes) {
        if (!has_register(route)) {
            const auto why = why_no_register(route, seen);
            lines.push_back("? " + route.destination.to_string() + ": " +
                            (why.empty() ? "the route tables have not been read yet" : why));
        }
    }
    for (const auto& [name, tracked] : registers_) {
        const auto& r = tracked.value;
        if (r.seen() && tracked.views_without_it < views_without_it_max) {
            lines.push_back(plan_line(r.what(), *r.seen()));
            continue;
        }
        const auto why = why_not_seen(tracked, seen);
        lines.push_back("? " + name.for_people() + ": " + (why.empty() ? "it has not been read yet" : why));
    }
    return lines;
}

}  // namespace vipd::takeover
