#include "tests/cloud/simulated_cloud.hpp"

#include "tests/cloud/ec2_answer.hpp"
#include "tests/cloud/sts_answer.hpp"
#include "tests/cloud/wire_time.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::cloud {

namespace {

std::string html_page(unsigned status)
{
    return fmt::format("<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n",
                       status);
}

// The parts of an ARN follow from the id's prefix.
std::string arn_of(const cloud_state& state, const std::string& resource)
{
    const auto kind = resource.starts_with("rtb-") ? "route-table/" : "network-interface/";
    return resource == "*"
               ? resource
               : "arn:" + std::string(state.partition()) + ":ec2:" + state.region + ":" + state.account + ":" + kind + resource;
}

}  // namespace

std::string_view to_string(cloud_service service)
{
    switch (service) {
        case cloud_service::ec2:
            return "ec2";
        case cloud_service::sts:
            return "sts";
        case cloud_service::imds:
            return "imds";
    }
    return "";
}

simulated_cloud::simulated_cloud(topology what, std::uint64_t seed) :
    random_(seed),
    model_(std::move(what.state)),
    policies_(std::move(what.policies)),
    imds_(model_, keys_, random_.next()),
    faults_(random_.next()),
    sts_(model_, policies_, keys_, std::move(what.iam), random_.next())
{
    for (auto& key : what.keys) {
        const auto id = key.id;
        keys_.emplace(id, std::move(key));
    }
}

instance_id simulated_cloud::instance_at(const ip_address& address) const
{
    for (const auto& [id, versions] : model_.state().interfaces) {
        const auto* interface = versions.current();
        if (interface != nullptr && interface->attached &&
            (std::ranges::find(interface->addresses, address) != interface->addresses.end() ||
             std::ranges::find(interface->addresses6, address) != interface->addresses6.end())) {
            return interface->attached->instance;
        }
    }
    return {};
}

std::string simulated_cloud::node_name(const instance_id& id) const
{
    const auto* machine = model_.primary().machine(id);
    return machine == nullptr ? std::string{} : machine->name;
}

planned_reply simulated_cloud::handle_imds(const instant& now, const aws::http_request& request, const request_source& source)
{
    handle_timeout(now);
    exchange one;
    one.service = cloud_service::imds;
    const auto who = source.instance.empty() ? instance_at(source.address) : source.instance;
    one.record.request_id = new_request_id();
    one.record.action = request.method + " " + request.target;
    one.record.node = node_name(who);
    one.response = imds_.answer({now.steady, now.wall + clock_offset_}, request, who);
    one.record.status = one.response.status;
    return accept(now, std::move(one), {"imds:" + request.target, one.record.node, who.str(), ""});
}

planned_reply simulated_cloud::accept(const instant& now, exchange&& one, const fault_subject& subject)
{
    one.plan = faults_.plan(subject);
    one.record.faults = one.plan.names;
    if (one.service != cloud_service::imds) {
        one.plan.before_effect += latency_.draw(random_);
    }
    if (one.plan.lag == duration::zero() && random_.chance(consistency_.stale_probability)) {
        one.plan.lag = random_.between(duration::zero(), consistency_.lag_max);
    }
    one.effect_at = saturating_add(now.steady, one.plan.before_effect);
    one.effect_wall = now.wall + clock_offset_ + (one.effect_at - now.steady);
    const auto answered = one.plan.reply_first ? now.steady : saturating_add(one.effect_at, one.plan.after_effect);
    const planned_reply reply{ids_.next(), one.effect_at, one.plan.end == exchange_plan::ending::hang ? never : answered};
    add_headers(one);
    due_.emplace(one.effect_at, reply.id);
    exchanges_.emplace(reply.id, std::move(one));
    handle_timeout(now);
    return reply;
}

void simulated_cloud::handle_timeout(const instant& now)
{
    while (!due_.empty() && due_.begin()->first <= now.steady) {
        const auto id = due_.begin()->second;
        due_.erase(due_.begin());
        auto& one = exchanges_.at(id);
        carry_out(one);
        if (one.abandoned) {
            exchanges_.erase(id);
        }
    }
}

wakeup simulated_cloud::next_wakeup() const
{
    return due_.empty() ? wakeup{} : wakeup{due_.begin()->first, "an accepted call takes effect"};
}

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

api_result<std::string> simulated_cloud::perform_ec2(exchange& one, const ec2_request& request)
{
    return std::visit(overloaded{[&](const change_route& change) { return perform_change(one, request, change); },
                                 [&](const set_source_dest_check& change) { return perform_change(one, request, change); },
                                 [&](const auto& query) { return perform_query(one, request, query); }},
                      request.call);
}

template <class Change>
api_result<std::string> simulated_cloud::perform_change(exchange& one, const ec2_request& request, const Change& change)
{
    // The resource has to exist before there is anything to be authorised for.
    if (const auto named = model_.check_named(change); !named) {
        return named.error();
    }
    if (const auto refused = check_permission(one, request)) {
        return *refused;
    }
    if (request.dry_run) {
        return api_error{"DryRunOperation", "Request would have succeeded, but DryRun flag is set."};
    }
    if (const auto applied = model_.apply(one.effect_at, change); !applied) {
        return applied.error();
    }
    note(one);
    return done_xml(one.record.request_id, one.record.action);
}

template <class Query>
api_result<std::string> simulated_cloud::perform_query(exchange& one, const ec2_request& request, const Query& query)
{
    if (const auto refused = check_permission(one, request)) {
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

std::optional<api_error> simulated_cloud::check_permission(const exchange& one, const ec2_request& request)
{
    const auto statements = policies_.find(one.principal);
    const auto resource = authorised_resource(request);
    const auto action = "ec2:" + request.action;
    if (statements == policies_.end() || is_allowed(statements->second, action, resource)) {
        return std::nullopt;
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
                    model_.state().partition(), model_.state().account, one.principal, action, arn_of(model_.state(), resource),
                    action, blob)};
}

void simulated_cloud::note(exchange& one)
{
    one.record.effect_at = one.effect_at;
    const auto& record = one.record;
    changes_.push_dropping_oldest(
        {one.effect_at, record.request_id, record.action, record.node, record.table, record.destination, record.interface});
}

std::optional<state_change> simulated_cloud::poll_change()
{
    if (changes_.empty()) {
        return std::nullopt;
    }
    return changes_.pop();
}

void simulated_cloud::refuse(exchange& one, const api_error& error, unsigned status)
{
    one.record.status = status;
    one.record.code = error.code;
    one.response.status = status;
    one.response.body = one.service == cloud_service::sts ? sts_error_xml(one.record.request_id, error)
                                                          : error_xml(one.record.request_id, error);
}

void simulated_cloud::add_headers(exchange& one)
{
    if (one.service == cloud_service::imds) {
        return;
    }
    auto& headers = one.response.headers;
    headers.push_back({"x-amzn-RequestId", one.record.request_id});
    headers.push_back({"Content-Type", one.service == cloud_service::sts ? "text/xml" : "text/xml;charset=UTF-8"});
    if (one.service == cloud_service::ec2) {
        headers.push_back({"Cache-Control", "no-cache, no-store"});
        headers.push_back({"Server", "AmazonEC2"});
    }
}

exchange_plan simulated_cloud::handle_connection(cloud_service to, const request_source& source)
{
    const auto who = source.instance.empty() ? instance_at(source.address) : source.instance;
    return faults_.plan({"connect:" + std::string(to_string(to)), node_name(who), who.str(), ""});
}

collected_reply simulated_cloud::collect(const instant& now, exchange_id id)
{
    handle_timeout(now);
    auto& one = exchanges_.at(id);
    one.response.headers.push_back({"Date", http_date(now.wall + clock_offset_)});
    collected_reply reply;
    reply.record = one.record;
    reply.bytes_per_second = one.plan.bytes_per_second;
    switch (one.plan.end) {
        case exchange_plan::ending::answer:
            reply.end = collected_reply::ending::answer;
            break;
        case exchange_plan::ending::reset:
            reply.end = collected_reply::ending::reset;
            break;
        case exchange_plan::ending::hang:
            reply.end = collected_reply::ending::hang;
            break;
    }
    if (reply.end == collected_reply::ending::answer && one.plan.hostile) {
        const auto [kind, size] = *one.plan.hostile;
        reply.answer = make_hostile(kind, size, std::move(one.response), random_);
    } else {
        reply.answer.head = std::move(one.response);
    }
    abandon(id);
    return reply;
}

void simulated_cloud::abandon(exchange_id id)
{
    const auto found = exchanges_.find(id);
    if (found == exchanges_.end()) {
        return;
    }
    if (found->second.carried_out) {
        exchanges_.erase(found);
    } else {
        found->second.abandoned = true;
    }
}

std::string simulated_cloud::new_request_id()
{
    const auto high = random_.next();
    const auto low = random_.next();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU, high & 0xfffU,
                       0x8000U | ((low >> 48U) & 0x3fffU), low & 0xffffffffffffU);
}

}  // namespace vipd::cloud
