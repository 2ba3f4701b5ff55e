#pragma once

// The VRRP state machine of RFC 9568 section 6.4 (with errata 7947, 7949 and 8298) and RFC 3768 section 6.4 for version 2.
//
// One object is one virtual router on one node. It hears adverts that admission has let through, operator and health events,
// and the clock; it answers with outputs. It sends nothing itself, arms no timer, and knows no address but its own and its
// peers'.
//
// Beyond the RFC:
//  - preempt_delay: a Backup that hears a lower priority waits that long before it stops listening to it. The delay starts with
//    the first lower advert after one that was not lower, and is over for good once it has run out.
//  - a repeated priority 0 of the same peer re-arms nothing, so that a stream of them cannot postpone a takeover for ever; any
//    other advert of that peer clears the memory, in every state. The first one can bring the down timer forward and never
//    puts it off, so that one that alternates with other adverts cannot either.
//  - a priority that changes while Backup recomputes the down timer from the last accepted advert, not from now, so that a
//    flapping tracker cannot postpone a takeover either.
//  - an Active that hears a lower priority, or the first priority 0 of a peer, tells its owner (heard_lower_priority), because
//    another node may just have moved the address. VRRPv3 answers with an advert at once; VRRPv2 as RFC 3768 discards it
//    silently, keepalived answers; so do we, in both versions, since it shortens the double. A router that follows its sync
//    group to Backup says nothing but that 0.
//  - an Active that gives way to a better advert sends one more of its own first, for the same reason on the other side: the
//    winner learns that there were two, also when the loser would have fallen silent unheard.
//  - an Active that slept for longer than the quickest Backup waits (a paused virtual machine) cannot know whether it still is
//    the Active. It sends nothing, listens as a Backup for one down interval, and what it hears first decides. The address
//    owner is exempt: nobody else has its address. A Backup whose down timer is as late slept as well, and heard nobody because
//    it could not: it arms the timer anew.
//  - several adverts that are handled at the same moment are answered once: a second answer would tell nobody anything.
//  - what a router hears from its own address it counts and leaves alone, in every state.
//  - a router of a sync group waits, once its Active_Down_Timer has run out, until the others of its group could become Active
//    as well: a network that loses the adverts of one router alone moves none of them. Until then it goes on listening, and an
//    advert that counts ends the wait.
//  - RFC 3768 7.1 has the address owner of version 2 ignore every advert. Ours does, and only reports that it heard a lower
//    priority; that of version 3 treats them like anybody else (erratum 8298).

#include "agent/vrrp/types.hpp"
#include "common/ip.hpp"
#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::vrrp {

struct election_settings {
    version protocol_version = version::v3;
    ip_address source;            // our primary address, the one that breaks ties
    std::uint8_t priority = 100;  // effective: 1..254, or 255 for the address owner
    duration advert_interval = std::chrono::seconds{1};
    unsigned down_timer_adverts = 3;  // 1..100
    bool preempt = true;
    duration preempt_delay{};  // 0 for none

    friend bool operator==(const election_settings&, const election_settings&) = default;
};

// An advert that passed every check of section 7.1.
struct heard_advert {
    ip_address source;
    std::uint8_t priority = 0;
    duration interval{};  // v3: the sender's Max Advertise Interval; v2: equal to ours
};

enum class transition_reason : std::uint8_t {
    startup,          // Initialize -> Backup, or -> Active for the address owner
    no_advert,        // Backup -> Active: Active_Down_Timer ran out, nobody was heard
    preempted_lower,  // Backup -> Active: Active_Down_Timer ran out while a lower priority was speaking
    active_released,  // Backup -> Active: the Active sent priority 0
    heard_better,     // Active -> Backup: higher priority, or equal priority and higher address
    shutdown,         // -> Initialize
    fault,            // -> Initialize: health took the router out
    stepped_down,     // Active -> Backup: somebody asked for it
    stalled,          // Active -> Backup: this node slept, and another may have taken over
    sync_group,       // Active -> Backup: another router of its sync group has left Active
    resumed,          // Initialize -> Active: the process before this one was, until just now
};

std::string_view to_string(transition_reason reason);

// --- outputs, in the order in which they have to be carried out ---

struct send_advert {
    std::uint8_t priority = 0;  // effective priority, or 0 when releasing
};

struct transition {
    state from = state::initialize;
    state to = state::initialize;
    transition_reason reason = transition_reason::startup;
    // When the deciding timer was due; for transitions that an advert caused, when it was handled. Latency is counted from
    // here.
    time_point due;
    // Backup -> Active: how long nothing that counts had been heard by then. Active -> Backup, stalled: how late the advert
    // was.
    duration silence{};
};

// Heard while Active and stayed Active: somebody else believes to be Active or, with priority 0, did so until just now.
struct heard_lower_priority {
    ip_address source;
    std::uint8_t priority = 0;
};

using election_output = std::variant<send_advert, transition, heard_lower_priority>;

struct election_counters {
    std::uint64_t became_active = 0;
    std::uint64_t became_backup = 0;
    std::uint64_t priority_zero_sent = 0;
    std::uint64_t priority_zero_received = 0;
    std::uint64_t lower_priority_heard_while_active = 0;
    std::uint64_t adverts_skipped = 0;  // due, but a later one was due as well when the loop came round
    std::uint64_t owner_conflicts = 0;  // an advert with our own priority 255, or our own address
};

constexpr election_counters sum(const election_counters& a, const election_counters& b)
{
    return {a.became_active + b.became_active,
            a.became_backup + b.became_backup,
            a.priority_zero_sent + b.priority_zero_sent,
            a.priority_zero_received + b.priority_zero_received,
            a.lower_priority_heard_while_active + b.lower_priority_heard_while_active,
            a.adverts_skipped + b.adverts_skipped,
            a.owner_conflicts + b.owner_conflicts};
}

class election {
public:
    explicit election(const election_settings& settings);

    // Each call appends its outputs to `out`.
    void startup(time_point now, std::vector<election_output>& out) { startup(now, now, out); }
    // The same, but the Active_Down_Timer counts from `silence_from` until an advert is heard. That is earlier for one that has
    // listened before and since then has heard none and not been Active, so that what keeps a router out for a moment, again
    // and again, postpones nothing; and later for one that gives the others more time after the start.
    void startup(time_point now, time_point silence_from, std::vector<election_output>& out)
    {
        startup(now, silence_from, std::nullopt, out);
    }
    // Where the interval of the Active has been learned before, by this process or the one before it, that of this router,
    // which may be shorter, tells nothing of how long the Active may be silent.
    void startup(time_point now, time_point silence_from, std::optional<duration> learned_interval,
                 std::vector<election_output>& out);
    // In place of startup(), by a process that takes the place of one that was Active and that the peers believe until then:
    // goes on as the Active, with an advert at once. Returns false, and does nothing, when that is over and a Backup may have
    // taken over.
    bool resume(time_point now, time_point believed_until, std::vector<election_output>& out);
    // Active: priority 0 first. Backup: silently (RFC 9568 6.4.2).
    void shutdown(time_point now, std::vector<election_output>& out);
    // As shutdown, but with reason fault; startup() ends it.
    void fault(time_point now, std::vector<election_output>& out);
    void handle(time_point now, const heard_advert& advert, std::vector<election_output>& out);
    void handle_timeout(time_point now, std::vector<election_output>& out);

    // A new effective priority, interval, preempt ... without a transition. When the priority of an Active drops, an advert
    // goes out at once. Version and source do not change (that is a new election).
    void change(time_point now, const election_settings& settings, std::vector<election_output>& out);

    // Graceful hand-over while Active: priority 0, then Backup with a down timer that lets every peer take over first: the
    // longest Active_Down_Interval of any priority. Does nothing in another state; returns whether it did something.
    bool step_down(time_point now, std::vector<election_output>& out);

    // --- of a sync group ---
    // From now on a Backup does not become Active by itself; or does so again, at once when its timer has run out meanwhile.
    void wait_for_group(bool waits) { waits_for_group_ = waits; }
    // Whether it would be Active by now if it did not wait, and since when.
    [[nodiscard]] bool is_waiting() const { return is_overdue_; }
    [[nodiscard]] time_point waiting_since() const { return down_due_; }
    // Its group is another one since then: nobody is late for what could not have been before.
    void wait_for_other_group(time_point since) { down_due_ = is_overdue_ ? since : down_due_; }
    // Ends the wait: all of the group become Active, and `due` is when the last of them could.
    void follow_group_to_active(time_point now, time_point due, std::vector<election_output>& out);
    // As step_down(), because another router of the group is no longer Active.
    bool follow_group_to_backup(time_point now, std::vector<election_output>& out);

    [[nodiscard]] wakeup next_wakeup() const;

    // Active by name, but so late that a Backup may have taken over: nothing may be done in the name of the Active.
    [[nodiscard]] bool is_stale(time_point now) const;

    // While Active: when its next advert is due, and until when the peers wait for it.
    [[nodiscard]] time_point advert_due() const { return advert_due_; }
    [[nodiscard]] time_point believed_until() const { return believed_until_; }

    // What status shows.
    [[nodiscard]] state current() const { return state_; }
    [[nodiscard]] const election_settings& settings() const { return settings_; }
    [[nodiscard]] time_point since() const { return since_; }
    [[nodiscard]] const election_counters& counters() const { return counters_; }
    // Learned from the Active (v3); our own before that.
    [[nodiscard]] duration active_advert_interval() const { return active_interval_; }
    [[nodiscard]] duration active_down_interval() const;
    [[nodiscard]] duration skew_time() const;
    // The last advert heard that was not ours to ignore: who speaks as Active.
    struct heard {
        ip_address source;
        std::uint8_t priority = 0;
        time_point at;
    };
    [[nodiscard]] const std::optional<heard>& last_heard() const { return last_heard_; }
    // Whether that one would win against us: a higher priority, or the same and a higher address.
    [[nodiscard]] bool is_outranked_by(const ip_address& source, std::uint8_t priority) const
    {
        return priority > settings_.priority || (priority == settings_.priority && source > settings_.source);
    }

private:
    enum class speaker : std::uint8_t {
        nobody,    // since the down timer was armed
        lower,     // a lower priority that is being preempted
        released,  // the Active, for the last time
    };

    using outputs = std::vector<election_output>;

    void handle_as_backup(time_point now, const heard_advert& advert);
    void handle_as_active(time_point now, const heard_advert& advert, outputs& out);
    void handle_release(time_point now, const heard_advert& advert, outputs& out);
    void stop(time_point now, transition_reason reason, outputs& out);
    void become_active(time_point now, transition_reason reason, time_point due, outputs& out);
    void become_backup(time_point now, transition_reason reason, outputs& out);
    void set_state(time_point now, state to, transition_reason reason, time_point due, outputs& out);
    void send(std::uint8_t priority, outputs& out);
    void answer(time_point now, outputs& out);
    bool hand_over(time_point now, transition_reason reason, outputs& out);
    [[nodiscard]] transition_reason reason_to_take_over() const;
    void step_back_when_stale(time_point now, outputs& out);
    void listen_anew_when_late(time_point now);
    // Either of the two, before anything else is done.
    void wake_up(time_point now, outputs& out);
    void arm_down_timer(time_point now);
    [[nodiscard]] time_point down_deadline() const;
    [[nodiscard]] bool may_be_succeeded(time_point now, time_point believed_until) const;
    // The quickest of them, by these settings.
    [[nodiscard]] time_point patience_of_peers() const;
    [[nodiscard]] bool listens_to_lower(time_point now);
    void learn_interval(duration interval);
    [[nodiscard]] bool is_deaf_owner() const;
    [[nodiscard]] bool remembers_release(const ip_address& source) const;
    void remember_release(const ip_address& source);
    void forget_release(const ip_address& source);

    election_settings settings_;
    state state_ = state::initialize;
    time_point since_{};
    duration active_interval_{};
    std::optional<heard> last_heard_;
    election_counters counters_;

    time_point advert_due_ = never;  // Active
    // Active: by the interval of the last advert, which is the one that the peers know. A reload puts it off for none of them.
    time_point believed_until_ = never;
    std::optional<time_point> answered_at_;
    time_point down_due_ = never;  // Backup
    bool waits_for_group_ = false;
    bool is_overdue_ = false;  // down_due_ has come, and the group is waited for

    // Backup: what down_due_ follows from, so that new settings can be applied to it.
    time_point down_armed_at_{};             // the start, or the last accepted advert
    bool lets_others_first_ = false;         // after step_down()
    std::optional<time_point> released_at_;  // priority 0 since then
    bool has_learned_interval_ = false;
    speaker speaker_ = speaker::nobody;

    // preempt_delay: since when lower adverts have been heard, and whether the delay has run out for them.
    std::optional<time_point> lower_since_;
    bool preempt_delay_is_over_ = false;

    // Peers whose last advert was priority 0, in the order in which they sent it. Admission lets no others through than peers;
    // the bound holds without it. Where there is no room left reloads have removed some of them; the oldest one is forgotten,
    // and should it be a peer still, one repetition of it counts as the first.
    static constexpr std::size_t released_max = 255;
    std::vector<ip_address> released_;
};

}  // namespace vipd::vrrp
