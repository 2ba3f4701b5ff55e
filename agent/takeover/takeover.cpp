#include "agent/takeover/takeover.hpp"

#include <algorithm>
#include <utility>

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

// The second opinion on a view that contradicts: soon enough for a repair within a second, late enough to meet another replica.
constexpr duration second_opinion_delay = 200ms;
// A table that is missing from one answer may be a stale read; missing from this many in succession it is gone.
constexpr unsigned views_without_table_max = 2;

const aws::route* find_route(const table_view& table, const aws::route_destination& destination)
{
    const auto found = table.routes.find(destination);
    return found == table.routes.end() ? nullptr : &found->second;
}

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

void takeover::add_register(time_point now, const wanted_route& wanted, const aws::route_table_id& table)
{
    const auto [at, added] =
        registers_.try_emplace(register_key{wanted.destination, table}, tracked_register{route_register{table, wanted}});
    if (added && active()) {
        at->second.value.become_active(now);
    }
}

void takeover::add_found(time_point now, const wanted_route& wanted, const query_view& view)
{
    if (wanted.query.by_id() || !view.destinations.contains(wanted.destination)) {
        return;
    }
    for (const auto& [id, table] : view.tables) {
        if (registers_.contains({wanted.destination, id})) {
            continue;
        }
        // Seen once before it becomes Active, so that the first call uses the right verb.
        tracked_register fresh{route_register{id, wanted}};
        fresh.value.see(view.read_began, now, find_route(table, wanted.destination));
        fresh.last_view = view.read_began;
        if (active()) {
            fresh.value.become_active(now);
        }
        registers_.try_emplace({wanted.destination, id}, std::move(fresh));
    }
}

void takeover::drop_register(const register_key& key)
{
    cancel_calls([&](const pending& call) {
        const auto* of = std::get_if<register_key>(&call.of);
        return of != nullptr && *of == key;
    });
    registers_.erase(key);
}

void takeover::want(time_point now, const desired& wanted, const world& seen)
{
    wanted_ = wanted;
    // What nobody wants any more is let go, without a call.
    std::vector<register_key> unwanted;
    for (auto& [key, tracked] : registers_) {
        const auto& old = tracked.value.wanted();
        const auto kept = std::ranges::find_if(
            wanted.routes, [&](const wanted_route& w) { return w.destination == old.destination && w.query == old.query; });
        if (kept == wanted.routes.end()) {
            unwanted.push_back(key);
        } else {
            tracked.value.retarget(kept->target);
        }
    }
    for (const auto& key : unwanted) {
        drop_register(key);
    }
    for (const auto& route : wanted.routes) {
        for (const auto& id : route.query.ids) {
            add_register(now, route, id);
        }
        if (const auto* view = seen.find(route.query)) {
            add_found(now, route, *view);
            look(now, route.query, *view);
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
    issue_due(now);
}

void takeover::become_active(time_point now, time_point due, std::uint64_t epoch)
{
    ENSURE(!active() && epoch != 0);
    epoch_ = epoch;
    due_ = due;
    first_request_noted_ = accepted_noted_ = confirmed_noted_ = false;
    failures_told_ = log_limiter{failure_limits};
    for (auto& [key, tracked] : registers_) {
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
    issue_due(now);
}

void takeover::leave_active()
{
    if (!active()) {
        return;
    }
    cancel_calls([](const pending&) { return true; });
    epoch_ = 0;
    for (auto& [key, tracked] : registers_) {
        tracked.value.leave_active();
    }
}

void takeover::suspect(time_point now)
{
    if (!active()) {
        return;
    }
    rival_.heard(now, false);
    for (auto& [key, tracked] : registers_) {
        tracked.value.suspect(now);
    }
    for (const auto& route : wanted_.routes) {
        outputs_.emplace_back(want_read{route.query, now});
    }
    issue_due(now);
}

void takeover::look(time_point now, const table_query& query, const query_view& view)
{
    bool second_opinion = false;
    std::vector<register_key> gone;
    for (auto& [key, tracked] : registers_) {
        const bool is_news = tracked.value.wanted().query == query && view.destinations.contains(key.first) &&
                             view.read_began > tracked.last_view;
        if (!is_news) {
            continue;
        }
        tracked.last_view = view.read_began;
        const auto table = view.tables.find(key.second);
        if (table == view.tables.end()) {
            if (++tracked.views_without_table >= views_without_table_max && !query.by_id()) {
                gone.push_back(key);
            }
            continue;
        }
        tracked.views_without_table = 0;
        const auto consequence = tracked.value.see(view.read_began, now, find_route(table->second, key.first), rival_.at(now));
        log_duel(now, key, tracked.value, consequence.duel);
        second_opinion = second_opinion || consequence.read_again_soon;
        if (consequence.repaired) {
            journal_.record(log_level::warning, "repair", router_,
                            {{"epoch", epoch_},
                             {"table", key.second.str()},
                             {"destination", key.first.to_string()},
                             {"found", describe_owner(find_route(table->second, key.first))},
                             {"wanted", tracked.value.wanted().target.str()}});
        }
    }
    for (const auto& key : gone) {
        journal_.record(log_level::info, "route_table_gone", router_,
                        {{"table", key.second.str()}, {"destination", key.first.to_string()}});
        drop_register(key);
    }
    if (second_opinion) {
        outputs_.emplace_back(want_read{query, now + second_opinion_delay});
    }
}

void takeover::world_changed(time_point now, const table_query& query, const query_view& view)
{
    for (const auto& route : wanted_.routes) {
        if (route.query == query) {
            add_found(now, route, view);
        }
    }
    look(now, query, view);
    issue_due(now);
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
    issue_due(now);
}

void takeover::issue_due(time_point now)
{
    if (!active()) {
        return;
    }
    for (auto& [key, tracked] : registers_) {
        if (auto call = tracked.value.issue(now)) {
            under_way_.emplace(++last_ticket_, pending{key, *call});
            outputs_.emplace_back(issue_call{last_ticket_, epoch_, std::move(*call)});
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
    if (const auto* key = std::get_if<register_key>(&entry.of)) {
        log_call(now, key, done, entry.call);
        auto& tracked = registers_.at(*key);
        tracked.value.answered(now, done.reply, random_);
        if (tracked.value.current() == route_register::stage::unknown) {
            outputs_.emplace_back(want_read{tracked.value.wanted().query, now});
        }
    } else {
        log_call(now, nullptr, done, entry.call);
        interfaces_.of(std::get<aws::network_interface_id>(entry.of)).answered(now, done.reply, random_);
    }
    issue_due(now);
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
    const bool accepted = std::ranges::all_of(
        registers_, [](const auto& entry) { return entry.second.value.current() == route_register::stage::settled; });
    if (accepted && !accepted_noted_) {
        accepted_noted_ = true;
        times_.all_accepted.observe(now - due_);
        journal_.record(
            log_level::info, "takeover", router_,
            {{"epoch", epoch_}, {"phase", "accepted"}, {"routes", registers_.size()}, {"after_due_ms", now - due_}});
    }
    const bool confirmed = std::ranges::all_of(registers_, [](const auto& entry) { return entry.second.value.confirmed(); });
    if (confirmed) {
        confirmed_noted_ = true;
        times_.all_confirmed.observe(now - due_);
        last_takeover_ = now - due_;
        journal_.record(
            log_level::info, "takeover", router_,
            {{"epoch", epoch_}, {"phase", "confirmed"}, {"routes", registers_.size()}, {"after_due_ms", now - due_}});
    }
}

void takeover::handle_timeout(time_point now)
{
    for (auto& [key, tracked] : registers_) {
        if (tracked.value.next_read_back() <= now) {
            tracked.value.read_back_asked(now);
            outputs_.emplace_back(want_read{tracked.value.wanted().query, now});
        }
    }
    issue_due(now);
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
    for (auto at = registers_.lower_bound({wanted.destination, {}}); at != registers_.end(); ++at) {
        if (at->first.first != wanted.destination) {
            return false;
        }
        if (at->second.value.wanted().query == wanted.query) {
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
    for (const auto& [key, tracked] : registers_) {
        const auto& query = tracked.value.wanted().query;
        const auto* view = seen.find(query);
        const auto table = view == nullptr ? decltype(view->tables.end()){} : view->tables.find(key.second);
        const bool known = view != nullptr && table != view->tables.end();
        auto r = tracked.value.snapshot(now, known ? table->second.name : std::string{});
        if (r.last_error.empty() && tracked.views_without_table >= views_without_table_max) {
            r.last_error = "EC2 lists no such route table; check tables in [[router.route]]";
        } else if (r.last_error.empty() && !tracked.value.ever_seen()) {
            r.last_error = seen.last_error(query);
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
    for (const auto& [key, tracked] : registers_) {
        const auto& r = tracked.value;
        const auto* route = r.seen() ? &*r.seen() : nullptr;
        const std::string where = key.first.to_string() + " in " + key.second.str();
        if (!r.ever_seen() || tracked.views_without_table >= views_without_table_max) {
            const auto error = seen.last_error(r.wanted().query);
            const std::string otherwise =
                tracked.views_without_table == 0 ? "the route tables have not been read yet" : "EC2 lists no such route table";
            lines.push_back("? " + where + ": " + (error.empty() ? otherwise : error));
            continue;
        }
        switch (plan_route(r.wanted().target, route)) {
            case route_action::none:
                lines.push_back("= " + where + ": stays at " + r.wanted().target.str());
                break;
            case route_action::create:
                lines.push_back("+ " + where + ": CreateRoute to " + r.wanted().target.str() + " (found " +
                                describe_owner(route) + ")");
                break;
            case route_action::replace:
                lines.push_back("~ " + where + ": ReplaceRoute from " + describe_owner(route) + " to " +
                                r.wanted().target.str());
                break;
        }
    }
    return lines;
}

}  // namespace vipd::takeover
