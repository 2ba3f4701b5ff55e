#include "agent/aws/call_queue.hpp"

#include "common/ensure.hpp"

#include <algorithm>
#include <utility>

namespace vipd::aws {

call_queue::call_queue(unsigned under_way_max) : under_way_max_(under_way_max)
{
    ENSURE(under_way_max >= 1);
}

void call_queue::add(waiting_call call)
{
    auto& queue = is_mutating(call.what) ? mutating_ : reads_;
    queue.push_back(std::move(call));
}

bool call_queue::can_send() const
{
    return under_way_.size() < under_way_max_ && (!mutating_.empty() || can_send_read());
}

bool call_queue::can_send_read() const
{
    return !reads_.empty() && reads_under_way_ < std::max<std::size_t>(under_way_max_ / 2, 1);
}

std::optional<waiting_call> call_queue::next()
{
    if (!can_send()) {
        return std::nullopt;
    }
    auto& queue = mutating_.empty() ? reads_ : mutating_;
    auto call = std::move(queue.front());
    queue.pop_front();
    return call;
}

void call_queue::mark_sent(http_exchange_id exchange, sent_call call)
{
    reads_under_way_ += is_mutating(call.call.what) ? 0U : 1U;
    const bool is_new = under_way_.emplace(exchange, std::move(call)).second;
    ENSURE(is_new);
}

std::optional<sent_call> call_queue::finish(http_exchange_id exchange)
{
    auto found = under_way_.extract(exchange);
    if (found.empty()) {
        return std::nullopt;
    }
    reads_under_way_ -= is_mutating(found.mapped().call.what) ? 0U : 1U;
    return std::move(found.mapped());
}

call_queue::removed call_queue::remove(ec2_call_id id)
{
    for (auto* queue : {&mutating_, &reads_}) {
        if (std::erase_if(*queue, [&](const waiting_call& c) { return c.id == id; }) > 0) {
            return {.was_waiting = true, .exchange = {}};
        }
    }
    const auto found = std::ranges::find_if(under_way_, [&](const auto& entry) { return entry.second.call.id == id; });
    if (found == under_way_.end()) {
        return {};
    }
    const auto exchange = found->first;
    finish(exchange);
    return {.was_waiting = false, .exchange = exchange};
}

std::vector<waiting_call> call_queue::take_expired(time_point now)
{
    std::vector<waiting_call> expired;
    for (auto* queue : {&mutating_, &reads_}) {
        for (auto& call : *queue) {
            if (call.give_up <= now) {
                expired.push_back(call);
            }
        }
        std::erase_if(*queue, [&](const waiting_call& c) { return c.give_up <= now; });
    }
    return expired;
}

time_point call_queue::first_expiry() const
{
    auto first = never;
    for (const auto* queue : {&mutating_, &reads_}) {
        for (const auto& call : *queue) {
            first = std::min(first, call.give_up);
        }
    }
    return first;
}

std::optional<ec2_call_id> call_queue::call_of(http_exchange_id exchange) const
{
    const auto found = under_way_.find(exchange);
    return found == under_way_.end() ? std::nullopt : std::optional{found->second.call.id};
}

}  // namespace vipd::aws
