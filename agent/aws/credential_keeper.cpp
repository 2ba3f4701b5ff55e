#include "agent/aws/credential_keeper.hpp"

#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "common/ensure.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace vipd::aws {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr duration refresh_before_expiry = minutes{15};
constexpr duration refresh_jitter_max = minutes{5};
// A role's credentials live longer than this, but its policy may change, and the source may have newer ones.
constexpr duration role_reread = minutes{60};
constexpr duration profile_reread = minutes{5};
// However short-lived they are, and however often EC2 refuses them.
constexpr duration refresh_pause_min = seconds{30};
constexpr duration refused_pause_min = seconds{5};
constexpr duration doubted_pause_min = seconds{60};
constexpr duration hold_max = seconds{1};

// A refusal by STS is long: the role, what STS says of it, and what to allow where.
constexpr std::size_t problem_bytes_max = 600;

// Without any credentials nothing works, so the first fetch is tried more often.
constexpr backoff::limits without_any = {.base = std::chrono::milliseconds{250}, .cap = seconds{5}};
constexpr backoff::limits with_some = {.base = seconds{1}, .cap = seconds{60}};

}  // namespace

credential_keeper::credential_keeper(std::uint64_t seed, log_sink& log) : random_(seed), log_(log), backoff_(without_any) {}

void credential_keeper::start(instant now, credential_plan plan, std::optional<sts_place> sts)
{
    plan_ = std::move(plan);
    sts_ = std::move(sts);
    fetch_.reset();
    question_.reset();
    next_fetch_ = now.steady;
}

credential_source credential_keeper::source() const
{
    return plan_ ? source_of(*plan_) : credential_source::none;
}

std::optional<credential_question> credential_keeper::poll_question(instant now)
{
    if (!fetch_ && next_fetch_ <= now.steady) {
        ENSURE(plan_.has_value());
        next_fetch_ = never;
        fetch_began_ = now.steady;
        hold_end_ = now.steady + hold_max;
        fetch_.emplace(*plan_, sts_);
        take_step(now, fetch_->begin(now.wall));
    }
    return std::exchange(question_, std::nullopt);
}

void credential_keeper::handle(instant now, credential_answer&& answer)
{
    ENSURE(fetch_.has_value());
    take_step(now, fetch_->handle(now.wall, std::move(answer)));
}

void credential_keeper::take_step(instant now, credential_fetch::step&& step)
{
    if (auto* question = std::get_if<credential_question>(&step)) {
        question_ = std::move(*question);
        return;
    }
    fetch_.reset();
    refused_ = false;
    auto& fetched = std::get<result<credentials>>(step);
    if (fetched) {
        succeed(now, std::move(*fetched));
    } else {
        fail(now, fetched.error());
    }
}

void credential_keeper::succeed(instant now, credentials&& keys)
{
    const bool changed = current_ != keys;
    const bool recovered = !std::exchange(problem_, {}).empty();
    if (changed) {
        current_ = std::move(keys);
        ++generation_;
    }
    backoff_ = backoff{with_some};
    if (changed || recovered) {
        const auto role = role_arn();
        const auto expires = current_->expiration ? format_iso8601(*current_->expiration) : "never";
        std::vector<log_field> fields{{"source", to_string(source())}};
        if (!role.empty()) {
            fields.emplace_back("role", role);
        }
        fields.emplace_back("access_key_id", current_->access_key_id);
        fields.emplace_back("expires", expires);
        log_.write({log_level::info, "credentials", fields});
    }
    next_fetch_ = saturating_add(now.steady, time_until_refresh(now.wall));
}

void credential_keeper::fail(instant now, const error& cause)
{
    auto text = clean_text(cause.text, problem_bytes_max);
    if (problem_ != text) {
        problem_ = std::move(text);
        log_.warning("credentials", {{"source", to_string(source())},
                                     {"problem", problem_},
                                     {"using_last", current_.has_value()},
                                     {"expired", current_ && current_->expiration && *current_->expiration <= now.wall}});
    }
    next_fetch_ = now.steady + backoff_.next(random_);
}

duration credential_keeper::time_until_refresh(wall_time now)
{
    switch (source()) {
        case credential_source::none:
        case credential_source::environment:
            return duration::max();
        case credential_source::profile:
            return profile_reread;
        case credential_source::container:
        case credential_source::instance_role:
        case credential_source::web_identity:
        case credential_source::assumed_role:
            break;
    }
    const auto reread = role_reread - random_.between(duration::zero(), refresh_jitter_max);
    if (!current_->expiration) {
        return reread;
    }
    const auto left = *current_->expiration - now;
    const auto early = refresh_before_expiry + random_.between(duration::zero(), refresh_jitter_max);
    // Credentials that live half an hour or less are fetched again at half time.
    const auto wait = left > 2 * refresh_before_expiry ? left - early : left / 2;
    return std::clamp(wait, refresh_pause_min, reread);
}

bool credential_keeper::may_be_replaced(std::uint64_t generation) const
{
    const bool can_change = source() != credential_source::environment && source() != credential_source::none;
    return generation == generation_ && can_change;
}

void credential_keeper::refused(instant now, std::uint64_t generation)
{
    if (!may_be_replaced(generation)) {
        return;
    }
    refused_ = true;
    if (!fetch_) {
        next_fetch_ = std::min(next_fetch_, std::max(now.steady, fetch_began_ + refused_pause_min));
    }
}

void credential_keeper::doubted(instant now, std::uint64_t generation)
{
    if (may_be_replaced(generation) && !fetch_ && now.steady >= fetch_began_ + doubted_pause_min) {
        next_fetch_ = std::min(next_fetch_, now.steady);
    }
}

wakeup credential_keeper::next_wakeup() const
{
    return fetch_ ? wakeup{} : wakeup{next_fetch_, "credentials"};
}

}  // namespace vipd::aws
