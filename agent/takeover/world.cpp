#include "agent/takeover/world.hpp"

#include "common/overloaded.hpp"

#include <algorithm>

namespace vipd::takeover {

namespace {

// A VPC has at most 200 route tables by default and some thousands by request; a cloud that pages for ever is stopped here.
constexpr unsigned pages_max = 1000;
constexpr unsigned results_min = 5;  // EC2's lower bound of MaxResults

}  // namespace

void world::watch(time_point now, const watch_list& wanted)
{
    std::erase_if(queries_, [&](const auto& entry) { return !wanted.contains(entry.first); });
    for (const auto& [query, destinations] : wanted) {
        auto& q = queries_[query];
        if (q.destinations != destinations) {
            q.destinations = destinations;
            q.next_read = std::min(q.next_read, now);
        }
    }
}

void world::read_at(const table_query& query, time_point at)
{
    const auto found = queries_.find(query);
    if (found == queries_.end()) {
        return;
    }
    auto& q = found->second;
    // A read under way that began before `at` does not answer the question; next_read is looked at again when it ends.
    q.next_read = std::min(q.next_read, at);
}

void world::begin_page(const table_query& query, query_state& q)
{
    q.ticket = ++last_ticket_;
    ++q.pages;
    aws::describe_route_tables call;
    call.ids = query.ids;
    call.vpc = query.vpc;
    call.tags = query.tags;
    call.next_token = q.next_token;
    call.results_max = q.results_max;
    outputs_.push_back({q.ticket, std::move(call)});
}

void world::handle_timeout(time_point now)
{
    for (auto& [query, q] : queries_) {
        if (q.ticket != 0 || q.next_read > now) {
            continue;
        }
        if (!q.budget.try_take(now)) {
            q.next_read = q.budget.available_at(now);
            continue;
        }
        q.next_read = now + random_.between(period_ * 9 / 10, period_ * 11 / 10);
        q.building = {};
        q.building.read_began = now;
        q.next_token.clear();
        q.pages = 0;
        begin_page(query, q);
    }
}

void world::add_page(query_state& q, const aws::route_tables_page& page)
{
    for (const auto& table : page.tables) {
        auto& view = q.building.tables[table.id];
        view.name = table.name;
        for (const auto& route : table.routes) {
            if (!q.destinations.contains(route.destination)) {
                continue;
            }
            const auto [at, added] = view.routes.try_emplace(route.destination, route);
            // Where a static and a propagated route share a destination the static one decides (VPC User Guide, "Route
            // priority").
            if (!added && at->second.propagated) {
                at->second = route;
            }
        }
    }
}

void world::fail(time_point now, query_state& q, const std::string& why)
{
    q.ticket = 0;
    q.error = why;
    q.next_read = std::min(q.next_read, now + q.pause.next(random_));
}

std::optional<table_query> world::handle(time_point now, std::uint64_t ticket, const aws::ec2_reply& reply)
{
    const auto found = std::ranges::find_if(queries_, [&](const auto& entry) { return entry.second.ticket == ticket; });
    if (ticket == 0 || found == queries_.end()) {
        return std::nullopt;  // the query is no longer watched
    }
    auto& [query, q] = *found;
    if (const auto* e = std::get_if<aws::ec2_error>(&reply.value)) {
        if (e->kind == aws::ec2_error_class::page_too_large && q.results_max > results_min) {
            q.results_max = std::max(results_min, q.results_max / 2);
        }
        fail(now, q, e->code + ": " + e->message);
        return std::nullopt;
    }
    const auto* page = std::get_if<aws::route_tables_page>(&reply.value);
    if (page == nullptr || q.pages >= pages_max) {
        fail(now, q, "EC2 sent no end of pages");
        return std::nullopt;
    }
    add_page(q, *page);
    if (!page->next_token.empty()) {
        q.next_token = page->next_token;
        begin_page(query, q);
        return std::nullopt;
    }
    q.ticket = 0;
    q.error.clear();
    q.pause.reset();
    q.building.read_ended = now;
    q.view = std::move(q.building);
    return query;
}

std::optional<read_call> world::poll_output()
{
    if (outputs_.empty()) {
        return std::nullopt;
    }
    auto first = std::move(outputs_.front());
    outputs_.erase(outputs_.begin());
    return first;
}

wakeup world::next_wakeup() const
{
    wakeup next;
    for (const auto& [query, q] : queries_) {
        if (q.ticket == 0) {
            next = earliest(next, {q.next_read, "route table read"});
        }
    }
    return next;
}

const query_view* world::find(const table_query& query) const
{
    const auto found = queries_.find(query);
    return found == queries_.end() || !found->second.view ? nullptr : &*found->second.view;
}

std::string world::last_error(const table_query& query) const
{
    const auto found = queries_.find(query);
    return found == queries_.end() ? std::string{} : found->second.error;
}

}  // namespace vipd::takeover
