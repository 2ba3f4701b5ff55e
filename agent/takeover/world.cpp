#include "agent/takeover/world.hpp"

#include "common/overloaded.hpp"

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

// EC2's own buckets are larger; the account has other users.
token_bucket read_budget_of(const cloud_query& query)
{
    return std::holds_alternative<interface_query>(query) ? token_bucket{20.0, 2.0} : token_bucket{5.0, 1.0};
}

void add_tables(const table_query& query, query_view& building, const aws::route_tables_page& page)
{
    for (const auto& table : page.tables) {
        if (table.of_gateway && !query.by_id()) {
            continue;
        }
        auto& view = building.tables[table.id];
        view.name = table.name;
        for (const auto& route : table.routes) {
            if (!building.destinations.contains(route.destination)) {
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

}  // namespace

world::query_state::query_state(const cloud_query& query) : read_budget(read_budget_of(query)) {}

void world::watch(time_point now, const watch_list& wanted)
{
    std::erase_if(queries_, [&](const auto& entry) { return !wanted.contains(entry.first); });
    for (const auto& [query, destinations] : wanted) {
        auto& q = queries_.try_emplace(query, query).first->second;
        if (q.destinations != destinations) {
            q.destinations = destinations;
            q.next_read = std::min(q.next_read, now);
        }
    }
}

void world::set_period(time_point now, duration period)
{
    const bool is_shorter = period < period_;
    period_ = period;
    if (!is_shorter) {
        return;
    }
    for (auto& [query, q] : queries_) {
        q.next_read = std::min(q.next_read, now + draw_period());
    }
}

void world::read_at(const cloud_query& query, time_point at)
{
    const auto found = queries_.find(query);
    if (found == queries_.end()) {
        return;
    }
    auto& q = found->second;
    // A read under way that began before `at` does not answer the question; next_read is looked at again when it ends.
    q.next_read = std::min(q.next_read, std::max(at, q.refused_until));
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

void world::ask_for_page(time_point now, const cloud_query& query, query_state& q)
{
    if (!q.page_budget.try_take(now)) {
        q.next_page = q.page_budget.available_at(now);
        return;
    }
    q.ticket = ++last_ticket_;
    outputs_.push_back({q.ticket, describe_call(query, q.next_token, q.results_max)});
}

void world::handle_timeout(time_point now)
{
    for (auto& [query, q] : queries_) {
        if (!q.reading && q.next_read <= now) {
            begin_read(now, q, draw_period());
        }
        if (q.reading && q.ticket == 0 && q.next_page <= now) {
            ask_for_page(now, query, q);
        }
    }
}

std::optional<std::string> world::add_page(const cloud_query& query, query_state& q, const aws::ec2_reply& reply)
{
    auto& building = q.building;
    const bool is_answer =
        std::holds_alternative<aws::route_tables_page>(reply.value) == std::holds_alternative<table_query>(query) &&
        std::holds_alternative<aws::network_interfaces_page>(reply.value) == std::holds_alternative<interface_query>(query);
    if (!is_answer) {
        return std::nullopt;
    }
    return std::visit(overloaded{
                          [&](const aws::route_tables_page& page) -> std::optional<std::string> {
                              add_tables(std::get<table_query>(query), building, page);
                              return page.next_token;
                          },
                          [&](const aws::network_interfaces_page& page) -> std::optional<std::string> {
                              for (const auto& interface : page.interfaces) {
                                  building.interfaces.insert_or_assign(interface.id, interface);
                              }
                              return page.next_token;
                          },
                          [&](const aws::elastic_addresses& found) -> std::optional<std::string> {
                              for (const auto& one : found.all) {
                                  building.elastic_addresses.insert_or_assign(one.allocation, one);
                              }
                              return std::string{};
                          },
                          [](const auto&) -> std::optional<std::string> { return std::nullopt; },
                      },
                      reply.value);
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
    const bool is_refused = e.kind == aws::ec2_error_class::denied || e.kind == aws::ec2_error_class::invalid;
    q.refused_until = is_refused ? q.next_read : time_point{};
}

std::optional<cloud_query> world::handle(time_point now, std::uint64_t ticket, const aws::ec2_reply& reply)
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
    auto next_token = add_page(query, q, reply);
    if (!next_token || ++q.pages >= pages_max) {
        q.error = "EC2 sent no end of pages";
        abandon(now, q, q.pauses.next(now, aws::ec2_error_class::invalid, random_));
        return std::nullopt;
    }
    q.failures = 0;
    if (!next_token->empty()) {
        q.next_token = std::move(*next_token);
        q.next_page = now;
        ask_for_page(now, query, q);
        return std::nullopt;
    }
    q.reading = false;
    q.error.clear();
    q.pauses.reset();
    q.refused_until = {};
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
            next = earliest(next, {q.next_read, "EC2 read"});
        } else if (q.ticket == 0) {
            next = earliest(next, {q.next_page, "next page of an EC2 read"});
        }
    }
    return next;
}

const query_view* world::find(const cloud_query& query) const
{
    const auto found = queries_.find(query);
    return found == queries_.end() || !found->second.view ? nullptr : &*found->second.view;
}

std::string world::last_error(const cloud_query& query) const
{
    const auto found = queries_.find(query);
    return found == queries_.end() ? std::string{} : found->second.error;
}

}  // namespace vipd::takeover
