#include "tests/cloud/fault.hpp"

#include "tests/cloud/filters.hpp"

#include <cmath>

namespace vipd::cloud {

namespace {

bool is_for(const fault& candidate, const fault_subject& subject)
{
    return matches_wildcard(candidate.action, subject.action) &&
           (matches_wildcard(candidate.node, subject.node) || matches_wildcard(candidate.node, subject.instance)) &&
           matches_wildcard(candidate.table, subject.table);
}

void apply(const fault_effect& effect, random_source& random, exchange_plan& plan)
{
    using ending = exchange_plan::ending;
    std::visit(overloaded{[&](const effects::slow& e) {
                              plan.before_effect += e.before.draw(random);
                              plan.after_effect += e.after.draw(random);
                              plan.names.emplace_back("slow");
                          },
                          [&](const effects::fail& e) {
                              plan.failure = e;
                              plan.applied = e.applied;
                              plan.names.emplace_back("fail");
                          },
                          [&](const effects::reset& e) {
                              plan.end = ending::reset;
                              plan.applied = e.applied;
                              plan.names.emplace_back("reset");
                          },
                          [&](const effects::hang& e) {
                              plan.end = ending::hang;
                              plan.applied = e.applied;
                              plan.names.emplace_back("hang");
                          },
                          [&](const effects::land_late& e) {
                              plan.end = e.hang ? ending::hang : ending::reset;
                              plan.before_effect += e.by.draw(random);
                              plan.reply_first = true;
                              plan.names.emplace_back("land_late");
                          },
                          [&](const effects::stale& e) {
                              plan.lag = std::max(plan.lag, e.lag.draw(random));
                              plan.names.emplace_back("stale");
                          },
                          [&](const effects::trickle& e) {
                              plan.bytes_per_second = e.bytes_per_second;
                              plan.names.emplace_back("trickle");
                          },
                          [&](const effects::hostile& e) {
                              plan.hostile = e;
                              plan.names.emplace_back("hostile " + std::string(to_string(e.kind)));
                          }},
               effect);
}

}  // namespace

duration delay::draw(random_source& random) const
{
    if (mean > duration::zero()) {
        return low + duration{static_cast<duration::rep>(-std::log(1.0 - random.unit()) * static_cast<double>(mean.count()))};
    }
    return high > low ? random.between(low, high) : low;
}

fault_id fault_set::add(fault what)
{
    faults_[++last_] = std::move(what);
    return last_;
}

exchange_plan fault_set::plan(const fault_subject& subject)
{
    exchange_plan plan;
    for (auto entry = faults_.begin(); entry != faults_.end();) {
        auto& candidate = entry->second;
        if (!is_for(candidate, subject) || !random_.chance(candidate.probability)) {
            ++entry;
            continue;
        }
        apply(candidate.effect, random_, plan);
        if (candidate.count && --*candidate.count == 0) {
            entry = faults_.erase(entry);
        } else {
            ++entry;
        }
    }
    return plan;
}

}  // namespace vipd::cloud
