#include "agent/cli/status_table.hpp"

#include "agent/cli/json_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace vipd::cli {

namespace {

namespace json = boost::json;

enum class colour { none, green, yellow, red, bold };

struct cell {
    std::string text;
    colour tint = colour::none;
};

using row = std::vector<cell>;

std::string_view escape(colour tint)
{
    switch (tint) {
        case colour::green:
            return "\x1b[32m";
        case colour::yellow:
            return "\x1b[33m";
        case colour::red:
            return "\x1b[31m";
        case colour::bold:
            return "\x1b[1m";
        case colour::none:
            break;
    }
    return "";
}

std::string tinted(const cell& c, table_style style)
{
    return style.has_colours && c.tint != colour::none ? fmt::format("{}{}\x1b[0m", escape(c.tint), c.text) : c.text;
}

// Terminals count characters, not bytes.
std::size_t width_of(std::string_view text)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::vector<std::size_t> widths_of(const std::vector<row>& rows)
{
    std::vector<std::size_t> widths;
    for (const auto& r : rows) {
        widths.resize(std::max(widths.size(), r.size()));
        for (std::size_t i = 0; i < r.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(r[i].text));
        }
    }
    return widths;
}

// Two spaces between columns, none behind the last text.
void append_row(std::string& out, std::string_view indent, const row& r, const std::vector<std::size_t>& widths,
                table_style style)
{
    std::size_t count = r.size();
    while (count > 0 && r[count - 1].text.empty()) {
        --count;
    }
    out += indent;
    for (std::size_t i = 0; i < count; ++i) {
        out += tinted(r[i], style);
        if (i + 1 < count) {
            out.append(widths[i] + 2 - width_of(r[i].text), ' ');
        }
    }
    out += '\n';
}

std::string duration_of(const json::value& at, std::string_view name)
{
    const auto seconds = number_of(at, name);
    return seconds ? short_duration(*seconds) : "-";
}

std::string count_of(const json::value& at, std::string_view name)
{
    const auto number = number_of(at, name);
    return number ? fmt::format("{:.0f}", *number) : "-";
}

colour state_colour(std::string_view state)
{
    if (state == "Active") {
        return colour::green;
    }
    return state == "Initialize" ? colour::yellow : colour::none;
}

// "10.0.1.10 (150)"
std::string active_of(const json::value& router)
{
    const auto address = text_of(router, "active_address");
    const auto priority = number_of(router, "active_priority");
    if (address.empty()) {
        return "-";
    }
    return priority ? fmt::format("{} ({:.0f})", address, *priority) : address;
}

// "150", or "100 of 150" while something lowers it; "180, set" when it is not the configured one that counts.
std::string priority_of(const json::value& router)
{
    const bool is_set = number_of(router, "runtime_priority").has_value();
    const auto base = count_of(router, is_set ? "runtime_priority" : "priority");
    const auto effective = count_of(router, "effective_priority");
    const auto shown = effective == "-" || effective == base ? base : fmt::format("{} of {}", effective, base);
    return shown + (is_set ? ", set" : "");
}

bool has_sync_groups(const json::value& status)
{
    return std::ranges::any_of(list_of(status, "routers"),
                               [](const json::value& router) { return !text_of(router, "sync_group").empty(); });
}

// The group has a column where any router is in one: most nodes have none.
row header_row(bool with_groups)
{
    row names{{"ROUTER"}, {"VRID"}, {"STATE"}, {"FOR"}, {"PRIORITY"}, {"ACTIVE"}, {"WHY"}};
    if (with_groups) {
        names.insert(names.begin() + 2, {"GROUP"});
    }
    return names;
}

row router_row(const json::value& router, bool with_groups)
{
    const auto state = text_of(router, "state");
    row shown{{or_dash(text_of(router, "name")), colour::bold},
              {count_of(router, "vrid")},
              {or_dash(state), state_colour(state)},
              {duration_of(router, "state_age_seconds")},
              {priority_of(router)},
              {active_of(router)},
              {text_of(router, "state_reason")}};
    if (with_groups) {
        shown.insert(shown.begin() + 2, {or_dash(text_of(router, "sync_group"))});
    }
    return shown;
}

std::string trouble_of(const json::value& resource)
{
    const auto duel = text_of(resource, "duel");
    const bool is_duel = !duel.empty() && duel != "none";
    const auto problem = is_duel ? std::string("somebody else takes it away again and again") : text_of(resource, "last_error");
    const auto retry = number_of(resource, "retry_in_seconds");
    if (problem.empty()) {
        return retry ? fmt::format("next try in {}", short_duration(*retry)) : "";
    }
    return retry ? fmt::format("{}; next try in {}", problem, short_duration(*retry)) : problem;
}

row resource_row(const json::value& resource)
{
    const auto state = text_of(resource, "state");
    const auto age = number_of(resource, "confirmed_age_seconds");
    const bool is_here = state == "here";
    return {{or_dash(text_of(resource, "kind"))},
            {or_dash(text_of(resource, "name"))},
            {or_dash(state), is_here             ? colour::green
                             : state == "taking" ? colour::yellow
                                                 : colour::none},
            {text_of(resource, "owner")},
            {age ? fmt::format("read {} ago", short_duration(*age)) : ""},
            {trouble_of(resource), colour::red}};
}

std::uint64_t auth_discards(const json::value& router)
{
    const auto* const adverts = member(router, "adverts");
    const auto* const discarded = adverts == nullptr ? nullptr : member(*adverts, "discarded");
    double sum = 0;
    if (discarded != nullptr && discarded->is_object()) {
        for (const auto& reason : discarded->get_object()) {
            const std::string_view name{reason.key().data(), reason.key().size()};
            sum += name.starts_with("auth_") ? number_of(*discarded, name).value_or(0) : 0;
        }
    }
    return static_cast<std::uint64_t>(sum);
}

// Among the resources: how far signatures are rolled out, and whether that works.
std::optional<row> auth_row(const json::value& router)
{
    const auto* const auth = member(router, "auth");
    const auto* const adverts = member(router, "adverts");
    if (auth == nullptr || adverts == nullptr || text_of(*auth, "kind") != "hmac") {
        return std::nullopt;
    }
    const auto refused = auth_discards(router);
    return row{
        {"auth"},
        {fmt::format("hmac, key {}", count_of(*auth, "active_key"))},
        {or_dash(text_of(*auth, "mode"))},
        {},
        {fmt::format("{} signed, {} not", count_of(*adverts, "with_signature"), count_of(*adverts, "without_signature"))},
        {refused > 0 ? fmt::format("{} discarded", refused) : "", colour::red}};
}

// Among the resources.
row tracker_row(const json::value& tracker)
{
    const auto state = text_of(tracker, "state");
    const auto contribution = number_of(tracker, "contribution").value_or(0);
    const auto age = number_of(tracker, "age_seconds");
    return {{"tracker"},
            {or_dash(text_of(tracker, "name"))},
            {or_dash(state), state == "well"      ? colour::green
                             : state == "failing" ? colour::red
                                                  : colour::yellow},
            {text_of(tracker, "what")},
            {contribution != 0 ? fmt::format("{:+.0f}", contribution)
             : age             ? fmt::format("for {}", short_duration(*age))
                               : ""},
            {state == "failing" ? text_of(tracker, "reason") : "", colour::red}};
}

// Among the resources, where there is something to see: one that runs, or whose last run has gone wrong.
std::optional<row> hook_row(const json::value& hook)
{
    const auto key = text_of(hook, "hook");
    const auto event = text_of(hook, "event");
    const auto running = number_of(hook, "running_seconds");
    const auto* const last = member(hook, "last");
    const auto outcome = last == nullptr ? "" : text_of(*last, "outcome");
    const bool is_failing = !outcome.empty() && outcome != "succeeded";
    if (!running && !is_failing) {
        return std::nullopt;
    }
    return row{
        {"hook"},
        {key == event ? key : fmt::format("{} ({})", key, event)},
        {running ? "running" : outcome, running ? colour::yellow : colour::red},
        {text_of(hook, "command")},
        {running ? fmt::format("for {}", short_duration(*running)) : fmt::format("{} ago", duration_of(*last, "age_seconds"))},
        {is_failing ? text_of(*last, "problem") : "", colour::red}};
}

std::string head(const json::value& status, table_style style)
{
    std::string text =
        fmt::format("vipd {}, up {}, {}", or_dash(text_of(status, "version")), duration_of(status, "uptime_seconds"),
                    truth_of(status, "ready") ? "ready" : tinted({"not ready", colour::yellow}, style));
    if (truth_of(status, "maintenance")) {
        text += ", " + tinted({"in maintenance: it takes no part until `vipd maintenance off`", colour::yellow}, style);
    }
    if (const auto* const notice = member(status, "notice"); notice != nullptr && notice->is_object()) {
        const auto said = fmt::format("EC2 is about to take this instance away ({}: {})", or_dash(text_of(*notice, "kind")),
                                      or_dash(text_of(*notice, "what")));
        text += ", " + tinted({said, colour::yellow}, style);
    }
    return text + "\n";
}

std::string aws_line(const json::value& status, table_style style)
{
    const auto* const aws = member(status, "aws");
    if (aws == nullptr || aws->is_null()) {
        return "";
    }
    std::string text = fmt::format("AWS: {}, {}", or_dash(text_of(*aws, "region")), or_dash(text_of(*aws, "instance_id")));
    if (text_of(*aws, "identity_source") == "cache") {
        text += ", " + tinted({"identity from the cache", colour::yellow}, style);
    }
    if (const auto remaining = number_of(*aws, "credentials_remaining_seconds")) {
        text += *remaining >= 0 ? fmt::format(", credentials for {}", short_duration(*remaining))
                                : ", " + tinted({"credentials have expired", colour::red}, style);
    }
    if (!truth_of(*aws, "ready")) {
        text += ", " + tinted({"not ready", colour::yellow}, style);
    }
    if (const auto* const path = member(status, "ec2_path");
        path != nullptr && path->is_object() && !truth_of(*path, "works")) {
        text += ", " + tinted({"the path to EC2 is broken", colour::red}, style);
    }
    const auto problem = text_of(*aws, "last_error");
    if (!problem.empty()) {
        text += "\n     " + tinted({problem, colour::red}, style);
    }
    return text + "\n";
}

}  // namespace

std::string short_duration(double seconds)
{
    if (!std::isfinite(seconds) || seconds < 0) {
        return "0s";
    }
    if (seconds < 1) {
        return fmt::format("{:.0f}ms", std::floor(seconds * 1000));
    }
    // More than a century is somebody's mistake, and must not overflow.
    const auto whole = static_cast<std::uint64_t>(std::min(seconds, 4e9));
    struct unit {
        std::uint64_t length;
        std::string_view name;
    };
    static constexpr std::array<unit, 4> units = {{{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}};
    for (std::size_t i = 0; i + 1 < units.size(); ++i) {
        if (whole >= units[i].length) {
            return fmt::format("{}{} {}{}", whole / units[i].length, units[i].name,
                               whole % units[i].length / units[i + 1].length, units[i + 1].name);
        }
    }
    return fmt::format("{}s", whole);
}

std::string status_table(const json::value& status, table_style style)
{
    std::string out = head(status, style) + aws_line(status, style);
    const bool with_groups = has_sync_groups(status);
    std::vector<row> routers = {header_row(with_groups)};
    std::vector<std::vector<row>> resources;
    std::vector<row> all_resources;
    for (const auto& router : list_of(status, "routers")) {
        routers.push_back(router_row(router, with_groups));
        auto& own = resources.emplace_back();
        if (auto auth = auth_row(router)) {
            own.push_back(std::move(*auth));
        }
        for (const auto& resource : list_of(router, "resources")) {
            own.push_back(resource_row(resource));
        }
        for (const auto& tracker : list_of(router, "trackers")) {
            own.push_back(tracker_row(tracker));
        }
        for (const auto& hook : list_of(router, "hooks")) {
            if (auto shown = hook_row(hook)) {
                own.push_back(std::move(*shown));
            }
        }
        all_resources.insert(all_resources.end(), own.begin(), own.end());
    }
    std::vector<row> node_resources;
    for (const auto& policy : list_of(status, "policies")) {
        node_resources.push_back(resource_row(policy));
        all_resources.push_back(node_resources.back());
    }
    if (routers.size() == 1) {
        return out + "\nno routers\n";
    }
    const auto router_widths = widths_of(routers);
    const auto resource_widths = widths_of(all_resources);
    out += '\n';
    append_row(out, "", routers[0], router_widths, style);
    for (std::size_t i = 0; i < resources.size(); ++i) {
        append_row(out, "", routers[i + 1], router_widths, style);
        for (const auto& resource : resources[i]) {
            append_row(out, "  ", resource, resource_widths, style);
        }
    }
    if (!node_resources.empty()) {
        out += "\nthis node, whoever is Active\n";
        for (const auto& resource : node_resources) {
            append_row(out, "  ", resource, resource_widths, style);
        }
    }
    return out;
}

}  // namespace vipd::cli
