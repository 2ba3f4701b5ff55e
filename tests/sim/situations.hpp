#pragma once

// Situations that a search for faults has to have met, or its silence says nothing: each is counted when it occurs.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vipd::sim {

enum class situation : std::uint8_t {
    demoted_with_call_under_way,
    demoted_between_tables,  // some of its routes were moved in this epoch, others not yet, nor did they lead to it before
    call_landed_after_demotion,
    stepped_back_after_stall,
    takeover_while_throttled,  // this and the next two: its own call for a route was answered so; once in an epoch
    takeover_with_refused_credentials,
    takeover_without_permission,
    outcome_unknown_while_active,
    two_actives_by_priority_winner_first,  // both for longer than an interval before one heard the other
    two_actives_by_priority_loser_first,
    two_actives_by_address_winner_first,
    two_actives_by_address_loser_first,
    release_and_advert_in_one_batch,
    reload_during_takeover,  // a route was not taken yet
    stale_read_after_write,
    nobody_reaches_the_cloud,
    stood_still_before_call,
    permit_refused,
    crash_loop,                      // the last kill of several found a process again
    route_changed_by_hand_repaired,  // by who was Active before and after
    address_removed_and_put_back,
    policy_removed_and_put_back,
    bad_advert_discarded,
    started_without_imds,
    duel_noticed,
    keys_rotated,
    replay_sent,
    priority_weighed,
    instance_stopped_while_active,
    answer_after_cancellation,
    active_without_sockets,
    interface_forced,
    active_succeeded,
    service_of_active_failed,
    notice_for_active,
    group_waited,
    group_left_together,
    index_in_use,
    no_room_for_interface,
    interface_taken_between,  // after our detach, before our attach
    address_back_from_stranger,
    late_reassignment_confirmed,
    ipv6_gap_interrupted,  // who had unassigned the address died, stood still or was robbed before it had assigned it
    elastic_ip_back_from_hand,
    reload_refused_while_active,
    advert_of_active_refused,
    priority_of_operator_moved,  // the Active's role, within a down interval
    owner_took_over,
    patient_at_start,            // a Backup heard nobody for longer than a down interval, and did not become Active yet
    flow_forgotten,              // a security group that lets a peer in because it was spoken to does so no longer
    interval_of_active_changed,  // by a reload
    peer_of_active_let_in,       // by a reload of who had removed it, and did not hear it until then
    replaced_in_drain,           // with the address still there
};
inline constexpr std::size_t situation_count = 53;

std::string_view to_string(situation s);

class situation_counts {
public:
    void note(situation s) { ++counts_[static_cast<std::size_t>(s)]; }
    [[nodiscard]] std::uint64_t of(situation s) const { return counts_[static_cast<std::size_t>(s)]; }
    void add(const situation_counts& other)
    {
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            counts_[i] += other.counts_[i];
        }
    }
    void set(situation s, std::uint64_t count) { counts_[static_cast<std::size_t>(s)] = count; }

private:
    std::array<std::uint64_t, situation_count> counts_{};
};

}  // namespace vipd::sim
