#include "agent/node/ec2_path.hpp"

#include <algorithm>

namespace vipd::node {

namespace {

using namespace std::chrono_literals;

constexpr unsigned contradictions_min = 3;
constexpr duration broken_after = 10s;
constexpr duration works_after = 30s;
constexpr duration broken_period_max = 10s;

// Nothing when it says nothing.
std::optional<bool> says_it_works(const aws::ec2_reply& reply)
{
    const auto* e = std::get_if<aws::ec2_error>(&reply.value);
    if (e == nullptr) {
        return true;
    }
    switch (e->kind) {
        case aws::ec2_error_class::transient:
        case aws::ec2_error_class::credentials:
        case aws::ec2_error_class::clock:
        case aws::ec2_error_class::unknown_outcome:
        case aws::ec2_error_class::not_sent:
            return false;
        case aws::ec2_error_class::throttled:
        case aws::ec2_error_class::consistency:
        case aws::ec2_error_class::route_missing:
        case aws::ec2_error_class::route_exists:
        case aws::ec2_error_class::outdated:
        case aws::ec2_error_class::index_taken:
        case aws::ec2_error_class::denied:
        case aws::ec2_error_class::invalid:
        case aws::ec2_error_class::dry_run_ok:
        case aws::ec2_error_class::page_too_large:
            break;
    }
    return std::nullopt;
}

}  // namespace

void ec2_path::succeed(time_point now, const ec2_path_succession& predecessor)
{
    works_ = false;
    since_ = std::min(predecessor.broken_since, now);
    last_failure_ = predecessor.trouble;
}

std::optional<ec2_path_succession> ec2_path::leave_behind() const
{
    return works_ ? std::nullopt : std::optional{ec2_path_succession{since_, last_failure_}};
}

bool ec2_path::read_ended(time_point now, const aws::ec2_reply& reply)
{
    const auto says = says_it_works(reply);
    if (!says) {
        return false;
    }
    if (const auto* e = std::get_if<aws::ec2_error>(&reply.value)) {
        last_failure_ = e->message.empty() ? e->code : e->code + ": " + e->message;
    }
    if (*says == works_) {
        contradictions_ = 0;
        return false;
    }
    if (contradictions_ == 0) {
        first_contradiction_ = now;
    }
    ++contradictions_;
    const auto patience = works_ ? broken_after : works_after;
    if (contradictions_ < contradictions_min || now - first_contradiction_ < patience) {
        return false;
    }
    works_ = *says;
    since_ = now;
    contradictions_ = 0;
    return true;
}

bool ec2_path::session_is(time_point now, bool ready, const std::string& trouble)
{
    if (ready) {
        not_ready_since_ = never;
        return false;
    }
    not_ready_since_ = std::min(not_ready_since_, now);
    if (!works_ || now - not_ready_since_ < broken_after) {
        return false;
    }
    works_ = false;
    since_ = now;
    contradictions_ = 0;
    last_failure_ = trouble;
    return true;
}

wakeup ec2_path::next_wakeup() const
{
    return {works_ ? saturating_add(not_ready_since_, broken_after) : never, "EC2 session that is not ready"};
}

duration ec2_path::pace_of_reads(duration period) const
{
    return works_ ? period : std::min(period, broken_period_max);
}

status::ec2_path_state ec2_path::snapshot(time_point now) const
{
    return {.works = works_, .trouble = trouble(), .age = since_ == never ? std::nullopt : std::optional{now - since_}};
}

}  // namespace vipd::node
