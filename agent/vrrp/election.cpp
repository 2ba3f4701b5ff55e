#include "agent/vrrp/election.hpp"

#include "agent/vrrp/timers.hpp"
#include "common/ensure.hpp"

#include <algorithm>

namespace vipd::vrrp {

std::string_view to_string(transition_reason reason)
{
    switch (reason) {
        case transition_reason::startup:
            return "startup";
        case transition_reason::no_advert:
            return "no_advert";
        case transition_reason::preempted_lower:
            return "preempted_lower";
        case transition_reason::active_released:
            return "active_released";
        case transition_reason::heard_better:
            return "heard_better";
        case transition_reason::shutdown:
            return "shutdown";
        case transition_reason::fault:
            return "fault";
        case transition_reason::stepped_down:
            return "stepped_down";
        case transition_reason::stalled:
            return "stalled";
        case transition_reason::sync_group:
            return "sync_group";
        case transition_reason::resumed:
            return "resumed";
    }
    return "unknown";
}

election::election(const election_settings& settings) : settings_(settings), active_interval_(settings.advert_interval)
{
    ENSURE(settings.priority > 0);
    ENSURE(settings.advert_interval > duration::zero());
    ENSURE(settings.down_timer_adverts > 0);
}

void election::startup(time_point now, time_point silence_from, std::optional<duration> learned_interval, outputs& out)
{
    if (state_ != state::initialize) {
        return;
    }
    last_heard_.reset();
    if (settings_.priority == priority_owner) {
        become_active(now, transition_reason::startup, now, out);
    } else {
        become_backup(now, transition_reason::startup, out);
        if (learned_interval) {
            learn_interval(*learned_interval);
        }
        down_armed_at_ = silence_from;
        down_due_ = std::max(now, down_deadline());
    }
}

bool election::resume(time_point now, time_point believed_until, outputs& out)
{
    if (state_ != state::initialize || may_be_succeeded(now, believed_until)) {
        return false;
    }
    last_heard_.reset();
    send(settings_.priority, out);
    set_state(now, state::active, transition_reason::resumed, now, out);
    advert_due_ = now + settings_.advert_interval;
    believed_until_ = patience_of_peers();
    return true;
}

void election::shutdown(time_point now, outputs& out)
{
    stop(now, transition_reason::shutdown, out);
}

void election::fault(time_point now, outputs& out)
{
    stop(now, transition_reason::fault, out);
}

void election::handle(time_point now, const heard_advert& advert, outputs& out)
{
    if (advert.source == settings_.source) {
        ++counters_.owner_conflicts;
        return;
    }
    if (advert.priority == priority_owner && settings_.priority == priority_owner) {
        ++counters_.owner_conflicts;
    }
    wake_up(now, out);
    if (advert.priority == priority_releasing) {
        handle_release(now, advert, out);
        return;
    }
    forget_release(advert.source);
    switch (state_) {
        case state::initialize:
            // For who asks; it is no business of this one.
            last_heard_ = heard{advert.source, advert.priority, now};
            break;
        case state::backup:
            handle_as_backup(now, advert);
            break;
        case state::active:
            handle_as_active(now, advert, out);
            break;
    }
}

void election::handle_timeout(time_point now, outputs& out)
{
    wake_up(now, out);
    if (state_ == state::backup && now >= down_due_) {
        is_overdue_ = waits_for_group_;
        if (!is_overdue_) {
            become_active(now, reason_to_take_over(), down_due_, out);
        }
    } else if (state_ == state::active && now >= advert_due_) {
        send(settings_.priority, out);
        // From the deadline and not from now, or every late wake would shift all later adverts. Unless one is due already
        // again: then the missed ones are left out, because a burst tells the peers nothing that one advert does not.
        const auto missed = (now - advert_due_) / settings_.advert_interval;
        counters_.adverts_skipped += static_cast<std::uint64_t>(missed);
        advert_due_ = missed == 0 ? advert_due_ + settings_.advert_interval : now + settings_.advert_interval;
        believed_until_ = patience_of_peers();
    }
}

void election::change(time_point now, const election_settings& settings, outputs& out)
{
    ENSURE(settings.protocol_version == settings_.protocol_version);
    ENSURE(settings.source == settings_.source);
    ENSURE(settings.priority > 0);
    ENSURE(settings.advert_interval > duration::zero());
    ENSURE(settings.down_timer_adverts > 0);
    // One that slept says nothing, and finds that out with its next event: a reload is no transition.
    const bool is_drop = settings.priority < settings_.priority && !is_stale(now);
    listen_anew_when_late(now);
    // The peers of version 3 go by the interval that the last advert told; those of version 2 by one that is configured.
    const auto known = settings.protocol_version == version::v3 ? settings_.advert_interval
                                                                : std::min(settings_.advert_interval, settings.advert_interval);
    settings_ = settings;
    if (!has_learned_interval_) {
        active_interval_ = settings.advert_interval;
    }
    if (state_ == state::active) {
        const auto patience = lateness_max(settings.protocol_version, known, settings.down_timer_adverts);
        believed_until_ = std::min(believed_until_, advert_due_ + patience);
        advert_due_ = std::min(advert_due_, now + settings.advert_interval);
        if (is_drop) {
            send(settings.priority, out);
        }
    } else if (state_ == state::backup) {
        // A deadline that moves into the past is due now; one that was overdue before keeps the time from which it is late.
        down_due_ = std::max(down_deadline(), std::min(down_due_, now));
        is_overdue_ = is_overdue_ && down_due_ <= now;
    }
}

bool election::step_down(time_point now, outputs& out)
{
    return hand_over(now, transition_reason::stepped_down, out);
}

bool election::follow_group_to_backup(time_point now, outputs& out)
{
    if (state_ == state::active && !is_stale(now)) {
        // As one that gives way: whoever takes all back has perhaps heard nothing of this router but a priority 0 long ago.
        answer(now, out);
    }
    return hand_over(now, transition_reason::sync_group, out);
}

void election::follow_group_to_active(time_point now, time_point due, outputs& out)
{
    ENSURE(is_overdue_);
    become_active(now, reason_to_take_over(), due, out);
}

bool election::hand_over(time_point now, transition_reason reason, outputs& out)
{
    wake_up(now, out);
    if (state_ != state::active) {
        return false;
    }
    send(priority_releasing, out);
    become_backup(now, reason, out);
    lets_others_first_ = true;
    down_due_ = down_deadline();
    return true;
}

transition_reason election::reason_to_take_over() const
{
    return speaker_ == speaker::released ? transition_reason::active_released
           : speaker_ == speaker::lower  ? transition_reason::preempted_lower
                                         : transition_reason::no_advert;
}

bool election::is_stale(time_point now) const
{
    return state_ == state::active && may_be_succeeded(now, believed_until_);
}

bool election::may_be_succeeded(time_point now, time_point believed_until) const
{
    return settings_.priority != priority_owner && now > believed_until;
}

// What counts is how late the next advert is, not how old the last one: a reload may have made the interval shorter in between.
time_point election::patience_of_peers() const
{
    return advert_due_ + lateness_max(settings_.protocol_version, settings_.advert_interval, settings_.down_timer_adverts);
}

void election::step_back_when_stale(time_point now, outputs& out)
{
    if (!is_stale(now)) {
        return;
    }
    const auto late = now - advert_due_;
    become_backup(now, transition_reason::stalled, out);
    std::get<transition>(out.back()).silence = late;
}

// A Backup that is as late as an Active that may have been succeeded has slept as well: it cannot have heard anybody meanwhile,
// so the silence says nothing, and no preempt_delay has run. One that waits for its group was there when its timer ran out.
void election::listen_anew_when_late(time_point now)
{
    // It waits by the Active's interval, and would have heard that one as often.
    const auto interval = std::min(settings_.advert_interval, active_interval_);
    const auto bound = listener_lateness_max(settings_.protocol_version, interval, settings_.down_timer_adverts);
    const bool has_slept = settings_.priority != priority_owner && now - down_due_ > bound;
    if (state_ == state::backup && !is_overdue_ && has_slept) {
        lower_since_.reset();
        preempt_delay_is_over_ = false;
        arm_down_timer(now);
    }
}

void election::wake_up(time_point now, outputs& out)
{
    step_back_when_stale(now, out);
    listen_anew_when_late(now);
}

wakeup election::next_wakeup() const
{
    switch (state_) {
        case state::initialize:
            break;
        case state::backup:
            // Once it is over there is nothing to wake up for: the group looks after each change.
            return is_overdue_ && waits_for_group_ ? wakeup{} : wakeup{down_due_, "Active_Down_Timer"};
        case state::active:
            return {advert_due_, "Adver_Timer"};
    }
    return {};
}

duration election::active_down_interval() const
{
    return vrrp::active_down_interval(settings_.protocol_version, settings_.priority, active_interval_,
                                      settings_.down_timer_adverts);
}

duration election::skew_time() const
{
    return vrrp::skew_time(settings_.protocol_version, settings_.priority, active_interval_);
}

// --- adverts ---

void election::handle_as_backup(time_point now, const heard_advert& advert)
{
    if (is_deaf_owner()) {
        return;
    }
    last_heard_ = heard{advert.source, advert.priority, now};
    const bool is_lower = advert.priority < settings_.priority;
    if (!is_lower) {
        lower_since_.reset();
        preempt_delay_is_over_ = false;
    } else if (!listens_to_lower(now)) {
        speaker_ = speaker::lower;
        return;
    }
    learn_interval(advert.interval);
    arm_down_timer(now);
}

void election::handle_as_active(time_point now, const heard_advert& advert, outputs& out)
{
    const bool is_better = is_outranked_by(advert.source, advert.priority);
    if (is_deaf_owner()) {
        if (advert.priority < settings_.priority) {
            ++counters_.lower_priority_heard_while_active;
            out.emplace_back(heard_lower_priority{advert.source, advert.priority});
        }
        return;
    }
    last_heard_ = heard{advert.source, advert.priority, now};
    answer(now, out);
    if (is_better) {
        become_backup(now, transition_reason::heard_better, out);
        learn_interval(advert.interval);
        arm_down_timer(now);
    } else {
        ++counters_.lower_priority_heard_while_active;
        out.emplace_back(heard_lower_priority{advert.source, advert.priority});
    }
}

void election::handle_release(time_point now, const heard_advert& advert, outputs& out)
{
    ++counters_.priority_zero_received;
    if (remembers_release(advert.source)) {
        return;
    }
    remember_release(advert.source);
    if (is_deaf_owner()) {
        return;
    }
    last_heard_ = heard{advert.source, advert.priority, now};
    if (state_ == state::initialize) {
        return;
    }
    if (state_ == state::backup) {
        speaker_ = speaker::released;
        released_at_ = released_at_.value_or(now);
        down_due_ = std::min(down_due_, down_deadline());
    } else {
        answer(now, out);
        advert_due_ = now + settings_.advert_interval;
        believed_until_ = patience_of_peers();
        out.emplace_back(heard_lower_priority{advert.source, advert.priority});
    }
}

// With preemption a lower Active is listened to only while preempt_delay runs, and never by the address owner.
bool election::listens_to_lower(time_point now)
{
    if (settings_.priority == priority_owner) {
        return false;
    }
    if (!settings_.preempt) {
        return true;
    }
    if (!lower_since_) {
        lower_since_ = now;
    }
    preempt_delay_is_over_ = preempt_delay_is_over_ || now - *lower_since_ >= settings_.preempt_delay;
    return !preempt_delay_is_over_;
}

void election::learn_interval(duration interval)
{
    if (settings_.protocol_version == version::v3) {
        ENSURE(interval > duration::zero());
        active_interval_ = interval;
        has_learned_interval_ = true;
    }
}

bool election::is_deaf_owner() const
{
    return settings_.protocol_version == version::v2 && settings_.priority == priority_owner;
}

// --- states ---

void election::stop(time_point now, transition_reason reason, outputs& out)
{
    wake_up(now, out);
    if (state_ == state::initialize) {
        return;
    }
    if (state_ == state::active) {
        send(priority_releasing, out);
        last_heard_.reset();  // which was not the Active
    }
    set_state(now, state::initialize, reason, now, out);
}

// The advert goes first: it keeps other Backups from doing the same.
void election::become_active(time_point now, transition_reason reason, time_point due, outputs& out)
{
    ++counters_.became_active;
    send(settings_.priority, out);
    set_state(now, state::active, reason, due, out);
    std::get<transition>(out.back()).silence = reason == transition_reason::startup ? duration::zero() : due - down_armed_at_;
    advert_due_ = now + settings_.advert_interval;
    believed_until_ = patience_of_peers();
}

void election::become_backup(time_point now, transition_reason reason, outputs& out)
{
    ++counters_.became_backup;
    set_state(now, state::backup, reason, now, out);
    arm_down_timer(now);
}

// Every transition passes here. Nothing that belongs to the state that is left outlives it: no timer, no learned interval, no
// delay that has begun.
void election::set_state(time_point now, state to, transition_reason reason, time_point due, outputs& out)
{
    out.emplace_back(transition{state_, to, reason, due, {}});
    state_ = to;
    since_ = now;
    advert_due_ = never;
    believed_until_ = never;
    down_due_ = never;
    is_overdue_ = false;
    active_interval_ = settings_.advert_interval;
    has_learned_interval_ = false;
    answered_at_.reset();
    lower_since_.reset();
    preempt_delay_is_over_ = false;
}

void election::send(std::uint8_t priority, outputs& out)
{
    counters_.priority_zero_sent += priority == priority_releasing ? 1 : 0;
    out.emplace_back(send_advert{priority});
}

void election::answer(time_point now, outputs& out)
{
    if (answered_at_ != now) {
        answered_at_ = now;
        send(settings_.priority, out);
    }
}

void election::arm_down_timer(time_point now)
{
    down_armed_at_ = now;
    lets_others_first_ = false;
    released_at_.reset();
    speaker_ = speaker::nobody;
    down_due_ = down_deadline();
    is_overdue_ = false;
}

time_point election::down_deadline() const
{
    const auto interval =
        lets_others_first_ ? longest_down_interval(settings_.protocol_version, active_interval_, settings_.down_timer_adverts)
                           : active_down_interval();
    const auto deadline = down_armed_at_ + interval;
    return released_at_ ? std::min(deadline, *released_at_ + skew_time()) : deadline;
}

// --- who released ---

bool election::remembers_release(const ip_address& source) const
{
    return std::ranges::find(released_, source) != released_.end();
}

void election::remember_release(const ip_address& source)
{
    if (released_.size() >= released_max) {
        released_.erase(released_.begin());
    }
    released_.push_back(source);
}

void election::forget_release(const ip_address& source)
{
    std::erase(released_, source);
}

}  // namespace vipd::vrrp
