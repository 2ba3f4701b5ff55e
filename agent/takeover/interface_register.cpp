#include "agent/takeover/interface_register.hpp"

namespace vipd::takeover {

void interface_register::become_active(time_point now)
{
    active_ = true;
    pause_.reset();
    retry_at_ = now;
}

void interface_register::leave_active()
{
    active_ = false;
    in_flight_ = false;
}

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

std::optional<aws::ec2_call> interface_register::issue(time_point now)
{
    if (!busy() || in_flight_ || retry_at_ > now) {
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
    if (const auto* e = std::get_if<aws::ec2_error>(&reply.value)) {
        // The call is idempotent, so even an unknown outcome is simply asked again.
        ++failures_;
        last_error_ = e->code + ": " + e->message;
        retry_at_ = now + pause_.next(random);
        return;
    }
    check_is_on_ = false;
    seen_at_ = now;
    last_error_.clear();
    pause_.reset();
}

wakeup interface_register::next_wakeup() const
{
    return busy() && !in_flight_ ? wakeup{retry_at_, "source/destination check"} : wakeup{};
}

status::resource interface_register::snapshot(time_point now) const
{
    status::resource r;
    r.kind = status::resource_kind::source_dest_check;
    r.destination = id_.str();
    r.name = "source/destination check of " + id_.str();
    if (!check_is_on_) {
        r.state = status::resource_state::unknown;
    } else {
        r.owner = *check_is_on_ ? "on" : "off";
        r.confirmed_age = now - seen_at_;
        r.state = !*check_is_on_ ? status::resource_state::here
                                 : (busy() ? status::resource_state::taking : status::resource_state::elsewhere);
    }
    if (check_is_on_.value_or(false) && last_error_.empty()) {
        r.last_error = may_disable_ ? ""
                                    : "the check is on, so EC2 drops what the route sends here; switch it off, or set "
                                      "source_dest_check = \"disable\"";
    } else {
        r.last_error = last_error_;
    }
    r.mutating_calls = mutating_calls_;
    r.failures = failures_;
    if (busy() && retry_at_ > now) {
        r.retry_in = retry_at_ - now;
    }
    return r;
}

}  // namespace vipd::takeover
