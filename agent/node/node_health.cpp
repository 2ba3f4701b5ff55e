// The checks of the node: whose they are, and whom their answers concern.

#include "agent/node/node_impl.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vipd::node {

void node::impl::want_checks(instant now)
{
    health::check_set::wanted_checks wanted;
    for (const auto& r : routers_) {
        const auto& c = r.router->configuration();
        for (const auto& t : c.trackers) {
            wanted[t.what].push_back({c.name, t.name});
        }
    }
    checks_.want(now.steady, wanted, links_);
    tracked_by_.clear();
    for (const auto& r : routers_) {
        for (const auto& t : r.router->configuration().trackers) {
            tracked_by_[checks_.find(t.what)->id()].push_back(r.number);
        }
    }
}

void node::impl::drain_checks(instant now)
{
    std::set<std::uint64_t> concerned;
    for (const auto id : checks_.take_changed()) {
        if (const auto found = tracked_by_.find(id); found != tracked_by_.end()) {
            concerned.insert(found->second.begin(), found->second.end());
        }
    }
    for (const auto& group : groups_) {
        const auto number_of = [&](std::uint32_t index) { return routers_[index].number; };
        if (std::ranges::any_of(group, [&](std::uint32_t index) { return concerned.contains(number_of(index)); })) {
            std::ranges::transform(group, std::inserter(concerned, concerned.end()), number_of);
        }
    }
    if (!concerned.empty()) {
        share_weights();
        note_groups_that_leave();
    }
    for (const auto number : concerned) {
        if (auto* const router = find_by_number(number)) {
            router->trackers_changed(now, links_, aside_, obstacle_of(*router), adverts_);
            touch(number);
        }
    }
    while (auto o = checks_.poll_output()) {
        std::visit([&](auto& what) { health_outputs_.emplace_back(std::move(what)); }, *o);
    }
}

}  // namespace vipd::node
