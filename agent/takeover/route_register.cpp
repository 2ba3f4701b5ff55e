#include "agent/takeover/route_register.hpp"

#include <array>
#include <utility>

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

constexpr std::array<duration, 4> read_back_schedule = {1s, 2s, 5s, 10s};
constexpr duration consistency_window = 10s;
constexpr duration contradiction_age_min = 5s;
// A call of another Active that was heard shortly before ours was accepted may have landed after it: as long as a call may
// take (aws::http_exchange::time_max).
constexpr duration rival_call_max = 3s;
constexpr unsigned contradictions_unconfirmed = 3;
constexpr unsigned contradictions_settled = 2;
constexpr unsigned flips_at_once = 2;
constexpr duration unknown_patience = 10s;

// There is nobody to fight over it.
bool serves_nobody(const aws::route* seen)
{
    return seen == nullptr || seen->propagated || seen->state == aws::route_state::blackhole;
}

}  // namespace

route_register::route_register(aws::route_table_id table, const wanted_route& wanted) :
    table_(std::move(table)), wanted_(wanted)
{}

void route_register::become_active(time_point now)
{
    ENSURE(stage_ == stage::idle);
    // The call is made whatever was last seen, since the view may be a period old.
    create_ = is_known_missing();
    flips_ = 0;
    accepted_at_ = never;
    confirmed_ = false;
    contradictions_ = 0;
    suspected_at_ = time_point::min();
    pauses_.reset();
    breaker_.epoch_begins(now);
    last_error_.clear();
    retry_at_ = now;
    stage_ = stage::writing;
}

void route_register::leave_active()
{
    stage_ = stage::idle;
    confirmed_ = false;
    accepted_at_ = never;
}

void route_register::retarget(const aws::network_interface_id& target)
{
    if (target == wanted_.target) {
        return;
    }
    wanted_.target = target;
    if (stage_ == stage::settled || stage_ == stage::unknown) {
        write_again();
    }
}

bool route_register::is_known_missing() const
{
    return seen_at_ != never && plan_route(wanted_.target, seen_ ? &*seen_ : nullptr) == route_action::create;
}

void route_register::write_again()
{
    create_ = is_known_missing();
    flips_ = 0;
    contradictions_ = 0;
    confirmed_ = false;
    stage_ = stage::writing;
    // At once: what went wrong before this was settled is over.
    retry_at_ = time_point::min();
}

void route_register::settle(time_point now, bool confirmed)
{
    stage_ = stage::settled;
    accepted_at_ = now;
    confirmed_ = confirmed;
    contradictions_ = 0;
    read_backs_asked_ = 0;
    last_error_.clear();
    pauses_.reset();
}

bool route_register::is_suspected() const
{
    return saturating_add(suspected_at_, rival_call_max) > accepted_at_;
}

bool route_register::contradiction_is_believed(time_point read_began) const
{
    const bool long_settled = confirmed_ || read_began >= saturating_add(accepted_at_, consistency_window);
    if (long_settled || is_suspected()) {
        return contradictions_ >= contradictions_settled;
    }
    return contradictions_ >= contradictions_unconfirmed && read_began >= saturating_add(accepted_at_, contradiction_age_min);
}

void route_register::suspect(time_point now)
{
    suspected_at_ = now;
    if (stage_ == stage::held) {
        ++repairs_;
        write_again();
    }
}

route_register::view_consequence route_register::lose(time_point now, standing s, const aws::route& to)
{
    const bool was_duel = breaker_.is_duel();
    const auto pause = breaker_.lost(now, s, to.interface.empty() ? to.target : to.interface.str());
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

route_register::view_consequence route_register::see(time_point read_began, time_point now, const aws::route* seen, standing s)
{
    seen_ = seen == nullptr ? std::nullopt : std::optional{*seen};
    seen_at_ = read_began;
    const bool here = plan_route(wanted_.target, seen) == route_action::none;
    switch (stage_) {
        case stage::idle:
        case stage::in_flight:
            return {};
        case stage::writing:
            // The choice of the verb follows the newest view unless EC2 has just contradicted it.
            if (flips_ == 0) {
                create_ = plan_route(wanted_.target, seen) == route_action::create;
            }
            return {};
        case stage::unknown:
            if (read_began < unknown_since_) {
                return {.read_again_soon = true};  // only a view that began later tells what became of the call
            }
            if (here) {
                settle(now, true);
            } else {
                write_again();
            }
            return {};
        case stage::held:
            if (here) {
                settle(now, true);
                return {};
            }
            if (serves_nobody(seen)) {
                ++repairs_;
                write_again();
                return {.repaired = true};
            }
            return {};
        case stage::settled:
            break;
    }
    if (read_began < accepted_at_) {
        return {};
    }
    if (here) {
        confirmed_ = true;
        contradictions_ = 0;
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
    if (!serves_nobody(seen)) {
        return lose(now, s, *seen);
    }
    ++repairs_;
    write_again();
    return {.repaired = true};
}

std::optional<aws::ec2_call> route_register::issue(time_point now)
{
    if (stage_ == stage::unknown && now >= unknown_since_ + unknown_patience) {
        write_again();
    }
    if (stage_ == stage::held && now >= retry_at_) {
        ++repairs_;
        write_again();
    }
    if (stage_ != stage::writing || retry_at_ > now) {
        return std::nullopt;
    }
    if (!budget_.try_take(now)) {
        retry_at_ = budget_.available_at(now);
        return std::nullopt;
    }
    stage_ = stage::in_flight;
    sent_target_ = wanted_.target;
    ++mutating_calls_;
    if (create_) {
        return aws::create_route{table_, wanted_.destination, wanted_.target};
    }
    return aws::replace_route{table_, wanted_.destination, wanted_.target};
}

void route_register::answered(time_point now, const aws::ec2_reply& reply, random_source& random)
{
    if (stage_ != stage::in_flight) {
        return;
    }
    const auto* e = std::get_if<aws::ec2_error>(&reply.value);
    if (e == nullptr) {
        settle(now, false);
        if (sent_target_ != wanted_.target) {
            write_again();
            create_ = false;  // that call has put a route there
        }
        return;
    }
    ++failures_;
    last_error_ = e->message.empty() ? e->code : e->code + ": " + e->message;
    if (e->kind == aws::ec2_error_class::unknown_outcome) {
        stage_ = stage::unknown;
        unknown_since_ = now;
        return;
    }
    stage_ = stage::writing;
    if (e->kind == aws::ec2_error_class::route_missing || e->kind == aws::ec2_error_class::route_exists) {
        create_ = e->kind == aws::ec2_error_class::route_missing;
        if (++flips_ <= flips_at_once) {
            retry_at_ = now;
            return;
        }
    }
    retry_at_ = now + pauses_.next(now, e->kind, random);
}

time_point route_register::next_read_back() const
{
    if (stage_ != stage::settled || read_backs_asked_ >= read_back_schedule.size()) {
        return never;
    }
    return accepted_at_ + read_back_schedule[read_backs_asked_];
}

void route_register::read_back_asked(time_point now)
{
    while (read_backs_asked_ < read_back_schedule.size() && accepted_at_ + read_back_schedule[read_backs_asked_] <= now) {
        ++read_backs_asked_;
    }
}

wakeup route_register::next_wakeup() const
{
    if (stage_ == stage::writing) {
        return {retry_at_, "route call"};
    }
    if (stage_ == stage::held) {
        return {retry_at_, "route call after a pause in a duel"};
    }
    if (stage_ == stage::unknown) {
        return {unknown_since_ + unknown_patience, "route call without an answer"};
    }
    return {next_read_back(), "read-back"};
}

status::resource route_register::snapshot(time_point now, const std::string& table_name) const
{
    status::resource r;
    r.kind = status::resource_kind::route;
    r.table = table_.str();
    r.destination = wanted_.destination.to_string();
    r.name = r.destination + " in " + r.table + (table_name.empty() ? "" : " (" + table_name + ")");
    if (seen_at_ != never) {
        r.owner = describe_owner(seen_ ? &*seen_ : nullptr);
        r.confirmed_age = now - seen_at_;
    }
    switch (stage_) {
        case stage::idle:
            if (!ever_seen()) {
                r.state = status::resource_state::unknown;
            } else {
                const bool here = plan_route(wanted_.target, seen_ ? &*seen_ : nullptr) == route_action::none;
                r.state = here ? status::resource_state::here : status::resource_state::elsewhere;
            }
            break;
        case stage::writing:
        case stage::in_flight:
        case stage::unknown:
        case stage::held:
            r.state = status::resource_state::taking;
            break;
        case stage::settled:
            r.state = confirmed_ ? status::resource_state::here : status::resource_state::accepted;
            break;
    }
    const bool waits = stage_ == stage::writing || stage_ == stage::unknown || stage_ == stage::held;
    if (const auto next = next_wakeup().at; waits && next > now) {
        r.retry_in = next - now;
    }
    if (stage_ != stage::idle && breaker_.is_duel()) {
        r.duel = breaker_.is_open() ? status::duel_state::held : status::duel_state::fought;
    }
    r.mutating_calls = mutating_calls_;
    r.repairs = repairs_;
    r.failures = failures_;
    r.last_error = last_error_;
    return r;
}

}  // namespace vipd::takeover
