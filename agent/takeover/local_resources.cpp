#include "agent/takeover/local_addresses.hpp"

#include <algorithm>
#include <utility>

namespace vipd::takeover {

bool local_addresses::wanted_here(const entry_state& e) const
{
    if (e.retired) {
        return draining();
    }
    return e.entry.when == config::address_lifetime::always || active_ || draining();
}

bool local_addresses::stays_for_others(const entry_state& e) const
{
    return !wanted_here(e) && needs_.is_needed_elsewhere(e.entry, *this);
}

void local_addresses::want(const std::vector<config::address_entry>& entries)
{
    for (auto& old : entries_) {
        old.retired = std::ranges::none_of(entries, [&](const config::address_entry& e) {
            return e.address == old.entry.address && e.interface == old.entry.interface;
        });
    }
    // "always" means until the machine stops: such an address is not taken away by an edit either.
    std::erase_if(entries_, [](const entry_state& e) { return e.retired && e.entry.when == config::address_lifetime::always; });
    for (const auto& entry : entries) {
        const auto found = std::ranges::find_if(entries_, [&](const entry_state& e) {
            return e.entry.address == entry.address && e.entry.interface == entry.interface;
        });
        if (found == entries_.end()) {
            entry_state fresh;
            fresh.entry = entry;
            entries_.push_back(std::move(fresh));
        } else {
            found->entry = entry;
        }
    }
}

void local_addresses::start(time_point now, const net::link_table& kernel)
{
    started_ = true;
    reconcile(now, kernel);
}

void local_addresses::become_active(time_point now, const net::link_table& kernel)
{
    active_ = true;
    drain_until_ = never;
    reconcile(now, kernel);
}

void local_addresses::leave_active(time_point until)
{
    if (active_) {
        active_ = false;
        drain_until_ = until;
    }
}

void local_addresses::end_drain(time_point now)
{
    if (draining()) {
        drain_until_ = std::min(drain_until_, now);
    }
}

void local_addresses::kernel_changed(time_point now, const net::link_table& kernel)
{
    reconcile(now, kernel);
}

void local_addresses::reconcile(time_point now, const net::link_table& kernel)
{
    if (!started_ || !kernel.complete()) {
        return;
    }
    if (draining() && drain_until_ <= now) {
        drain_until_ = never;
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        auto& e = entries_[i];
        if (e.in_flight || e.waiting_for_id) {
            continue;
        }
        const auto* link = kernel.find_link(e.entry.interface);
        const bool here = link != nullptr && kernel.has_address(link->index, e.entry.address);
        const bool wanted = wanted_here(e);
        if (here == wanted || stays_for_others(e)) {
            e.was_here = here;
            e.last_error.clear();
            e.pause.reset();
            e.retry_at = time_point::min();
            continue;
        }
        if (link == nullptr) {
            e.last_error = "there is no interface '" + e.entry.interface + "' on this node";
            e.retry_at = time_point::min();  // the link's appearance is the next occasion
            continue;
        }
        if (e.was_here && wanted) {
            e.was_here = false;
            ++e.repairs;
            journal_.record(log_level::warning, "address_lost", router_,
                            {{"address", e.entry.address.to_string()},
                             {"interface", e.entry.interface},
                             {"action", "it was removed by somebody else and is put back"}});
        }
        if (e.retry_at > now) {
            continue;
        }
        ++e.changes;
        e.waiting_for_id = true;
        const net::link_address value{link->index, e.entry.address};
        outputs_.push_back({i, wanted ? net::kernel_change{net::add_address{value}} : net::remove_address{value}});
    }
    std::erase_if(entries_, [&](const entry_state& e) {
        const auto* link = kernel.find_link(e.entry.interface);
        const bool here = link != nullptr && kernel.has_address(link->index, e.entry.address);
        const bool done_with = !here || stays_for_others(e);
        return e.retired && done_with && !e.in_flight && !e.waiting_for_id && outputs_.empty();
    });
}

std::optional<local_addresses::change> local_addresses::poll_output()
{
    if (outputs_.empty()) {
        return std::nullopt;
    }
    auto first = outputs_.front();
    outputs_.erase(outputs_.begin());
    return first;
}

void local_addresses::issued(std::size_t entry, net::kernel_request_id id)
{
    entries_.at(entry).in_flight = id;
    entries_.at(entry).waiting_for_id = false;
}

void local_addresses::answered(time_point now, const net::kernel_answer& answer, const net::link_table& kernel)
{
    const auto found = std::ranges::find_if(entries_, [&](const entry_state& e) { return e.in_flight == answer.id; });
    if (!answer.id || found == entries_.end()) {
        return;
    }
    found->in_flight = {};
    const bool wanted = wanted_here(*found);
    if (answer.error_number != 0) {
        ++found->failures;
        found->last_error = answer.text;
        found->retry_at = now + found->pause.next(random_);
        const auto verdict = repeated_.admit(
            now, "address", found->entry.address.to_string() + ' ' + found->entry.interface + ' ' + answer.text);
        if (verdict.write) {
            journal_.record(log_level::error, "address", router_,
                            {{"address", found->entry.address.to_string()},
                             {"interface", found->entry.interface},
                             {"outcome", "failed"},
                             {"errno", answer.error_number},
                             {"message", answer.text},
                             {"like_it_since_last_line", verdict.suppressed}});
        }
    } else {
        journal_.record(log_level::info, "address", router_,
                        {{"address", found->entry.address.to_string()},
                         {"interface", found->entry.interface},
                         {"outcome", wanted ? "added" : "removed"}});
        // The kernel's own event follows at once or has come already; looking again before it would ask a second time.
        found->retry_at = now + found->pause.next(random_);
    }
    reconcile(now, kernel);
}

void local_addresses::handle_timeout(time_point now, const net::link_table& kernel)
{
    reconcile(now, kernel);
}

wakeup local_addresses::next_wakeup() const
{
    wakeup next{drain_until_, "drain"};
    for (const auto& e : entries_) {
        if (!e.in_flight && !e.waiting_for_id && e.retry_at != time_point::min()) {
            next = earliest(next, {e.retry_at, "address retry"});
        }
    }
    return next;
}

bool local_addresses::concerns(const ip_prefix& address) const
{
    return std::ranges::any_of(entries_, [&](const entry_state& e) { return e.entry.address == address; });
}

bool local_addresses::cares_for(const config::address_entry& address) const
{
    return std::ranges::any_of(entries_, [&](const entry_state& e) {
        return e.entry.address == address.address && e.entry.interface == address.interface &&
               (wanted_here(e) || e.in_flight || e.waiting_for_id);
    });
}

bool local_addresses::settled(const net::link_table& kernel) const
{
    return !draining() && std::ranges::all_of(entries_, [&](const entry_state& e) {
        const auto* link = kernel.find_link(e.entry.interface);
        const bool here = link != nullptr && kernel.has_address(link->index, e.entry.address);
        const bool is_right = here == wanted_here(e) || link == nullptr || stays_for_others(e);
        return is_right && !e.in_flight && !e.waiting_for_id;
    });
}

void local_addresses::snapshot(const net::link_table& kernel, std::vector<status::resource>& out) const
{
    for (const auto& e : entries_) {
        status::resource r;
        r.kind = status::resource_kind::address;
        r.destination = e.entry.address.to_string();
        r.name = r.destination + " on " + e.entry.interface;
        const auto* link = kernel.find_link(e.entry.interface);
        const bool here = link != nullptr && kernel.has_address(link->index, e.entry.address);
        r.owner = here ? "this node" : "not on this node";
        r.state = here ? status::resource_state::here
                       : (wanted_here(e) ? status::resource_state::taking : status::resource_state::elsewhere);
        r.mutating_calls = e.changes;
        r.repairs = e.repairs;
        r.failures = e.failures;
        r.last_error = e.last_error;
        out.push_back(std::move(r));
    }
}

}  // namespace vipd::takeover
