#include "agent/status/attention.hpp"

#include "agent/aws/time_text.hpp"
#include "agent/status/text.hpp"

#include <fmt/format.h>

namespace vipd::status {

namespace {

void session_findings(const aws::session_snapshot& s, wall_time now, std::vector<finding>& out)
{
    if (s.credentials_expire) {
        const duration left = *s.credentials_expire - now;
        if (left <= duration::zero()) {
            out.push_back({urgency::critical, "",
                           fmt::format("the AWS credentials ended {} ago: no address can be moved", human_duration(-left))});
        } else if (left < credentials_life_expected) {
            out.push_back({urgency::warning, "",
                           fmt::format("the AWS credentials end in {} and have not been renewed", human_duration(left))});
        }
    }
    const duration skew = s.clock_skew < duration::zero() ? -s.clock_skew : s.clock_skew;
    if (skew >= clock_skew_noticed) {
        out.push_back(
            {urgency::warning, "",
             fmt::format("this node's clock is {} {} AWS's{}: check its time synchronisation", human_duration(skew),
                         s.clock_skew > duration::zero() ? "behind" : "ahead of",
                         skew >= clock_skew_refused ? ", too far for a request to be accepted without correction" : "")});
    }
    if (!s.last_error.empty()) {
        out.push_back({s.ready ? urgency::warning : urgency::critical, "", "AWS: " + s.last_error});
    } else if (!s.ready) {
        out.push_back({urgency::warning, "", "AWS: not ready yet, the identity or the credentials are being fetched"});
    }
}

void identity_finding(const aws::session_snapshot& s, std::vector<finding>& out)
{
    if (s.identity && s.identity_from == aws::identity_source::cache) {
        out.push_back({urgency::note, "",
                       "the identity of this node is from its cache: the instance metadata service has not confirmed it yet"});
    }
}

void path_finding(const ec2_path_state& s, std::vector<finding>& out)
{
    if (!s.works) {
        out.push_back({urgency::warning, "",
                       fmt::format("the path from this node to EC2 has been broken{}: {}",
                                   s.age ? fmt::format(" for {}", human_duration(*s.age)) : "", s.trouble)});
    }
}

// It is nobody's, so it is never "not here": EC2 drops what is routed here while it is on, and the operator may want only to be
// told.
void check_findings(const router& r, const resource& x, const std::string& retry, std::vector<finding>& out)
{
    const bool cannot_be_switched = r.state == vrrp::state::active && x.state == resource_state::taking;
    if (!x.last_error.empty()) {
        out.push_back({cannot_be_switched ? urgency::critical : urgency::warning, r.name,
                       fmt::format("{}{}: {}{}", x.name, cannot_be_switched ? " is still on" : "", x.last_error, retry)});
    } else if (cannot_be_switched) {
        out.push_back({urgency::warning, r.name, fmt::format("{} is being switched off{}", x.name, retry)});
    }
}

void resource_findings(const router& r, const resource& x, std::vector<finding>& out)
{
    const bool active = r.state == vrrp::state::active;
    const std::string retry = x.retry_in ? fmt::format("; next try in {}", human_duration(*x.retry_in)) : "";
    const bool here = x.state == resource_state::here || x.state == resource_state::accepted;
    if (x.kind == resource_kind::source_dest_check) {
        check_findings(r, x, retry, out);
        return;
    }
    if (x.duel != duel_state::none) {
        const bool missing = !here;
        out.push_back(
            {missing ? urgency::critical : urgency::warning, r.name,
             fmt::format("somebody else takes {} away again and again{}{}: the other node of a partition, a second "
                         "cluster with this address, or a script{}",
                         x.name, missing && !x.owner.empty() ? fmt::format(" (now it is at {})", x.owner) : "",
                         x.duel == duel_state::held ? ", and it is put back after longer and longer pauses only" : "", retry)});
    }
    if (!x.last_error.empty()) {
        const bool missing = active && !here;
        out.push_back({missing ? urgency::critical : urgency::warning, r.name,
                       fmt::format("{}{}: {}{}", x.name, missing ? " is not here" : "", x.last_error, retry)});
    } else if (active && !here && x.kind == resource_kind::policy) {
        out.push_back({urgency::warning, r.name, fmt::format("{} is not complete: {}", x.name, x.owner)});
    } else if (active && !here && x.duel == duel_state::none) {
        const std::string owner = x.owner.empty() ? "" : fmt::format(", last seen at {}", x.owner);
        out.push_back({urgency::warning, r.name, fmt::format("{} is being taken{}{}", x.name, owner, retry)});
    } else if (active && x.kind != resource_kind::address && x.confirmed_age && *x.confirmed_age > confirmed_age_expected) {
        out.push_back(
            {urgency::warning, r.name, fmt::format("{} was last confirmed {} ago", x.name, human_duration(*x.confirmed_age))});
    }
}

void counter_findings(const router& r, std::vector<finding>& out)
{
    if (r.election.owner_conflicts > 0) {
        out.push_back({urgency::warning, r.name,
                       fmt::format("{} adverts had this node's own address or its priority 255: two nodes are configured alike",
                                   r.election.owner_conflicts)});
    }
    if (r.received.address_list_differs > 0) {
        out.push_back(
            {urgency::note, r.name,
             fmt::format("{} adverts named other addresses than this node's configuration", r.received.address_list_differs)});
    }
    if (r.received.interval_differs > 0) {
        out.push_back(
            {urgency::note, r.name,
             fmt::format("{} adverts had another interval than this node's configuration", r.received.interval_differs)});
    }
}

void signature_findings(const router& r, std::vector<finding>& out)
{
    std::uint64_t refused = 0;
    for (auto reason = vrrp::first_auth_reason; reason < vrrp::discard_reason_count; ++reason) {
        refused += r.received.discarded[reason];
    }
    if (refused > 0) {
        out.push_back(
            {urgency::warning, r.name,
             fmt::format("{} adverts were discarded for their signature: \"Timers and counters\" has the reasons", refused)});
    }
    if (r.signatures && r.signatures->mode != vrrp::hmac_mode::enforce) {
        out.push_back({urgency::note, r.name,
                       fmt::format("signatures are {}: adverts without one are accepted, {} so far",
                                   to_string(r.signatures->mode), r.received.without_signature)});
    }
}

// One without a weight that keeps the router out is in the router's own line.
void tracker_findings(const router& r, std::vector<finding>& out)
{
    for (const auto& t : r.trackers) {
        if (t.state == tracker_state::failing && (t.weight || r.state != vrrp::state::initialize)) {
            out.push_back({urgency::warning, r.name,
                           fmt::format("the tracker {} has been failing{}: {} ({})", t.name,
                                       t.age ? fmt::format(" for {}", human_duration(*t.age)) : "", t.reason, t.what)});
        }
    }
}

void hook_findings(const router& r, std::vector<finding>& out)
{
    for (const auto& h : r.hooks) {
        if (h.is_failing()) {
            out.push_back({urgency::warning, r.name,
                           fmt::format("the hook {} failed {} ago: {} ({})", h.label(), human_duration(h.last->age),
                                       h.last->problem, h.command)});
        }
    }
}

}  // namespace

std::string_view to_string(urgency level)
{
    switch (level) {
        case urgency::note:
            return "note";
        case urgency::warning:
            return "warning";
        case urgency::critical:
            return "critical";
    }
    return "unknown";
}

std::vector<finding> findings(const node& n, const process& p, wall_time now)
{
    std::vector<finding> out;
    if (!n.ready) {
        out.push_back({urgency::warning, "", "not every router has been started yet"});
    }
    if (n.maintenance) {
        out.push_back({urgency::warning, "", "maintenance is on: this node takes no part; \"vipd maintenance off\" ends it"});
    }
    if (n.notice) {
        out.push_back({urgency::warning, "",
                       fmt::format("EC2 is about to take this instance away ({}: {}{}): every other node goes first",
                                   aws::to_string(n.notice->kind), n.notice->what,
                                   n.notice->at ? ", " + aws::format_iso8601(*n.notice->at) : "")});
    }
    if (n.aws) {
        session_findings(*n.aws, now, out);
        identity_finding(*n.aws, out);
    }
    if (n.ec2_path) {
        path_finding(*n.ec2_path, out);
    }
    for (const auto& policy : n.policies) {
        if (!policy.last_error.empty()) {
            out.push_back({urgency::critical, "", fmt::format("{} is not complete: {}", policy.name, policy.last_error)});
        } else if (policy.state == resource_state::taking) {
            out.push_back({urgency::warning, "", fmt::format("{} is not complete: {}", policy.name, policy.owner)});
        }
    }
    if (p.realtime_wanted && !p.realtime_scheduling) {
        out.push_back({urgency::warning, "",
                       p.realtime_lost
                           ? "the loop computed for a second without a pause, and has lost its real-time scheduling: adverts "
                             "may be late on a loaded node; `vipd restart` brings it back"
                           : "real-time scheduling was asked for and refused: adverts may be late on a loaded node; "
                             "the unit needs LimitRTPRIO or CAP_SYS_NICE"});
    }
    if (p.log_lines_dropped > 0) {
        out.push_back(
            {urgency::note, "", fmt::format("{} log lines were dropped: their reader is too slow", p.log_lines_dropped)});
    }
    return out;
}

std::vector<finding> findings(const router& r)
{
    std::vector<finding> out;
    if (r.state == vrrp::state::initialize) {
        out.push_back(
            {urgency::warning, r.name, "takes no part: " + (r.state_reason.empty() ? "not started" : r.state_reason)});
    }
    if (r.state == vrrp::state::backup && !r.active_address) {
        out.push_back({urgency::warning, r.name, "no Active has been heard yet"});
    }
    if (r.state != vrrp::state::initialize && !r.priority_reason.empty()) {
        out.push_back({urgency::note, r.name,
                       fmt::format("its priority is {} and not {}: {}", r.effective_priority, r.priority, r.priority_reason)});
    } else if (r.runtime_priority) {
        out.push_back(
            {urgency::note, r.name,
             fmt::format("its priority was set to {} at run time; {} is configured", *r.runtime_priority, r.priority)});
    }
    for (const auto& x : r.resources) {
        resource_findings(r, x, out);
    }
    for (const auto& p : r.peers) {
        if (p.inbound_blocked) {
            out.push_back({urgency::critical, r.name,
                           fmt::format("adverts of {} arrive for ten minutes after this node has sent something and then no "
                                       "more, so it takes over without need again and again: {}",
                                       p.address.to_string(), inbound_blocked_remedy)});
        }
    }
    tracker_findings(r, out);
    hook_findings(r, out);
    counter_findings(r, out);
    signature_findings(r, out);
    return out;
}

}  // namespace vipd::status
