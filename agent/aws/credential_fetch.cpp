#include "agent/aws/credential_fetch.hpp"

#include "agent/aws/text.hpp"
#include "common/ensure.hpp"

#include <fmt/format.h>

#include <utility>

namespace vipd::aws {

credential_fetch::credential_fetch(credential_plan plan, std::optional<sts_place> sts) :
    plan_(std::move(plan)), sts_(std::move(sts)), source_(plan_.first, sts_)
{
    ENSURE(sts_ || !needs_sts(plan_));
}

credential_fetch::step credential_fetch::begin(wall_time now)
{
    return go_on(now, source_.begin());
}

credential_fetch::step credential_fetch::handle(wall_time now, credential_answer&& answer)
{
    if (!has_source_) {
        return go_on(now, source_.handle(std::move(answer)));
    }
    const auto& role = plan_.roles[assumed_++];
    return go_on(now, read_assume_role_answer(role, std::get<http_result>(answer)));
}

credential_fetch::step credential_fetch::go_on(wall_time now, step&& last)
{
    const auto* const keys = std::get_if<result<credentials>>(&last);
    if (keys == nullptr) {
        return std::move(last);
    }
    if (!*keys && !has_source_ && !plan_.roles.empty()) {
        const auto& role = plan_.roles.front();
        return result<credentials>{error{
            keys->error().kind, fmt::format("the profile \"{}\" has nothing to assume {} with: {}",
                                            clean_text(role.profile, 60), clean_text(role.role_arn, 120), keys->error().text)}};
    }
    has_source_ = true;
    if (!*keys || assumed_ == plan_.roles.size()) {
        return std::move(last);
    }
    return credential_question{assume_role_request(plan_.roles[assumed_], *sts_, **keys, now)};
}

}  // namespace vipd::aws
