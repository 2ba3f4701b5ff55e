#include "agent/status/page_html.hpp"

#include "agent/status/page.hpp"
#include "agent/status/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace vipd::status {

namespace {

template <class... T>
void put(std::string& out, fmt::format_string<T...> form, T&&... values)
{
    fmt::format_to(std::back_inserter(out), form, std::forward<T>(values)...);
}

std::string_view css_class(vrrp::state state)
{
    switch (state) {
        case vrrp::state::active:
            return "good";
        case vrrp::state::backup:
            return "calm";
        case vrrp::state::initialize:
            return "off";
    }
    return "off";
}

std::string_view css_class(const resource& x, bool active)
{
    const bool here = x.state == resource_state::here || x.state == resource_state::accepted;
    if (active) {
        if (here) {
            return "good";
        }
        return x.last_error.empty() ? "busy" : "bad";
    }
    return x.state == resource_state::here ? "busy" : "off";
}

std::string age(const std::optional<duration>& d, std::string_view otherwise)
{
    return d ? human_duration(*d) + " ago" : std::string(otherwise);
}

// "Active is 10.0.2.10 (priority 200), heard 120 ms ago"
std::string who_is_active(const router& r)
{
    if (!r.active_address) {
        return "no Active is known";
    }
    const auto active =
        std::find_if(r.peers.begin(), r.peers.end(), [&](const peer& p) { return p.address == *r.active_address; });
    return fmt::format("Active is {} (priority {}){}", r.active_address->to_string(), r.active_priority,
                       active != r.peers.end() && active->last_heard_age
                           ? fmt::format(", heard {} ago", human_duration(*active->last_heard_age))
                           : "");
}

// "1 h 0 min (no advert for 722 ms)"
std::string how_long_and_why(const router& r)
{
    const std::string reason = r.state_reason.empty() ? "" : fmt::format(" ({})", r.state_reason);
    return human_duration(r.state_age) + reason;
}

// --- the head ---

struct verdict {
    std::string_view css;
    std::string title;
    std::string text;
};

verdict judge(const page_summary& s)
{
    if (s.only) {
        const router& r = *s.only;
        const std::string held = fmt::format("{}, for {}", r.name, how_long_and_why(r));
        switch (r.state) {
            case vrrp::state::active:
                return {"active", "This node is Active", held};
            case vrrp::state::backup:
                return {"backup", "This node is Backup", fmt::format("{}; {}", held, who_is_active(r))};
            case vrrp::state::initialize:
                break;
        }
        return {"initialize", "This node takes no part", held};
    }
    if (s.routers == 0) {
        return {"initialize", "No virtual router", "The configuration has no [[router]]."};
    }
    const auto text = fmt::format("{} virtual routers", s.routers);
    if (s.active == s.routers) {
        return {"active", "This node is Active for all", text};
    }
    if (s.backup == s.routers) {
        return {"backup", "This node is Backup for all", text};
    }
    std::string title;
    const auto count = [&](std::size_t n, std::string_view word) {
        if (n > 0) {
            title += fmt::format("{}{} {}", title.empty() ? "" : ", ", n, word);
        }
    };
    count(s.active, "Active");
    count(s.backup, "Backup");
    count(s.initialize, "Initialize");
    return {"mixed", title, text};
}

std::string node_name(const node& n)
{
    if (!n.aws || !n.aws->identity) {
        return "";
    }
    const auto& i = *n.aws->identity;
    return i.availability_zone.empty() ? i.instance.str() : fmt::format("{} in {}", i.instance.str(), i.availability_zone);
}

void put_findings(std::string& out, const page_summary& s)
{
    if (s.findings.empty()) {
        return;
    }
    out += "<ul class=\"findings\" aria-label=\"What needs attention\">\n";
    for (const auto& f : s.findings) {
        const auto level = to_string(f.level);
        put(out, "<li class=\"{}\"><b>{}</b><span class=\"text\">", level, level);
        if (!f.router.empty()) {
            put(out, "<strong>{}</strong>: ", html(f.router));
        }
        append_html(out, f.text);
        out += "</span></li>\n";
    }
    if (s.findings_count > s.findings.size()) {
        put(out, "<li class=\"note\"><b>note</b><span>and {} more</span></li>\n", s.findings_count - s.findings.size());
    }
    out += "</ul>\n";
}

// --- a router ---

void put_nodes(std::string& out, const router& r)
{
    const bool active = r.state == vrrp::state::active;
    out +=
        "<div class=\"scroll\"><table><caption>Nodes</caption>\n"
        "<tr><th>Address</th><th>Role</th><th class=\"number\">Priority</th><th class=\"number\">Last heard</th></tr>\n";
    put(out,
        "<tr class=\"self\"><td class=\"mono\">{}</td><td><span class=\"state {}\">{}</span></td><td class=\"number\">{}</td>"
        "<td class=\"number\">this node</td></tr>\n",
        r.source ? r.source->to_string() : "no address", css_class(r.state), vrrp::to_string(r.state), r.effective_priority);
    for (const auto& p : r.peers) {
        const bool is_active = !active && r.active_address == p.address;
        put(out, "<tr><td class=\"mono\">{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
            p.address.to_string(), is_active ? "<span class=\"state good\">Active</span>" : "<span class=\"dim\">peer</span>",
            p.last_heard_age ? std::to_string(p.last_priority) : "", age(p.last_heard_age, "not heard"));
        if (p.inbound_blocked) {
            out +=
                "<tr class=\"error\"><td colspan=\"4\" class=\"text\">the security group seems to lack inbound IP protocol "
                "112</td></tr>\n";
        }
    }
    out += "</table></div>\n";
}

// "3, 7 failed, 1 repaired"
std::string calls(const resource& x)
{
    std::string out = std::to_string(x.mutating_calls);
    if (x.failures > 0) {
        out += fmt::format(", {} failed", x.failures);
    }
    if (x.repairs > 0) {
        out += fmt::format(", {} repaired", x.repairs);
    }
    return out;
}

bool needs_attention(const resource& x)
{
    return !x.last_error.empty() || x.duel != duel_state::none;
}

void put_resource(std::string& out, const resource& x, bool active)
{
    put(out,
        "<tr{}><td class=\"mono text\">{}</td><td><span class=\"state {}\">{}</span></td><td class=\"mono text\">{}</td>"
        "<td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
        needs_attention(x) ? " class=\"has-error\"" : "", html(x.name), css_class(x, active), to_string(x.state), html(x.owner),
        age(x.confirmed_age, "never"), calls(x));
    const auto retry = x.retry_in ? "; next try in " + human_duration(*x.retry_in) : std::string{};
    if (x.duel != duel_state::none) {
        put(out,
            "<tr class=\"error\"><td colspan=\"5\" class=\"text\">somebody else takes it away again and again{}</td></tr>\n",
            x.last_error.empty() ? retry : "");
    }
    if (!x.last_error.empty()) {
        put(out, "<tr class=\"error\"><td colspan=\"5\" class=\"text\">{}{}</td></tr>\n", html(x.last_error), retry);
    }
}

void begin_resources(std::string& out)
{
    out +=
        "<div class=\"scroll\"><table><caption>Resources</caption>\n<tr><th>What</th><th>State</th><th>Owner</th>"
        "<th class=\"number\">Confirmed</th><th class=\"number\">Calls</th></tr>\n";
}

void put_resources(std::string& out, const router& r)
{
    if (r.resources.empty()) {
        out += "<p class=\"dim\">No resources are configured: this router only elects.</p>\n";
        return;
    }
    begin_resources(out);
    // Those in trouble first, but only when not all of them fit: rows that keep their place are found again.
    std::vector<const resource*> rows;
    for (const auto& x : r.resources) {
        rows.push_back(&x);
    }
    const bool cut = rows.size() > page_resources_max;
    if (cut) {
        std::stable_partition(rows.begin(), rows.end(), [](const resource* x) { return needs_attention(*x); });
        rows.resize(page_resources_max);
    }
    for (const auto* x : rows) {
        put_resource(out, *x, r.state == vrrp::state::active);
    }
    if (cut) {
        put(out, "<tr><td colspan=\"5\" class=\"dim\">and {} more: /v1/routers/{}</td></tr>\n",
            r.resources.size() - page_resources_max, html(percent_encode(r.name)));
    }
    out += "</table></div>\n";
}

std::string weight_text(const tracker& t)
{
    if (!t.weight) {
        return "takes the router out";
    }
    return t.contribution == 0 ? fmt::format("{:+}", *t.weight) : fmt::format("{:+}: {:+} now", *t.weight, t.contribution);
}

void put_trackers(std::string& out, const router& r)
{
    if (r.trackers.empty()) {
        return;
    }
    out +=
        "<div class=\"scroll\"><table><caption>Trackers</caption>\n<tr><th>Tracker</th><th>State</th><th>What</th>"
        "<th>Weight</th><th class=\"number\">For</th><th class=\"number\">Took</th></tr>\n";
    // As with resources: those in trouble first where not all of them fit.
    std::vector<const tracker*> rows;
    for (const auto& t : r.trackers) {
        rows.push_back(&t);
    }
    const auto hidden = rows.size() - std::min(rows.size(), page_trackers_max);
    if (hidden > 0) {
        std::stable_partition(rows.begin(), rows.end(), [](const tracker* t) { return t->state != tracker_state::well; });
        rows.resize(page_trackers_max);
    }
    for (const auto* row : rows) {
        const auto& t = *row;
        const bool is_failing = t.state == tracker_state::failing;
        const auto css = is_failing ? "bad" : t.state == tracker_state::well ? "good" : "busy";
        put(out,
            "<tr{}><td class=\"text\">{}</td><td><span class=\"state {}\">{}</span></td><td class=\"mono text\">{}</td>"
            "<td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
            is_failing ? " class=\"has-error\"" : "", html(t.name), css, to_string(t.state), html(t.what), weight_text(t),
            age(t.age, ""), t.took ? human_duration(*t.took) : "");
        if (is_failing) {
            put(out, "<tr class=\"error\"><td colspan=\"6\" class=\"text\">{}</td></tr>\n", html(t.reason));
        }
    }
    if (hidden > 0) {
        put(out, "<tr><td colspan=\"6\" class=\"dim\">and {} more: /v1/routers/{}</td></tr>\n", hidden,
            html(percent_encode(r.name)));
    }
    out += "</table></div>\n";
}

// Those that have been run, or are about to be.
void put_hooks(std::string& out, const router& r)
{
    const auto is_told = [](const hook& h) { return h.last || h.running || h.waiting; };
    if (std::ranges::none_of(r.hooks, is_told)) {
        return;
    }
    out +=
        "<div class=\"scroll\"><table><caption>Hooks</caption>\n<tr><th>Event</th><th>State</th><th>Command</th>"
        "<th class=\"number\">Last run</th><th class=\"number\">Took</th></tr>\n";
    for (const auto& h : r.hooks) {
        if (!is_told(h)) {
            continue;
        }
        const auto state = h.running ? "running" : h.waiting ? "waiting" : to_string(h.last->outcome);
        const auto css = h.running || h.waiting ? "busy" : h.is_failing() ? "bad" : "good";
        put(out,
            "<tr{}><td>{}</td><td><span class=\"state {}\">{}</span></td><td class=\"mono text\">{}</td>"
            "<td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
            h.is_failing() ? " class=\"has-error\"" : "", h.label(), css, state, html(h.command),
            age(h.last ? std::optional{h.last->age} : std::nullopt, "never"), h.last ? human_duration(h.last->took) : "");
        if (h.is_failing()) {
            put(out, "<tr class=\"error\"><td colspan=\"5\" class=\"text\">{}</td></tr>\n", html(h.last->problem));
        }
    }
    out += "</table></div>\n";
}

// [[policy]]: no router's, and always wanted.
void put_policies(std::string& out, const node& n)
{
    if (n.policies.empty()) {
        return;
    }
    out += "<section class=\"card\"><header><h2>This node, whoever is Active</h2></header>\n";
    begin_resources(out);
    const auto shown = std::min(n.policies.size(), page_resources_max);
    for (std::size_t i = 0; i < shown; ++i) {
        put_resource(out, n.policies[i], true);
    }
    if (shown < n.policies.size()) {
        put(out, "<tr><td colspan=\"5\" class=\"dim\">and {} more: /v1/status</td></tr>\n", n.policies.size() - shown);
    }
    out += "</table></div></section>\n";
}

void put_number(std::string& out, std::string_view name, std::string_view value)
{
    put(out, "<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
}

void put_number(std::string& out, std::string_view name, std::uint64_t value)
{
    put_number(out, name, std::to_string(value));
}

void put_details(std::string& out, const router& r)
{
    put(out, "<details id=\"more-{}\"><summary>Timers and counters</summary>\n<dl class=\"numbers\">\n",
        percent_encode(r.name));
    put_number(out, "advert interval", human_duration(r.advert_interval));
    put_number(out, "the Active's interval", human_duration(r.active_advert_interval));
    put_number(out, "silence that means it is gone", human_duration(r.active_down_interval));
    put_number(out, "preempts a lower priority", r.preempt ? "yes" : "no");
    if (r.signatures) {
        put_number(out, "signatures", fmt::format("{}, key {}", to_string(r.signatures->mode), r.signatures->active_key));
        put_number(out, "adverts with a signature", r.received.with_signature);
        put_number(out, "adverts without", r.received.without_signature);
    }
    put_number(out, "epoch", r.epoch);
    put_number(out, "last takeover took", r.last_takeover ? human_duration(*r.last_takeover) : "none yet");
    put_number(out, "became Active", r.election.became_active);
    put_number(out, "became Backup", r.election.became_backup);
    put_number(out, "adverts sent", r.adverts_sent);
    put_number(out, "adverts the kernel refused", r.adverts_send_errors);
    put_number(out, "adverts received", r.received.accepted);
    put_number(out, "gratuitous ARP, unsolicited advertisements sent", r.announcements_sent);
    put_number(out, "priority 0 sent", r.election.priority_zero_sent);
    put_number(out, "priority 0 received", r.election.priority_zero_received);
    put_number(out, "lower adverts while Active", r.election.lower_priority_heard_while_active);
    put_number(out, "adverts skipped, too late", r.election.adverts_skipped);
    for (std::size_t i = 0; i < r.received.discarded.size(); ++i) {
        if (r.received.discarded[i] > 0) {
            put_number(out, fmt::format("dropped: {}", vrrp::to_string(static_cast<vrrp::discard_reason>(i))),
                       r.received.discarded[i]);
        }
    }
    out += "</dl></details>\n";
}

}  // namespace

std::string page_head(const page_summary& s)
{
    auto [css, title, text] = judge(s);
    if (!s.findings.empty() && s.findings.front().level == urgency::critical) {
        css = "wrong";
        text += ". Something is wrong:";
    }
    const std::string name = node_name(s.of_node);
    const std::string at = format_utc(s.at.wall);
    std::string out;
    put(out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}{} - vipd</title>\n"
        "<link rel=\"icon\" href=\"/page.svg\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"/page.css\">\n"
        "<script src=\"/page.js\" defer></script>\n<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n"
        "</head>\n<body>\n<p id=\"lost\" role=\"alert\"></p>\n<div id=\"main\" data-last=\"{}\">\n",
        html(title), s.only ? html(": " + s.only->name) : "", s.last_event);
    put(out, "<header class=\"top\"><h1>vipd{}{}</h1><p class=\"facts\">", name.empty() ? "" : " on ", html(name));
    put(out, "{} UTC &middot; up {} &middot; version {}</p></header>\n", at.substr(0, 10) + " " + at.substr(11, 8),
        human_duration(s.of_node.uptime), html(s.of_node.version));
    put(out, "<section class=\"verdict {}\"><h2>{}</h2><p class=\"text\">{}</p></section>\n", css, html(title), html(text));
    put_findings(out, s);
    put_policies(out, s.of_node);
    return out;
}

std::string page_router(const router& r, bool alone)
{
    std::string out;
    put(out, "<article class=\"card\"><header><h2 class=\"text\">{}</h2><span class=\"state {}\">{}</span>", html(r.name),
        css_class(r.state), vrrp::to_string(r.state));
    put(out, "<span class=\"dim\">VRID {}, VRRPv{}, <span class=\"text\">{}</span>", r.vrid, r.version, html(r.interface));
    if (!r.sync_group.empty()) {
        put(out, ", sync group <span class=\"text\">{}</span>", html(r.sync_group));
    }
    put(out, ", priority {}", r.effective_priority);
    if (r.effective_priority != r.priority) {
        put(out, " (configured {}{})", r.priority, r.priority_reason.empty() ? "" : html("; " + r.priority_reason));
    } else if (r.runtime_priority) {
        put(out, " (set at run time, configured {})", r.priority);
    }
    put(out, "</span><a class=\"more\" href=\"/v1/routers/{}\">JSON</a></header>\n", percent_encode(r.name));
    if (!alone) {
        // Where it is the only one, the head has said so.
        put(out, "<p class=\"why text\">{} for {}", vrrp::to_string(r.state), html(how_long_and_why(r)));
        out += r.state == vrrp::state::backup ? "; " + who_is_active(r) : "";
        out += "</p>\n";
    }
    out += "<div class=\"halves\">\n";
    put_nodes(out, r);
    put_resources(out, r);
    out += "</div>\n";
    put_trackers(out, r);
    put_hooks(out, r);
    put_details(out, r);
    out += "</article>\n";
    return out;
}

std::string page_tail(std::size_t shown, std::size_t routers, const std::vector<event>& events)
{
    std::string out;
    if (shown < routers) {
        put(out,
            "<p class=\"card\">{} of {} routers are shown, those that need attention first. All: "
            "<a href=\"/v1/status\">/v1/status</a></p>\n",
            shown, routers);
    }
    out +=
        "<section class=\"card\"><div class=\"scroll\"><table><caption>Recent events, newest first (UTC)</caption>\n"
        "<tr><th>Time</th><th>Router</th><th>Kind</th><th>What</th></tr>\n";
    for (auto e = events.rbegin(); e != events.rend(); ++e) {
        const std::string at = format_utc(e->at);
        put(out,
            "<tr><td class=\"mono short\" title=\"{}\">{}</td><td class=\"text\">{}</td><td class=\"text\">{}</td>"
            "<td class=\"text\">{}</td></tr>\n",
            at, at.substr(11, 12), html(e->router), html(e->kind), html(e->text));
    }
    if (events.empty()) {
        out += "<tr><td colspan=\"4\" class=\"dim\">Nothing has happened yet.</td></tr>\n";
    }
    out +=
        "</table></div></section>\n</div>\n<footer><a href=\"/v1/status\">Status as JSON</a> <a href=\"/v1/events\">Events</a> "
        "<a href=\"/v1/plan\">What a takeover would change</a> <a href=\"/metrics\">Metrics</a></footer>\n</body>\n</html>\n";
    return out;
}

}  // namespace vipd::status
