// Policies as people write them, and as IAM does.

#include "tests/cloud/json_reader.hpp"
#include "tests/cloud/policy.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace vipd::cloud {

namespace {

// How the two dialects spell the same.
struct dialect {
    std::string_view effect, allow, deny, actions, resources, conditions;
};
constexpr dialect ours{"effect", "allow", "deny", "actions", "resources", "conditions"};
constexpr dialect of_iam{"Effect", "Allow", "Deny", "Action", "Resource", "Condition"};

// IAM takes a text alone for a list of one.
std::vector<std::string> text_or_texts(json_reader& reader, std::string_view key)
{
    const auto* value = reader.raw(key);
    return value != nullptr && value->is_string() ? std::vector<std::string>{reader.text(key)} : reader.texts(key);
}

// "StringNotLikeIfExists", "ArnEquals"
std::optional<policy_condition> parse_operator(std::string_view name)
{
    const auto take = [&name](std::string_view prefix) {
        const bool is_there = name.starts_with(prefix);
        name.remove_prefix(is_there ? prefix.size() : 0);
        return is_there;
    };
    constexpr std::string_view suffix = "IfExists";
    policy_condition condition;
    condition.if_exists = name.ends_with(suffix);
    name.remove_suffix(condition.if_exists ? suffix.size() : 0);
    const bool of_arns = take("Arn");
    if (!of_arns && !take("String")) {
        return std::nullopt;
    }
    condition.negated = take("Not");
    if (name != "Equals" && name != "Like") {
        return std::nullopt;
    }
    using comparison = policy_condition::comparison;
    const bool like = name == "Like";
    condition.how =
        of_arns ? (like ? comparison::arn_like : comparison::arn_equals) : (like ? comparison::like : comparison::equals);
    return condition;
}

bool compares_arns(const policy_condition& condition)
{
    return condition.how == policy_condition::comparison::arn_equals || condition.how == policy_condition::comparison::arn_like;
}

// IAM takes a condition that can never hold without a word. Nobody writes one on purpose.
void check_condition(json_reader& keys, const policy_condition& condition)
{
    if (!is_condition_key(condition.key)) {
        keys.fail(condition.key,
                  "is not known here; there are aws:ResourceTag/KEY, ec2:ResourceTag/KEY, ec2:Region, aws:RequestedRegion and "
                  "ec2:Vpc");
    } else if (compares_arns(condition) && !is_arn_key(condition.key)) {
        keys.fail(condition.key, "is no ARN, and cannot be compared as one");
    }
    for (const auto& value : condition.values) {
        if (compares_arns(condition) && !is_arn_pattern(value)) {
            keys.fail(condition.key, "\"" + value + "\" is no ARN");
        }
    }
}

std::vector<policy_condition> read_conditions(json_reader& statement, std::string_view key)
{
    std::vector<policy_condition> conditions;
    const auto* value = statement.raw(key);
    if (value == nullptr) {
        return conditions;
    }
    if (!value->is_object()) {
        statement.fail(key, "has to be an object");
        return conditions;
    }
    for (const auto& comparison : value->get_object()) {
        const auto name = std::string(comparison.key());
        const auto shape = parse_operator(name);
        if (!shape || !comparison.value().is_object()) {
            statement.fail(key, "'" + name +
                                    "' is none of StringEquals, StringNotEquals, StringLike, StringNotLike and their like that"
                                    " begin with Arn, with an object behind it; each of them may end in IfExists");
            continue;
        }
        json_reader keys(comparison.value(), statement.place() + "." + std::string(key) + "." + name);
        for (const auto& entry : comparison.value().get_object()) {
            auto condition = *shape;
            condition.key = entry.key();
            condition.values = text_or_texts(keys, entry.key());
            check_condition(keys, condition);
            conditions.push_back(std::move(condition));
        }
        if (const auto problem = keys.problem()) {
            statement.fail(key, problem->text);
        }
    }
    return conditions;
}

policy_statement read_statement(json_reader& item, const dialect& words)
{
    policy_statement statement;
    const auto effect = item.text(words.effect, words.allow);
    statement.allow = effect == words.allow;
    statement.actions = text_or_texts(item, words.actions);
    statement.resources = text_or_texts(item, words.resources);
    statement.conditions = read_conditions(item, words.conditions);
    if (statement.resources.empty() && words.effect == ours.effect) {
        statement.resources.emplace_back("*");
    }
    if (effect != words.allow && effect != words.deny) {
        item.fail(words.effect,
                  "\"" + effect + "\" is neither \"" + std::string(words.allow) + "\" nor \"" + std::string(words.deny) + "\"");
    }
    if (words.effect == of_iam.effect) {
        static_cast<void>(item.text("Sid"));
    }
    item.finish();
    return statement;
}

// {"Version": ..., "Statement": [...]}
result<policy> parse_document(const boost::json::value& json)
{
    policy statements;
    json_reader reader(json, "policy");
    static_cast<void>(reader.text("Version"));
    static_cast<void>(reader.text("Id"));
    if (const auto* value = reader.raw("Statement"); value == nullptr) {
        reader.fail("Statement", "is missing");
    } else if (value->is_object()) {
        json_reader item(*value, "policy.Statement");
        statements.push_back(read_statement(item, of_iam));
        if (const auto problem = item.problem()) {
            return *problem;
        }
    } else {
        for (auto& item : reader.items("Statement")) {
            statements.push_back(read_statement(item, of_iam));
        }
    }
    reader.finish();
    if (const auto problem = reader.problem()) {
        return *problem;
    }
    return statements;
}

std::string operator_name(const policy_condition& condition)
{
    using comparison = policy_condition::comparison;
    const bool like = condition.how == comparison::like || condition.how == comparison::arn_like;
    return std::string(compares_arns(condition) ? "Arn" : "String") + (condition.negated ? "Not" : "") +
           (like ? "Like" : "Equals") + (condition.if_exists ? "IfExists" : "");
}

boost::json::object conditions_json(const std::vector<policy_condition>& conditions)
{
    boost::json::object out;
    for (const auto& condition : conditions) {
        auto& keys = out[operator_name(condition)];
        if (!keys.is_object()) {
            keys.emplace_object();
        }
        keys.as_object()[condition.key] = boost::json::value_from(condition.values);
    }
    return out;
}

}  // namespace

result<policy> parse_policy(const boost::json::value& json)
{
    if (json.is_object()) {
        return parse_document(json);
    }
    policy statements;
    json_reader reader(json, "policy");
    for (auto& item : reader.items()) {
        statements.push_back(read_statement(item, ours));
    }
    if (const auto problem = reader.problem()) {
        return *problem;
    }
    return statements;
}

boost::json::value to_json(const policy& statements)
{
    boost::json::array out;
    for (const auto& statement : statements) {
        boost::json::object one{{"effect", statement.allow ? "allow" : "deny"},
                                {"actions", boost::json::value_from(statement.actions)},
                                {"resources", boost::json::value_from(statement.resources)}};
        if (!statement.conditions.empty()) {
            one["conditions"] = conditions_json(statement.conditions);
        }
        out.emplace_back(std::move(one));
    }
    return out;
}

}  // namespace vipd::cloud
