// What the resources on this node say of themselves.

#include "agent/takeover/local_resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace vipd::takeover {

namespace {

constexpr std::size_t missing_named_max = 3;

status::resource_state state_of(bool wanted, bool all_here, bool any_here)
{
    if (wanted) {
        return all_here ? status::resource_state::here : status::resource_state::taking;
    }
    return any_here ? status::resource_state::here : status::resource_state::elsewhere;
}

}  // namespace

bool local_resources::all_here(const net::link_table& kernel) const
{
    return std::ranges::all_of(
        entries_, [&](const entry_state& e) { return !wanted_here(e) || look(e.item.value, kernel).found == presence::here; });
}

status::resource local_resources::snapshot_single(const entry_state& e, const net::link_table& kernel) const
{
    const bool here = look(e.item.value, kernel).found == presence::here;
    status::resource r;
    if (const auto* const entry = std::get_if<config::address_entry>(&e.item.value)) {
        r.kind = status::resource_kind::address;
        r.destination = entry->address.to_string();
    } else {
        r.kind = status::resource_kind::link;
    }
    r.name = describe(e.item.value);
    r.owner = here ? "this node" : "not on this node";
    r.state = state_of(wanted_here(e), here, here);
    r.mutating_calls = e.changes;
    r.repairs = e.repairs;
    r.failures = e.failures;
    r.last_error = e.last_error;
    return r;
}

status::resource local_resources::snapshot_table(std::uint32_t table, const net::link_table& kernel) const
{
    status::resource r;
    r.kind = status::resource_kind::policy;
    r.name = fmt::format("table {}", table);
    auto& parts = r.parts.emplace();
    std::string missing;
    std::size_t missing_count = 0;
    bool wanted = false;
    for (const auto& e : entries_) {
        if (!e.is_policy() || e.item.table() != table) {
            continue;
        }
        const bool is_rule = std::holds_alternative<net::policy_rule>(e.item.value);
        const bool here = look(e.item.value, kernel).found == presence::here;
        ++(is_rule ? parts.rules : parts.routes);
        (is_rule ? parts.rules_here : parts.routes_here) += here ? 1 : 0;
        wanted = wanted || wanted_here(e);
        r.mutating_calls += e.changes;
        r.repairs += e.repairs;
        r.failures += e.failures;
        if (r.last_error.empty() && !e.last_error.empty()) {
            r.last_error = describe(e.item.value) + ": " + e.last_error;
        }
        if (wanted_here(e) && !here && ++missing_count <= missing_named_max) {
            missing +=
                (missing.empty() ? "" : ", ") + describe(e.item.value) + (e.obstacle.empty() ? "" : " (" + e.obstacle + ")");
        }
    }
    const auto here = parts.rules_here + parts.routes_here;
    r.state = state_of(wanted, here == parts.rules + parts.routes, here > 0);
    r.owner = fmt::format("{}{} of {} rules, {} of {} routes{}", wanted && missing_count == 0 ? "this node: " : "",
                          parts.rules_here, parts.rules, parts.routes_here, parts.routes, wanted || here > 0 ? " here" : "");
    if (!wanted && here == 0) {
        r.owner = "not on this node";
    }
    if (missing_count > 0) {
        r.owner += "; missing: " + missing;
        r.owner += missing_count > missing_named_max ? fmt::format(" and {} more", missing_count - missing_named_max) : "";
    }
    return r;
}

void local_resources::snapshot(const net::link_table& kernel, std::vector<status::resource>& out) const
{
    std::set<std::uint32_t> tables;
    for (const auto& e : entries_) {
        if (!e.is_policy()) {
            out.push_back(snapshot_single(e, kernel));
        } else {
            tables.insert(e.item.table());
        }
    }
    for (const auto table : tables) {
        out.push_back(snapshot_table(table, kernel));
    }
}

std::vector<std::string> local_resources::plan(const net::link_table& kernel) const
{
    std::vector<std::string> lines;
    for (const auto& e : entries_) {
        if (e.retired) {
            continue;
        }
        const auto seen = look(e.item.value, kernel, true);
        const auto what = describe(e.item.value);
        if (seen.found == presence::here) {
            lines.push_back("= " + what + ": is there");
        } else if ((e.is_policy() || seen.found == presence::different) && !seen.obstacle.empty()) {
            lines.push_back("? " + what + ": waits, because " + seen.obstacle);
        } else if (seen.found == presence::different) {
            lines.push_back("~ " + what + ": changed by netlink");
        } else {
            lines.push_back("+ " + what + ": added by netlink");
        }
    }
    return lines;
}

}  // namespace vipd::takeover
