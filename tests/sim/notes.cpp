// When a situation of situations.hpp has occurred: judged by what was seen of the very call, advert or transition that it is
// about, and not by what was inflicted meanwhile. Nothing here changes what happens.

#include "tests/sim/cluster.hpp"
#include "tests/sim/log_fields.hpp"

#include <algorithm>
#include <array>

namespace vipd::sim {

// --- of the log ---

void cluster::note_record(machine& of, const log_record& record)
{
    if (record.event == "sync_group" && text_field(record, "to") == "Backup") {
        situations_.note(situation::group_left_together);
    } else if (record.event == "ec2_call" && text_field(record, "outcome") == "unknown_outcome" &&
               invariants_.state(of.index()) == vrrp::state::active) {
        situations_.note(situation::outcome_unknown_while_active);
    } else if (record.event == "duel" && text_field(record, "state") != "over") {
        situations_.note(situation::duel_noticed);
    } else if (record.event == "priority" && text_field(record, "reason") == "the path to EC2 is broken") {
        situations_.note(situation::priority_weighed);
    }
}

void cluster::note_epoch(const machine& of, std::string_view reason)
{
    auto& notes = notes_[of.index()] = {};
    notes.since = events_.now();
    notes.process = of.process_number();
    for (std::size_t t = 0; t < options_.tables; ++t) {
        if (target(t) == interface_ids_.at(of.index())) {
            notes.found.insert(table_ids_[t].str());
        }
    }
    if (reason == "resumed") {
        situations_.note(situation::active_succeeded);
    }
    if (options_.address_owner == of.index() && reason == "startup" && active_count() > 1) {
        situations_.note(situation::owner_took_over);
    }
    const auto is_lowered = [&](const auto& m) {
        return m.get() != &of && invariants_.state(m->index()) == vrrp::state::active &&
               m->base_priority() < m->router().priority;
    };
    if (reason == "preempted_lower" &&
        (of.base_priority() > of.router().priority || std::ranges::any_of(machines_, is_lowered))) {
        situations_.note(situation::priority_of_operator_moved);
    }
    if (!of.path().has_descriptors()) {
        situations_.note(situation::active_without_sockets);
    }
    if (std::ranges::none_of(machines_, [](const auto& m) { return m->is_on() && m->path().is_reachable(); })) {
        situations_.note(situation::nobody_reaches_the_cloud);
    }
}

void cluster::note_end_of_epoch(const machine& of, std::string_view reason)
{
    auto& notes = notes_[of.index()];
    if (of.path().mutating_under_way() > 0) {
        situations_.note(situation::demoted_with_call_under_way);
    }
    if (!notes.taken.empty() && has_yet_to_take(of.index())) {
        situations_.note(situation::demoted_between_tables);
    }
    if (reason == "stalled") {
        situations_.note(situation::stepped_back_after_stall);
    }
    notes.is_double_noted = false;
    notes.is_over = true;
}

// --- of a takeover ---

bool cluster::has_yet_to_take(std::size_t machine, const std::string& table) const
{
    const auto& notes = notes_[machine];
    return !notes.found.contains(table) && !notes.taken.contains(table);
}

bool cluster::has_yet_to_take(std::size_t machine) const
{
    return std::ranges::any_of(table_ids_, [&](const auto& table) { return has_yet_to_take(machine, table.str()); });
}

void cluster::note_landing(std::size_t by, const cloud::state_change& change)
{
    auto& notes = notes_[by];
    const auto& sender = *machines_[by];
    // The process that made the call is still there and has been Active: one that died was not demoted.
    const bool is_its_own = sender.is_running() && sender.process_number() == notes.process;
    if (invariants_.state(by) != vrrp::state::active) {
        if (is_its_own && notes.is_over) {
            situations_.note(situation::call_landed_after_demotion);
        }
        return;
    }
    if (change.destination != first_destination_) {
        return;
    }
    if (is_its_own && change.interface == interface_ids_[by]) {
        notes.taken.insert(change.table);
    }
    // By whoever was Active before and after: a takeover is no repair.
    if (const auto changed = changed_by_hand_.find(change.table); changed != changed_by_hand_.end()) {
        if (notes.since < changed->second) {
            situations_.note(situation::route_changed_by_hand_repaired);
        }
        changed_by_hand_.erase(changed);
    }
}

void cluster::note_route_by_hand(const std::string& table, const std::string& target)
{
    const auto active = sole_active();
    if (active && interface_ids_[*active] != target) {
        changed_by_hand_[table] = events_.now();
    } else {
        changed_by_hand_.erase(table);
    }
}

void cluster::note_once(std::size_t machine, situation what)
{
    if (notes_[machine].met.insert(what).second) {
        situations_.note(what);
    }
}

// What EC2 says to an Active's call that is to change something. Most count once in an epoch, and those of a takeover only for
// a route that it has yet to take.
void cluster::note_answer(const machine& to, const cloud::exchange_record& record)
{
    constexpr std::array<std::string_view, 5> refused = {"AuthFailure", "RequestExpired", "ExpiredToken",
                                                         "InvalidClientTokenId", "SignatureDoesNotMatch"};
    const auto note_in_takeover = [&](situation what) {
        if (record.destination == first_destination_ && has_yet_to_take(to.index(), record.table)) {
            note_once(to.index(), what);
        }
    };
    if (record.code == "RequestLimitExceeded") {
        note_in_takeover(situation::takeover_while_throttled);
    } else if (record.code == "UnauthorizedOperation") {
        note_in_takeover(situation::takeover_without_permission);
    } else if (record.code == "AttachmentLimitExceeded") {
        note_once(to.index(), situation::no_room_for_interface);
    } else if (record.code == "InvalidParameterValue" && record.action == "AttachNetworkInterface") {
        note_once(to.index(), situation::index_in_use);
    } else if (record.code == "InvalidNetworkInterface.InUse" && record.action == "AttachNetworkInterface") {
        moves_.on_attach_refused(to.index(), cloud_.model());
    } else if (std::ranges::find(refused, record.code) != refused.end()) {
        note_in_takeover(situation::takeover_with_refused_credentials);
    }
}

}  // namespace vipd::sim
