#include "tests/sim/trial.hpp"

#include "agent/takeover/duel_breaker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

// With this one none of regression_seeds.txt is long.
constexpr std::uint64_t seed_of_lengths = 7;

// One in fifty: what takes ten minutes to happen, as that a security group forgets a peer, or that credentials end, needs more.
bool is_long(std::uint64_t seed)
{
    return random_source{seed ^ seed_of_lengths}.chance(0.02);
}

// How long a healed cluster may take: a boot, whoever waits before it preempts and the down interval after that, two elections,
// and half a minute for the cloud (a read that began before, backoff of up to 5 s, an outcome nobody knows for 10 s, a budget
// that is used up). What EC2 has refused for good, as far as anybody could tell, is tried again within a minute.
duration convergence_bound(const trial_plan& plan)
{
    const auto is_refusal = [](const scheduled_fault& f) {
        return std::holds_alternative<faults::permission_missing>(f.what) ||
               std::holds_alternative<faults::other_interfaces>(f.what);
    };
    const bool was_refused = std::ranges::any_of(plan.faults, is_refusal);
    // Who has been told the right time is heard when that has passed the last of what was heard of it.
    const auto clocks = plan.options.auth ? std::max(2 * plan.options.auth->window, duration{25s}) : duration::zero();
    // A path to EC2 that works again counts when it has for 30 s, and is read every 10 s or less often while credentials lack.
    const auto weight = plan.options.api_weight != 0 ? duration{60s} : duration::zero();
    // A service that is up again counts after two looks, half a second apart; EC2's announcements are asked for every 5 s.
    const auto health = (plan.options.tracks ? 2s : 0s) + (plan.options.notices ? 8s : 0s);
    return 10s + plan.options.startup_delay + plan.options.preempt_delay + 3 * plan.options.down_interval_max() + 30s + clocks +
           weight + health + (was_refused ? 60s : 0s) + 4 * plan.options.move_time_max + plan.options.imds_lag +
           (plan.options.moves_interface ? plan.options.force_after - 10s : 0s);
}

// A cluster that moves routes alone and reads what is, and nothing was done to it of which anything is left once it has ended:
// no refusal that is tried again a minute later, no call that lands when all is healed, no bucket that is empty, no duel.
bool is_plain(const trial_plan& plan)
{
    const auto leaves_nothing = [](const scheduled_fault& f) {
        if (const auto* const trouble = std::get_if<faults::cloud_trouble>(&f.what)) {
            return !std::holds_alternative<cloud::effects::land_late>(trouble->fault.effect) &&
                   !std::holds_alternative<cloud::effects::stale>(trouble->fault.effect);
        }
        return !std::holds_alternative<faults::throttled>(f.what) &&
               !std::holds_alternative<faults::permission_missing>(f.what) &&
               !std::holds_alternative<faults::credentials_revoked>(f.what) &&
               !std::holds_alternative<faults::second_cluster>(f.what);
    };
    const auto& o = plan.options;
    return !o.moves_more() && !o.sync_group && o.stale_reads <= 0.0 && o.network.loss <= 0.0 && o.api_weight == 0 && !o.auth &&
           !o.tracks && !o.notices && std::ranges::all_of(plan.faults, leaves_nothing);
}

// What such a cluster may take. Until a process runs that was told to stop just before: it drains, and whoever starts it asks
// at 3 s, and again at 8 s. Then the best one waits preempt_delay from the first advert of a lower one on, which comes within a
// down interval, and is Active a down interval after that. From there to the last route it is 18 s, as after an outage of EC2:
// a call under way that is lost ends after 3 s, its outcome is known after 10 s, and a pause is 5 s; a pass over the routes,
// which comes every 10 s (reconcile_period) and a tenth, is no longer than that. The budget of a route may be used up, which is
// 2 s for each call, and then three calls are made. With an advert a second and no delays all this is about
// 33 s, and 38 s where a process may drain for more than 2 s.
duration plain_convergence_bound(const cluster_options& o, duration drain_max)
{
    const auto runs_by = drain_max > 2s ? 8s : 3s;
    const auto elected = o.startup_delay + o.preempt_delay + 2 * o.down_interval_max();
    return (runs_by + elected + 18s + 2s) * 41 / 40 + 3 * (o.cloud_latency * 3 / 2 + 10ms) + 1s;
}

class phases {
public:
    phases(const trial_plan& plan, const std::function<void(const std::string&)>& tell) :
        plan_(plan), world_(plan.options, plan.seed, tell)
    {}

    trial_result run();

private:
    void suffer();
    void converge();
    void await_right_until(time_point until);
    void stay_quiet();
    [[nodiscard]] std::string what_is_missing() const;
    [[nodiscard]] std::string who_does_not_stand_by(std::size_t active) const;
    [[nodiscard]] bool is_broken() const { return world_.judge().found().has_value(); }

    const trial_plan& plan_;
    cluster world_;
    std::optional<time_point> right_since_;
    bool had_duel_ = false;  // after it was healed
    time_point changed_at_;  // the last call that changes something was seen by then
    duration converged_{};
};

void phases::suffer()
{
    const auto start = world_.now();
    for (const auto& fault : plan_.faults) {
        world_.run_until(start + fault.at);
        if (is_broken()) {
            return;
        }
        world_.inflict(fault);
    }
    world_.run_until(start + plan_.fault_length);
}

// Every other machine is at work and waits, and none that is to preempt would win.
std::string phases::who_does_not_stand_by(std::size_t active) const
{
    for (std::size_t i = 0; i < world_.size(); ++i) {
        if (i == active) {
            continue;
        }
        if (!world_.node(i).is_running() || world_.judge().state(i) != vrrp::state::backup) {
            return fmt::format("machine {} is Active, and {} is {}", active, i,
                               world_.node(i).is_running() ? to_string(world_.judge().state(i)) : "not running");
        }
        if (!plan_.options.preempt && plan_.options.address_owner != i) {
            continue;
        }
        const auto highest = world_.node(active).snapshot().effective_priority;
        const auto priority = world_.node(i).snapshot().effective_priority;
        if (priority > highest) {
            return fmt::format("machine {} is Active with priority {}, and {} has {} and does not preempt", active, highest, i,
                               priority);
        }
    }
    return {};
}

// What a healed cluster still lacks; empty when it is as it should be.
std::string phases::what_is_missing() const
{
    const auto active = world_.sole_active();
    if (!active) {
        return fmt::format("{} machines are Active", world_.active_count());
    }
    if (auto idle = who_does_not_stand_by(*active); !idle.empty()) {
        return idle;
    }
    if (!world_.routes_lead_to(*active)) {
        for (std::size_t t = 0; t < plan_.options.tables; ++t) {
            if (world_.target(t) != plan_.options.interface_id(*active)) {
                return fmt::format("machine {} is Active, and table {} leads to \"{}\"", *active, t, world_.target(t));
            }
        }
        return fmt::format("machine {} is Active, and the route of the second router leads to \"{}\"", *active,
                           world_.target(0, 1));
    }
    for (std::size_t i = 0; i < world_.size(); ++i) {
        for (std::size_t router = 0; router < plan_.options.routers(); ++router) {
            if (world_.node(i).has_address(plan_.options.virtual_address(router)) != (i == *active)) {
                return fmt::format("machine {} is Active, and {} {} the address of router {}", *active, i,
                                   i == *active ? "lacks" : "has", router);
            }
        }
        const auto parts = world_.node(i).policy_parts();
        if (parts != (i == *active ? plan_.options.policy_parts() : 0)) {
            return fmt::format("machine {} is Active, and {} has {} rules and routes", *active, i, parts);
        }
        const auto of_interface = world_.node(i).floating_parts();
        if (of_interface != (i == *active && plan_.options.moves_interface ? plan_.options.floating_parts() : 0)) {
            return fmt::format("machine {} is Active, and {} has {} rules and routes of the interface", *active, i,
                               of_interface);
        }
        const auto addresses = world_.node(i).floating_addresses();
        if (addresses != (i == *active && plan_.options.moves_interface ? plan_.options.floating_address_count() : 0)) {
            return fmt::format("machine {} is Active, and {} has {} addresses of the interface", *active, i, addresses);
        }
    }
    if (auto missing = world_.what_has_not_moved_to(*active); !missing.empty()) {
        return missing;
    }
    for (std::size_t router = 0; router < plan_.options.routers(); ++router) {
        for (const auto& r : world_.node(*active).snapshot(router).resources) {
            if (r.kind != status::resource_kind::source_dest_check && r.state != status::resource_state::here) {
                return fmt::format("machine {} says of {}: {} {}", *active, r.name, to_string(r.state), r.last_error);
            }
        }
    }
    return {};
}

void phases::converge()
{
    const auto healed = world_.now();
    world_.heal();
    // What a call does that has been under way since before is not the nodes' to prevent: it is waited for, and then repaired.
    auto deadline = healed + convergence_bound(plan_);
    await_right_until(deadline);
    while (!is_broken() && world_.cloud().last_effect() != never && world_.cloud().last_effect() > world_.now() + 2s) {
        deadline = world_.cloud().last_effect() + 30s;
        await_right_until(deadline);
    }
    // Nor who takes a route whenever it is put back: whoever has been in a duel leaves the route alone for 5 min at most.
    const auto is_held = [&] {
        const auto active = world_.sole_active();
        return active && world_.has_duel(*active) && !what_is_missing().empty();
    };
    for (const auto held_until = world_.now() + takeover::duel_breaker::pause_max; world_.now() < held_until && is_held();) {
        await_right_until(world_.now() + 1s);
    }
    // A read that is older than the last change would contradict it: what was read before then is waited for.
    if (plan_.options.stale_reads > 0.0) {
        await_right_until(std::max(world_.now(), changed_at_ + plan_.options.stale_reads_lag + 15s));
    }
    if (!is_broken()) {
        if (const auto missing = what_is_missing(); !missing.empty()) {
            world_.judge().violated(world_.now(), "L9: a healed cluster comes right", missing);
        }
    }
    if (right_since_) {
        converged_ = *right_since_ - healed;
        duration drain_max{};
        for (std::size_t i = 0; i < world_.size(); ++i) {
            drain_max = std::max(drain_max, world_.node(i).drain_max());
        }
        const auto allowed = plain_convergence_bound(plan_.options, drain_max);
        if (!is_broken() && !had_duel_ && is_plain(plan_) && converged_ > allowed) {
            world_.judge().violated(world_.now(), "L9: a plain cluster comes right soon",
                                    fmt::format("only {:.1f} s after it was healed, and {:.1f} s are allowed",
                                                to_seconds(converged_), to_seconds(allowed)));
        }
        world_.note_converged(converged_);
    }
}

// Looks every second, and more seldom later on.
void phases::await_right_until(time_point until)
{
    const auto begun = world_.now();
    auto calls = world_.mutating_calls();
    while (world_.now() < until && !is_broken()) {
        world_.run_until(std::min(until, world_.now() + (world_.now() - begun < 30s ? 1s : 5s)));
        if (!what_is_missing().empty()) {
            right_since_.reset();
            const auto active = world_.sole_active();
            had_duel_ = had_duel_ || (active && world_.has_duel(*active));
        } else if (!right_since_) {
            right_since_ = world_.now();
        }
        if (world_.mutating_calls() != calls) {
            calls = world_.mutating_calls();
            changed_at_ = world_.now();
        }
    }
}

void phases::stay_quiet()
{
    const auto active = world_.sole_active();
    const auto transitions = world_.transitions();
    const auto calls = world_.mutating_calls();
    const auto until = world_.now() + quiet_phase;
    while (world_.now() < until && !is_broken()) {
        world_.run_for(10s);
        if (is_broken()) {
            return;
        }
        auto missing = what_is_missing();
        if (missing.empty() && world_.transitions() != transitions) {
            missing = "a transition without a reason";
        }
        if (missing.empty() && world_.mutating_calls() != calls) {
            missing = "a mutating call without a reason";
        }
        if (missing.empty() && world_.sole_active() != active) {
            missing = "another machine is Active";
        }
        if (!missing.empty()) {
            world_.judge().violated(world_.now(), "L9: a healed cluster stays quiet", missing);
        }
    }
}

trial_result phases::run()
{
    const auto start = world_.now();
    suffer();
    if (!is_broken()) {
        converge();
    }
    if (!is_broken()) {
        stay_quiet();
    }
    trial_result r;
    r.wrong = world_.judge().found();
    r.fingerprint = world_.story().fingerprint();
    r.events = world_.events_happened();
    r.transitions = world_.transitions();
    r.mutating_calls = world_.mutating_calls();
    r.faults = plan_.faults.size();
    r.simulated = world_.now() - start;
    r.converged = converged_;
    r.situations = world_.situations();
    r.measured = world_.measured();
    for (std::size_t i = 0; i < world_.size(); ++i) {
        const auto& counted = world_.node(i).counted();
        for (std::uint64_t n = 0; n < counted.calls_interrupted; ++n) {
            r.situations.note(situation::stood_still_before_call);
        }
        for (std::uint64_t n = 0; n < counted.permits_refused; ++n) {
            r.situations.note(situation::permit_refused);
        }
    }
    return r;
}

}  // namespace

trial_plan draw_plan(std::uint64_t seed)
{
    random_source random{seed};
    trial_plan plan;
    plan.seed = seed;
    plan.options = draw_options(random);
    plan.fault_length = is_long(seed) ? long_fault_phase : fault_phase;
    plan.faults = draw_faults(random, plan.options, plan.fault_length);
    for (auto& fault : plan.faults) {
        const bool is_outage = std::holds_alternative<faults::partition>(fault.what) ||
                               std::holds_alternative<faults::cloud_unreachable>(fault.what) ||
                               std::holds_alternative<faults::cloud_trouble>(fault.what) ||
                               std::holds_alternative<faults::second_cluster>(fault.what);
        fault.lasts *= is_outage && is_long(seed) ? 20 : 1;
    }
    return plan;
}

bool is_usual(const cluster_options& options)
{
    return options.machines.size() == 3 && options.tables == 1 && options.interval_min() == 1s &&
           options.interval_max() == 1s && !options.moves_more() && !options.sync_group && !options.tracks && !options.notices;
}

trial_result run_trial(const trial_plan& plan, const std::function<void(const std::string&)>& tell)
{
    return phases{plan, tell}.run();
}

places all_places(const trial_plan& plan)
{
    places all(plan.faults.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
}

trial_plan keep(const trial_plan& plan, const places& kept)
{
    auto reduced = plan;
    reduced.faults.clear();
    for (const auto place : kept) {
        reduced.faults.push_back(plan.faults.at(place));
    }
    return reduced;
}

places shrink(const trial_plan& plan, places kept, const violation& wrong, unsigned trials_max)
{
    unsigned trials = 0;
    const auto still_breaks = [&](const places& fewer) {
        ++trials;
        const auto r = run_trial(keep(plan, fewer));
        return r.wrong && r.wrong->invariant == wrong.invariant;
    };
    for (auto part = std::max<std::size_t>(1, kept.size() / 2); part >= 1 && trials < trials_max;) {
        bool shorter = false;
        for (std::size_t begin = 0; begin < kept.size() && trials < trials_max;) {
            auto without = kept;
            const auto from = without.begin() + static_cast<std::ptrdiff_t>(begin);
            without.erase(from, from + static_cast<std::ptrdiff_t>(std::min(part, kept.size() - begin)));
            if (still_breaks(without)) {
                kept = std::move(without);
                shorter = true;
            } else {
                begin += part;
            }
        }
        if (!shorter) {
            if (part == 1) {
                break;
            }
            part /= 2;
        }
    }
    return kept;
}

}  // namespace vipd::sim
