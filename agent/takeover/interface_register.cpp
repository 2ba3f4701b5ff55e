#include "agent/takeover/interface_register.hpp"

namespace vipd::takeover {

bool interface_register::see(time_point now, bool check_is_on)
{
    const bool newly_on = check_is_on && !check_is_on_.value_or(false);
    check_is_on_ = check_is_on;
    seen_at_ = now;
    if (!check_is_on) {
        last_error_.clear();
    }
    return newly_on;
}

void interface_register::urge(time_point now)
{
    if (!in_flight_) {
        pauses_.reset();
        retry_at_ = now;
    }
}

std::optional<aws::ec2_call> interface_register::issue(time_point now)
{
    if (!is_due() || retry_at_ > now) {
        return std::nullopt;
    }
    if (!budget_.try_take(now)) {
        retry_at_ = budget_.available_at(now);
        return std::nullopt;
    }
    in_flight_ = true;
    ++mutating_calls_;
    return aws::disable_source_dest_check{id_};
}

void interface_register::answered(time_point now, const aws::ec2_reply& reply, random_source& random)
{
    in_flight_ = false;
    changed_ = true;
    if (const auto* e = std::get_if<aws::ec2_error>(&reply.value)) {
        // The call is idempotent, so even an unknown outcome is simply asked again.
        ++failures_;
        last_error_ = e->code + ": " + e->message;
        retry_at_ = now + pauses_.next(now, e->kind, random);
        return;
    }
    check_is_on_ = false;
    seen_at_ = now;
    last_error_.clear();
    pauses_.reset();
}

void interface_register::let_go()
{
    in_flight_ = false;
    changed_ = true;
}

wakeup interface_register::next_wakeup() const
{
    return is_due() ? wakeup{retry_at_, "source/destination check"} : wakeup{};
}

status::resource interface_register::snapshot(time_point now, bool active, bool may_disable) const
{
    status::resource r;
    r.kind = status::resource_kind::source_dest_check;
    r.destination = id_.str();
    r.name = "source/destination check of " + id_.str();
    const bool is_on = check_is_on_.value_or(false);
    const bool taking = is_on && active && may_disable;
    if (!check_is_on_) {
        r.state = status::resource_state::unknown;
    } else {
        r.owner = is_on ? "on" : "off";
        r.confirmed_age = now - seen_at_;
        r.state = !is_on ? status::resource_state::here
                         : (taking ? status::resource_state::taking : status::resource_state::elsewhere);
    }
    r.last_error = last_error_;
    if (is_on && last_error_.empty() && !may_disable) {
        r.last_error =
            "the check is on, so EC2 drops what the route sends here; switch it off, or set source_dest_check = \"disable\"";
    }
    r.mutating_calls = mutating_calls_;
    r.failures = failures_;
    if (taking && !in_flight_ && retry_at_ > now) {
        r.retry_in = retry_at_ - now;
    }
    return r;
}

void interface_registers::keep(const std::set<aws::network_interface_id>& ids)
{
    std::erase_if(all_, [&](const auto& entry) { return !ids.contains(entry.first); });
}

bool interface_registers::take_changed()
{
    bool any = false;
    for (auto& [id, one] : all_) {
        any = one.take_changed() || any;
    }
    return any;
}

}  // namespace vipd::takeover
