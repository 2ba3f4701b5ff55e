#include "tests/cloud/simulated_cloud.hpp"

#include "tests/cloud/ec2_answer.hpp"
#include "tests/cloud/sts_answer.hpp"
#include "tests/cloud/wire_time.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::cloud {

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
    // A stream of its own: what it draws changes nothing of what the others do.
    model_(std::move(what.state), seed ^ 0x6d6f76656d656e74ULL),
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
    // What has been begun comes about in its order among the calls.
    for (;;) {
        const auto moves_at = model_.next_wakeup().at;
        if (moves_at <= now.steady && (due_.empty() || moves_at <= due_.begin()->first)) {
            model_.handle_timeout(moves_at);
            continue;
        }
        if (due_.empty() || due_.begin()->first > now.steady) {
            return;
        }
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
    const wakeup call = due_.empty() ? wakeup{} : wakeup{due_.begin()->first, "an accepted call takes effect"};
    return earliest(call, model_.next_wakeup());
}

time_point simulated_cloud::last_effect() const
{
    const auto call = due_.empty() ? never : due_.rbegin()->first;
    const auto move = model_.settled_at();
    return call == never ? move : move == never ? call : std::max(call, move);
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
