// What the trackers of a virtual router do to it: those without a weight keep it out, the others move its priority.

#include "agent/health/verdict.hpp"
#include "agent/node/virtual_router.hpp"
#include "agent/vrrp/effective_priority.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::node {

health::verdict virtual_router::verdict_of(const config::tracker& t) const
{
    const auto assumed = assumed_.find(t.name);
    return health::judge(t, checks_.find(t.what), assumed == assumed_.end() ? health::assumption{} : assumed->second);
}

// A reload is no transition: what it adds to a router that takes part is taken for well until the first answer, and what it
// changes for what it was. One that takes no part waits for the answer; what a predecessor knew counts until then.
void virtual_router::assume_of_new_trackers(const config::router& next)
{
    const auto is_answered = [&](const config::tracker& t) {
        const auto* const known = checks_.find(t.what);
        return known != nullptr && known->state() != health::tracker_state::unknown;
    };
    const bool takes_part = state() != vrrp::state::initialize || predecessor_;
    std::map<std::string, health::assumption> assumed;
    for (const auto& t : next.trackers) {
        const auto before = std::ranges::find(configuration_.trackers, t.name, &config::tracker::name);
        const bool is_new = before == configuration_.trackers.end();
        if (is_answered(t) || (!takes_part && (is_new || is_answered(*before)))) {
            continue;
        }
        if (is_new) {
            assumed[t.name] = {.is_well = true};
        } else {
            const auto v = verdict_of(*before);
            assumed[t.name] = {v.is_well(), v.number};
        }
    }
    assumed_ = std::move(assumed);
}

std::string virtual_router::find_tracker(health::tracker_state state) const
{
    for (const auto& t : configuration_.trackers) {
        if (t.weight) {
            continue;
        }
        if (const auto v = verdict_of(t); v.state == state) {
            return "tracker " + t.name + ": " + v.reason;
        }
    }
    return {};
}

int virtual_router::weight_of_trackers() const
{
    int sum = 0;
    for (const auto& t : configuration_.trackers) {
        sum += verdict_of(t).contribution;
    }
    return sum;
}

std::string virtual_router::explain_priority() const
{
    std::string text;
    const auto add = [&](const std::string& more) { text.append(text.empty() ? "" : "; ").append(more); };
    if (notice_ && configuration_.priority != vrrp::priority_owner) {
        return "EC2 is about to take this instance away";
    }
    if (runtime_priority_) {
        add(fmt::format("set to {} at run time", *runtime_priority_));
    }
    if (weight_of_path() != 0) {
        add(path_.works() ? "api_weight: the path to EC2 works"
                          : "api_weight: the path to EC2 is broken (" + path_.trouble() + ")");
    }
    for (const auto& t : configuration_.trackers) {
        const auto v = verdict_of(t);
        if (v.contribution != 0) {
            add(fmt::format("tracker {}: {:+}{}", t.name, v.contribution, v.reason.empty() ? "" : " (" + v.reason + ")"));
        }
    }
    if (weights_of_group_ != 0) {
        add(fmt::format("the others in sync group '{}': {:+}", group_, weights_of_group_));
    }
    return text;
}

void virtual_router::trackers_changed(instant now, const net::link_table& links, standing_aside aside,
                                      const found_obstacle& found, advert_queue& adverts)
{
    is_news_ = tracker_news_.try_take(now.steady);
    take_part(now, links, aside, found, adverts);
    const auto why = explain_priority();
    follow_priority(now, why.empty() ? "no weight counts any more" : why, links, adverts);
    is_news_ = true;
}

std::vector<status::tracker> virtual_router::tracker_snapshots(time_point now) const
{
    std::vector<status::tracker> all;
    for (const auto& t : configuration_.trackers) {
        status::tracker s;
        s.name = t.name;
        s.kind = t.what.kind();
        s.what = config::describe(t.what.target);
        s.weight = t.weight;
        s.reason = "it has not been looked at yet";
        if (const auto* const check = checks_.find(t.what)) {
            check->snapshot(now, s);
        }
        const auto v = verdict_of(t);
        s.contribution = v.contribution;
        // What the number in a file means is the tracker's own affair.
        if (s.state == status::tracker_state::well && !v.is_well()) {
            s.state = v.state;
            s.reason = v.reason;
        }
        all.push_back(std::move(s));
    }
    return all;
}

}  // namespace vipd::node
