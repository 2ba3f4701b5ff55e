#pragma once

// All that a node says of itself, as plain values: /v1/status, the page, the metrics and the command line are views of these. A
// router's part is taken by itself, so that a scrape of thousands can be rendered in slices between turns of the loop.
//
// Times are durations before the moment of the snapshot ("since", "age"): readers need no clock of ours.

#include "agent/aws/cloud_session.hpp"
#include "agent/config/hooks.hpp"
#include "agent/config/track.hpp"
#include "agent/net/link.hpp"
#include "agent/vrrp/admission.hpp"
#include "agent/vrrp/election.hpp"
#include "common/ip.hpp"
#include "common/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::status {

// Upper bounds of the takeover histograms, in seconds; one more bucket is +Inf.
inline constexpr std::array<double, 14> takeover_bucket_seconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                                   0.25,  0.5,    1.0,   2.5,  5.0,   10.0, 30.0};

struct histogram {
    std::array<std::uint64_t, takeover_bucket_seconds.size() + 1> buckets{};  // not cumulative; the last is +Inf
    double sum_seconds = 0.0;

    void observe(duration d)
    {
        const double seconds = to_seconds(d);
        std::size_t i = 0;
        while (i < takeover_bucket_seconds.size() && seconds > takeover_bucket_seconds[i]) {
            ++i;
        }
        ++buckets[i];
        sum_seconds += seconds;
    }
};

// The phases of a takeover, each measured from the moment at which the deciding timer was due.
struct takeover_times {
    histogram first_request;  // first byte of the first mutating call on the wire
    histogram all_accepted;   // EC2 has answered every mutating call with success
    histogram all_confirmed;  // a read-back has shown every resource here
};

enum class resource_kind : std::uint8_t {
    link,
    address,
    policy,
    route,
    source_dest_check,
    secondary_ip,
    elastic_ip,
    network_interface
};
std::string_view to_string(resource_kind kind);

enum class resource_state : std::uint8_t {
    unknown,    // nothing has been read yet
    elsewhere,  // somebody else's, or nobody's; as it should be on a Backup
    taking,     // Active, and not here yet: a call is under way or waits for its retry
    accepted,   // EC2 said yes; not read back yet
    here,       // read back (or told by the kernel): this node's
};
std::string_view to_string(resource_state state);

// Whether somebody else takes it away again and again.
enum class duel_state : std::uint8_t {
    none,
    fought,  // and it is put back each time: the other one is to give way
    held,    // and it is put back after longer and longer pauses
};
std::string_view to_string(duel_state state);

// A policy is one resource with many parts.
struct policy_parts {
    unsigned rules = 0;
    unsigned rules_here = 0;
    unsigned routes = 0;
    unsigned routes_here = 0;
};

struct resource {
    resource_kind kind = resource_kind::route;
    std::string name;         // "172.16.1.100/32 in rtb-0a1b2c (private-a)", "172.16.1.100/32 on lo", "table 100"
    std::string table;        // routes: "rtb-...", or empty while no table is known to put it into; else empty
    std::string destination;  // what is moved: a route's destination, an address, an allocation or interface
    resource_state state = resource_state::unknown;
    // Who has it, as last seen: "eni-...", "none", "eni-... (blackhole)"; of a policy, how much of it is here, and why not all.
    // Empty when unknown.
    std::string owner;
    std::optional<duration> confirmed_age;  // since the world was last read for it
    std::uint64_t mutating_calls = 0;
    std::uint64_t repairs = 0;  // times it was put back after somebody else had changed it
    std::uint64_t failures = 0;
    std::string last_error;  // empty when the last call succeeded
    std::optional<duration> retry_in;
    duel_state duel = duel_state::none;
    std::optional<policy_parts> parts;  // of a policy

    // What names it for as long as it is configured. `name` may gain the table's own name, once that has been read.
    [[nodiscard]] std::string label() const;
};

struct peer {
    ip_address address;
    std::optional<duration> last_heard_age;
    std::uint8_t last_priority = 0;
    bool inbound_blocked = false;  // by all signs the security group lets it in only for a while after we have sent
};

inline constexpr std::string_view inbound_blocked_remedy =
    "allow inbound IP protocol 112 (VRRP) from the peers' addresses in the security group of this node's interface";

// Never a key: its id alone.
struct hmac {
    vrrp::hmac_mode mode = vrrp::hmac_mode::enforce;
    vrrp::anti_replay against_replay = vrrp::anti_replay::time;
    duration window{};
    std::uint8_t active_key = 0;
    std::vector<std::uint8_t> keys;
};

// How a run of a program of [router.hooks] has ended.
enum class hook_outcome : std::uint8_t {
    succeeded,
    failed,     // an exit status other than 0
    signalled,  // ended by a signal that vipd did not send
    timed_out,  // its deadline came, and vipd ended it
    not_started,
    abandoned,  // it did not even end when it was killed, and is waited for no longer
};
inline constexpr std::size_t hook_outcome_count = 6;
std::string_view to_string(hook_outcome outcome);

struct hook_run {
    std::uint64_t epoch = 0;
    hook_outcome outcome = hook_outcome::succeeded;
    std::string problem;  // "exit status 7"; empty when it succeeded
    duration took{};
    duration age{};  // since it ended
};

// One program of [router.hooks] for one event.
struct hook {
    config::hook_event event = config::hook_event::active;
    bool is_notify = false;
    std::string command;
    std::optional<duration> running;  // for how long
    bool waiting = false;
    std::optional<hook_run> last;
    std::array<std::uint64_t, hook_outcome_count> runs{};  // by outcome
    std::uint64_t superseded = 0;                          // it was not run, because the role had changed again
    std::uint64_t lines_dropped = 0;                       // of its output

    // The key of [router.hooks].
    [[nodiscard]] std::string_view key() const { return is_notify ? "notify" : to_string(event); }
    // "active", "notify (active)"
    [[nodiscard]] std::string label() const;
    [[nodiscard]] bool is_failing() const { return last && last->outcome != hook_outcome::succeeded; }
};

// What is known of the thing that a tracker looks at.
enum class tracker_state : std::uint8_t {
    unknown,  // no answer yet; counts as failing
    well,
    failing,
};
std::string_view to_string(tracker_state state);

// How one look at it has ended.
enum class check_result : std::uint8_t { passed, failed, timed_out };
inline constexpr std::size_t check_result_count = 3;
std::string_view to_string(check_result result);

// One [[router.track]]. Trackers of several routers that look at the same thing share the check, and its numbers.
struct tracker {
    std::string name;
    config::track_kind kind = config::track_kind::process;
    std::string what;           // "http://127.0.0.1:8080/health"
    std::optional<int> weight;  // none: it takes the router out
    tracker_state state = tracker_state::unknown;
    std::string reason;            // why it is not well; empty when it is
    std::optional<duration> age;   // since the last change of state
    std::optional<duration> took;  // by the last look
    std::optional<duration> next_in;
    int contribution = 0;                                    // to the priority
    std::optional<std::int64_t> number;                      // of a file
    std::array<std::uint64_t, check_result_count> checks{};  // by result
};

struct router {
    std::string name;
    std::uint8_t vrid = 0;
    unsigned version = 3;
    std::string interface;
    std::optional<ip_address> source;
    vrrp::state state = vrrp::state::initialize;
    std::string state_reason;  // why it is in this state: "no advert for 361 ms", "maintenance", "no source address on ens5"
    duration state_age{};
    std::string sync_group;     // empty: it is in none
    std::uint64_t epoch = 0;    // of the last time it became Active; 0 for never
    std::uint8_t priority = 0;  // configured
    std::uint8_t effective_priority = 0;
    int priority_total = 0;                        // before it is brought into 1..254
    std::optional<std::uint8_t> runtime_priority;  // what an operator has set in place of the configured one
    std::string priority_reason;                   // why the effective one is not the configured one; empty when it is
    bool preempt = true;
    duration advert_interval{};
    duration active_advert_interval{};  // learned
    duration active_down_interval{};
    // Who is Active as far as this node knows: itself, or the one whose advert was last heard.
    std::optional<ip_address> active_address;
    std::uint8_t active_priority = 0;
    std::vector<peer> peers;
    bool has_password = false;  // VRRPv2's
    std::optional<hmac> signatures;
    std::vector<resource> resources;
    std::vector<hook> hooks;
    std::vector<tracker> trackers;
    vrrp::admission_counters received;
    vrrp::election_counters election;
    std::uint64_t adverts_sent = 0;
    std::uint64_t adverts_send_errors = 0;
    std::uint64_t announcements_sent = 0;  // gratuitous ARP and unsolicited neighbour advertisements
    takeover_times takeovers;
    std::optional<duration> last_takeover;  // due to confirmed, of the last one
};

// One line of history.
struct event {
    std::uint64_t number = 0;
    wall_time at{};
    std::string router;  // empty for the node
    std::string kind;    // "transition", "ec2_call", "address", "reload", ...
    std::string text;
};

struct ec2_call_count {
    std::string action;
    std::string code;  // "ok", EC2's code, or the transport's word
    std::uint64_t count = 0;
};

// Whether this node's path to EC2 works, by the reads that it makes anyway.
struct ec2_path_state {
    bool works = true;
    std::string trouble;          // what the last failure said; empty while it works
    std::optional<duration> age;  // since the last change
};

// What belongs to the node and not to one router.
struct node {
    std::string version;
    duration uptime{};
    bool maintenance = false;
    bool ready = false;  // every router has been started
    bool uses_aws = false;
    std::size_t router_count = 0;
    std::uint64_t configuration_reloads = 0;
    std::uint64_t configuration_refusals = 0;
    std::optional<aws::session_snapshot> aws;
    std::array<std::uint64_t, vrrp::discard_reason_count> discarded_before_router{};
    std::vector<ec2_call_count> ec2_calls;
    std::optional<ec2_path_state> ec2_path;  // none without AWS resources
    std::optional<aws::notice> notice;       // why EC2 is about to take this instance away
    std::vector<resource> policies;          // of [[policy]]: no router's
};

// What only the shell can know of itself.
struct process {
    bool realtime_wanted = false;
    bool realtime_scheduling = false;  // SCHED_FIFO is in force
    bool realtime_lost = false;        // it was, until the loop computed for a second without a pause
    bool memory_locked = false;
    duration loop_lateness_max{};  // of the last minute
    histogram loop_lateness;
    std::uint64_t http_requests = 0;
    std::uint64_t http_connections = 0;
    std::uint64_t log_lines_dropped = 0;
    std::uint64_t datagrams_received = 0;
    std::uint64_t datagrams_broken = 0;  // of those: no whole IP datagram, or without what the kernel says of one
    std::uint64_t resident_bytes = 0;
    std::uint64_t open_files = 0;
};

}  // namespace vipd::status
