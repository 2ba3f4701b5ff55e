#pragma once

// One thing that can be moved in the cloud, and where this node stands with it: what was last seen, what was last asked, what
// has to be done next. A register decides for itself and for nobody else, so that one table that fails holds up no other. What
// there is to be asked for follows from resource.hpp; this is the when.
//
//   While Active a register is in one of these stages:
//
//     writing ──issue──► in_flight ──accepted──► settled ──a view contradicts, often enough──► writing (repair)
//      ▲  ▲                  │                            └──and the duel breaker says later──► held ──► writing
//      │  │                  ├─ accepted, and EC2 goes on by itself ─► looking ──a view says what is next──► settled, or
//      writing │  └──────────────────├─ refused, may succeed later ─► writing, not before retry_at │                     └─
//      sent, no answer ─► unknown ──a view came──► settled, or writing └─────────────────────────────────────────────┴──10 s
//      without a view──► writing
//
// An unknown outcome is read before the call is repeated, but a read that cannot be had (denied, throttled, too slow) must not
// keep the route where it is: each call is idempotent, or refused by EC2 where it does not fit any more, and the permit and the
// budget bound a repetition as they do any call.
//
// Some things move in steps: an interface is detached, which takes EC2 its time, and then attached; an IPv6 address is taken
// from where it is, and then assigned. Looking is polling: at once, every 50 ms for half a second, then less and less often, up
// to once a second, for as long as no view says what is next.
//
// When is a contradiction believed? EC2's reads are eventually consistent: one that contradicts may be older than our own
// write.
//   - A view that began before the last accepted write says nothing.
//   - Within 10 s of the write, and not yet confirmed: 3 contradicting views, the last at least 5 s after the write.
//   - Afterwards, or when a lower-priority advert has given a reason to doubt: 2 in succession, the second asked for at once.
// Each view counts once, however often it is shown.
//
// What EC2 refuses until a person changes something may be done by that person, by hand: a view that shows it here, and that
// began 10 s after the first refusal or later, settles the register. It settles none whose call may yet succeed by itself. A
// view by which another call is due than the one that was refused lets that one go at once: it may be allowed.
//
// A loss that is believed is repaired at once, unless takeover/duel_breaker.hpp says that this is a duel.

#include "agent/aws/cloud_session.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/call_pauses.hpp"
#include "agent/takeover/duel_breaker.hpp"
#include "agent/takeover/resource.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vipd::takeover {

class cloud_register {
public:
    enum class stage : std::uint8_t {
        idle,       // not Active
        writing,    // a call has to be made, not before retry_at
        in_flight,  // a call is under way
        unknown,    // a call was sent and not answered: read before repeating, while a read can be had
        looking,    // EC2 is at work, or what is next depends on where it is
        settled,    // EC2 accepted the call, or a view shows it here
        held,       // it is somebody else's, and a call has to be made, but not before retry_at: a duel
    };

    explicit cloud_register(resource what) : what_(std::move(what)) {}

    // --- events ---
    void become_active(time_point now);
    // Of a process before this one nothing is known but that it was Active: it is read before anything is written.
    void resume_active(time_point now);
    void leave_active();
    // The same thing with another target (the interface id changed), or to be moved in another way: written again while Active;
    // after the answer when a call is under way. No pause is waited for: what was refused, or fought over, was the other one.
    void change(const resource& what);
    // Nobody wants it for the time being: it is as if it were new when it is wanted again, but for its budget and its memory of
    // a duel. In a duel that it gave way in, it goes on from where it was: otherwise each return would be a write.
    void set_aside();
    // An address that this rests on, and that is not there yet: no call is made before. None: nothing is waited for any more.
    void wait_for(time_point now, const std::optional<ip_address>& address);
    struct view_consequence {
        bool read_again_soon = false;  // a first contradiction: ask for a second opinion
        bool repaired = false;         // a write follows because somebody else changed it
        duel_news duel = duel_news::none;
    };
    view_consequence see(time_point read_began, time_point now, const sighting& seen, standing s = standing::unknown);
    // The newest view does not say which one it is: what was seen before may be of another one, and no call may rest on it.
    void lose_sight();
    // A lower Active was heard.
    void suspect(time_point now);
    // The call to make now, if one is due and the budget allows it. Puts the register in flight.
    std::optional<aws::ec2_call> issue(time_point now);
    void answered(time_point now, const aws::ec2_reply& reply, random_source& random);

    // --- questions ---
    [[nodiscard]] stage current() const { return stage_; }
    // As far as this node knows: EC2 has accepted it, or the newest view shows it here.
    [[nodiscard]] bool is_here() const
    {
        return stage_ == stage::settled || (in_sight_ && seen_->where == sighting::place::here);
    }
    [[nodiscard]] const resource& what() const { return what_; }
    // What is here and is put right stays accepted and confirmed meanwhile, for as long as EC2 may refuse that.
    [[nodiscard]] bool has_arrived() const { return stage_ == stage::settled || is_amending_; }
    [[nodiscard]] bool confirmed() const { return has_arrived() && confirmed_; }
    // The next read that is wanted: of the schedule 1, 2, 5, 10 s after the last accepted write, after an unknown outcome,
    // while looking; `never` when there is none.
    [[nodiscard]] time_point next_read() const;
    void read_asked(time_point now);
    [[nodiscard]] wakeup next_wakeup() const;
    // Without the names that only the takeover knows.
    [[nodiscard]] status::resource snapshot(time_point now) const;
    [[nodiscard]] const std::optional<sighting>& seen() const { return seen_; }
    [[nodiscard]] const duel_breaker& breaker() const { return breaker_; }

private:
    [[nodiscard]] std::optional<sighting> in_view() const { return in_sight_ ? seen_ : std::nullopt; }
    [[nodiscard]] bool is_waiting() const { return waits_for_.has_value(); }
    void write_again();
    void look(time_point now);
    void settle(time_point now, bool confirmed);
    // Somebody else has it: put back now, or later.
    view_consequence lose(time_point now, standing s, const sighting& to);
    void note_departure(time_point now, const aws::attachment_id& attachment);
    void see_writing(time_point read_began, time_point now, const sighting& seen);
    view_consequence see_moving(time_point now, const sighting& seen, standing s);
    view_consequence see_settled(time_point read_began, time_point now, const sighting& seen, standing s);
    // `is_for_another`: another target is wanted by now, which changes nothing about a step on the way.
    void accepted(time_point now, bool is_for_another);
    void failed(time_point now, const aws::ec2_error& e, random_source& random);
    [[nodiscard]] bool is_suspected() const;
    [[nodiscard]] bool contradiction_is_believed(time_point read_began) const;
    [[nodiscard]] std::optional<aws::ec2_call> due_call(time_point now) const;
    [[nodiscard]] bool is_to_be_forced(time_point now, const sighting& seen) const;
    // Until when a view is waited for before the call is made without; `never` when none is.
    [[nodiscard]] time_point patience_until() const;

    resource what_;
    stage stage_ = stage::idle;

    // What EC2 said last, and when that read began.
    std::optional<sighting> seen_;
    time_point seen_at_ = never;
    bool in_sight_ = false;

    // This epoch's writing. What the next call goes by: the last view, or what an answer has said since.
    std::optional<sighting> believed_;
    unsigned flips_ = 0;  // answers in succession that corrected it; a cloud that contradicts itself must not make us spin
    time_point retry_at_{};
    time_point refused_since_ = never;  // each answer since has refused it until a person changes something
    std::optional<ip_address> waits_for_;
    std::optional<aws::ec2_call> sent_;  // the last one of this writing
    bool is_amending_ = false;           // it puts right what is here already
    bool change_pending_ = false;        // another target is wanted since it was sent
    time_point accepted_at_ = never;
    time_point waiting_since_{};  // of `unknown` and `looking`
    bool confirmed_ = false;
    unsigned reads_asked_ = 0;  // in this stage
    time_point next_look_ = never;
    duration look_pause_{};
    // An attachment that is coming to its end: EC2 has accepted our call, or a view has shown it, whoever asked for that.
    struct departure {
        aws::attachment_id attachment;
        time_point since{};
        bool forced = false;
        bool was_ours = false;  // somebody takes it away from here, and that has not been repaired yet
    };
    std::optional<departure> departure_;
    std::optional<time_point> attached_at_;  // EC2 has accepted that then, and no view has shown yet what became of it
    unsigned free_index_ = 1;  // the device index that is tried next where none is configured; the last that worked
    unsigned surprises_ = 0;   // answers in succession that what was asked rested on an old reading
    unsigned contradictions_ = 0;
    time_point suspected_at_ = time_point::min();
    call_pauses pauses_;
    // These outlive an epoch: 5 + 0.5/s for each register, whatever storm there is, and the memory of a duel.
    duel_breaker breaker_;
    token_bucket budget_{5.0, 0.5};

    // For status.
    std::uint64_t mutating_calls_ = 0;
    std::uint64_t repairs_ = 0;
    std::uint64_t failures_ = 0;
    std::string last_error_;
};

}  // namespace vipd::takeover
