#include "agent/aws/notice_watch.hpp"

#include "agent/aws/json.hpp"
#include "agent/aws/text.hpp"
#include "agent/aws/time_text.hpp"
#include "common/ensure.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace vipd::aws {

namespace {

using namespace std::chrono_literals;

// AWS recommends to look every 5 s.
constexpr duration pause_low = 4500ms;
constexpr duration pause_high = 5500ms;

constexpr std::array<std::string_view, notice_kind_count> paths = {
    "/latest/meta-data/spot/instance-action", "/latest/meta-data/events/recommendations/rebalance",
    "/latest/meta-data/events/maintenance/scheduled", "/latest/meta-data/autoscaling/target-lifecycle-state"};

result<std::optional<notice>> read_spot(std::string_view body)
{
    const auto object = parse_json_object(body, "the Spot instance action");
    if (!object) {
        return object.error();
    }
    const auto action = json_text(*object, "action");
    if (action.empty()) {
        return error{error_class::malformed, "the Spot instance action names no action"};
    }
    return std::optional{
        notice{notice_kind::spot, clean_text(action, notice_what_size_max), parse_iso8601(json_text(*object, "time"))}};
}

result<std::optional<notice>> read_rebalance(std::string_view body)
{
    const auto object = parse_json_object(body, "the rebalance recommendation");
    if (!object) {
        return object.error();
    }
    return std::optional{notice{notice_kind::rebalance, "rebalance", {}}};
}

// The first to come of those that are neither over nor called off.
result<std::optional<notice>> read_events(std::string_view body)
{
    const auto list = parse_json_array(body, "the list of scheduled events");
    if (!list) {
        return list.error();
    }
    std::optional<notice> first;
    for (const auto& item : *list) {
        const auto* const event = item.if_object();
        if (event == nullptr || json_text(*event, "State") != "active") {
            continue;
        }
        const auto begins = parse_event_date(json_text(*event, "NotBefore"));
        if (begins && (!first || *begins < *first->at)) {
            first = notice{notice_kind::scheduled_event, clean_text(json_text(*event, "Code"), notice_what_size_max), begins};
        }
    }
    return first;
}

result<std::optional<notice>> read_lifecycle(std::string_view body)
{
    constexpr std::array<std::string_view, 5> leaving = {"Terminated", "Standby", "Warmed:Terminated", "Warmed:Stopped",
                                                         "Warmed:Hibernated"};
    const auto state = trim(body);
    if (std::ranges::find(leaving, state) == leaving.end()) {
        return std::optional<notice>{};
    }
    return std::optional{notice{notice_kind::auto_scaling, std::string{state}, {}}};
}

}  // namespace

std::string_view to_string(notice_kind kind)
{
    constexpr std::array<std::string_view, notice_kind_count> names = {"spot interruption", "rebalance recommendation",
                                                                       "scheduled event", "Auto Scaling"};
    return names.at(static_cast<std::size_t>(kind));
}

bool notice_settings::wants(notice_kind kind) const
{
    switch (kind) {
        case notice_kind::spot:
            return spot;
        case notice_kind::rebalance:
            return rebalance;
        case notice_kind::scheduled_event:
            return scheduled_events;
        case notice_kind::auto_scaling:
            return auto_scaling;
    }
    return false;
}

result<std::optional<notice>> parse_notice(notice_kind kind, std::string_view body)
{
    switch (kind) {
        case notice_kind::spot:
            return read_spot(body);
        case notice_kind::rebalance:
            return read_rebalance(body);
        case notice_kind::scheduled_event:
            return read_events(body);
        case notice_kind::auto_scaling:
            return read_lifecycle(body);
    }
    return std::optional<notice>{};
}

void notice_watch::start(time_point now, const notice_settings& settings)
{
    settings_ = settings;
    for (std::size_t i = 0; i < notice_kind_count; ++i) {
        if (!settings_.wants(static_cast<notice_kind>(i))) {
            heard_[i].reset();
        }
    }
    if (next_pass_ == never && !asking_) {
        next_pass_ = now + random_.between(duration::zero(), pause_low);
    }
}

void notice_watch::recall(const std::vector<notice>& last)
{
    for (const auto& one : last) {
        ENSURE(one.at || one.kind != notice_kind::scheduled_event);
        if (settings_.wants(one.kind)) {
            heard_.at(static_cast<std::size_t>(one.kind)) = one;
        }
    }
}

// Of this pass; the pause begins when there is none left.
void notice_watch::next_kind(time_point now)
{
    auto next = asking_ ? *asking_ + 1 : 0;
    while (next < notice_kind_count && !settings_.wants(static_cast<notice_kind>(next))) {
        ++next;
    }
    asking_ = next < notice_kind_count ? std::optional{next} : std::nullopt;
    if (!asking_) {
        next_pass_ = now + random_.between(pause_low, pause_high);
    }
}

std::optional<std::string> notice_watch::poll_path(time_point now)
{
    if (awaiting_ || (!asking_ && next_pass_ > now)) {
        return std::nullopt;
    }
    if (!asking_) {
        next_kind(now);
    }
    if (!asking_) {
        return std::nullopt;
    }
    awaiting_ = true;
    return std::string{paths.at(*asking_)};
}

void notice_watch::handle(instant now, const result<std::string>& body)
{
    ENSURE(awaiting_ && asking_);
    awaiting_ = false;
    auto& heard = heard_.at(*asking_);
    const auto kind = static_cast<notice_kind>(*asking_);
    if (!body && body.error().kind != error_class::not_found) {
        // Others wait for IMDS too, and each question to one that does not answer costs them its time limit.
        asking_.reset();
        next_pass_ = now.steady + pause_high + failing_.next(random_);
        return;
    }
    failing_.reset();
    if (!body || !settings_.wants(kind)) {
        heard.reset();
    } else if (auto read = parse_notice(kind, *body)) {
        heard = std::move(*read);
    }
    next_kind(now.steady);
}

wakeup notice_watch::next_wakeup() const
{
    return asking_ ? wakeup{} : wakeup{next_pass_, "termination notices"};
}

const notice* notice_watch::current(wall_time now) const
{
    const auto counts = [&](const std::optional<notice>& one) {
        return one && (one->kind != notice_kind::scheduled_event || now >= *one->at - settings_.lead);
    };
    const auto* const found = std::ranges::find_if(heard_, counts);
    return found == heard_.end() ? nullptr : &**found;
}

std::vector<notice> notice_watch::heard() const
{
    std::vector<notice> all;
    for (const auto& one : heard_) {
        if (one) {
            all.push_back(*one);
        }
    }
    return all;
}

}  // namespace vipd::aws
