#include "agent/takeover/world.hpp"

#include <algorithm>

namespace vipd::takeover {

namespace {

// A VPC has at most 200 route tables by default and some thousands by request; a cloud that pages for ever is stopped here.
constexpr unsigned pages_max = 1000;
constexpr unsigned page_failures_max = 4;
constexpr unsigned results_min = 5;  // EC2's bounds of MaxResults
constexpr unsigned results_most = 100;

bool may_pass(aws::ec2_error_class kind)
{
    return kind == aws::ec2_error_class::transient || kind == aws::ec2_error_class::throttled ||
           kind == aws::ec2_error_class::not_sent;
}

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

void world::begin_read(time_point now, query_state& q, duration until_next)
{
    if (!q.read_budget.try_take(now)) {
        q.next_read = q.read_budget.available_at(now);
        return;
    }
    q.next_read = now + until_next;
    q.building = {};
    q.building.destinations = q.destinations;
    q.building.read_began = now;
    q.reading = true;
    q.next_page = now;
    q.next_token.clear();
    q.pages = q.failures = 0;
}

void world::ask_for_page(time_point now, const table_query& query, query_state& q)
{
    if (!q.page_budget.try_take(now)) {
        q.next_page = q.page_budget.available_at(now);
        return;
    }
    q.ticket = ++last_ticket_;
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
        if (!q.reading && q.next_read <= now) {
            begin_read(now, q, random_.between(period_ * 9 / 10, period_ * 11 / 10));
        }
        if (q.reading && q.ticket == 0 && q.next_page <= now) {
            ask_for_page(now, query, q);
        }
    }
}

void world::add_page(const table_query& query, query_state& q, const aws::route_tables_page& page)
{
    for (const auto& table : page.tables) {
        if (table.of_gateway && !query.by_id()) {
            continue;
        }
        auto& view = q.building.tables[table.id];
        view.name = table.name;
        for (const auto& route : table.routes) {
            if (!q.building.destinations.contains(route.destination)) {
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

void world::abandon(time_point now, query_state& q, duration pause)
{
    q.reading = false;
    q.next_read = now + std::min(pause, period_);
}

void world::failed(time_point now, query_state& q, const aws::ec2_error& e)
{
    q.error = e.code + ": " + e.message;
    const auto pause = q.pauses.next(now, e.kind, random_);
    if (e.kind == aws::ec2_error_class::page_too_large) {
        q.results_max = std::max(results_min, q.results_max / 2);
    }
    // The first page begins the read, so asking for it again may as well begin another.
    if (may_pass(e.kind) && !q.next_token.empty() && ++q.failures < page_failures_max) {
        q.next_page = now + pause;
        return;
    }
    abandon(now, q, pause);
}

std::optional<table_query> world::handle(time_point now, std::uint64_t ticket, const aws::ec2_reply& reply)
{
    const auto found = std::ranges::find_if(queries_, [&](const auto& entry) { return entry.second.ticket == ticket; });
    if (ticket == 0 || found == queries_.end()) {
        return std::nullopt;  // the query is no longer watched
    }
    auto& [query, q] = *found;
    q.ticket = 0;
    if (const auto* e = std::get_if<aws::ec2_error>(&reply.value)) {
        failed(now, q, *e);
        return std::nullopt;
    }
    const auto* page = std::get_if<aws::route_tables_page>(&reply.value);
    if (page == nullptr || ++q.pages >= pages_max) {
        q.error = "EC2 sent no end of pages";
        abandon(now, q, q.pauses.next(now, aws::ec2_error_class::invalid, random_));
        return std::nullopt;
    }
    add_page(query, q, *page);
    q.failures = 0;
    if (!page->next_token.empty()) {
        q.next_token = page->next_token;
        q.next_page = now;
        ask_for_page(now, query, q);
        return std::nullopt;
    }
    q.reading = false;
    q.error.clear();
    q.pauses.reset();
    // Back to large pages, slowly: what was too large a while ago may still be.
    q.results_max = std::min(results_most, q.results_max + 1);
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
        if (!q.reading) {
            next = earliest(next, {q.next_read, "route table read"});
        } else if (q.ticket == 0) {
            next = earliest(next, {q.next_page, "next page of route tables"});
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
