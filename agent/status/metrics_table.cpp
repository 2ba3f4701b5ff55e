#include "agent/status/metrics_table.hpp"

#include "agent/status/hook_series.hpp"
#include "agent/status/text.hpp"
#include "agent/status/tracker_series.hpp"
#include "common/ensure.hpp"

#include <array>
#include <limits>

namespace vipd::status {

namespace {

constexpr auto counter = metric_type::counter;
constexpr auto gauge = metric_type::gauge;
constexpr auto distribution = metric_type::histogram;

constexpr std::array states = {vrrp::state::initialize, vrrp::state::backup, vrrp::state::active};
constexpr std::array resource_states = {resource_state::unknown, resource_state::elsewhere, resource_state::taking,
                                        resource_state::accepted, resource_state::here};

constexpr std::array hmac_modes = {vrrp::hmac_mode::receive_only, vrrp::hmac_mode::permissive, vrrp::hmac_mode::enforce};

// Reasons up to `vrid` are found before a router is known and are the node's; the others are a router's.
constexpr auto first_reason_of_a_router = static_cast<std::size_t>(vrrp::discard_reason::version);

std::string_view reason_name(std::size_t i)
{
    return vrrp::to_string(static_cast<vrrp::discard_reason>(i));
}

void adverts_dropped_by_node(const sample& s, series_sink& out)
{
    for (std::size_t i = 0; i < first_reason_of_a_router; ++i) {
        out.add({reason_name(i)}, s.of_node.discarded_before_router[i]);
    }
}

void adverts_dropped_by_router(const router& r, series_sink& out)
{
    for (std::size_t i = first_reason_of_a_router; i < vrrp::discard_reason_count; ++i) {
        out.add({r.name, reason_name(i)}, r.received.discarded[i]);
    }
}

void router_info(const router& r, series_sink& out)
{
    out.add({r.name, std::to_string(r.vrid), std::to_string(r.version), r.interface, r.source ? r.source->to_string() : "",
             r.sync_group},
            true);
}

void router_state(const router& r, series_sink& out)
{
    for (const auto state : states) {
        out.add({r.name, vrrp::to_string(state)}, r.state == state);
    }
}

void state_of_resource(const router& r, const resource& x, series_sink& out)
{
    for (const auto state : resource_states) {
        out.add({r.name, to_string(x.kind), x.label(), to_string(state)}, x.state == state);
    }
}

void takeover_seconds(const router& r, series_sink& out)
{
    out.add({r.name, "first_request"}, r.takeovers.first_request);
    out.add({r.name, "all_accepted"}, r.takeovers.all_accepted);
    out.add({r.name, "all_confirmed"}, r.takeovers.all_confirmed);
}

void termination_notice(const sample& s, series_sink& out)
{
    for (std::size_t i = 0; i < aws::notice_kind_count; ++i) {
        const auto kind = static_cast<aws::notice_kind>(i);
        out.add({aws::to_string(kind)}, s.of_node.notice && s.of_node.notice->kind == kind);
    }
}

void aws_info(const sample& s, series_sink& out)
{
    if (!s.of_node.aws) {
        return;
    }
    const auto& aws = *s.of_node.aws;
    const bool known = aws.identity.has_value();
    out.add({aws.region, known ? aws.identity->availability_zone : "", known ? aws.identity->instance.str() : "",
             aws::to_string(aws.source)},
            true);
}

void identity_cached(const sample& s, series_sink& out)
{
    if (s.of_node.aws && s.of_node.aws->identity) {
        out.add({}, s.of_node.aws->identity_from == aws::identity_source::cache);
    }
}

void credentials_remaining(const sample& s, series_sink& out)
{
    if (s.of_node.aws && s.of_node.aws->credentials_expire) {
        out.add({}, *s.of_node.aws->credentials_expire - s.at.wall);
    }
}

void ec2_calls(const sample& s, series_sink& out)
{
    for (const auto& c : s.of_node.ec2_calls) {
        out.add({c.action, c.code}, c.count);
    }
}

void ec2_path_works(const sample& s, series_sink& out)
{
    if (s.of_node.ec2_path) {
        out.add({}, s.of_node.ec2_path->works);
    }
}

void process_start(const sample& s, series_sink& out)
{
    out.add({}, to_seconds(s.started.time_since_epoch()));
}

void build_info(const sample& s, series_sink& out)
{
    out.add({s.of_node.version}, true);
}

void session_failing(const sample& s, series_sink& out)
{
    if (s.of_node.aws) {
        out.add({}, !s.of_node.aws->last_error.empty());
    }
}

void active_known(const router& r, series_sink& out)
{
    out.add({r.name}, r.active_address.has_value());
}

void active_priority(const router& r, series_sink& out)
{
    if (r.active_address) {
        out.add({r.name}, r.active_priority);
    }
}

void runtime_priority(const router& r, series_sink& out)
{
    if (r.runtime_priority) {
        out.add({r.name}, *r.runtime_priority);
    }
}

void transitions(const router& r, series_sink& out)
{
    out.add({r.name, vrrp::to_string(vrrp::state::active)}, r.election.became_active);
    out.add({r.name, vrrp::to_string(vrrp::state::backup)}, r.election.became_backup);
}

void checksum_forms(const router& r, series_sink& out)
{
    out.add({r.name, "rfc5798"}, r.received.checksum_rfc5798);
    out.add({r.name, "rfc9568"}, r.received.checksum_rfc9568);
}

void signatures(const router& r, series_sink& out)
{
    if (r.signatures) {
        out.add({r.name, "true"}, r.received.with_signature);
        out.add({r.name, "false"}, r.received.without_signature);
    }
}

void auth_mode(const router& r, series_sink& out)
{
    for (const auto mode : hmac_modes) {
        if (r.signatures) {
            out.add({r.name, to_string(mode)}, r.signatures->mode == mode);
        }
    }
}

void auth_active_key(const router& r, series_sink& out)
{
    if (r.signatures) {
        out.add({r.name}, r.signatures->active_key);
    }
}

void last_takeover(const router& r, series_sink& out)
{
    if (r.last_takeover) {
        out.add({r.name}, *r.last_takeover);
    }
}

void peer_last_heard(const router& r, const peer& p, series_sink& out)
{
    if (p.last_heard_age) {
        out.add({r.name, p.address.to_string()}, *p.last_heard_age);
    }
}

void peer_last_priority(const router& r, const peer& p, series_sink& out)
{
    if (p.last_heard_age) {
        out.add({r.name, p.address.to_string()}, p.last_priority);
    }
}

void peer_inbound_blocked(const router& r, const peer& p, series_sink& out)
{
    out.add({r.name, p.address.to_string()}, p.inbound_blocked);
}

void resource_owned(const router& r, const resource& x, series_sink& out)
{
    out.add({r.name, to_string(x.kind), x.label()}, x.state == resource_state::here);
}

void resource_failing(const router& r, const resource& x, series_sink& out)
{
    out.add({r.name, to_string(x.kind), x.label()}, !x.last_error.empty());
}

void resource_duel(const router& r, const resource& x, series_sink& out)
{
    out.add({r.name, to_string(x.kind), x.label()}, x.duel != duel_state::none);
}

void policy_parts_wanted(const router& r, const resource& x, series_sink& out)
{
    if (x.parts) {
        out.add({r.name, x.label(), "rule"}, x.parts->rules);
        out.add({r.name, x.label(), "route"}, x.parts->routes);
    }
}

void policy_parts_here(const router& r, const resource& x, series_sink& out)
{
    if (x.parts) {
        out.add({r.name, x.label(), "rule"}, x.parts->rules_here);
        out.add({r.name, x.label(), "route"}, x.parts->routes_here);
    }
}

// The rows that are one number of something.

template <auto Field>
void of_node(const sample& s, series_sink& out)
{
    out.add({}, s.of_node.*Field);
}

template <auto Field>
void of_process(const sample& s, series_sink& out)
{
    out.add({}, s.of_process.*Field);
}

template <auto Field>
void of_aws(const sample& s, series_sink& out)
{
    if (s.of_node.aws) {
        out.add({}, *s.of_node.aws.*Field);
    }
}

template <auto Field>
void of_router(const router& r, series_sink& out)
{
    out.add({r.name}, r.*Field);
}

template <auto Field>
void of_received(const router& r, series_sink& out)
{
    out.add({r.name}, r.received.*Field);
}

template <auto Field>
void of_election(const router& r, series_sink& out)
{
    out.add({r.name}, r.election.*Field);
}

template <auto Field>
void of_resource(const router& r, const resource& x, series_sink& out)
{
    out.add({r.name, to_string(x.kind), x.label()}, x.*Field);
}

template <auto Field>
void of_resource_if_known(const router& r, const resource& x, series_sink& out)
{
    if (x.*Field) {
        out.add({r.name, to_string(x.kind), x.label()}, *(x.*Field));
    }
}

using heard = vrrp::admission_counters;
using elected = vrrp::election_counters;
using session = aws::session_snapshot;

constexpr label_names of_a_router = {"router"};
constexpr label_names of_a_resource = {"router", "kind", "resource"};
constexpr label_names of_a_hook = {"router", "hook", "event"};
constexpr label_names of_a_tracker = {"router", "tracker"};

// Two lines a row: where it comes from, and what it says.
// clang-format off
constexpr metric table[] = {
    {"vipd_build_info", gauge, {"version"}, build_info,
     "Always 1; the version is the label."},
    {"process_start_time_seconds", gauge, {}, process_start,
     "When the process began, in seconds since the epoch."},
    {"process_resident_memory_bytes", gauge, {}, of_process<&process::resident_bytes>,
     "Memory that the process holds in RAM."},
    {"process_open_fds", gauge, {}, of_process<&process::open_files>,
     "Open file descriptors."},
    {"vipd_ready", gauge, {}, of_node<&node::ready>,
     "1 when every router has been started."},
    {"vipd_maintenance", gauge, {}, of_node<&node::maintenance>,
     "1 while an operator keeps this node out."},
    {"vipd_termination_notice", gauge, {"kind"}, termination_notice,
     "1 while EC2 announces that it takes this instance away, and the node stands behind every other one for that."},
    {"vipd_routers", gauge, {}, of_node<&node::router_count>,
     "Virtual routers in the configuration."},
    {"vipd_configuration_reloads_total", counter, {}, of_node<&node::configuration_reloads>,
     "Configurations that were applied after the first."},
    {"vipd_configuration_refusals_total", counter, {}, of_node<&node::configuration_refusals>,
     "Configurations that were refused whole."},
    {"vipd_datagrams_received_total", counter, {}, of_process<&process::datagrams_received>,
     "Datagrams of IP protocol 112 that reached the process."},
    {"vipd_datagrams_broken_total", counter, {}, of_process<&process::datagrams_broken>,
     "Of these, dropped as no whole IP datagram: truncated, a fragment, or with a wrong header."},
    {"vipd_node_adverts_dropped_total", counter, {"reason"}, adverts_dropped_by_node,
     "Datagrams dropped before a router was known, by reason."},
    {"vipd_realtime_wanted", gauge, {}, of_process<&process::realtime_wanted>,
     "1 when the configuration asks for real-time scheduling."},
    {"vipd_realtime_scheduling", gauge, {}, of_process<&process::realtime_scheduling>,
     "1 while SCHED_FIFO is in force."},
    {"vipd_memory_locked", gauge, {}, of_process<&process::memory_locked>,
     "1 while all memory is locked in RAM."},
    {"vipd_loop_lateness_seconds", distribution, {}, of_process<&process::loop_lateness>,
     "How late the loop came to a timer that was due."},
    {"vipd_loop_lateness_max_seconds", gauge, {}, of_process<&process::loop_lateness_max>,
     "The greatest lateness of the last minute."},
    {"vipd_http_requests_total", counter, {}, of_process<&process::http_requests>,
     "Requests to this endpoint."},
    {"vipd_http_connections", gauge, {}, of_process<&process::http_connections>,
     "Open connections to this endpoint."},
    {"vipd_log_lines_dropped_total", counter, {}, of_process<&process::log_lines_dropped>,
     "Log lines that their reader was too slow for."},
    {"vipd_aws_info", gauge, {"region", "availability_zone", "instance", "credential_source"}, aws_info,
     "Always 1 when AWS is used; empty labels are not known yet."},
    {"vipd_aws_identity_cached", gauge, {}, identity_cached,
     "1 until IMDS confirms an identity of the cache; absent while there is none."},
    {"vipd_aws_session_ready", gauge, {}, of_aws<&session::ready>,
     "1 while an EC2 call could be signed at once."},
    {"vipd_aws_session_failing", gauge, {}, session_failing,
     "1 while IMDS or the source of the credentials fails."},
    {"vipd_aws_credentials_remaining_seconds", gauge, {}, credentials_remaining,
     "Life left in the credentials; absent when they do not expire."},
    {"vipd_aws_clock_skew_seconds", gauge, {}, of_aws<&session::clock_skew>,
     "AWS's clock minus ours."},
    {"vipd_aws_calls_queued", gauge, {}, of_aws<&session::calls_queued>,
     "EC2 calls that wait for a connection."},
    {"vipd_aws_calls_under_way", gauge, {}, of_aws<&session::calls_under_way>,
     "EC2 calls without an answer yet."},
    {"vipd_ec2_calls_total", counter, {"action", "code"}, ec2_calls,
     "EC2 calls that ended, by action and by EC2's code, ok, or the transport's word."},
    {"vipd_ec2_path_works", gauge, {}, ec2_path_works,
     "1 unless reads of EC2 have failed for a while; what api_weight goes by."},

    {"vipd_router_info", gauge, {"router", "vrid", "version", "interface", "source", "sync_group"}, router_info,
     "Always 1; what the configuration says of the router. sync_group is empty for one that is in none."},
    {"vipd_router_state", gauge, {"router", "state"}, router_state,
     "1 for the state the router is in, 0 for the others."},
    {"vipd_router_state_age_seconds", gauge, of_a_router, of_router<&router::state_age>,
     "Time in the present state."},
    {"vipd_router_epoch", gauge, of_a_router, of_router<&router::epoch>,
     "Number of the last time it became Active; 0 for never."},
    {"vipd_router_priority", gauge, of_a_router, of_router<&router::priority>,
     "Configured priority."},
    {"vipd_router_runtime_priority", gauge, of_a_router, runtime_priority,
     "Priority that an operator has set in place of the configured one; absent when none is."},
    {"vipd_router_effective_priority", gauge, of_a_router, of_router<&router::effective_priority>,
     "Priority that takes part in the election, after weights; 0 while it takes no part."},
    {"vipd_router_preempt", gauge, of_a_router, of_router<&router::preempt>,
     "1 when it takes over from a lower priority."},
    {"vipd_router_active_known", gauge, of_a_router, active_known,
     "1 when it knows of an Active: itself, or one it has heard."},
    {"vipd_router_active_priority", gauge, of_a_router, active_priority,
     "Priority of the Active it knows of."},
    {"vipd_router_advert_interval_seconds", gauge, of_a_router, of_router<&router::advert_interval>,
     "Configured advert interval."},
    {"vipd_router_active_advert_interval_seconds", gauge, of_a_router, of_router<&router::active_advert_interval>,
     "Advert interval learned from the Active."},
    {"vipd_router_active_down_interval_seconds", gauge, of_a_router, of_router<&router::active_down_interval>,
     "Silence after which the Active counts as gone."},
    {"vipd_router_transitions_total", counter, {"router", "to"}, transitions,
     "Changes of state, by the state that was entered."},
    {"vipd_router_adverts_sent_total", counter, of_a_router, of_router<&router::adverts_sent>,
     "Adverts sent."},
    {"vipd_router_advert_send_errors_total", counter, of_a_router, of_router<&router::adverts_send_errors>,
     "Adverts that the kernel refused."},
    {"vipd_router_announcements_total", counter, of_a_router, of_router<&router::announcements_sent>,
     "Gratuitous ARP and unsolicited neighbour advertisements sent for its addresses; the log has those that the kernel refused."},
    {"vipd_router_adverts_received_total", counter, of_a_router, of_received<&heard::accepted>,
     "Adverts that passed every check."},
    {"vipd_router_adverts_dropped_total", counter, {"router", "reason"}, adverts_dropped_by_router,
     "Adverts for this router that failed a check, by reason."},
    {"vipd_router_adverts_checksum_total", counter, {"router", "form"}, checksum_forms,
     "Accepted adverts by the form of their checksum."},
    {"vipd_router_adverts_signed_total", counter, {"router", "signed"}, signatures,
     "Accepted adverts with a signature and without; absent without [router.auth] of kind hmac."},
    {"vipd_router_auth_mode", gauge, {"router", "mode"}, auth_mode,
     "1 for the mode of kind hmac that is in force, 0 for the others."},
    {"vipd_router_auth_active_key", gauge, of_a_router, auth_active_key,
     "Id of the key that signs."},
    {"vipd_router_address_list_differs_total", counter, of_a_router, of_received<&heard::address_list_differs>,
     "Accepted adverts whose addresses are not ours."},
    {"vipd_router_interval_differs_total", counter, of_a_router, of_received<&heard::interval_differs>,
     "Accepted adverts whose interval is not ours."},
    {"vipd_router_priority_zero_sent_total", counter, of_a_router, of_election<&elected::priority_zero_sent>,
     "Adverts that released the role."},
    {"vipd_router_priority_zero_received_total", counter, of_a_router, of_election<&elected::priority_zero_received>,
     "Adverts by which the Active released the role."},
    {"vipd_router_lower_priority_heard_total", counter, of_a_router, of_election<&elected::lower_priority_heard_while_active>,
     "Lower adverts heard while Active: somebody else believed to be."},
    {"vipd_router_adverts_skipped_total", counter, of_a_router, of_election<&elected::adverts_skipped>,
     "Adverts not sent because the loop came too late for them."},
    {"vipd_router_owner_conflicts_total", counter, of_a_router, of_election<&elected::owner_conflicts>,
     "Adverts with our own address, or with priority 255 like ours."},
    {"vipd_takeover_seconds", distribution, {"router", "phase"}, takeover_seconds,
     "From the moment of the decision to the end of each phase of a takeover."},
    {"vipd_takeover_last_seconds", gauge, of_a_router, last_takeover,
     "The last takeover, decided to confirmed; absent before the first."},

    {"vipd_tracker_up", gauge, of_a_tracker, tracker_up,
     "1 while what [[router.track]] looks at is well, 0 while it is failing; absent before the first answer."},
    {"vipd_tracker_checks_total", counter, {"router", "tracker", "result"}, tracker_checks,
     "Looks at it, by how they ended; trackers that share a check share the count."},
    {"vipd_tracker_check_seconds", gauge, of_a_tracker, tracker_check_seconds,
     "How long the last look took; absent before the first."},
    {"vipd_tracker_contribution", gauge, of_a_tracker, tracker_contribution,
     "What it adds to the priority at this moment; absent without a weight."},
    {"vipd_tracker_number", gauge, of_a_tracker, tracker_number,
     "The number in the file that it reads."},

    {"vipd_hook_runs_total", counter, {"router", "hook", "event", "outcome"}, hook_runs,
     "Runs of programs of [router.hooks], by the key that names the program, the event and the outcome."},
    {"vipd_hook_failing", gauge, of_a_hook, hook_failing,
     "1 while the last run did not succeed."},
    {"vipd_hook_last_seconds", gauge, of_a_hook, hook_last_seconds,
     "How long the last run took; absent before the first."},
    {"vipd_hook_running", gauge, of_a_router, hook_running,
     "1 while a program runs; absent without [router.hooks]."},
    {"vipd_hook_superseded_total", counter, of_a_hook, hook_superseded,
     "Times it was not run because the role had changed again before its turn."},
    {"vipd_hook_lines_dropped_total", counter, of_a_hook, hook_lines_dropped,
     "Lines of its output beyond what is logged of one run."},

    {"vipd_peer_last_heard_seconds", gauge, {"router", "peer"}, peer_last_heard,
     "Time since an advert of the peer; absent when never heard."},
    {"vipd_peer_last_priority", gauge, {"router", "peer"}, peer_last_priority,
     "Priority in the last advert of the peer; absent when never heard."},
    {"vipd_peer_inbound_blocked", gauge, {"router", "peer"}, peer_inbound_blocked,
     "1 when its adverts arrive only for ten minutes after ours: protocol 112 is missing in the security group."},
    {"vipd_resource_owned", gauge, of_a_resource, resource_owned,
     "1 when the resource was seen here."},
    {"vipd_resource_state", gauge, {"router", "kind", "resource", "state"}, state_of_resource,
     "1 for the state the resource is in, 0 for the others."},
    {"vipd_resource_failing", gauge, of_a_resource, resource_failing,
     "1 while the last call for it has failed."},
    {"vipd_policy_parts", gauge, {"router", "resource", "part"}, policy_parts_wanted,
     "How many rules and routes a policy has; router is empty for [[policy]]."},
    {"vipd_policy_parts_here", gauge, {"router", "resource", "part"}, policy_parts_here,
     "How many of them were seen on this node."},
    {"vipd_resource_duel", gauge, of_a_resource, resource_duel,
     "1 while somebody else takes it away again and again."},
    {"vipd_resource_confirmed_age_seconds", gauge, of_a_resource, of_resource_if_known<&resource::confirmed_age>,
     "Time since the world was read for it; absent before the first time."},
    {"vipd_resource_retry_in_seconds", gauge, of_a_resource, of_resource_if_known<&resource::retry_in>,
     "Time until the next try; absent when none is planned."},
    {"vipd_resource_mutating_calls_total", counter, of_a_resource, of_resource<&resource::mutating_calls>,
     "Calls that were to change it."},
    {"vipd_resource_repairs_total", counter, of_a_resource, of_resource<&resource::repairs>,
     "Times it was put back after somebody else had changed it."},
    {"vipd_resource_failures_total", counter, of_a_resource, of_resource<&resource::failures>,
     "Calls for it that failed."},
};
// clang-format on

}  // namespace

std::span<const metric> metrics_table()
{
    return table;
}

}  // namespace vipd::status
