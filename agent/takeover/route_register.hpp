#pragma once

// One destination in one route table, and where this node stands with it: what was last seen, what was last asked, what has to
// be done next. A register decides for itself and for nobody else, so that one table that fails holds up no other.
//
//   While Active a register is in one of these stages:
//
//     writing ──issue──► in_flight ──accepted──► settled ──a view contradicts, often enough──► writing (repair)
//        ▲                   │                            └──and the duel breaker says later──► held ──► writing
//        │                   ├─ refused, may succeed later ─► writing, not before retry_at
//        │                   └─ sent, no answer ─► unknown ──a view came──► settled, or writing
//        └───────────────────────────────────────────┴──10 s without a view──► writing
//
// An unknown outcome is read before the call is repeated, but a read that cannot be had (denied, throttled, too slow) must not
// keep the route where it is: ReplaceRoute is idempotent, and the permit and the budget bound a repetition as they do any call.
//
// When is a contradiction believed? EC2's reads are eventually consistent: one that contradicts may be older than our own
// write.
//   - A view that began before the last accepted write says nothing.
//   - Within 10 s of the write, and not yet confirmed: 3 contradicting views, the last at least 5 s after the write.
//   - Afterwards, or when a lower-priority advert has given a reason to doubt: 2 in succession, the second asked for at once.
// Each view counts once, however often it is shown.
//
// A loss that is believed is repaired at once, unless takeover/duel_breaker.hpp says that this is a duel.

#include "agent/aws/cloud_session.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/call_pauses.hpp"
#include "agent/takeover/desired.hpp"
#include "agent/takeover/duel_breaker.hpp"
#include "agent/takeover/plan.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "common/token_bucket.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vipd::takeover {

class route_register {
public:
    enum class stage : std::uint8_t {
        idle,       // not Active
        writing,    // a call has to be made, not before retry_at
        in_flight,  // a call is under way
        unknown,    // a call was sent and not answered: read before repeating, while a read can be had
        settled,    // EC2 accepted the call, or a view shows the route here
        held,       // it is somebody else's, and a call has to be made, but not before retry_at: a duel
    };

    route_register(aws::route_table_id table, const wanted_route& wanted);

    // --- events ---
    void become_active(time_point now);
    void leave_active();
    // A new target (the interface id changed): written again while Active; after the answer when a call is under way.
    void retarget(const aws::network_interface_id& target);
    // `seen` is null when the table has no such route.
    struct view_consequence {
        bool read_again_soon = false;  // a first contradiction: ask for a second opinion
        bool repaired = false;         // a write follows because somebody else changed the route
        duel_news duel = duel_news::none;
    };
    view_consequence see(time_point read_began, time_point now, const aws::route* seen, standing s = standing::unknown);
    // A lower Active was heard.
    void suspect(time_point now);
    // The call to make now, if one is due and the budget allows it. Puts the register in flight.
    std::optional<aws::ec2_call> issue(time_point now);
    void answered(time_point now, const aws::ec2_reply& reply, random_source& random);

    // --- questions ---
    [[nodiscard]] stage current() const { return stage_; }
    [[nodiscard]] const aws::route_table_id& table() const { return table_; }
    [[nodiscard]] const wanted_route& wanted() const { return wanted_; }
    [[nodiscard]] bool confirmed() const { return stage_ == stage::settled && confirmed_; }
    // The next read-back of the schedule 1, 2, 5, 10 s after the last accepted write; `never` when it is over.
    [[nodiscard]] time_point next_read_back() const;
    void read_back_asked(time_point now);
    [[nodiscard]] wakeup next_wakeup() const;
    [[nodiscard]] status::resource snapshot(time_point now, const std::string& table_name) const;
    [[nodiscard]] const std::optional<aws::route>& seen() const { return seen_; }
    [[nodiscard]] const duel_breaker& breaker() const { return breaker_; }
    [[nodiscard]] bool ever_seen() const { return seen_at_ != never; }

private:
    void write_again();
    // Somebody else has it: put back now, or later.
    [[nodiscard]] bool is_suspected() const;
    view_consequence lose(time_point now, standing s, const aws::route& to);
    // What was last seen chooses the verb.
    [[nodiscard]] bool is_known_missing() const;
    void settle(time_point now, bool confirmed);
    [[nodiscard]] bool contradiction_is_believed(time_point read_began) const;

    aws::route_table_id table_;
    wanted_route wanted_;
    stage stage_ = stage::idle;

    // What EC2 said last.
    std::optional<aws::route> seen_;  // empty: no route, when seen_at_ says that somebody looked
    time_point seen_at_ = never;      // when that read began

    // This epoch's writing.
    bool create_ = false;  // CreateRoute next, otherwise ReplaceRoute
    unsigned flips_ = 0;   // create <-> replace in succession; a cloud that contradicts itself must not make us spin
    time_point retry_at_{};
    aws::network_interface_id sent_target_;  // of the call under way; another may be wanted when it ends
    time_point accepted_at_ = never;
    time_point unknown_since_{};  // when the call ended without an answer
    bool confirmed_ = false;
    unsigned read_backs_asked_ = 0;
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
