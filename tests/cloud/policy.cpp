#include "tests/cloud/policy.hpp"

#include "tests/cloud/filters.hpp"

#include <algorithm>
#include <optional>

namespace vipd::cloud {

namespace {

bool any_covers(const std::vector<std::string>& patterns, std::string_view text)
{
    return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches_wildcard(pattern, text); });
}

bool covers_resource(const policy_statement& statement, const permission_question& question)
{
    return any_covers(statement.resources, question.arn) ||
           (!question.id.empty() && any_covers(statement.resources, question.id));
}

// What a key of a condition is for this question; nothing when it is not there.
std::optional<std::string_view> value_of(std::string_view key, const permission_question& question)
{
    if (key == "ec2:Region" || key == "aws:RequestedRegion") {
        return question.region;
    }
    const auto name = key.substr(key.find('/') + 1);
    if (question.tags == nullptr) {
        return std::nullopt;
    }
    const auto tag = question.tags->find(name);
    return tag == question.tags->end() ? std::nullopt : std::optional<std::string_view>{tag->second};
}

// IAM user guide, "IAM JSON policy elements: Condition operators": a key that is not there satisfies only what is negated.
bool holds(const policy_condition& condition, const permission_question& question)
{
    const auto value = value_of(condition.key, question);
    if (!value) {
        return condition.negated || condition.if_exists;
    }
    const bool found = condition.how == policy_condition::comparison::like
                           ? any_covers(condition.values, *value)
                           : std::ranges::find(condition.values, *value) != condition.values.end();
    return found != condition.negated;
}

}  // namespace

bool is_allowed(const policy& statements, const permission_question& question)
{
    bool allowed = false;
    for (const auto& statement : statements) {
        if (any_covers(statement.actions, question.action) && covers_resource(statement, question) &&
            std::ranges::all_of(statement.conditions, [&](const policy_condition& c) { return holds(c, question); })) {
            if (!statement.allow) {
                return false;
            }
            allowed = true;
        }
    }
    return allowed;
}

}  // namespace vipd::cloud
