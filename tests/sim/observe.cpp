// What of a cluster's behaviour is timed, from which moment, and the arithmetic of what it may take.

#include "agent/vrrp/timers.hpp"
#include "common/overloaded.hpp"
#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

// After the end of the last fault: budgets and buckets are full again, backoffs and waits before a preemption are over.
constexpr duration calm_after = 1min;
// A clock may be slower than ours by a fiftieth; a datagram and a loop take their time.
duration by_any_clock(duration d)
{
    return d * 41 / 40 + 5ms;
}

// Until a fault has ended, counted from its beginning.
duration length_of(const scheduled_fault& fault)
{
    return std::visit(overloaded{[&](const faults::partition& f) { return fault.lasts + 2 * f.spread; },
                                 [&](const faults::kill_process& f) { return f.times * (fault.lasts + 2s); },
                                 [&](const faults::stop_process&) { return fault.lasts + 10s; },
                                 [&](const faults::move_interrupted& f) { return fault.lasts + f.length + f.free_within; },
                                 [&](const auto&) { return fault.lasts; }},
                      fault.what);
}

std::optional<std::size_t> crashes(const fault_kind& what)
{
    return std::visit(
        overloaded{[](const faults::kill_process& f) { return f.times == 1 ? std::optional{f.machine} : std::nullopt; },
                   [](const faults::power_off& f) { return std::optional{f.machine}; },
                   [](const faults::instance_stopped& f) { return std::optional{f.machine}; },
                   [](const auto&) { return std::optional<std::size_t>{}; }},
        what);
}

template <class... Kinds>
bool is_one_of(const fault_kind& what)
{
    return (std::holds_alternative<Kinds>(what) || ...);
}

}  // namespace

bool cluster::all_well() const
{
    return std::ranges::all_of(machines_,
                               [](const auto& m) {
                                   return m->is_running() && !m->is_paused() && !m->has_planned_pause() && m->has_link() &&
                                          m->has_service() && m->has_send_room();
                               }) &&
           announced_.empty() && aimed_.empty();
}

bool cluster::is_calm() const
{
    const auto active = sole_active();
    return events_.now() >= busy_until_ + calm_after && all_well() && active && routes_lead_to(*active) &&
           options_.network.loss <= 0.0 && cloud_.last_effect() == never && cloud_.policies().empty();
}

cluster::succession cluster::after_active(std::size_t active, bool released) const
{
    std::vector<duration> waits;
    for (const auto& m : machines_) {
        if (m->index() != active) {
            const auto priority = m->snapshot().effective_priority;
            const auto heard = machines_[active]->router().advert_interval;
            waits.push_back(released
                                ? vrrp::skew_time(options_.version, priority, heard)
                                : vrrp::active_down_interval(options_.version, priority, heard, options_.down_timer_adverts));
        }
    }
    std::ranges::sort(waits);
    const auto to_active = by_any_clock(waits.front());
    // Two that fire before they hear one another both write. What lands last may be the loser's; the winner looks a second
    // after each of its calls, and once more to be sure.
    const bool together = waits.size() > 1 && waits[1] < to_active + 50ms;
    return {to_active, to_active + calls_time(2) + (together ? 1s + calls_time(3) : duration::zero())};
}

duration cluster::calls_time(unsigned in_a_row) const
{
    // Its latency is drawn up to half more; a connection that has to be made first, and a pause between two attempts.
    return in_a_row * (options_.cloud_latency * 3 / 2 + 10ms) + 300ms;
}

void cluster::expect(measure what, duration at_most, std::size_t table)
{
    pending_.push_back({what, events_.now(), events_.now() + at_most, table});
}

// Another fault makes all that is under way a different story.
void cluster::observe_fault(const scheduled_fault& fault)
{
    const auto now = events_.now();
    const bool calm = is_calm();
    const auto active = sole_active();
    pending_.clear();
    busy_until_ = std::max(busy_until_, now + length_of(fault));
    changes_allowed_ = calm ? changes_allowed(fault.what, fault.lasts, *active) : std::nullopt;
    changes_.assign(machines_.size(), 0);
    const bool is_partition = std::holds_alternative<faults::partition>(fault.what);
    only_partitions_ = is_partition && (calm || only_partitions_);
    was_refused_ = std::holds_alternative<faults::permission_missing>(fault.what) || (!calm && was_refused_);
    after(length_of(fault), [this, number = ++fault_number_, what = fault.what] {
        if (number == fault_number_ && events_.now() >= busy_until_) {
            observe_end(what);
        }
    });
    if (!calm) {
        return;
    }
    if (crashes(fault.what) == active) {
        const auto within = after_active(*active, false);
        expect(measure::crash_to_active, within.to_active);
        expect(measure::crash_to_routes, within.to_routes);
    }
    if (const auto* stop = std::get_if<faults::stop_process>(&fault.what); stop != nullptr && stop->machine == *active) {
        const auto within = after_active(*active, true);
        expect(measure::stop_to_active, within.to_active);
        expect(measure::stop_to_routes, within.to_routes);
    }
    if (const auto* change = std::get_if<faults::route_changed>(&fault.what);
        change != nullptr && change->target != options_.interface_id(*active) && options_.stale_reads <= 0.0 &&
        !has_duel(*active)) {
        // Read every 10 s, a tenth more or less, and once more to be sure.
        expect(measure::foreign_write_to_repair, by_any_clock(11s) + calls_time(3), change->table);
    }
}

void cluster::observe_end(const fault_kind& what)
{
    if (!all_well()) {
        return;
    }
    const bool all_fresh = options_.stale_reads <= 0.0 && cloud_.last_effect() == never;
    if (only_partitions_ && active_count() > 1) {
        expect(measure::mended_to_one_active, invariants_.agreement_time());
        if (all_fresh) {
            // Two views are wanted, and whoever has heard the other's adverts all the time has one a second left.
            expect(measure::mended_to_routes, invariants_.agreement_time() + 2s + calls_time(3));
        }
    }
    const bool was_outage =
        std::holds_alternative<faults::cloud_unreachable>(what) || std::holds_alternative<faults::cloud_trouble>(what);
    if (const auto active = sole_active();
        was_outage && !was_refused_ && active && !routes_lead_to(*active) && all_fresh && !has_duel(*active)) {
        // A call that is lost ends after 3 s, of an unknown outcome that only a read, or 10 s, ends; the longest pause between
        // two calls is 5 s.
        expect(measure::outage_to_routes, by_any_clock(18s) + calls_time(3));
    }
}

// Whoever crashed is back and preempts while its successor's calls are still landing: a second story in the first.
void cluster::observe_takeover(std::string_view reason)
{
    // An owner does so by its start.
    if (reason.starts_with("preempted") || (options_.address_owner && reason == "startup")) {
        std::erase_if(pending_,
                      [](const auto& p) { return p.what == measure::crash_to_routes || p.what == measure::stop_to_routes; });
    }
}

// How often each machine may become Active, or cease to be it, until the next fault. What is none of the election's business
// moves nobody (S8), and what is moves everybody there and back at most (L10). Nothing where it is not bounded: where
// priorities follow the path to EC2 or a service, where a better one waits to preempt, and for what is more than one fault,
// such as loss.
std::optional<unsigned> cluster::changes_allowed(const fault_kind& what, duration lasts, std::size_t active) const
{
    const bool nobody_waits = std::ranges::all_of(
        machines_, [&](const auto& m) { return m->index() == active || is_better(*machines_[active], *m); });
    const auto is_planned = [](const auto& p) { return p.has_value(); };
    const bool has_plans =
        std::ranges::any_of(reload_in_takeover_, is_planned) || std::ranges::any_of(replacement_in_drain_, is_planned);
    if (options_.api_weight != 0 || options_.tracker_weight ||
        ((options_.preempt || options_.address_owner) && !nobody_waits) || has_plans) {
        return std::nullopt;
    }
    if (is_one_of<faults::cloud_unreachable, faults::cloud_trouble, faults::throttled, faults::credentials_revoked,
                  faults::permission_missing, faults::route_changed, faults::second_cluster, faults::address_removed,
                  faults::policy_removed, faults::no_descriptors, faults::other_interfaces, faults::forged_adverts,
                  faults::rotate_keys, faults::second_network_down, faults::refused_reload, faults::other_reload,
                  faults::interval_changed>(what) ||
        (is_one_of<faults::clock_set>(what) && !options_.auth)) {
        return 0;
    }
    if (const auto* const reload = std::get_if<faults::reload>(&what);
        reload != nullptr && reload->priority == 0 && !reload->during_takeover) {
        return 0;
    }
    // It says of itself that it is Active again. Were another one to take over, one of the two would change twice.
    if (is_one_of<faults::replace_process>(what) && lasts + 200ms < 2 * options_.interval_min()) {
        return 1;
    }
    const auto* const cut = std::get_if<faults::partition>(&what);
    const auto* const kill = std::get_if<faults::kill_process>(&what);
    if (is_one_of<faults::stop_process, faults::power_off, faults::instance_stopped, faults::pause, faults::service_down,
                  faults::notice, faults::link_down, faults::step_down, faults::maintenance, faults::adverts_refused,
                  faults::peer_removed>(what) ||
        (cut != nullptr && cut->spread == duration::zero()) || (kill != nullptr && kill->times == 1)) {
        return 2;
    }
    return std::nullopt;
}

void cluster::count_change(std::size_t machine, vrrp::state from, vrrp::state to, std::string_view reason)
{
    const bool concerns_active = from == vrrp::state::active || to == vrrp::state::active;
    if (changes_allowed_ && concerns_active && ++changes_[machine] > *changes_allowed_) {
        invariants_.violated(events_.now(), "L10: a fault that comes alone moves little",
                             fmt::format("machine {} went from {} to {} ({}): change {}, and {} are allowed", machine,
                                         to_string(from), to_string(to), reason, changes_[machine], *changes_allowed_));
    }
}

bool cluster::has_duel(std::size_t machine) const
{
    const auto is_in_duel = [](const auto& r) { return r.duel != status::duel_state::none; };
    for (std::size_t router = 0; router < options_.routers(); ++router) {
        if (std::ranges::any_of(machines_[machine]->snapshot(router).resources, is_in_duel)) {
            return true;
        }
    }
    return false;
}

bool cluster::is_reached(const pending_measure& p) const
{
    const auto active = sole_active();
    switch (p.what) {
        case measure::crash_to_active:
        case measure::stop_to_active:
        case measure::mended_to_one_active:
            return active.has_value();
        case measure::foreign_write_to_repair:
            return active && target(p.table) == options_.interface_id(*active);
        default:
            return active && routes_lead_to(*active);
    }
}

void cluster::note_converged(duration after)
{
    if (options_.has_usual_timing()) {
        measured_[static_cast<std::size_t>(measure::healed_to_right)].add(after);
    }
}

void cluster::observe()
{
    const auto now = events_.now();
    for (const auto& p : pending_) {
        if (now > p.due) {
            invariants_.violated(now, fmt::format("L: {}", to_string(p.what)),
                                 fmt::format("not within {:.3f} s", to_seconds(p.due - p.since)));
        } else if (is_reached(p)) {
            if (options_.has_usual_timing()) {
                measured_[static_cast<std::size_t>(p.what)].add(now - p.since);
            }
        }
    }
    std::erase_if(pending_, [&](const auto& p) { return now > p.due || is_reached(p); });
}

}  // namespace vipd::sim
