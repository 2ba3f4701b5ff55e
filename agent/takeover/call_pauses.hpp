#pragma once

// How long to wait after a call that failed, by what has to be done about it: the same for all that the takeover asks of EC2.

#include "agent/aws/ec2_reply.hpp"
#include "common/backoff.hpp"
#include "common/random.hpp"
#include "common/time.hpp"

#include <optional>

namespace vipd::takeover {

class call_pauses {
public:
    duration next(time_point now, aws::ec2_error_class kind, random_source& random);
    // After a success, or when a person waits for it: what went wrong before is over.
    void reset();

private:
    backoff transient_{{std::chrono::milliseconds{100}, std::chrono::seconds{5}}};
    backoff throttled_{{std::chrono::seconds{1}, std::chrono::seconds{5}}};
    backoff refused_{{std::chrono::seconds{5}, std::chrono::seconds{60}}};
    // Since when EC2 has said that it does not know what it was asked about.
    std::optional<time_point> inconsistent_since_;
};

}  // namespace vipd::takeover
