// What a call does when its moment has come.

#include "tests/cloud/ec2_answer.hpp"
#include "tests/cloud/simulated_cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace vipd::cloud {

namespace {

std::string html_page(unsigned status)
{
    return fmt::format("<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n",
                       status);
}

}  // namespace

void simulated_cloud::carry_out(exchange& one)
{
    one.carried_out = true;
    if (one.plan.lag > duration::zero()) {
        one.lag_to = one.effect_at - one.plan.lag;
        one.record.lag = one.plan.lag;
    }
    if (!std::holds_alternative<std::monostate>(one.call) && one.plan.applied) {
        const auto body = perform(one);
        if (!body) {
            refuse(one, body.error(), http_status(body.error().code));
        } else {
            one.record.status = 200;
            one.response.status = 200;
            one.response.body = *body;
        }
    }
    if (one.plan.failure) {
        const auto& failure = *one.plan.failure;
        refuse(one, {failure.code, failure.message}, failure.status);
        if (failure.code.empty() || one.service == cloud_service::imds) {
            one.response.body = html_page(failure.status);
            // None is left when the answer was given before the effect.
            const auto type = std::ranges::find(one.response.headers, "Content-Type", &aws::http_header::name);
            if (type != one.response.headers.end()) {
                type->value = "text/html";
            }
        }
    }
}

api_result<std::string> simulated_cloud::perform(exchange& one)
{
    if (const auto* request = std::get_if<ec2_request>(&one.call)) {
        return perform_ec2(one, *request);
    }
    return sts_.answer(one.effect_wall, std::get<sts_call>(one.call), one.record.access_key_id, one.record.request_id);
}

template <class Change>
api_result<std::string> simulated_cloud::perform_change(exchange& one, const ec2_request& request, const Change& change)
{
    // What is named has to exist before there is anything to be authorised for.
    const auto named = model_.named(change);
    if (!named) {
        return named.error();
    }
    if (const auto refused = check_permission(one, request, *named)) {
        return *refused;
    }
    if (request.dry_run) {
        return api_error{"DryRunOperation", "Request would have succeeded, but DryRun flag is set."};
    }
    const occasion when{{one.effect_at, one.effect_wall}, one.plan.settles_after, one.plan.stuck};
    const auto applied = model_.apply(when, change);
    if (!applied) {
        return applied.error();
    }
    note(one);
    if constexpr (std::is_void_v<typename std::decay_t<decltype(applied)>::value_type>) {
        return done_xml(one.record.request_id, one.record.action);
    } else {
        return changed_xml(one.record.request_id, one.record.action, *applied);
    }
}

template <class Query>
api_result<std::string> simulated_cloud::perform_query(exchange& one, const ec2_request& request, const Query& query)
{
    if (const auto refused = check_permission(one, request, {{"", "*"}})) {
        return *refused;
    }
    if (request.dry_run) {
        return api_error{"DryRunOperation", "Request would have succeeded, but DryRun flag is set."};
    }
    const auto from = model_.as_of(one.lag_to);
    const auto found = ec2_model::list(query, from);
    if (!found) {
        return found.error();
    }
    if constexpr (std::is_same_v<Query, describe_instance_status>) {
        return status_xml(one.record.request_id, *found, from);
    } else {
        return answer_xml(one.record.request_id, *found, from);
    }
}

api_result<std::string> simulated_cloud::perform_ec2(exchange& one, const ec2_request& request)
{
    return std::visit(
        [&](const auto& call) {
            if constexpr (requires { call.query; }) {
                return perform_query(one, request, call);
            } else {
                return perform_change(one, request, call);
            }
        },
        request.call);
}

// Every resource that the call is about has to be allowed.
std::optional<api_error> simulated_cloud::check_permission(const exchange& one, const ec2_request& request,
                                                           const resources& about)
{
    const auto statements = policies_.find(one.principal);
    if (statements == policies_.end()) {
        return std::nullopt;
    }
    const auto& state = model_.state();
    const auto action = "ec2:" + request.action;
    for (const auto& [kind, id, tags, vpc] : about) {
        const auto arn = kind.empty() ? id : state.arn(kind, id);
        const auto vpc_arn = vpc.empty() ? std::string{} : state.arn("vpc", vpc.str());
        if (is_allowed(statements->second, {action, arn, id, state.region, tags, vpc_arn})) {
            continue;
        }
        std::string blob;
        while (blob.size() < 400) {
            blob += fmt::format("{:016x}", random_.next());
        }
        return api_error{
            "UnauthorizedOperation",
            fmt::format("You are not authorized to perform this operation. User: arn:{}:iam::{}:{} is not authorized to "
                        "perform: {} on resource: {} because no identity-based policy allows the {} action. Encoded "
                        "authorization failure message: {}",
                        state.partition(), state.account, one.principal, action, arn, action, blob)};
    }
    return std::nullopt;
}

void simulated_cloud::note(exchange& one)
{
    one.record.effect_at = one.effect_at;
    const auto& record = one.record;
    changes_.push_dropping_oldest({one.effect_at, record.request_id, record.action, record.node, record.table,
                                   record.destination, record.interface, record.instance, record.address, record.allocation});
}

}  // namespace vipd::cloud
