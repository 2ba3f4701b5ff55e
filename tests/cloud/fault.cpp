#include "tests/cloud/fault.hpp"

#include "tests/cloud/filters.hpp"

#include <algorithm>
#include <array>

namespace vipd::cloud {

namespace {

bool is_for(const fault& candidate, const fault_subject& subject)
{
    return matches_wildcard(candidate.action, subject.action) &&
           (matches_wildcard(candidate.node, subject.node) || matches_wildcard(candidate.node, subject.instance)) &&
           matches_wildcard(candidate.table, subject.table) && matches_wildcard(candidate.interface, subject.interface);
}

using plan_ending = exchange_plan::ending;

// How each kind of effect bends the plan, and its name in logs and in JSON.
std::string bend(exchange_plan& plan, const effects::slow& e, random_source& random)
{
    plan.before_effect += e.before.draw(random);
    plan.after_effect += e.after.draw(random);
    return "slow";
}
std::string bend(exchange_plan& plan, const effects::fail& e, random_source&)
{
    plan.failure = e;
    plan.applied = e.applied;
    return "fail";
}
std::string bend(exchange_plan& plan, const effects::reset& e, random_source&)
{
    plan.end = plan_ending::reset;
    plan.applied = e.applied;
    return "reset";
}
std::string bend(exchange_plan& plan, const effects::hang& e, random_source&)
{
    plan.end = plan_ending::hang;
    plan.applied = e.applied;
    return "hang";
}
std::string bend(exchange_plan& plan, const effects::land_late& e, random_source& random)
{
    plan.end = e.hang ? plan_ending::hang : plan_ending::reset;
    plan.before_effect += e.by.draw(random);
    plan.reply_first = true;
    return "land_late";
}
std::string bend(exchange_plan& plan, const effects::stale& e, random_source& random)
{
    plan.lag = std::max(plan.lag, e.lag.draw(random));
    return "stale";
}
std::string bend(exchange_plan& plan, const effects::trickle& e, random_source&)
{
    plan.bytes_per_second = e.bytes_per_second;
    return "trickle";
}
std::string bend(exchange_plan& plan, const effects::hostile& e, random_source&)
{
    plan.hostile = e;
    return "hostile " + std::string(to_string(e.kind));
}
std::string bend(exchange_plan& plan, const effects::certificate& e, random_source&)
{
    plan.certificate = e.flaw;
    return "certificate " + std::string(to_string(e.flaw));
}
std::string bend(exchange_plan& plan, const effects::linger& e, random_source& random)
{
    plan.settles_after = e.by.draw(random);
    return "linger";
}
std::string bend(exchange_plan& plan, const effects::stuck&, random_source&)
{
    plan.stuck = true;
    return "stuck";
}

}  // namespace

std::string_view to_string(certificate_flaw flaw)
{
    constexpr std::array<std::string_view, 5> names{"none", "expired", "not_yet_valid", "wrong_name", "untrusted"};
    return names.at(static_cast<std::size_t>(flaw));
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
        plan.names.push_back(std::visit([&](const auto& effect) { return bend(plan, effect, random_); }, candidate.effect));
        if (candidate.count && --*candidate.count == 0) {
            entry = faults_.erase(entry);
        } else {
            ++entry;
        }
    }
    return plan;
}

}  // namespace vipd::cloud
