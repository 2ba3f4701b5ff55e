#include "agent/doctor/judgements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace vipd::doctor {

namespace {

// What is sent from there goes through the VPC as it is, and not inside a tunnel's packets: the link is an interface of EC2's.
bool is_on_interface_of_ec2(const evidence& known, const ip_address& address)
{
    const auto* const found = known.links.find_address(address);
    const auto has_it = [&](const aws::instance_interface& i) {
        const auto* const link = known.links.find_link_by_mac(i.mac);
        return link != nullptr && link->index == found->link_index;
    };
    return found != nullptr && known.identity() != nullptr && std::ranges::any_of(known.identity()->interfaces, has_it);
}

void judge_source(const evidence& known, const config::router& router, section& out)
{
    constexpr const char* check = "source";
    const auto source = known.source_of(router);
    if (!source) {
        const auto* const found = router.source ? known.links.find_address(*router.source) : nullptr;
        if (found != nullptr) {
            out.fail(check,
                     fmt::format("{}, which adverts come from, {}", router.source->to_string(), net::why_unusable(*found)),
                     found->duplicate ? "give one of the two nodes another address" : "wait for that to end");
        } else if (router.source) {
            out.fail(check, fmt::format("{}, which adverts come from, is not on this node", router.source->to_string()),
                     "put right source in [[router]], or leave it out");
        } else {
            out.fail(check,
                     fmt::format("{} has no address of the peers' family that adverts could come from", router.interface),
                     "put right interface in [[router]], or name a source");
        }
        return;
    }
    if (is_on_interface_of_ec2(known, *source) && known.own_interface_with(*source) == nullptr) {
        out.fail(check,
                 fmt::format("{} is on this node, and no interface of {} has it: a VPC drops what comes from it",
                             source->to_string(), known.identity()->instance.str()),
                 "name an address as source that EC2 gave the interface");
        return;
    }
    out.ok(check, fmt::format("adverts come from {}", source->to_string()));
}

// One that keeps the router out is in the router's own reason.
void judge_trackers(const seen_router& seen, bool takes_part, section& out)
{
    for (const auto& tracker : seen.failing_trackers) {
        if (tracker.has_weight || takes_part) {
            out.warn("tracker " + tracker.name, fmt::format("it is failing: {}", tracker.reason),
                     "put right what it looks at, or what [[router.track]] says of it");
        }
    }
}

// Whether the daemon that runs here would take over at all; what stands against it has been said.
bool judge_standing(const evidence& known, const seen_router& seen, section& out)
{
    constexpr const char* check = "election";
    if (seen.state != "Initialize") {
        return true;
    }
    const auto found = fmt::format("the daemon is Initialize and takes no part, so it would not take over: {}",
                                   seen.state_reason.empty() ? "it has not started" : seen.state_reason);
    if (known.daemon.maintenance) {
        // Somebody wants it so.
        out.warn(check, found, "`vipd maintenance off` when this node is to take over again");
    } else {
        out.fail(check, found, "put right what it names; it takes part then without a restart (`vipd status`)");
    }
    return false;
}

// A Backup takes over one down interval after the last advert, so that one that has heard none for several of them is kept from
// it. One that was Active until now has had nobody to hear.
bool is_silent(const seen_router& seen, const config::router& router, double last_heard_age_seconds)
{
    constexpr double down_intervals_max = 3;
    const auto silence = std::min(last_heard_age_seconds, seen.state_age_seconds.value_or(last_heard_age_seconds));
    const auto startup_delay = std::chrono::duration<double>{router.startup_delay}.count();
    return seen.active_down_interval_seconds && *seen.active_down_interval_seconds > 0 &&
           silence > down_intervals_max * *seen.active_down_interval_seconds + startup_delay;
}

// What the daemon hears, where it takes part. An Active hears nobody: only it sends.
void judge_adverts(const seen_router& seen, const config::router& router, section& out)
{
    constexpr const char* check = "adverts";
    const auto youngest =
        std::ranges::min_element(seen.peers, {}, [](const seen_peer& p) { return p.last_heard_age_seconds.value_or(1e18); });
    const bool any_heard = youngest != seen.peers.end() && youngest->last_heard_age_seconds.has_value();
    const auto heard =
        any_heard ? fmt::format("last heard {} {:.1f} s ago", youngest->address.to_string(), *youngest->last_heard_age_seconds)
                  : std::string("no peer has been heard yet");
    const auto why = seen.state_reason.empty() ? std::string{} : fmt::format(" ({})", seen.state_reason);
    if (seen.state == "Active") {
        out.ok(check, fmt::format("the daemon is Active, and only an Active sends; {}", heard));
    } else if (!any_heard) {
        out.warn(check, fmt::format("the daemon is {}{}, and {}", seen.state, why, heard),
                 "start vipd on the peers; where it runs, look at the security groups");
    } else if (is_silent(seen, router, *youngest->last_heard_age_seconds)) {
        out.warn(check,
                 fmt::format("the daemon is {}{}, and {}: a Backup takes over {:.1f} s after the last advert", seen.state, why,
                             heard, *seen.active_down_interval_seconds),
                 "look for what keeps it from that in `vipd status` and its log: another router of its sync group, or a "
                 "daemon that stands still");
    } else {
        out.ok(check, fmt::format("the daemon is {}; {}", seen.state, heard));
    }
}

// What the daemon that runs here says of the router.
void judge_daemon(const evidence& known, const config::router& router, section& out)
{
    constexpr const char* check = "adverts";
    if (!known.daemon.runs || !known.daemon.problem.empty()) {
        return;
    }
    const auto* const seen = known.daemon.find(router.name);
    if (seen == nullptr) {
        out.warn(check, "the daemon that runs here has no router of that name",
                 "it was started with another configuration: `vipd reload`, or another --config");
        return;
    }
    const bool takes_part = judge_standing(known, *seen, out);
    judge_trackers(*seen, takes_part, out);
    const auto blocked = std::ranges::find(seen->peers, true, &seen_peer::inbound_blocked);
    if (blocked != seen->peers.end()) {
        out.fail(check,
                 fmt::format("the daemon is {}, and by all signs adverts of {} get in only for a while after it has sent some",
                             seen->state, blocked->address.to_string()),
                 std::string{status::inbound_blocked_remedy});
        return;
    }
    if (takes_part) {
        judge_adverts(*seen, router, out);
    }
}

}  // namespace

section judge_router(const evidence& known, const config::router& router)
{
    section out{"router " + router.name, {}};
    if (known.links.complete()) {
        judge_source(known, router, out);
    }
    judge_daemon(known, router, out);
    if (router.moves_in_cloud()) {
        judge_peers(known, router, out);
        judge_moves(known, router, out);
    }
    return out;
}

}  // namespace vipd::doctor
