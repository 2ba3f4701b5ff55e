// What a schedule says of each fault.

#include "tests/sim/schedule.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace vipd::sim {

namespace {

std::string describe(const path_quality& q)
{
    return fmt::format(
        "loss {:.2f}, bursts {:.2f} of {:.0f} ms, duplicates {:.2f}, stragglers {:.2f} up to {:.0f} ms, corrupt "
        "{:.2f}",
        q.loss, q.burst_chance, to_milliseconds(q.burst_mean), q.duplicate, q.straggler_chance,
        to_milliseconds(q.straggler_delay), q.corrupt);
}

struct fault_words {
    std::string operator()(const faults::kill_process& f) const
    {
        return fmt::format("machine {}: kill -9 of the process, {} times", f.machine, f.times);
    }
    std::string operator()(const faults::stop_process& f) const
    {
        return fmt::format("machine {}: SIGTERM and a new start", f.machine);
    }
    std::string operator()(const faults::replace_process& f) const
    {
        return fmt::format("machine {}: restart in place", f.machine);
    }
    std::string operator()(const faults::power_off& f) const { return fmt::format("machine {}: power off", f.machine); }
    std::string operator()(const faults::instance_stopped& f) const
    {
        return fmt::format("machine {}: instance stopped", f.machine);
    }
    std::string operator()(const faults::pause& f) const
    {
        return fmt::format("machine {}: stands still{}", f.machine,
                           f.before_call ? ", from the next mutating call on, before its first byte" : "");
    }
    std::string operator()(const faults::late_timers& f) const
    {
        return fmt::format("machine {}: loop late by up to {:.1f} ms", f.machine, to_milliseconds(f.late_max));
    }
    std::string operator()(const faults::no_descriptors& f) const
    {
        return fmt::format("machine {}: no more sockets", f.machine);
    }
    std::string operator()(const faults::service_down& f) const
    {
        return fmt::format("machine {}: its service fails", f.machine);
    }
    std::string operator()(const faults::notice& f) const
    {
        return fmt::format("machine {}: EC2 is about to take it away", f.machine);
    }
    std::string operator()(const faults::link_down& f) const { return fmt::format("machine {}: link down", f.machine); }
    std::string operator()(const faults::address_removed& f) const
    {
        return fmt::format("machine {}: virtual address removed", f.machine);
    }
    std::string operator()(const faults::policy_removed& f) const
    {
        return fmt::format("machine {}: {} of the policy removed", f.machine, f.rule ? "rule" : "route");
    }
    std::string operator()(const faults::clock_set& f) const
    {
        return fmt::format("machine {}: wall clock set {:+.0f} s off", f.machine, to_seconds(f.offset));
    }
    std::string operator()(const faults::other_interfaces& f) const
    {
        return fmt::format("machine {}: {} other interfaces are attached", f.machine, f.count);
    }
    std::string operator()(const faults::partition& f) const
    {
        std::string text = "cut";
        for (const auto& [from, to] : f.cut) {
            text += fmt::format(" {}->{}", from, to);
        }
        return f.spread > duration::zero() ? text + fmt::format(", over {:.1f} s", to_seconds(f.spread)) : text;
    }
    std::string operator()(const faults::second_network_down& f) const
    {
        return fmt::format("machine {}: the second router's network is down", f.machine);
    }
    std::string operator()(const faults::poor_network& f) const { return "network: " + describe(f.quality); }
    std::string operator()(const faults::forged_adverts& f) const
    {
        constexpr std::array<std::string_view, faults::forgery_count> names = {
            "a stranger",      "a low TTL",    "a wrong interval", "another VRID",
            "another version", "no address",   "a wrong checksum", "an end too early",
            "its own address", "no signature", "a wrong key",      "a copy of an old one"};
        return fmt::format("machine {}: forged adverts with {} every {:.0f} ms", f.machine,
                           names.at(static_cast<std::size_t>(f.kind)), to_milliseconds(f.period));
    }
    std::string operator()(const faults::cloud_unreachable& f) const
    {
        std::string text = "cloud unreachable for";
        for (const auto m : f.machines) {
            text += fmt::format(" {}", m);
        }
        return text;
    }
    std::string operator()(const faults::cloud_trouble& f) const
    {
        return fmt::format("cloud: effect {} on {} of {} for {}, p = {:.2f}{}", f.fault.effect.index(), f.fault.action,
                           f.fault.node, f.fault.table, f.fault.probability,
                           f.fault.count ? fmt::format(", {} times", *f.fault.count) : "");
    }
    std::string operator()(const faults::throttled& f) const { return fmt::format("buckets of EC2 at {:.0f}", f.level); }
    std::string operator()(const faults::credentials_revoked& f) const
    {
        return fmt::format("machine {}: credentials revoked", f.machine);
    }
    std::string operator()(const faults::permission_missing& f) const
    {
        return fmt::format("machine {}: may not change table {}", f.machine, f.table);
    }
    std::string operator()(const faults::route_changed& f) const
    {
        return fmt::format("table {}: route {} by hand", f.table, f.target.empty() ? "removed" : "set to " + f.target);
    }
    std::string operator()(const faults::second_cluster& f) const
    {
        return fmt::format("a second cluster takes the route every {:.1f} s", to_seconds(f.period));
    }
    std::string operator()(const faults::step_down& f) const
    {
        return fmt::format("machine {}: step-down{}", f.machine, f.second_only ? " of its second router" : "");
    }
    std::string operator()(const faults::maintenance& f) const { return fmt::format("machine {}: maintenance", f.machine); }
    std::string operator()(const faults::reload& f) const
    {
        return fmt::format("machine {}: reload{}, priority {}", f.machine, f.during_takeover ? " in its next takeover" : "",
                           f.priority);
    }
    std::string operator()(const faults::adverts_refused& f) const
    {
        return fmt::format("machine {}: the kernel refuses adverts", f.machine);
    }
    std::string operator()(const faults::priority_set& f) const
    {
        return fmt::format("machine {}: an operator sets priority {}", f.machine, f.priority);
    }
    std::string operator()(const faults::refused_reload& f) const
    {
        return fmt::format("machine {}: a reload that is refused", f.machine);
    }
    std::string operator()(const faults::other_reload& f) const
    {
        return fmt::format("machine {}: reload with drain {} s{}", f.machine, to_seconds(f.drain),
                           f.tracks ? " and a tracker more for a while" : "");
    }
    std::string operator()(const faults::interval_changed& f) const
    {
        return fmt::format("machine {}: reload with A = {:.0f} ms", f.machine, to_milliseconds(f.interval));
    }
    std::string operator()(const faults::peer_removed& f) const
    {
        return fmt::format("machine {}: reload without peer {}", f.machine, f.peer);
    }
    std::string operator()(const faults::replaced_in_drain& f) const
    {
        return fmt::format("machine {}: process replaced in its next drain", f.machine);
    }
    std::string operator()(const faults::rotate_keys& f) const
    {
        return fmt::format("keys are rotated, a step every {:.0f} ms", to_milliseconds(f.period));
    }
    std::string operator()(const faults::move_interrupted& f) const
    {
        const auto* const who =
            f.of_interface ? "whoever has just detached the interface" : "whoever has just unassigned the IPv6 address";
        switch (f.what) {
            case faults::gap_end::robbed:
                return fmt::format("{}: a stranger takes it", who);
            case faults::gap_end::powered_off:
                return fmt::format("{}: power off for {:.1f} s", who, to_seconds(f.length));
            case faults::gap_end::paused:
                return fmt::format("{}: stands still for {:.1f} s", who, to_seconds(f.length));
        }
        return {};
    }
};

}  // namespace

std::string to_string(const scheduled_fault& fault)
{
    return fmt::format("{:10.4f} s for {:9.4f} s  {}", to_seconds(fault.at), to_seconds(fault.lasts),
                       std::visit(fault_words{}, fault.what));
}

}  // namespace vipd::sim
