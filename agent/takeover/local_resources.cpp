#include "agent/takeover/local_resources.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

// The kernel's own event follows what was asked for, or has come already; looking again before it would ask a second time.
constexpr duration event_wait = 100ms;

}  // namespace

// --- what is wanted ---

const local_resources::entry_state* local_resources::find(const local_value& value) const
{
    const auto found = std::ranges::find_if(entries_, [&](const entry_state& e) { return is_same_place(e.item.value, value); });
    return found == entries_.end() ? nullptr : &*found;
}

bool local_resources::wanted_here(const entry_state& e) const
{
    if (e.retired) {
        return draining() && !e.item.always;
    }
    return e.item.always || active_ || draining();
}

bool local_resources::stays_for_others(const entry_state& e) const
{
    return !wanted_here(e) && needs_.is_needed_elsewhere(e.item.value, *this);
}

sight local_resources::look_at(const entry_state& e, const net::link_table& kernel) const
{
    const auto* route = std::get_if<policy_route>(&e.item.value);
    const bool source_comes =
        route != nullptr && route->value.source && std::ranges::any_of(entries_, [&](const entry_state& a) {
            const auto* address = std::get_if<config::address_entry>(&a.item.value);
            return address != nullptr && address->address.address() == *route->value.source && wanted_here(a) &&
                   (a.is_busy() || a.was_here);
        });
    auto seen = look(e.item.value, kernel, source_comes);
    const auto* const address = std::get_if<config::address_entry>(&e.item.value);
    if (address != nullptr && seen.found == presence::absent && seen.obstacle.empty() &&
        names(raised_link{address->interface}) && look(raised_link{address->interface}, kernel).found != presence::here) {
        seen.obstacle = "interface '" + address->interface + "' is down";
    }
    return seen;
}

bool local_resources::is_right(const entry_state& e, const sight& seen) const
{
    return seen.found == (wanted_here(e) ? presence::here : presence::absent);
}

void local_resources::add(local_item item, bool retired)
{
    entry_state fresh;
    fresh.item = std::move(item);
    fresh.number = ++last_number_;
    fresh.retired = retired;
    const auto after = std::ranges::upper_bound(entries_, fresh.item.value.index(), {},
                                                [](const entry_state& e) { return e.item.value.index(); });
    entries_.insert(after, std::move(fresh));
}

void local_resources::want(std::vector<local_item> items)
{
    for (auto& e : entries_) {
        e.retired = true;
    }
    for (auto& item : items) {
        const auto same =
            std::ranges::find_if(entries_, [&](const entry_state& e) { return is_same_place(e.item.value, item.value); });
        if (same == entries_.end()) {
            add(std::move(item), false);
            continue;
        }
        same->retired = false;
        if (same->item != item) {
            same->was_here = same->was_here && same->is_address();  // a route that is to lead elsewhere has not been lost
            same->item = std::move(item);
        }
    }
    // "always" means until the machine stops: such an address is not taken away by an edit either.
    std::erase_if(entries_, [](const entry_state& e) { return e.retired && e.item.outlives_configuration(); });
}

void local_resources::take_remains(std::vector<local_value> remains)
{
    for (auto& value : remains) {
        if (!names(value)) {
            add({std::move(value), false}, true);
        }
    }
}

// --- what happens ---

void local_resources::start(time_point now, const net::link_table& kernel)
{
    started_ = true;
    reconcile(now, kernel);
}

void local_resources::become_active(time_point now, const net::link_table& kernel)
{
    active_ = true;
    drain_until_ = never;
    // Whoever had them before may be what the neighbours still believe in.
    for (const auto& e : entries_) {
        if (e.is_address() && !e.retired && look(e.item.value, kernel).found == presence::here) {
            arrived_.push_back(std::get<config::address_entry>(e.item.value));
        }
    }
    reconcile(now, kernel);
}

void local_resources::leave_active(time_point until)
{
    if (active_) {
        active_ = false;
        drain_until_ = until;
    }
}

void local_resources::end_drain(time_point now)
{
    if (draining()) {
        drain_until_ = std::min(drain_until_, now);
    }
}

void local_resources::kernel_changed(time_point now, const net::link_table& kernel)
{
    reconcile(now, kernel);
}

void local_resources::kernel_changed(time_point now, const net::link_table& kernel, const net::kernel_event& event)
{
    if (!is_ready(kernel)) {
        return;
    }
    for (auto& e : entries_) {
        if (is_about(event, e.item.value)) {
            consider(e, now, kernel);
        }
    }
    forget_retired(kernel);
}

void local_resources::handle_timeout(time_point now, const net::link_table& kernel)
{
    reconcile(now, kernel);
}

void local_resources::reconcile(time_point now, const net::link_table& kernel)
{
    if (!is_ready(kernel)) {
        return;
    }
    if (draining() && drain_until_ <= now) {
        drain_until_ = never;
    }
    for (auto& e : entries_) {
        if (wanted_here(e)) {
            consider(e, now, kernel);
        }
    }
    for (auto e = entries_.rbegin(); e != entries_.rend(); ++e) {
        if (!wanted_here(*e)) {
            consider(*e, now, kernel);
        }
    }
    forget_retired(kernel);
}

void local_resources::consider(entry_state& e, time_point now, const net::link_table& kernel)
{
    if (e.is_busy()) {
        return;
    }
    auto seen = look_at(e, kernel);
    const bool wanted = wanted_here(e);
    e.renew_at = wanted && seen.is_duplicate ? e.renew_at : never;
    if (is_right(e, seen) || stays_for_others(e)) {
        if (wanted && std::exchange(e.was_tentative, false)) {
            arrived_.push_back(std::get<config::address_entry>(e.item.value));  // nobody could be told before
        }
        if (std::exchange(e.is_renewed, false) && wanted) {
            note_address(e, "added");
        }
        e.renew_pause.reset();
        e.was_here = seen.found == presence::here;
        e.met_another = false;
        e.obstacle.clear();
        e.last_error.clear();
        e.pause.reset();
        e.retry_at = time_point::min();
        return;
    }
    if (wanted && !seen.obstacle.empty()) {
        wait_for(e, now, std::move(seen), kernel);
        return;
    }
    e.obstacle.clear();
    if (e.is_link() && e.was_here && wanted) {
        // A link that is taken away goes down first.
        e.retry_at = e.retry_at == time_point::min() ? now + event_wait : e.retry_at;
        if (e.retry_at > now) {
            return;
        }
    }
    if (e.was_here && wanted) {
        e.was_here = false;
        ++e.repairs;
        note_lost(e, now);
    }
    if (e.retry_at > now) {
        return;
    }
    ask(e, wanted, seen.found, kernel);
}

void local_resources::ask(entry_state& e, bool wanted, presence found, const net::link_table& kernel)
{
    ++e.changes;
    e.waiting_for_id = true;
    e.wanted_in_flight = wanted;
    outputs_.push_back({e.number, change_for(e.item.value, wanted, found, kernel)});
}

// What brings it about is the next occasion; a duplicate has none.
void local_resources::wait_for(entry_state& e, time_point now, sight&& seen, const net::link_table& kernel)
{
    e.was_here = false;  // it was not lost: it goes with its interface
    e.was_tentative = e.is_address() && seen.found == presence::different;
    e.obstacle = std::move(seen.obstacle);
    const bool is_tried = e.is_renewed && e.was_tentative && !seen.is_duplicate;
    if (!is_tried) {  // until then it is not known to be any better
        e.last_error = e.is_policy() ? std::string{} : e.obstacle;
    }
    const bool is_removed = e.retry_at > now && e.is_renewed && !e.wanted_in_flight;  // and the kernel has not told of it yet
    if (!is_removed) {
        e.retry_at = time_point::min();
    }
    if (seen.is_duplicate && !is_removed) {
        renew(e, now, kernel);
    }
}

void local_resources::renew(entry_state& e, time_point now, const net::link_table& kernel)
{
    // What is there only while Active is vipd's, whoever has added it; what is always there may be what adverts come from.
    if (!active_ || (e.item.always && !e.was_added)) {
        e.renew_at = never;
        return;
    }
    if (e.renew_at == never) {
        ++e.failures;
        note_duplicate(e, now);
        e.renew_at = now + e.renew_pause.next(random_);
    }
    if (e.renew_at <= now) {
        e.renew_at = never;
        e.is_renewed = true;
        e.pause.reset();  // the kernel has done what it was asked
        ask(e, false, presence::different, kernel);
    }
}

void local_resources::forget_retired(const net::link_table& kernel)
{
    std::erase_if(entries_, [&](const entry_state& e) {
        return e.retired && !e.is_busy() && (look(e.item.value, kernel).found == presence::absent || stays_for_others(e));
    });
}

std::optional<local_resources::change> local_resources::poll_output()
{
    if (outputs_.empty()) {
        return std::nullopt;
    }
    auto first = std::move(outputs_.front());
    outputs_.pop_front();
    return first;
}

void local_resources::issued(std::uint64_t entry, net::kernel_request_id id)
{
    const auto found = std::ranges::find(entries_, entry, &entry_state::number);
    if (found != entries_.end()) {
        found->in_flight = id;
        found->waiting_for_id = false;
    }
}

void local_resources::answered(time_point now, const net::kernel_answer& answer, const net::link_table& kernel)
{
    const auto found = std::ranges::find_if(entries_, [&](const entry_state& e) { return e.in_flight == answer.id; });
    if (!answer.id || found == entries_.end()) {
        return;
    }
    auto& e = *found;
    e.in_flight = {};
    if (answer.error_number == 0) {
        note_done(e);
        e.was_added = e.wanted_in_flight;
        if (e.is_address() && e.wanted_in_flight && wanted_here(e) && !e.is_renewed) {
            arrived_.push_back(std::get<config::address_entry>(e.item.value));
        }
        e.retry_at = now + std::max(event_wait, e.pause.next(random_));
    } else if (answer.error_number == EEXIST && !std::exchange(e.met_another, true)) {
        // It may be our own, which the kernel has not told of yet.
        e.retry_at = now + event_wait;
    } else {
        ++e.failures;
        e.last_error = answer.error_number == EEXIST
                           ? "there is another one like it, which is not vipd's (proto 112): remove that, or change this one"
                           : answer.text;
        e.retry_at = now + e.pause.next(random_);
        note_refused(e, now, answer.error_number);
    }
    if (is_ready(kernel)) {
        consider(e, now, kernel);
        forget_retired(kernel);
    }
}

// --- the journal ---

void local_resources::note_lost(const entry_state& e, time_point now)
{
    constexpr auto action = "it was removed by somebody else and is put back";
    if (const auto* address = std::get_if<config::address_entry>(&e.item.value)) {
        journal_.record(log_level::warning, "address_lost", router_,
                        {{"address", address->address.to_string()}, {"interface", address->interface}, {"action", action}});
        return;
    }
    if (e.is_link()) {
        journal_.record(
            log_level::warning, "link_lost", router_,
            {{"interface", std::get<raised_link>(e.item.value).interface}, {"action", "it was set down and is set up"}});
        return;
    }
    // `ip rule flush` removes hundreds in a moment.
    const auto table = e.item.table();
    if (const auto verdict = repeated_.admit(now, "policy_lost", std::to_string(table)); verdict.write) {
        journal_.record(log_level::warning, "policy_lost", router_,
                        {{"what", describe(e.item.value)},
                         {"table", table},
                         {"action", action},
                         {"like_it_since_last_line", verdict.suppressed}});
    }
}

void local_resources::note_duplicate(const entry_state& e, time_point now)
{
    const auto& address = std::get<config::address_entry>(e.item.value);
    if (const auto verdict = repeated_.admit(now, "duplicate", describe(e.item.value)); verdict.write) {
        journal_.record(log_level::warning, "address", router_,
                        {{"address", address.address.to_string()},
                         {"interface", address.interface},
                         {"outcome", "duplicate"},
                         {"message", e.last_error},
                         {"action", "it is removed and added again until it can be used"},
                         {"like_it_since_last_line", verdict.suppressed}});
    }
}

void local_resources::note_address(const entry_state& e, std::string_view outcome)
{
    const auto& address = std::get<config::address_entry>(e.item.value);
    journal_.record(log_level::info, "address", router_,
                    {{"address", address.address.to_string()}, {"interface", address.interface}, {"outcome", outcome}});
}

void local_resources::note_refused(const entry_state& e, time_point now, int error_number)
{
    const auto what = describe(e.item.value);
    const auto verdict = repeated_.admit(now, e.is_policy() ? "policy" : "address", what + ' ' + e.last_error);
    if (!verdict.write) {
        return;
    }
    if (const auto* address = std::get_if<config::address_entry>(&e.item.value)) {
        journal_.record(log_level::error, "address", router_,
                        {{"address", address->address.to_string()},
                         {"interface", address->interface},
                         {"outcome", "failed"},
                         {"errno", error_number},
                         {"message", e.last_error},
                         {"like_it_since_last_line", verdict.suppressed}});
        return;
    }
    journal_.record(log_level::error, e.is_link() ? "link" : "policy", router_,
                    {{"what", what},
                     {"table", e.item.table()},
                     {"outcome", "failed"},
                     {"errno", error_number},
                     {"message", e.last_error},
                     {"like_it_since_last_line", verdict.suppressed}});
}

void local_resources::note_done(const entry_state& e)
{
    if (e.is_address()) {
        if (!e.is_renewed || !wanted_here(e)) {
            note_address(e, e.wanted_in_flight ? "added" : "removed");
        }
        return;
    }
    if (e.is_link()) {
        journal_.record(log_level::info, "link", router_,
                        {{"interface", std::get<raised_link>(e.item.value).interface}, {"outcome", "up"}});
        return;
    }
    const auto table = e.item.table();
    auto& done = done_[table];
    ++(e.wanted_in_flight ? done.added : done.removed);
    // One line for all that was asked for together.
    const bool more =
        std::ranges::any_of(entries_, [&](const entry_state& other) { return other.is_busy() && other.item.table() == table; });
    if (!more) {
        journal_.record(log_level::info, "policy", router_,
                        {{"table", table}, {"outcome", "changed"}, {"added", done.added}, {"removed", done.removed}});
        done_.erase(table);
    }
}

// --- what it says ---

wakeup local_resources::next_wakeup() const
{
    wakeup next{drain_until_, "drain"};
    for (const auto& e : entries_) {
        if (!e.is_busy() && e.retry_at != time_point::min()) {
            next = earliest(next, {e.retry_at, "local retry"});
        }
        if (!e.is_busy() && active_) {
            next = earliest(next, {e.renew_at, "an address that another node has"});
        }
    }
    return next;
}

bool local_resources::concerns(const net::kernel_event& event) const
{
    return std::ranges::any_of(entries_, [&](const entry_state& e) { return is_about(event, e.item.value); });
}

bool local_resources::cares_for(const local_value& value) const
{
    const auto* e = find(value);
    return e != nullptr && (wanted_here(*e) || e->is_busy());
}

bool local_resources::settled(const net::link_table& kernel) const
{
    return !draining() && std::ranges::all_of(entries_, [&](const entry_state& e) {
        const auto seen = look_at(e, kernel);
        const bool waits = wanted_here(e) && !seen.obstacle.empty();
        return (is_right(e, seen) || waits || stays_for_others(e)) && !e.is_busy();
    });
}

}  // namespace vipd::takeover
