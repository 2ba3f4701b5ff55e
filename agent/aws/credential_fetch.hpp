#pragma once

// One attempt to get credentials by a plan: those of its first source, and with them one role after another, each asked from
// STS with the credentials before it. What comes in between is used for the next signature and forgotten.

#include "agent/aws/credential_plan.hpp"
#include "agent/aws/source_fetch.hpp"
#include "agent/aws/sts.hpp"
#include "common/result.hpp"
#include "common/time.hpp"

#include <optional>

namespace vipd::aws {

class credential_fetch {
public:
    using step = credential_step;

    // `sts` has to be there when the plan needs_sts().
    credential_fetch(credential_plan plan, std::optional<sts_place> sts);

    // `now` is the servers' time as well as it is known: what is asked may have to be signed.
    step begin(wall_time now);
    // The answer to the question before; the fetch is over once it has given a result.
    step handle(wall_time now, credential_answer&& answer);

private:
    step go_on(wall_time now, step&& last);

    credential_plan plan_;
    std::optional<sts_place> sts_;
    source_fetch source_;
    bool has_source_ = false;  // the first source has answered
    std::size_t assumed_ = 0;  // how many of the roles
};

}  // namespace vipd::aws
