#include "agent/health/check.hpp"

#include "common/ensure.hpp"

#include <algorithm>

namespace vipd::health {

start_probe check::begin(time_point now)
{
    ENSURE(!is_under_way_);
    is_under_way_ = true;
    began_at_ = now;
    due_at_ = never;
    return {id_, what_.target, what_.timeout};
}

bool check::handle(time_point now, const probe_ended& answer)
{
    if (!is_under_way_) {
        return false;
    }
    is_under_way_ = false;
    took_ = now - began_at_;
    const bool has_passed = answer.outcome == probe_outcome::passed;
    const auto result = has_passed                                   ? status::check_result::passed
                        : answer.outcome == probe_outcome::timed_out ? status::check_result::timed_out
                                                                     : status::check_result::failed;
    ++results_[static_cast<std::size_t>(result)];
    const bool is_other_number = number_ != answer.number;
    number_ = answer.number;
    const bool has_changed = judge(now, has_passed, answer.text);
    due_at_ = std::max(began_at_ + what_.interval, now);
    if (answer.watched && state_ == tracker_state::well && contrary_ == 0) {
        due_at_ = never;
    }
    return has_changed || is_other_number;
}

bool check::handle(time_point now, const watch_ended& news)
{
    if (is_under_way_) {
        return false;  // the look that is under way finds it out
    }
    began_at_ = now;
    due_at_ = now + what_.interval;
    ++results_[static_cast<std::size_t>(status::check_result::failed)];
    return judge(now, false, news.text);
}

bool check::tell(time_point now, bool is_well, std::string_view reason)
{
    due_at_ = never;
    return judge(now, is_well, reason);
}

bool check::judge(time_point now, bool has_passed, std::string_view text)
{
    last_text_ = has_passed ? std::string_view{} : text;
    const auto seen = has_passed ? tracker_state::well : tracker_state::failing;
    if (seen == state_) {
        contrary_ = 0;
        return false;
    }
    ++contrary_;
    if (state_ != tracker_state::unknown && contrary_ < (has_passed ? what_.rise : what_.fall)) {
        return false;
    }
    state_ = seen;
    reason_ = last_text_;
    contrary_ = 0;
    changed_at_ = now;
    return true;
}

void check::snapshot(time_point now, status::tracker& out) const
{
    out.state = state_;
    out.reason = state_ == tracker_state::failing   ? (last_text_.empty() ? reason_ : last_text_)
                 : state_ == tracker_state::unknown ? std::string{"it has not been looked at yet"}
                                                    : std::string{};
    out.age = changed_at_ ? std::optional{now - *changed_at_} : std::nullopt;
    out.took = took_;
    out.next_in = due_at_ == never ? std::nullopt : std::optional{std::max(due_at_ - now, duration::zero())};
    out.checks = results_;
    if (what_.kind() == config::track_kind::file && state_ != tracker_state::unknown) {
        out.number = number_;
    }
}

}  // namespace vipd::health
