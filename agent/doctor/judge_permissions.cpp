#include "agent/doctor/judgements.hpp"
#include "agent/doctor/questions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace vipd::doctor {

namespace {

constexpr const char* policy_remedy =
    "add what `vipd iam-policy --config FILE` prints to the role's policy; where it is there already, look for an explicit "
    "denial, a permissions boundary, or a service control policy";

std::string listed(const std::set<std::string>& texts)
{
    constexpr std::size_t shown_max = 6;
    std::vector<std::string> shown{texts.begin(), texts.end()};
    if (shown.size() <= shown_max) {
        return fmt::format("{}", fmt::join(shown, ", "));
    }
    const auto more = shown.size() - shown_max;
    shown.resize(shown_max);
    return fmt::format("{} and {} more", fmt::join(shown, ", "), more);
}

// "User: arn:aws:sts::...:assumed-role/... is not authorized to perform: ..." says whose policy it is.
std::string principal_of(std::string_view message)
{
    constexpr std::string_view before = "User: ";
    const auto begin = message.find(before);
    const auto end = message.find(" is not authorized", begin == std::string_view::npos ? 0 : begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) {
        return {};
    }
    return std::string{message.substr(begin + before.size(), end - begin - before.size())};
}

// What the dry runs of one action have come to.
struct action_account {
    std::set<std::string> allowed, denied, carried_out;
    std::map<std::string, std::string> unclear;  // why, by what it was about
    std::string to_whom;                         // of a denial: the principal, or nothing
    std::size_t left_out = 0;
    bool explicitly = false;  // a statement denies it, so that no other can allow it
};

void take(action_account& account, const permission& wanted, const answer_book& answers)
{
    if (wanted.left_out) {
        ++account.left_out;
        return;
    }
    const auto* const asked = answers.find(*wanted.question);
    if (asked == nullptr || !asked->reply) {
        account.unclear.emplace(wanted.subject, asked == nullptr ? "it was not asked" : "no answer in time");
        return;
    }
    const auto* const said = std::get_if<aws::ec2_error>(&asked->reply->value);
    if (said == nullptr) {
        account.carried_out.insert(wanted.subject);
    } else if (said->kind == aws::ec2_error_class::dry_run_ok) {
        account.allowed.insert(wanted.subject);
    } else if (said->kind == aws::ec2_error_class::denied) {
        account.denied.insert(wanted.subject);
        account.to_whom = principal_of(said->message);
        account.explicitly = said->message.find("explicit deny") != std::string::npos;
    } else {
        account.unclear.emplace(wanted.subject, to_sentence(*said));
    }
}

void judge_action(const std::string& action, const action_account& account, section& out)
{
    const auto check = "ec2:" + action;
    if (!account.carried_out.empty()) {
        out.fail(check,
                 fmt::format("the endpoint did not refuse to do it for {} although it was asked for a dry run",
                             listed(account.carried_out)),
                 "this is not EC2: look at endpoint in [aws], and at what it has changed");
    }
    if (!account.denied.empty()) {
        out.fail(check,
                 fmt::format("denied on {}{}{}{} (UnauthorizedOperation)", listed(account.denied),
                             account.to_whom.empty() ? "" : " to ", account.to_whom,
                             account.explicitly ? " by an explicit denial" : ""),
                 policy_remedy);
    }
    for (const auto& [subject, why] : account.unclear) {
        out.skip(check, fmt::format("the dry run on {} did not tell: {}", subject, why));
    }
    if (!account.allowed.empty()) {
        out.ok(check, fmt::format("allowed on {} (dry run)", listed(account.allowed)));
    }
    if (account.left_out > 0) {
        out.skip(check,
                 fmt::format("{} more were not asked about: dry runs count in EC2's throttling as calls do", account.left_out));
    }
}

// Reads that a daemon makes as well; without the others it works all the same.
std::set<std::string> reads_of_daemon(const evidence& known)
{
    std::set<std::string> actions;
    for (const auto& router : known.configuration->routers) {
        const auto resolved = known.resolve(router);
        for (const auto& route : resolved.wanted.routes) {
            actions.emplace(aws::action_name(takeover::describe_call(route.query, {}, 100)));
        }
        for (const auto& other : resolved.wanted.others) {
            actions.emplace(aws::action_name(takeover::describe_call(other.query, {}, 100)));
        }
        if (!resolved.wanted.disable_source_dest_check.empty()) {
            actions.emplace(aws::action_name(aws::describe_network_interfaces{}));
        }
    }
    return actions;
}

void judge_reads(const evidence& known, section& out)
{
    std::map<std::string, std::string> problems;  // by action; empty: it was answered
    std::set<std::string> denied;
    for (const auto& [form, asked] : known.answers.all()) {
        if (!aws::is_describe(asked.call)) {
            continue;
        }
        const std::string action{aws::action_name(asked.call)};
        const auto* const failure = asked.reply ? std::get_if<aws::ec2_error>(&asked.reply->value) : nullptr;
        auto& problem = problems[action];
        if (!asked.reply) {
            problem = "no answer in time";
        } else if (failure != nullptr) {
            problem = to_sentence(*failure);
            if (failure->kind == aws::ec2_error_class::denied) {
                denied.insert(action);
            }
        }
    }
    const auto needed = reads_of_daemon(known);
    std::set<std::string> allowed;
    for (const auto& [action, problem] : problems) {
        if (problem.empty()) {
            allowed.insert("ec2:" + action);
        } else if (denied.contains(action)) {
            if (needed.contains(action)) {
                out.fail("ec2:" + action, problem, policy_remedy);
            } else {
                out.skip("ec2:" + action, problem, with_doctor_remedy);
            }
        } else {
            out.skip("ec2:" + action, problem);
        }
    }
    if (!allowed.empty()) {
        out.ok("reads", fmt::format("{} answered", fmt::join(allowed, ", ")));
    }
}

}  // namespace

void judge_permissions(const evidence& known, section& out)
{
    judge_reads(known, out);
    std::map<std::string, action_account> by_action;
    std::set<std::string> without_dry_run;
    for (const auto& wanted : permissions_of(known)) {
        if (wanted.question) {
            take(by_action[wanted.action], wanted, known.answers);
        } else {
            without_dry_run.insert(wanted.action);
        }
    }
    for (const auto& [action, account] : by_action) {
        judge_action(action, account, out);
    }
    for (const auto& action : without_dry_run) {
        out.skip("ec2:" + action, "EC2 has no dry run of it: the first takeover tells",
                 "compare the role's policy with what `vipd iam-policy --config FILE` prints");
    }
}

}  // namespace vipd::doctor
