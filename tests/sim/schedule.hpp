#pragma once

// What is done to a cluster, and when: a list of faults as values, so that a schedule can be printed, repeated, and shrunk by
// leaving some of them out.

#include "common/random.hpp"
#include "common/time.hpp"
#include "tests/cloud/fault.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/options.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::sim {

namespace faults {

// --- of a machine; it comes back when the fault is over ---
struct kill_process {  // kill -9; the service manager starts it again
    std::size_t machine = 0;
    unsigned times = 1;  // a crash loop
};
struct stop_process {  // SIGTERM, and a start afterwards
    std::size_t machine = 0;
};
struct replace_process {  // another takes its place without a hand-over
    std::size_t machine = 0;
};
struct power_off {
    std::size_t machine = 0;
};
struct instance_stopped {  // by EC2: routes to it are blackholes until it is started again
    std::size_t machine = 0;
};
struct pause {
    std::size_t machine = 0;
    bool before_call = false;  // at the next mutating call, between the decision and its first byte
};
struct late_timers {  // its loop comes round up to this much later
    std::size_t machine = 0;
    duration late_max{};
};
struct no_descriptors {  // its process can open no more sockets
    std::size_t machine = 0;
};
struct service_down {  // what is tracked fails
    std::size_t machine = 0;
};
struct notice {  // EC2 announces that it takes the instance away, and calls that off
    std::size_t machine = 0;
};
struct link_down {
    std::size_t machine = 0;
};
struct policy_removed {  // somebody takes a rule or a route of the policy off the machine
    std::size_t machine = 0;
    bool rule = false;
};
struct address_removed {  // somebody takes the virtual address off the machine
    std::size_t machine = 0;
};
// Others attach interfaces to a machine and take them away again: one takes an index, two all the room that there is.
struct other_interfaces {
    std::size_t machine = 0;
    std::size_t count = 1;
};
struct adverts_refused {  // by its kernel, which has no room for them: ENOBUFS
    std::size_t machine = 0;
};
struct clock_set {  // the wall clock jumps; for good
    std::size_t machine = 0;
    duration offset{};
};

// --- of the network ---
struct partition {
    std::vector<std::pair<std::size_t, std::size_t>> cut;  // directed
    // One path after the other, in any order, over this long; and mended likewise.
    duration spread{};
};
struct second_network_down {  // that of the second router of a group: its adverts neither leave a machine nor reach it
    std::size_t machine = 0;
};
struct poor_network {
    path_quality quality;
};

// Adverts that nobody may believe, with a priority above everybody's.
enum class forgery : std::uint8_t {
    stranger,       // from an address that is no peer
    low_ttl,        // from a peer's address, but from beyond a router
    interval_zero,  // VRRPv2: another interval
    other_vrid,
    other_version,
    no_address,
    wrong_checksum,
    cut_short,
    own_address,
    // Where adverts are signed; all the rest of such an advert is right.
    unsigned_advert,  // and only signed ones are accepted
    wrong_key,
    replayed,  // a copy of one that a peer has sent
};
inline constexpr std::size_t forgery_count = 12;
inline constexpr std::size_t forgery_count_unsigned = 9;
struct forged_adverts {
    std::size_t machine = 0;  // to
    forgery kind = forgery::stranger;
    duration period{};
};

// --- of the cloud ---
struct cloud_unreachable {
    std::vector<std::size_t> machines;
};
struct cloud_trouble {
    cloud::fault fault;
};
struct throttled {  // somebody else in the account has used the buckets up
    double level = -20;
};
struct credentials_revoked {
    std::size_t machine = 0;
};
struct permission_missing {
    std::size_t machine = 0;
    std::size_t table = 0;
};

// --- of people ---
struct route_changed {  // by hand: to a stranger, to a machine, or removed
    std::size_t table = 0;
    std::string target;  // an interface; empty: removed
};
struct second_cluster {  // that believes the address is its own
    duration period{};
};
struct step_down {
    std::size_t machine = 0;
    bool second_only = false;  // the second router of a group, which takes the first along
};
struct maintenance {
    std::size_t machine = 0;
};
struct priority_set {  // at run time, and taken back
    std::size_t machine = 0;
    std::uint8_t priority = 100;
};
struct reload {  // with another priority, or the same configuration again
    std::size_t machine = 0;
    std::uint8_t priority = 0;     // 0: unchanged
    bool during_takeover = false;  // not now, but when this machine becomes Active next
};
// With almost everything changed, and one of the things that only a start reads: it is refused, and changes nothing at all.
struct refused_reload {
    std::size_t machine = 0;
};
// The drain, and a tracker that comes and goes: neither is the election's business while the service is well.
struct other_reload {
    std::size_t machine = 0;
    duration drain{};
    bool tracks = false;
};
// Another interval of the adverts, of which a reload makes no transition, and back.
struct interval_changed {
    std::size_t machine = 0;
    duration interval{};
};
// A peer leaves a machine's file, and comes back. As long as it is missing neither hears the other: what is sent to who does
// not let it in is not carried at all.
struct peer_removed {
    std::size_t machine = 0;
    std::size_t peer = 0;
};
// Aimed at a drain: when the machine ceases to be Active next, another process takes the place of its own before it has let go
// of what it had.
struct replaced_in_drain {
    std::size_t machine = 0;
};
// Aimed at the middle of a move in two steps: whichever machine has just detached the interface, or unassigned the IPv6
// address, while this fault lasts. Once.
enum class gap_end : std::uint8_t {
    robbed,  // a stranger takes what is nobody's
    powered_off,
    paused,
};
struct move_interrupted {
    bool of_interface = true;
    gap_end what = gap_end::robbed;
    duration length{};  // of its being off, or standing still
    // How long a robber waits for an interface that is being detached.
    static constexpr duration free_within = std::chrono::seconds{30};
};
// A new key everywhere, then signed with everywhere, then the old one goes: machine by machine, with this long between two.
struct rotate_keys {
    duration period{};
};

}  // namespace faults

using fault_kind =
    std::variant<faults::kill_process, faults::stop_process, faults::replace_process, faults::power_off,
                 faults::instance_stopped, faults::pause, faults::late_timers, faults::no_descriptors, faults::service_down,
                 faults::notice, faults::link_down, faults::address_removed, faults::policy_removed, faults::clock_set,
                 faults::other_interfaces, faults::partition, faults::second_network_down, faults::poor_network,
                 faults::forged_adverts, faults::cloud_unreachable, faults::cloud_trouble, faults::throttled,
                 faults::credentials_revoked, faults::permission_missing, faults::route_changed, faults::second_cluster,
                 faults::step_down, faults::maintenance, faults::reload, faults::rotate_keys, faults::move_interrupted,
                 faults::adverts_refused, faults::priority_set, faults::refused_reload, faults::other_reload,
                 faults::interval_changed, faults::peer_removed, faults::replaced_in_drain>;

struct scheduled_fault {
    duration at{};     // after the start
    duration lasts{};  // where it has an end
    fault_kind what;
};

std::string to_string(const scheduled_fault& fault);

// At least ten in `length`.
std::vector<scheduled_fault> draw_faults(random_source& random, const cluster_options& options, duration length);

}  // namespace vipd::sim
