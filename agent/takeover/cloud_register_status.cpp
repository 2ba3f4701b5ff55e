// What a register says of itself: when it has to be read or called again, and its status.

#include "agent/takeover/cloud_register.hpp"

#include <array>

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

constexpr std::array<duration, 4> read_back_schedule = {1s, 2s, 5s, 10s};

}  // namespace

time_point cloud_register::next_read() const
{
    switch (stage_) {
        case stage::settled:
            return reads_asked_ < read_back_schedule.size() ? accepted_at_ + read_back_schedule.at(reads_asked_) : never;
        case stage::unknown:
            return reads_asked_ == 0 ? waiting_since_ : never;
        case stage::looking:
            return next_look_;
        case stage::idle:
        case stage::writing:
        case stage::in_flight:
        case stage::held:
            break;
    }
    return never;
}

wakeup cloud_register::next_wakeup() const
{
    if (stage_ == stage::writing) {
        return is_waiting() ? wakeup{} : wakeup{retry_at_, "EC2 call"};
    }
    if (stage_ == stage::held) {
        return {retry_at_, "EC2 call after a pause in a duel"};
    }
    if (stage_ == stage::unknown || stage_ == stage::looking) {
        return earliest({next_read(), "a look at what EC2 has done"}, {patience_until(), "EC2 call without a view"});
    }
    return {next_read(), "read-back"};
}

status::resource cloud_register::snapshot(time_point now) const
{
    status::resource r;
    const auto name = name_of(what_);
    r.table = name.table;
    r.destination = name.thing;
    if (seen_) {
        r.owner = seen_->owner;
        r.confirmed_age = now - seen_at_;
    }
    switch (stage_) {
        case stage::idle:
            r.state = !seen_ ? status::resource_state::unknown
                             : (seen_->where == sighting::place::here ? status::resource_state::here
                                                                      : status::resource_state::elsewhere);
            break;
        case stage::writing:
        case stage::in_flight:
            r.state = is_amending_ ? status::resource_state::here : status::resource_state::taking;
            break;
        case stage::unknown:
        case stage::looking:
        case stage::held:
            r.state = status::resource_state::taking;
            break;
        case stage::settled:
            r.state = confirmed_ ? status::resource_state::here : status::resource_state::accepted;
            break;
    }
    const bool is_paused = stage_ == stage::held || (stage_ == stage::writing && !is_waiting());
    const auto next = is_paused ? retry_at_ : patience_until();
    if (next != never && next > now) {
        r.retry_in = next - now;
    }
    if (stage_ != stage::idle && breaker_.is_duel()) {
        r.duel = breaker_.is_open() ? status::duel_state::held : status::duel_state::fought;
    }
    r.mutating_calls = mutating_calls_;
    r.repairs = repairs_;
    r.failures = failures_;
    r.last_error = last_error_;
    if (stage_ == stage::writing && is_waiting()) {
        r.last_error = "it waits for " + waits_for_->to_string() + ", which is not at " + target_of(what_) + " yet";
    }
    return r;
}

}  // namespace vipd::takeover
