// What the node and its routers have on this machine (takeover/local_resources): whom the kernel's events concern, who needs
// what another lets go of, and what a predecessor has left.

#include "agent/node/node_impl.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace vipd::node {

namespace {

// Null for events that are not about an address.
const ip_address* changed_address(const net::kernel_event& event)
{
    if (const auto* seen = std::get_if<net::address_seen>(&event)) {
        return &seen->value.address.address();
    }
    if (const auto* gone = std::get_if<net::address_gone>(&event)) {
        return &gone->value.address.address();
    }
    return nullptr;
}

bool is_address(const takeover::local_value& value)
{
    return std::holds_alternative<config::address_entry>(value);
}

}  // namespace

void node::impl::drain_local(std::uint64_t number, takeover::local_resources& local)
{
    while (const auto change = local.poll_output()) {
        const auto id = kernel_ids_.next();
        kernel_requests_.emplace(id, number);
        local.issued(change->entry, id);
        kernel_outputs_.emplace_back(change_kernel{id, change->what});
    }
}

// A node with a thousand routers sees a thousand of these when it becomes Active, so only those are asked whom it concerns.
void node::impl::apply_local(instant now, const net::kernel_event& event)
{
    if (const auto* address = changed_address(event)) {
        const bool concerns_a_source =
            std::ranges::any_of(routers_, [&](const numbered_router& r) { return r.router->may_use_as_source(*address); });
        if (concerns_a_source) {
            reconsider_all(now);
        }
    }
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        auto& local = routers_[i].router->local();
        if (local.concerns(event)) {
            local.kernel_changed(now.steady, links_, event);
            touched_.push_back(static_cast<std::uint32_t>(i));
        }
    }
    for (auto& r : leaving_) {
        r.router->local().kernel_changed(now.steady, links_, event);
    }
    statics_.kernel_changed(now.steady, links_, event);
}

// Once, at the first dump: what carries our protocol and is in no policy was left by a predecessor with another configuration.
// What appears later is not: a second vipd may run beside this one. Addresses carry nothing that would tell: they are known of
// when the predecessor has said so.
void node::impl::start_statics(instant now)
{
    if (std::exchange(statics_started_, true)) {
        return;
    }
    for (const auto& rule : links_.policies().rules()) {
        remains_.emplace_back(rule);
    }
    for (const auto& [key, route] : links_.policies().routes()) {
        remains_.emplace_back(takeover::policy_route{route, {}});
    }
    statics_.start(now.steady, links_);
}

// An Active that has taken the place of one, and does not know yet which link its interface is, cannot tell what it needs from
// what is left over: its replies go by these rules.
void node::impl::clear_remains(instant now)
{
    if (!statics_started_ || remains_.empty()) {
        return;
    }
    const auto is_unknown = [](const status::resource& r) {
        return r.state == status::resource_state::unknown &&
               (r.kind == status::resource_kind::link || r.kind == status::resource_kind::network_interface);
    };
    const bool is_too_early = std::ranges::any_of(routers_, [&](const numbered_router& r) {
        return r.router->state() == vrrp::state::active && std::ranges::any_of(r.router->unresolved(), is_unknown);
    });
    if (is_too_early) {
        return;
    }
    std::set<takeover::local_place> configured;
    const auto note = [&](const takeover::local_value& value) { configured.insert(takeover::place_of(value)); };
    statics_.for_each(note);
    for (const auto& r : routers_) {
        r.router->local().for_each(note);
    }
    const auto is_no_remain = [&](const takeover::local_value& value) {
        const bool has_gone = is_address(value) && takeover::look(value, links_).found == takeover::presence::absent;
        return has_gone || configured.contains(takeover::place_of(value));
    };
    std::erase_if(remains_, is_no_remain);
    const auto addresses = std::ranges::count_if(remains_, is_address);
    if (const auto policies = std::ssize(remains_) - addresses; policies > 0) {
        journal_.record(log_level::info, "policy_remains", {},
                        {{"found", policies}, {"action", "rules and routes that no policy names any more are removed"}});
    }
    if (addresses > 0) {
        journal_.record(log_level::info, "address_remains", {},
                        {{"found", addresses}, {"action", "addresses that no router names any more are removed"}});
    }
    statics_.take_remains(std::exchange(remains_, {}));
    statics_.start(now.steady, links_);
}

void node::impl::find_shared_resources()
{
    std::map<takeover::local_place, std::uint64_t> first;  // the number of the router that has it, 0 for the node
    shared_.clear();
    const auto add = [&](std::uint64_t number, const takeover::local_value& value) {
        const auto [at, is_new] = first.try_emplace(takeover::place_of(value), number);
        if (!is_new && at->second != number) {
            shared_.insert(at->first);
        }
    };
    const auto add_all = [&](std::uint64_t number, const takeover::local_resources& had,
                             const std::vector<takeover::local_item>& wanted) {
        had.for_each([&](const takeover::local_value& value) { add(number, value); });
        for (const auto& item : wanted) {
            add(number, item.value);
        }
    };
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        const auto& router = *routers_[i].router;
        auto wanted = takeover::local_items(configuration_->routers[i]);
        std::ranges::copy(router.of_interfaces(), std::back_inserter(wanted));
        add_all(routers_[i].number, router.local(), wanted);
    }
    for (const auto& r : leaving_) {
        add_all(r.number, r.router->local(), {});
    }
    add_all(0, statics_, takeover::local_items(configuration_->policies));
}

bool node::impl::is_its_own(const ip_address& address) const
{
    return found_at_start_.contains(address) &&
           std::ranges::any_of(routers_, [&](const numbered_router& r) { return r.router->uses_as_source(address); });
}

std::vector<address_succession> node::impl::addresses_for_a_while() const
{
    std::vector<address_succession> all;
    const auto add = [&](const takeover::local_value& value) {
        const auto* const entry = std::get_if<config::address_entry>(&value);
        if (entry != nullptr && entry->when == config::address_lifetime::while_active &&
            !is_its_own(entry->address.address())) {
            all.push_back({entry->address, entry->interface});
        }
    };
    for (const auto* list : {&routers_, &leaving_}) {
        for (const auto& r : *list) {
            r.router->local().for_each(add);
        }
    }
    statics_.for_each(add);
    std::ranges::for_each(remains_, add);
    return all;
}

// Asked for everything that is let go, so what is rare comes first: a thousand routers may do that in one turn.
bool node::impl::is_needed_elsewhere(const takeover::local_value& value, const takeover::local_resources& asking) const
{
    // An address that was there before this process and that it speaks from is the node's own, whatever else names it.
    const auto* entry = std::get_if<config::address_entry>(&value);
    if (entry != nullptr && is_its_own(entry->address.address())) {
        return true;
    }
    if (shared_.empty() || !shared_.contains(takeover::place_of(value))) {
        return false;
    }
    const auto cares = [&](const takeover::local_resources& local) { return &local != &asking && local.cares_for(value); };
    const auto router_cares = [&](const numbered_router& r) { return cares(r.router->local()); };
    return std::ranges::any_of(routers_, router_cares) || std::ranges::any_of(leaving_, router_cares) || cares(statics_);
}

}  // namespace vipd::node
