#include "tests/cloud/policy.hpp"

#include "common/ensure.hpp"
#include "tests/cloud/filters.hpp"

#include <algorithm>
#include <array>
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
    ENSURE(is_condition_key(key));
    if (key == "ec2:Region" || key == "aws:RequestedRegion") {
        return question.region;
    }
    if (key == "ec2:Vpc") {
        return question.vpc.empty() ? std::nullopt : std::optional{question.vpc};
    }
    const auto name = key.substr(key.find('/') + 1);
    if (question.tags == nullptr) {
        return std::nullopt;
    }
    const auto tag = question.tags->find(name);
    return tag == question.tags->end() ? std::nullopt : std::optional<std::string_view>{tag->second};
}

using arn_parts = std::array<std::string_view, 6>;

std::optional<arn_parts> split_arn(std::string_view text)
{
    arn_parts parts;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        const auto colon = text.find(':');
        if (colon == std::string_view::npos) {
            return std::nullopt;
        }
        parts[i] = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    parts.back() = text;
    return parts.front() == "arn" ? std::optional{parts} : std::nullopt;
}

// Each part by itself, so that a star does not reach over a colon.
bool matches_arn(std::string_view pattern, std::string_view text)
{
    const auto wanted = split_arn(pattern);
    const auto found = split_arn(text);
    return wanted && found && std::ranges::equal(*wanted, *found, matches_wildcard);
}

bool compares_equal(const policy_condition& condition, std::string_view value)
{
    using comparison = policy_condition::comparison;
    switch (condition.how) {
        case comparison::equals:
            return std::ranges::find(condition.values, value) != condition.values.end();
        case comparison::like:
            return any_covers(condition.values, value);
        case comparison::arn_equals:
        case comparison::arn_like:
            return std::ranges::any_of(condition.values,
                                       [&](const std::string& pattern) { return matches_arn(pattern, value); });
    }
    return false;
}

// IAM user guide, "IAM JSON policy elements: Condition operators": a key that is not there satisfies only what is negated.
bool holds(const policy_condition& condition, const permission_question& question)
{
    const auto value = value_of(condition.key, question);
    if (!value) {
        return condition.negated || condition.if_exists;
    }
    return compares_equal(condition, *value) != condition.negated;
}

}  // namespace

bool is_condition_key(std::string_view key)
{
    constexpr std::string_view tag = "ResourceTag/";
    const auto behind_service = key.substr(std::min(key.size(), key.find(':') + 1));
    const bool has_service = key.starts_with("aws:") || key.starts_with("ec2:");
    return key == "ec2:Region" || key == "aws:RequestedRegion" || is_arn_key(key) ||
           (has_service && behind_service.starts_with(tag) && behind_service.size() > tag.size());
}

bool is_arn_key(std::string_view key)
{
    return key == "ec2:Vpc";
}

bool is_arn_pattern(std::string_view text)
{
    return split_arn(text).has_value();
}

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
