#include "tests/cloud/policy.hpp"

#include "tests/cloud/filters.hpp"
#include "tests/cloud/json_reader.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace vipd::cloud {

namespace {

bool any_covers(const std::vector<std::string>& patterns, std::string_view text)
{
    return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches_wildcard(pattern, text); });
}

}  // namespace

bool is_allowed(const policy& statements, std::string_view action, std::string_view resource)
{
    bool allowed = false;
    for (const auto& statement : statements) {
        if (any_covers(statement.actions, action) && any_covers(statement.resources, resource)) {
            if (!statement.allow) {
                return false;
            }
            allowed = true;
        }
    }
    return allowed;
}

result<policy> parse_policy(const boost::json::value& json)
{
    policy statements;
    json_reader reader(json, "policy");
    for (auto& item : reader.items()) {
        policy_statement statement;
        const auto effect = item.text("effect", "allow");
        statement.allow = effect == "allow";
        statement.actions = item.texts("actions");
        statement.resources = item.texts("resources");
        if (statement.resources.empty()) {
            statement.resources.emplace_back("*");
        }
        if (effect != "allow" && effect != "deny") {
            item.fail("effect", "\"" + effect + "\" is neither \"allow\" nor \"deny\"");
        }
        item.finish();
        statements.push_back(std::move(statement));
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
        out.push_back({{"effect", statement.allow ? "allow" : "deny"},
                       {"actions", boost::json::value_from(statement.actions)},
                       {"resources", boost::json::value_from(statement.resources)}});
    }
    return out;
}

}  // namespace vipd::cloud
