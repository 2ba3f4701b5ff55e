// What is done to a cluster, how each of it begins, and how it ends.

#include "tests/sim/account.hpp"
#include "tests/sim/cluster.hpp"
#include "tests/support/sealed_advert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t key_of_forger = 120;

}  // namespace

void cluster::inflict(const scheduled_fault& fault)
{
    history_.add(events_.now(), "fault", [&] { return to_string(fault); });
    observe_fault(fault);
    std::visit([&](const auto& what) { begin(what, fault.lasts); }, fault.what);
}

// Not when everything has been healed in the meantime.
void cluster::after(duration wait, std::function<void()> what)
{
    events_.after(wait, [this, era = era_, what = std::move(what)] {
        if (era == era_) {
            what();
        }
    });
}

void cluster::end_after(duration wait, const std::string& trouble, std::function<void()> end)
{
    auto& last = ends_[trouble];
    last = std::max(last, events_.now() + wait);
    after(wait, [this, trouble, end = std::move(end)] {
        if (events_.now() >= ends_.at(trouble)) {
            end();
        }
    });
}

void cluster::note_trouble_around(std::size_t machine, duration until)
{
    for (std::size_t other = 0; other < machines_.size(); ++other) {
        if (other != machine) {
            network_.note_trouble(events_.now() + until, machine, other);
            network_.note_trouble(events_.now() + until, other, machine);
        }
    }
}

void cluster::heal()
{
    ++era_;
    ends_.clear();
    std::ranges::fill(reload_in_takeover_, std::nullopt);
    std::ranges::fill(replacement_in_drain_, std::nullopt);
    aimed_.clear();
    pending_.clear();
    busy_until_ = events_.now();
    history_.add(events_.now(), "fault", [] { return std::string("everything is healed"); });
    network_.mend(events_.now());
    second_network_down_.clear();
    changes_allowed_.reset();
    cloud_.faults().clear();
    cloud_.policies().clear();
    for (auto& m : options_.machines) {
        m.lacks_inbound_rule = false;
    }
    for (const auto& m : machines_) {
        set_clock(*m, options_.machines[m->index()].wall_offset);
        cloud_.model().set_instance_state(events_.now(), instance_of(m->index()), cloud::instance_state::running);
        m->set_lateness({});
        m->forget_planned_pause();
        m->resume();
        m->set_cloud_reachable(true);
        m->set_descriptors(true);
        m->set_service(true);
        m->set_send_room(true);
        let_all_peers_in(*m);
        announce(m->index(), false);
        take_other_interfaces(m->index());
        if (!m->has_link()) {
            m->set_link(true);
            note_trouble_around(m->index());
        }
        switch_on(*m);
        m->tell(node::set_maintenance{false});
        roles_.on_maintenance(m->index(), false);
    }
    // What is on its way down comes up again.
    for (const auto wait : {0s, 1s, 3s, 8s}) {
        after(wait, [this] {
            for (const auto& m : machines_) {
                start(*m);
            }
        });
    }
}

// --- machines ---

void cluster::start(machine& m)
{
    const bool was_running = m.is_running();
    m.start_process();
    if (m.is_running() && !was_running) {
        note_sequence_restart(m);
    }
    const bool imds_fails = std::ranges::any_of(cloud_.faults().all(), [](const auto& entry) {
        const auto& f = entry.second;
        const bool leaves_no_answer = std::holds_alternative<cloud::effects::fail>(f.effect) ||
                                      std::holds_alternative<cloud::effects::reset>(f.effect) ||
                                      std::holds_alternative<cloud::effects::hang>(f.effect);
        return f.action == "imds:*" && f.node == "*" && f.probability >= 1.0 && leaves_no_answer;
    });
    if (!was_running && m.is_running() && (imds_fails || !m.path().is_reachable())) {
        situations_.note(situation::started_without_imds);
    }
}

// A machine whose clock has been set, or whose signatures begin anew by another clock, is not heard until its clock has passed
// what was heard of it: the README says so.
void cluster::note_sequence_restart(machine& m)
{
    if (options_.auth) {
        const bool by_time = options_.auth->against_replay == vrrp::anti_replay::time;
        note_trouble_around(m.index(), by_time ? 2 * options_.auth->window : duration{25s});
    }
}

void cluster::set_clock(machine& m, duration offset)
{
    if (m.wall_offset() != offset) {
        m.set_wall_offset(offset);
        note_sequence_restart(m);
    }
}

void cluster::kill(machine& m)
{
    m.kill_process();
    invariants_.on_process_end(m);
}

void cluster::switch_on(machine& m)
{
    const bool was_running = m.is_running();
    m.power_on();
    if (m.is_running() && !was_running) {
        note_sequence_restart(m);
    }
}

void cluster::restart_later(std::size_t machine, duration wait, unsigned kills_left)
{
    after(wait, [this, machine, wait, kills_left] {
        start(*machines_[machine]);
        if (kills_left > 0) {
            after(random_.between(0s, 2s), [this, machine, wait, kills_left] {
                if (kills_left == 1 && machines_[machine]->is_running()) {
                    situations_.note(situation::crash_loop);
                }
                kill(*machines_[machine]);
                restart_later(machine, wait, kills_left - 1);
            });
        }
    });
}

void cluster::begin(const faults::kill_process& f, duration lasts)
{
    kill(*machines_[f.machine]);
    restart_later(f.machine, lasts, f.times - 1);
}

void cluster::begin(const faults::stop_process& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.stop_process();
    // It drains first; whoever starts it asks until it has ended.
    for (const auto wait : {1s, 3s, 6s, 10s}) {
        after(lasts + wait, [this, &m] { start(m); });
    }
}

void cluster::begin(const faults::replace_process& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.replace_process();
    if (!m.is_running()) {
        invariants_.on_process_end(m);
        after(lasts, [this, &m] { start(m); });
    }
}

void cluster::begin(const faults::power_off& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.power_off();
    invariants_.on_process_end(m);
    after(lasts, [this, &m] { switch_on(m); });
}

void cluster::begin(const faults::instance_stopped& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    if (invariants_.state(f.machine) == vrrp::state::active) {
        situations_.note(situation::instance_stopped_while_active);
    }
    m.power_off();
    invariants_.on_process_end(m);
    cloud_.model().set_instance_state(events_.now(), instance_of(f.machine), cloud::instance_state::stopped);
    after(lasts, [this, &m] {
        cloud_.model().set_instance_state(events_.now(), instance_of(m.index()), cloud::instance_state::running);
        switch_on(m);
    });
}

void cluster::begin(const faults::pause& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    if (f.before_call) {
        m.pause_before_call(lasts);
        return;
    }
    m.pause();
    end_after(lasts, "pause " + names_[f.machine], [&m] { m.resume(); });
}

void cluster::begin(const faults::late_timers& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.set_lateness(f.late_max);
    end_after(lasts, "lateness " + names_[f.machine], [&m] { m.set_lateness({}); });
}

void cluster::begin(const faults::no_descriptors& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.set_descriptors(false);
    end_after(lasts, "descriptors " + names_[f.machine], [&m] { m.set_descriptors(true); });
}

void cluster::begin(const faults::link_down& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.set_link(false);
    m.set_cloud_reachable(false);
    note_trouble_around(f.machine);
    end_after(lasts, "link " + names_[f.machine], [this, &m] {
        m.set_link(true);
        note_trouble_around(m.index());
    });
    end_after(lasts, "cloud " + names_[f.machine], [&m] { m.set_cloud_reachable(true); });
}

void cluster::begin(const faults::address_removed& f, duration /*lasts*/)
{
    auto& m = *machines_[f.machine];
    const auto address = options_.virtual_address();
    const bool was_there = m.has_address(address) && invariants_.state(f.machine) == vrrp::state::active;
    m.take_address(address);
    if (was_there) {
        after(1s, [this, &m, address] {
            if (m.has_address(address)) {
                situations_.note(situation::address_removed_and_put_back);
            }
        });
    }
}

void cluster::begin(const faults::policy_removed& f, duration /*lasts*/)
{
    auto& m = *machines_[f.machine];
    const bool was_there = m.policy_parts() == options_.policy_parts() && invariants_.state(f.machine) == vrrp::state::active;
    m.take_policy(f.rule);
    if (was_there && m.policy_parts() < options_.policy_parts()) {
        after(1s, [this, &m] {
            if (m.policy_parts() == options_.policy_parts()) {
                situations_.note(situation::policy_removed_and_put_back);
            }
        });
    }
}

void cluster::begin(const faults::clock_set& f, duration /*lasts*/)
{
    set_clock(*machines_[f.machine], f.offset);
}

// --- the network ---

void cluster::begin(const faults::partition& f, duration lasts)
{
    for (const auto& [from, to] : f.cut) {
        after(random_.between(0s, f.spread), [this, from = from, to = to] { network_.cut(events_.now(), from, to, true); });
        end_after(f.spread + lasts + random_.between(0s, f.spread), "path " + names_[from] + names_[to],
                  [this, from = from, to = to] { network_.cut(events_.now(), from, to, false); });
    }
}

void cluster::begin(const faults::second_network_down& f, duration lasts)
{
    second_network_down_.insert(f.machine);
    end_after(lasts, "second network " + names_[f.machine], [this, machine = f.machine] {
        for (const auto& m : machines_) {
            if (m->is_running() && m->snapshot(1).state_reason.find("waits for router") != std::string::npos) {
                situations_.note(situation::group_waited);
            }
        }
        second_network_down_.erase(machine);
    });
}

void cluster::begin(const faults::poor_network& f, duration lasts)
{
    network_.set_quality(f.quality);
    end_after(lasts, "quality", [this] { network_.set_quality(options_.network); });
}

void cluster::begin(const faults::forged_adverts& f, duration lasts)
{
    // A bound on how many; what they could do, the first of them would.
    const auto count = std::min<duration::rep>(200, lasts / f.period);
    for (duration::rep i = 0; i < count; ++i) {
        after(i * f.period, [this, f] { forge(f); });
    }
}

void cluster::forge(const faults::forged_adverts& f)
{
    using faults::forgery;
    auto& to = *machines_[f.machine];
    auto from = machines_[(f.machine + 1) % machines_.size()]->address();
    if (f.kind == forgery::own_address) {
        from = to.address();
    } else if (f.kind == forgery::stranger) {
        from = *ip_address::parse(options_.family == ip_family::v4 ? "10.0.1.200" : "2001:db8:0:1::200");
    }
    const bool v2 = options_.version == vrrp::version::v2;
    const std::vector<ip_address> addresses = {options_.virtual_address().address()};
    vrrp::advert_content content{.protocol_version = options_.version,
                                 .vrid = 51,
                                 .priority = 254,
                                 .interval = options_.advert_interval,
                                 .addresses = addresses};
    if (f.kind == forgery::other_vrid) {
        content.vrid = 99;
    }
    if (f.kind == forgery::other_version) {
        content.protocol_version = v2 ? vrrp::version::v3 : vrrp::version::v2;
        content.interval = 1s;
    }
    if (content.protocol_version == vrrp::version::v2 && options_.family == ip_family::v6) {
        return;  // does not exist
    }
    machine::datagram d{from, {}, machine::datagram_kind::forged, vrrp::ttl_sent};
    if (f.kind == forgery::wrong_key) {
        // Of the right id, and later than all that has been heard: whoever took its time for that of the sender would hear the
        // sender no more.
        auto ahead = to.now();
        ahead.wall += options_.auth->against_replay == vrrp::anti_replay::time ? options_.auth->window - 1s : duration{24h};
        vrrp::signer signer{{vrrp::hmac_mode::enforce,
                             options_.auth->against_replay,
                             options_.auth->window,
                             active_key_,
                             {{active_key_, key_of(key_of_forger).secret}}},
                            ahead};
        vrrp::advert_template advert{content, from, to.address(), vrrp::checksum_form::rfc5798};
        const auto trailer = signer.sign(advert.message(content.priority, content.interval), from, ahead);
        const auto message = advert.message(content.priority, content.interval, trailer);
        d.message = {message.begin(), message.end()};
        to.receive(std::move(d));
        return;
    }
    if (f.kind == forgery::replayed) {
        // What another process has heard, this one may hear for the first time.
        const auto& heard = heard_[f.machine];
        if (heard.process == to.process_number() && to.is_running()) {
            d.from = machines_[heard.from]->address();
            d.message = heard.message;
            situations_.note(situation::replay_sent);
            to.receive(std::move(d));
        }
        return;
    }
    vrrp::encode_advert(content, from, to.address(), vrrp::checksum_form::rfc5798, d.message);
    if (f.kind == forgery::interval_zero) {
        d.message[4] = 0;
        d.message[5] = static_cast<std::uint8_t>(v2 ? d.message[5] + 1U : 0U);
        test::seal(d.message);
    } else if (f.kind == forgery::no_address) {
        d.message.erase(d.message.begin() + 8, d.message.begin() + (options_.family == ip_family::v4 ? 12 : 24));
        d.message[3] = 0;
        test::seal(d.message);
    } else if (f.kind == forgery::low_ttl) {
        d.ttl = 254;
    } else if (f.kind == forgery::wrong_checksum) {
        d.message[6] ^= 0x5aU;
    } else if (f.kind == forgery::cut_short) {
        d.message.pop_back();
    }
    to.receive(std::move(d));
}

// --- the cloud ---

void cluster::begin(const faults::cloud_unreachable& f, duration lasts)
{
    for (const auto i : f.machines) {
        machines_[i]->set_cloud_reachable(false);
        end_after(lasts, "cloud " + names_[i], [this, i] { machines_[i]->set_cloud_reachable(true); });
    }
}

void cluster::begin(const faults::cloud_trouble& f, duration lasts)
{
    const auto id = cloud_.faults().add(f.fault);
    after(lasts, [this, id] { cloud_.faults().remove(id); });
}

void cluster::begin(const faults::throttled& f, duration /*lasts*/)
{
    for (const auto* action :
         {"ReplaceRoute", "CreateRoute", "DescribeRouteTables", "DescribeNetworkInterfaces", "DescribeAddresses",
          "AssignPrivateIpAddresses", "AssignIpv6Addresses", "UnassignIpv6Addresses", "AssociateAddress",
          "DetachNetworkInterface", "AttachNetworkInterface", "ModifyNetworkInterfaceAttribute"}) {
        cloud_.buckets().set_level(events_.now(), action, f.level);
    }
}

void cluster::begin(const faults::credentials_revoked& f, duration /*lasts*/)
{
    cloud_.imds().rotate_credentials(instance_of(f.machine), true);
}

void cluster::begin(const faults::permission_missing& f, duration lasts)
{
    const auto role = role_of(f.machine);
    auto policy = cloud::allow_everything();
    policy.push_back({false, {"ec2:ReplaceRoute", "ec2:CreateRoute"}, {options_.table_id(f.table)}});
    policy.push_back({false, {"ec2:Ass*", "ec2:Att*"}, {"*"}});
    cloud_.policies()[role] = policy;
    end_after(lasts, "policy " + role, [this, role] { cloud_.policies().erase(role); });
}

// --- people ---

void cluster::begin(const faults::route_changed& f, duration /*lasts*/)
{
    put_route(f.table, f.target, "hand");
    put_everything_else(f.target);
}

void cluster::begin(const faults::second_cluster& f, duration lasts)
{
    for (duration at{}; at < lasts; at += f.period) {
        after(at, [this] {
            const auto stranger = options_.interface_id(options_.machines.size());
            for (std::size_t t = 0; t < options_.tables; ++t) {
                put_route(t, stranger, "a second cluster");
            }
            put_everything_else(stranger);
        });
    }
}

void cluster::begin(const faults::step_down& f, duration /*lasts*/)
{
    machines_[f.machine]->tell(node::step_down{f.second_only ? cluster_options::router_name(1) : ""});
}

void cluster::begin(const faults::maintenance& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    m.tell(node::set_maintenance{true});
    roles_.on_maintenance(f.machine, true);
    end_after(lasts, "maintenance " + names_[f.machine], [this, &m] {
        m.tell(node::set_maintenance{false});
        roles_.on_maintenance(m.index(), false);
    });
}

void cluster::begin(const faults::priority_set& f, duration lasts)
{
    auto& m = *machines_[f.machine];
    const auto set = [this, &m](std::optional<std::uint8_t> priority) {
        roles_.on_priority_changed(events_.now(), m.index());
        m.tell(node::set_priority{cluster_options::router_name(0), priority});
    };
    set(f.priority);
    end_after(lasts, "priority " + names_[f.machine], [set] { set(std::nullopt); });
}

}  // namespace vipd::sim
