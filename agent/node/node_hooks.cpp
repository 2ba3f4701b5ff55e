// The processes of the node: whose they are, and when there is a place for one more.

#include "agent/node/node_impl.hpp"

#include <algorithm>
#include <utility>

namespace vipd::node {

namespace {

// A node with a thousand routers that becomes Active must not start a thousand programs in one moment. What was given up but
// has not ended counts as well.
constexpr std::size_t processes_max = 32;

}  // namespace

void node::impl::apply(instant /*now*/, const process_output& e)
{
    const auto found = processes_.find(e.id);
    if (auto* router = found == processes_.end() ? nullptr : find_by_number(found->second)) {
        router->hooks().handle(e);
    }
}

void node::impl::apply(instant now, const process_ended& e)
{
    const auto found = processes_.find(e.id);
    if (found == processes_.end()) {
        return;
    }
    if (auto* router = find_by_number(found->second)) {
        router->hooks().handle(now.steady, e);
        touch(found->second);
    }
    processes_.erase(found);
}

void node::impl::drain_hooks(std::uint64_t number, hooks::hook_runner& hooks)
{
    while (auto o = hooks.poll_output()) {
        std::visit([&](auto& what) { hook_outputs_.emplace_back(std::move(what)); }, *o);
    }
    if (hooks.takes_place()) {
        waiting_for_process_.push_back(number);
    }
}

// A router that was dropped and is there again under the same name waits for the last program of the old one.
bool node::impl::has_busy_namesake(std::uint64_t number) const
{
    const auto* router = find_by_number(number);
    return std::ranges::any_of(leaving_, [&](const numbered_router& r) {
        return r.number < number && !r.router->hooks().idle() && r.router->configuration().name == router->configuration().name;
    });
}

void node::impl::start_processes(instant now)
{
    std::deque<std::uint64_t> kept;
    while (!waiting_for_process_.empty() && processes_.size() < processes_max) {
        const auto number = waiting_for_process_.front();
        waiting_for_process_.pop_front();
        auto* router = find_by_number(number);
        if (router == nullptr) {
            continue;
        }
        if (has_busy_namesake(number)) {
            kept.push_back(number);
            continue;
        }
        const auto id = process_ids_.next();
        if (!router->hooks().begin(now.steady, id)) {
            continue;
        }
        processes_.emplace(id, number);
        drain_hooks(number, router->hooks());
        if (const auto found = index_of_number_.find(number); found != index_of_number_.end()) {
            deadlines_.set(found->second, router->next_wakeup().at);
        }
    }
    waiting_for_process_.insert(waiting_for_process_.end(), kept.begin(), kept.end());
}

}  // namespace vipd::node
