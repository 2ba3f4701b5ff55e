// Reloads: of priorities and keys, of other things, and those that are to change nothing.

#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

// What is in the file, with each router changed.
template <class Edit>
void reload_with(machine& m, Edit edit)
{
    auto next = m.file();
    for (auto& r : next.routers) {
        edit(r);
    }
    m.reload(std::make_shared<const config::configuration>(std::move(next)));
}

}  // namespace

void cluster::begin(const faults::reload& f, duration /*lasts*/)
{
    if (f.during_takeover) {
        reload_in_takeover_[f.machine] = f;
        reload_in_takeover_[f.machine]->during_takeover = false;
        return;
    }
    auto& m = *machines_[f.machine];
    roles_.on_priority_changed(events_.now(), f.machine);
    if (invariants_.state(f.machine) == vrrp::state::active && has_yet_to_take(f.machine)) {
        situations_.note(situation::reload_during_takeover);
    }
    // The owner of an address has one priority.
    reload_with(m, [&](config::router& r) { r.priority = f.priority != 0 && !r.address_owner ? f.priority : r.priority; });
}

void cluster::begin(const faults::rotate_keys& f, duration /*lasts*/)
{
    if (events_.now() < rotated_at_) {
        return;  // one at a time
    }
    const auto old_key = active_key_;
    const auto new_key = static_cast<std::uint8_t>(active_key_ % 100 + 1);
    const std::array<std::pair<std::uint8_t, std::vector<std::uint8_t>>, 3> steps = {
        {{old_key, {old_key, new_key}}, {new_key, {old_key, new_key}}, {new_key, {new_key}}}};
    duration at{};
    for (const auto& [active, keys] : steps) {
        for (const auto& m : machines_) {
            after(at, [this, active = active, keys = keys, &m = *m] { set_keys(m, active, keys); });
            at += f.period;
        }
    }
    rotated_at_ = events_.now() + at;
    after(at, [this] { situations_.note(situation::keys_rotated); });
}

void cluster::set_keys(machine& m, std::uint8_t active, const std::vector<std::uint8_t>& keys)
{
    active_key_ = active;
    reload_with(m, [&](config::router& r) {
        auto& hmac = *r.auth.hmac;
        hmac.active_key = active;
        hmac.keys.clear();
        for (const auto id : keys) {
            hmac.keys.push_back(key_of(id));
        }
    });
}

// What only a start reads is looked for in all of the file before any of it is applied.
void cluster::begin(const faults::refused_reload& f, duration /*lasts*/)
{
    auto& m = *machines_[f.machine];
    auto next = m.file();
    next.aws.region = "us-east-1";
    for (auto& r : next.routers) {
        r.priority = static_cast<std::uint8_t>(r.priority % 254 + 1);
        r.drain += 7s;
        r.preempt = !r.preempt;
        r.advert_interval += 1s;
        r.addresses.clear();
        r.routes.clear();
        r.trackers.clear();
    }
    if (m.is_running() && invariants_.state(f.machine) == vrrp::state::active) {
        situations_.note(situation::reload_refused_while_active);
    }
    m.try_reload(std::move(next));
}

void cluster::on_refused_reload(machine& of, const std::string& wrong)
{
    if (!wrong.empty()) {
        invariants_.violated(events_.now(), "S14: a reload that is refused changes nothing",
                             fmt::format("machine {}: {}", of.index(), wrong));
    }
}

void cluster::begin(const faults::other_reload& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    constexpr const char* passing = "passing";
    auto next = m.file();
    for (auto& r : next.routers) {
        r.drain = f.drain;
    }
    auto& trackers = next.routers.front().trackers;
    std::erase_if(trackers, [](const auto& t) { return t.name == passing; });
    if (f.tracks && !options_.tracks) {
        trackers.push_back(service_tracker(passing, 8081));
        // What is in the file then, without it.
        after(lasts, [&m] {
            auto later = m.file();
            std::erase_if(later.routers.front().trackers, [](const auto& one) { return one.name == passing; });
            m.reload(std::make_shared<const config::configuration>(std::move(later)));
        });
    }
    m.reload(std::make_shared<const config::configuration>(std::move(next)));
}

void cluster::set_interval(machine& m, duration interval)
{
    reload_with(m, [&](config::router& r) { r.advert_interval = interval; });
}

void cluster::begin(const faults::interval_changed& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    if (invariants_.state(f.machine) == vrrp::state::active && m.router().advert_interval != f.interval) {
        situations_.note(situation::interval_of_active_changed);
    }
    set_interval(m, f.interval);
    end_after(lasts, "interval " + names_[f.machine], [this, &m] { set_interval(m, options_.interval_of(m.index())); });
}

void cluster::set_peer(machine& m, std::size_t peer, bool is_let_in)
{
    reload_with(m, [&](config::router& r) {
        std::erase_if(r.peers, [&](const auto& p) { return p.address == options_.address(peer); });
        if (is_let_in) {
            r.peers.push_back({options_.address(peer), vrrp::ttl_sent});
        }
    });
}

void cluster::let_all_peers_in(machine& m)
{
    for (std::size_t peer = 0; peer < machines_.size(); ++peer) {
        const auto& peers = m.file().routers.front().peers;
        if (peer != m.index() &&
            std::ranges::none_of(peers, [&](const auto& p) { return p.address == options_.address(peer); })) {
            set_peer(m, peer, true);
        }
    }
}

void cluster::begin(const faults::peer_removed& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    if (m.file().routers.front().peers.size() == 1) {
        return;  // one has to be left
    }
    set_peer(m, f.peer, false);
    end_after(lasts, fmt::format("peer {} of {}", f.peer, f.machine), [this, &m, peer = f.peer] {
        if (m.is_running() && invariants_.state(peer) == vrrp::state::active) {
            situations_.note(situation::peer_of_active_let_in);
        }
        set_peer(m, peer, true);
    });
    for (const auto& [from, to] : {std::pair{f.machine, f.peer}, std::pair{f.peer, f.machine}}) {
        network_.cut(events_.now(), from, to, true);
        end_after(lasts, "path " + names_[from] + names_[to],
                  [this, from = from, to = to] { network_.cut(events_.now(), from, to, false); });
    }
}

void cluster::begin(const faults::replaced_in_drain& f, duration lasts)
{
    replacement_in_drain_[f.machine] = lasts;
}

void cluster::replace_in_drain(machine& m)
{
    if (auto& planned = replacement_in_drain_[m.index()]) {
        after(random_.between(0s, m.router().drain), [this, &m, lasts = *std::exchange(planned, std::nullopt)] {
            const bool was_running = m.is_running();
            const bool drains =
                invariants_.state(m.index()) == vrrp::state::backup && m.has_address(options_.virtual_address());
            begin(faults::replace_process{m.index()}, lasts);
            if (was_running && !m.is_running() && drains) {
                situations_.note(situation::replaced_in_drain);
            }
        });
    }
}

}  // namespace vipd::sim
