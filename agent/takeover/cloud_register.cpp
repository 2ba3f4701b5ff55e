#include "agent/takeover/cloud_register.hpp"

#include <utility>

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;
using place = sighting::place;

constexpr duration consistency_window = 10s;
constexpr duration contradiction_age_min = 5s;
// A call of another Active that was heard shortly before ours was accepted may have landed after it: as long as a call may
// take (aws::http_exchange::time_max).
constexpr duration rival_call_max = 3s;
constexpr unsigned contradictions_unconfirmed = 3;
constexpr unsigned contradictions_settled = 2;
constexpr unsigned flips_at_once = 2;
constexpr unsigned surprises_at_once = 16;  // as many as there are device indices to be tried
constexpr duration view_patience = 10s;
constexpr duration look_pause_min = 50ms;
constexpr duration look_pause_max = 1s;
constexpr unsigned looks_at_pause_min = 10;

}  // namespace

void cloud_register::become_active(time_point now)
{
    ENSURE(stage_ == stage::idle);
    // The call is made whatever was last seen, since the view may be a period old.
    believed_ = in_view();
    flips_ = surprises_ = 0;
    accepted_at_ = never;
    confirmed_ = false;
    contradictions_ = 0;
    suspected_at_ = time_point::min();
    departure_.reset();
    attached_at_.reset();
    refused_since_ = never;
    is_amending_ = change_pending_ = false;
    sent_.reset();
    pauses_.reset();
    breaker_.epoch_begins(now);
    last_error_.clear();
    retry_at_ = now;
    stage_ = stage::writing;
}

void cloud_register::resume_active(time_point now)
{
    become_active(now);
    stage_ = stage::unknown;
    waiting_since_ = now;
    reads_asked_ = 0;
}

void cloud_register::leave_active()
{
    stage_ = stage::idle;
    confirmed_ = false;
    accepted_at_ = never;
}

void cloud_register::change(const resource& what)
{
    if (what == what_) {
        return;
    }
    what_ = what;
    // Where it was seen is somewhere else now, or here.
    for (auto* const known : {&seen_, &believed_}) {
        if (*known && !(*known)->serves_nobody && ((*known)->where == place::here || (*known)->where == place::elsewhere)) {
            (*known)->where = is_target(what_, **known) ? place::here : place::elsewhere;
        }
    }
    switch (stage_) {
        case stage::idle:
            break;
        case stage::in_flight:
            change_pending_ = true;
            break;
        case stage::writing:
            refused_since_ = never;
            retry_at_ = time_point::min();
            break;
        case stage::held:
            ++repairs_;
            [[fallthrough]];
        case stage::unknown:
        case stage::looking:
        case stage::settled:
            write_again();
            break;
    }
}

void cloud_register::set_aside()
{
    const bool is_watched = stage_ == stage::held || stage_ == stage::settled;
    if (!breaker_.is_open() || !is_watched) {
        leave_active();
    }
    confirmed_ = false;
    contradictions_ = 0;
    lose_sight();
    seen_.reset();
    seen_at_ = never;
}

void cloud_register::wait_for(time_point now, const std::optional<ip_address>& address)
{
    const bool has_come = is_waiting() && !address;
    waits_for_ = address;
    if (has_come && stage_ == stage::writing) {
        retry_at_ = now;  // what was refused without it
    }
}

void cloud_register::write_again()
{
    believed_ = in_view();
    flips_ = 0;
    contradictions_ = 0;
    confirmed_ = false;
    is_amending_ = false;
    attached_at_.reset();
    refused_since_ = never;
    stage_ = stage::writing;
    // At once: what went wrong before this was settled is over.
    retry_at_ = time_point::min();
}

void cloud_register::look(time_point now)
{
    stage_ = stage::looking;
    confirmed_ = false;
    waiting_since_ = next_look_ = now;
    look_pause_ = look_pause_min;
    reads_asked_ = 0;
}

void cloud_register::settle(time_point now, bool confirmed)
{
    stage_ = stage::settled;
    accepted_at_ = now;
    confirmed_ = confirmed;
    contradictions_ = 0;
    reads_asked_ = 0;
    surprises_ = 0;
    departure_.reset();
    last_error_.clear();
    pauses_.reset();
}

bool cloud_register::is_suspected() const
{
    return saturating_add(suspected_at_, rival_call_max) > accepted_at_;
}

bool cloud_register::contradiction_is_believed(time_point read_began) const
{
    const bool long_settled = confirmed_ || read_began >= saturating_add(accepted_at_, consistency_window);
    if (long_settled || is_suspected()) {
        return contradictions_ >= contradictions_settled;
    }
    return contradictions_ >= contradictions_unconfirmed && read_began >= saturating_add(accepted_at_, contradiction_age_min);
}

void cloud_register::suspect(time_point now)
{
    suspected_at_ = now;
    if (stage_ == stage::held) {
        ++repairs_;
        write_again();
    }
}

cloud_register::view_consequence cloud_register::lose(time_point now, standing s, const sighting& to)
{
    const bool was_duel = breaker_.is_duel();
    const auto pause = breaker_.lost(now, s, to.taken_by);
    if (pause == duration::zero()) {
        ++repairs_;
        write_again();
        return {.repaired = true, .duel = breaker_.is_duel() && !was_duel ? duel_news::began : duel_news::none};
    }
    stage_ = stage::held;
    confirmed_ = false;
    retry_at_ = now + pause;
    return {.duel = duel_news::held};
}

void cloud_register::note_departure(time_point now, const aws::attachment_id& attachment)
{
    if (!departure_ || departure_->attachment != attachment) {
        departure_ = {attachment, now};
        attached_at_.reset();
    }
}

// What is next, now that it has been looked at.
cloud_register::view_consequence cloud_register::see_moving(time_point now, const sighting& seen, standing s)
{
    if (seen.where == place::here) {
        settle(now, true);
        return {};
    }
    if (seen.where == place::leaving) {
        note_departure(now, seen.attachment);
    }
    if (seen.where == place::elsewhere && departure_) {
        if (departure_->attachment != seen.attachment) {
            // It was on its way here, and somebody else was faster.
            departure_.reset();
            return lose(now, s, seen);
        }
        if (now < departure_->since + view_patience) {
            return {};  // it goes from there, and this read may be older than that
        }
    }
    if (seen.where == place::nowhere && departure_ && std::exchange(departure_->was_ours, false)) {
        ++repairs_;
        write_again();
        return {.repaired = true};
    }
    if (seen.where == place::nowhere && attached_at_ && now < *attached_at_ + view_patience) {
        return {};  // it comes, and this read may be older than that
    }
    const bool is_under_way = seen.where == place::arriving || seen.where == place::leaving;
    if (!is_under_way || is_to_be_forced(now, seen)) {
        write_again();
    }
    return {};
}

cloud_register::view_consequence cloud_register::see_settled(time_point read_began, time_point now, const sighting& seen,
                                                             standing s)
{
    if (read_began < accepted_at_ || seen.where == place::arriving) {
        return {};
    }
    if (seen.where == place::here) {
        confirmed_ = true;
        contradictions_ = 0;
        if (amending_call(what_, seen)) {
            believed_ = seen;
            is_amending_ = true;
            stage_ = stage::writing;
            retry_at_ = std::max(retry_at_, now);
        } else {
            last_error_.clear();
        }
        if (read_began < saturating_add(accepted_at_, duel_breaker::window)) {
            return {};
        }
        const bool was_duel = breaker_.is_duel();
        breaker_.kept();
        return {.duel = was_duel ? duel_news::over : duel_news::none};
    }
    ++contradictions_;
    if (!contradiction_is_believed(read_began)) {
        const bool second_opinion =
            confirmed_ || is_suspected() || read_began >= saturating_add(accepted_at_, consistency_window);
        return {.read_again_soon = second_opinion};
    }
    last_error_.clear();  // why it could not be put right while it was here
    if (seen.where == place::leaving && seen.taken_by == target_of(what_)) {
        // It goes from here, and nobody has it yet: who takes it is seen next, and then it counts as lost, once.
        note_departure(now, seen.attachment);
        departure_->was_ours = true;
        look(now);
        return {};
    }
    if (!seen.serves_nobody) {
        return lose(now, s, seen);
    }
    ++repairs_;
    write_again();
    return {.repaired = true};
}

void cloud_register::see_writing(time_point read_began, time_point now, const sighting& seen)
{
    // By then no read shows any more what was here before this epoch.
    if (seen.where == place::here && read_began >= saturating_add(refused_since_, consistency_window)) {
        settle(now, true);
        return;
    }
    // The choice of the call follows the newest view unless EC2 has just contradicted it; what it contradicted and then refused
    // may have changed since.
    if (flips_ == 0 || read_began >= refused_since_) {
        believed_ = seen;
        const auto due = refused_since_ == never ? std::nullopt : due_call(now);
        if (due && is_another_step(*due, *sent_)) {
            retry_at_ = std::min(retry_at_, now);  // the pause is for what was refused
        }
    }
}

cloud_register::view_consequence cloud_register::see(time_point read_began, time_point now, const sighting& seen, standing s)
{
    seen_ = seen;
    seen_at_ = read_began;
    in_sight_ = true;
    switch (stage_) {
        case stage::idle:
        case stage::in_flight:
            return {};
        case stage::writing:
            if (is_amending_) {
                // Somebody may have put it right since, or taken it away. Where neither is so it goes on, after the same pause.
                is_amending_ = false;
                stage_ = stage::settled;
                break;
            }
            see_writing(read_began, now, seen);
            return {};
        case stage::unknown:
            if (read_began < waiting_since_) {
                return {.read_again_soon = true};  // only a view that began later tells what became of the call
            }
            if (seen.where == place::here) {
                settle(now, true);
            } else {
                write_again();
            }
            return {};
        case stage::looking:
            return read_began < waiting_since_ ? view_consequence{} : see_moving(now, seen, s);
        case stage::held:
            if (seen.where == place::here) {
                settle(now, true);
                return {};
            }
            if (seen.serves_nobody) {
                ++repairs_;
                write_again();
                return {.repaired = true};
            }
            return {};
        case stage::settled:
            break;
    }
    return see_settled(read_began, now, seen, s);
}

void cloud_register::lose_sight()
{
    in_sight_ = false;
    if (!is_amending_) {
        believed_.reset();
    }
}

// By what is believed at this moment; nothing while it has to be looked at.
std::optional<aws::ec2_call> cloud_register::due_call(time_point now) const
{
    if (is_amending_) {
        return amending_call(what_, *believed_);
    }
    if (believed_ && is_to_be_forced(now, *believed_)) {
        return forced_call(what_, *believed_);
    }
    auto call = next_call(what_, believed_);
    auto* const attach = call ? std::get_if<aws::attach_network_interface>(&*call) : nullptr;
    if (attach != nullptr && !std::get<floating_interface>(what_).device_index) {
        attach->device_index = free_index_;
    }
    return call;
}

bool cloud_register::is_to_be_forced(time_point now, const sighting& seen) const
{
    const auto* const floating = std::get_if<floating_interface>(&what_);
    return floating != nullptr && departure_ && !departure_->forced && departure_->attachment == seen.attachment &&
           now - departure_->since >= floating->force_after && forced_call(what_, seen).has_value();
}

std::optional<aws::ec2_call> cloud_register::issue(time_point now)
{
    const bool looks_in_vain = stage_ == stage::looking && now >= patience_until();
    if (now >= patience_until()) {
        write_again();
    }
    if (stage_ == stage::held && now >= retry_at_) {
        ++repairs_;
        write_again();
    }
    if (stage_ != stage::writing || is_waiting() || retry_at_ > now) {
        return std::nullopt;
    }
    auto call = due_call(now);
    if (!call && looks_in_vain) {
        stage_ = stage::looking;  // as seldom as before
        waiting_since_ = now;
        return std::nullopt;
    }
    if (!call) {
        look(now);
        return std::nullopt;
    }
    if (!budget_.try_take(now)) {
        retry_at_ = budget_.available_at(now);
        return std::nullopt;
    }
    stage_ = stage::in_flight;
    sent_ = call;
    ++mutating_calls_;
    return call;
}

time_point cloud_register::patience_until() const
{
    if (stage_ != stage::unknown && stage_ != stage::looking) {
        return never;
    }
    return (seen_at_ == never ? waiting_since_ : std::max(waiting_since_, seen_at_)) + view_patience;
}

void cloud_register::accepted(time_point now, bool is_for_another)
{
    if (is_amending_) {
        is_amending_ = false;
        settle(now, true);
        return;
    }
    if (const auto* detach = std::get_if<aws::detach_network_interface>(&*sent_)) {
        note_departure(now, detach->attachment);
        departure_->forced = detach->force;
    }
    flips_ = 0;
    refused_since_ = never;
    switch (step_of(*sent_)) {
        case accepted_step::arrived:
            settle(now, false);
            if (is_for_another) {
                write_again();
                // Where that call has put it.
                believed_ = sighting{};
                believed_->where = place::elsewhere;
                if (const auto* assign = std::get_if<aws::assign_ipv6_address>(&*sent_)) {
                    believed_->interface = assign->interface;
                }
            }
            break;
        case accepted_step::freed:
            believed_ = sighting{};
            believed_->serves_nobody = true;
            ++flips_;  // newer than any view
            stage_ = stage::writing;
            retry_at_ = now;
            break;
        case accepted_step::moving:
            last_error_.clear();
            pauses_.reset();
            if (std::holds_alternative<aws::attach_network_interface>(*sent_)) {
                attached_at_ = now;
            }
            look(now);
            break;
    }
}

void cloud_register::answered(time_point now, const aws::ec2_reply& reply, random_source& random)
{
    if (stage_ != stage::in_flight) {
        return;
    }
    const bool is_for_another = std::exchange(change_pending_, false);
    const auto* e = std::get_if<aws::ec2_error>(&reply.value);
    if (e == nullptr) {
        accepted(now, is_for_another);
        return;
    }
    failed(now, *e, random);
    if (is_for_another && stage_ == stage::writing) {
        retry_at_ = now;
    }
}

void cloud_register::failed(time_point now, const aws::ec2_error& e, random_source& random)
{
    ++failures_;
    last_error_ = e.message.empty() ? e.code : e.code + ": " + e.message;
    const bool is_refused = e.kind == aws::ec2_error_class::denied || e.kind == aws::ec2_error_class::invalid;
    refused_since_ = is_refused ? std::min(refused_since_, now) : never;
    if (e.kind == aws::ec2_error_class::unknown_outcome) {
        is_amending_ = false;
        stage_ = stage::unknown;
        waiting_since_ = now;
        reads_asked_ = 0;
        return;
    }
    if (e.kind == aws::ec2_error_class::index_taken) {
        free_index_ = free_index_ % device_index_max + 1;
    }
    if (e.kind == aws::ec2_error_class::invalid) {
        // Perhaps there is no room, or no such index; whoever had the first one may have left it by the next attempt.
        free_index_ = 1;
    }
    if (e.kind == aws::ec2_error_class::outdated || e.kind == aws::ec2_error_class::index_taken) {
        is_amending_ = false;
        // A configured index that was looked at and is taken all the same is so until a person changes that.
        const auto* const floating = std::get_if<floating_interface>(&what_);
        const bool is_configured = floating != nullptr && floating->device_index;
        if (++surprises_ > 1 && is_configured && e.kind == aws::ec2_error_class::index_taken) {
            stage_ = stage::writing;
            retry_at_ = now + pauses_.next(now, aws::ec2_error_class::invalid, random);
            return;
        }
        look(now);
        next_look_ = surprises_ <= surprises_at_once ? now : now + pauses_.next(now, e.kind, random);
        return;
    }
    stage_ = stage::writing;
    if (e.kind == aws::ec2_error_class::route_missing || e.kind == aws::ec2_error_class::route_exists) {
        believed_ = sighting{};
        believed_->where = e.kind == aws::ec2_error_class::route_missing ? place::nowhere : place::elsewhere;
        if (++flips_ <= flips_at_once) {
            retry_at_ = now;
            return;
        }
    }
    retry_at_ = now + pauses_.next(now, e.kind, random);
}

void cloud_register::read_asked(time_point now)
{
    if (stage_ == stage::looking) {
        if (++reads_asked_ > looks_at_pause_min) {
            look_pause_ = std::min(look_pause_ * 3 / 2, look_pause_max);
        }
        next_look_ = now + look_pause_;
        return;
    }
    while (next_read() <= now) {
        ++reads_asked_;
    }
}

}  // namespace vipd::takeover
