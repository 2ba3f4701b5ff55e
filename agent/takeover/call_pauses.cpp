#include "agent/takeover/call_pauses.hpp"

namespace vipd::takeover {

namespace {

using namespace std::chrono_literals;

// EC2 may not know for a moment what was created just now. What it does not know after this does not exist: a person has to
// change something.
constexpr duration consistency_patience = 10s;

}  // namespace

duration call_pauses::next(time_point now, aws::ec2_error_class kind, random_source& random)
{
    switch (kind) {
        case aws::ec2_error_class::credentials:
        case aws::ec2_error_class::clock: {
            // The session has mended it, or is about to; the first repetition need not wait.
            const bool first = transient_.failures() == 0;
            const auto pause = transient_.next(random);
            return first ? duration{1} : pause;
        }
        case aws::ec2_error_class::throttled:
            return throttled_.next(random);
        case aws::ec2_error_class::denied:
        case aws::ec2_error_class::invalid:
            return refused_.next(random);
        case aws::ec2_error_class::consistency:
            inconsistent_since_ = inconsistent_since_.value_or(now);
            return now - *inconsistent_since_ < consistency_patience ? transient_.next(random) : refused_.next(random);
        case aws::ec2_error_class::transient:
        case aws::ec2_error_class::route_missing:
        case aws::ec2_error_class::route_exists:
        case aws::ec2_error_class::outdated:
        case aws::ec2_error_class::index_taken:
        case aws::ec2_error_class::dry_run_ok:
        case aws::ec2_error_class::page_too_large:
        case aws::ec2_error_class::unknown_outcome:
        case aws::ec2_error_class::not_sent:
            break;
    }
    return transient_.next(random);
}

void call_pauses::reset()
{
    transient_.reset();
    throttled_.reset();
    refused_.reset();
    inconsistent_since_.reset();
}

}  // namespace vipd::takeover
