#include "tests/sim/role_watch.hpp"

#include "agent/vrrp/timers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {

using namespace std::chrono_literals;

void role_watch::on_delivered(time_point now, std::size_t to, std::size_t from, std::uint8_t priority)
{
    // One that comes late is a trouble of this moment: where adverts are signed, a later one may have come before it.
    if (judge_.connected_since(from, to) < now) {
        heard_by(to, from) = {now, machines_[to]->process_number(), priority};
    }
}

// RFC 9568 6.4.2: each advert that counts sets the Active_Down_Timer. One of a lower priority need not count, nor one that came
// when this machine had another priority.
void role_watch::on_became_active(time_point now, std::size_t machine, std::string_view reason)
{
    if (reason == "preempted_lower" && !options_.preempt && !machines_[machine]->is_owner()) {
        judge_.violated(now, "S3: a Backup preempts that is not to", fmt::format("machine {}", machine));
    }
    if (reason != "no_advert" || options_.api_weight != 0 || options_.tracker_weight || options_.notices) {
        return;
    }
    const auto& m = *machines_[machine];
    if (options_.startup_delay > duration::zero() && !m.is_successor() && m.snapshot().received.accepted == 0) {
        check_patience(now, m);
    }
    const auto priority = m.base_priority();
    // Where intervals differ, by the shortest: which advert it has learned its own from cannot be told from outside.
    const auto down =
        vrrp::active_down_interval(options_.version, priority, options_.interval_min(), options_.down_timer_adverts);
    for (std::size_t from = 0; from < machines_count(); ++from) {
        const auto& last = heard_by(machine, from);
        // A machine's clock may be faster than ours by a fiftieth.
        if (from != machine && last.process == m.process_number() && last.priority >= priority &&
            last.at > std::max({m.last_hindered(), priority_changed_[machine], misled_[machine]}) &&
            now - last.at < down * 39 / 40 - 5ms) {
            judge_.violated(now, "L12: nobody takes over before its time",
                            fmt::format("machine {} heard priority {} of {} {:.3f} s ago, and waits {:.3f} s", machine,
                                        last.priority, from, to_seconds(now - last.at), to_seconds(down)));
        }
    }
}

// Whoever has heard nobody since its start gives the others this much more time to be heard.
void role_watch::check_patience(time_point now, const machine& m)
{
    const auto since_start = now - m.started_at();
    if (since_start < options_.startup_delay * 39 / 40 - 5ms) {
        judge_.violated(now, "L12: nobody takes over before its time",
                        fmt::format("machine {} runs for {:.3f} s and has a startup_delay of {:.3f} s", m.index(),
                                    to_seconds(since_start), to_seconds(options_.startup_delay)));
    } else if (options_.startup_delay > options_.down_interval_max() && since_start < 2 * options_.startup_delay) {
        counts_.note(situation::patient_at_start);
    }
}

void role_watch::on_maintenance(std::size_t machine, bool on)
{
    if (on) {
        in_maintenance_.insert(machine);
    } else {
        in_maintenance_.erase(machine);
    }
}

bool role_watch::is_fit(const machine& m) const
{
    return m.is_running() && !m.is_told_to_stop() && !m.is_paused() && m.has_link() &&
           (m.has_service() || options_.tracker_weight) && !in_maintenance_.contains(m.index());
}

// Nothing has kept it from being Active since then, nor did an advert reach it.
time_point role_watch::fit_since(const machine& m) const
{
    // After its start it may listen for longer.
    auto since = std::max({unfit_[m.index()], m.last_hindered() + options_.startup_delay, m.may_wait_until()});
    for (std::size_t from = 0; from < machines_count(); ++from) {
        since = from == m.index() ? since : std::max(since, network_.last_trouble(from, m.index()));
    }
    return since;
}

// Whoever has stepped down lets the others go first, which may be one interval more.
void role_watch::look(time_point now)
{
    bool somebody = false;
    for (const auto& m : machines_) {
        somebody = somebody || judge_.state(m->index()) == vrrp::state::active;
        if (!is_fit(*m)) {
            unfit_[m->index()] = now;
        }
    }
    if (somebody) {
        nobody_since_ = now;
        return;
    }
    const auto at_most = 3 * options_.down_interval_max() + 3s;
    for (const auto& m : machines_) {
        const auto since = std::max(nobody_since_, fit_since(*m));
        if (now - since > at_most) {
            judge_.violated(now, "L1: somebody is Active where somebody can be",
                            fmt::format("nobody is for {:.1f} s, and nothing keeps machine {} from it", to_seconds(now - since),
                                        m->index()));
            return;
        }
    }
}

}  // namespace vipd::sim
