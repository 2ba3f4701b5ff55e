#include "agent/config/trackers.hpp"

#include "agent/aws/endpoint.hpp"
#include "agent/config/hook_checks.hpp"
#include "agent/config/text.hpp"
#include "agent/vrrp/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace vipd::config {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t status_first = 100;
constexpr std::uint16_t status_last = 599;
constexpr duration default_timeout_max = 10s;

// The keys that have a meaning for some kinds only.
struct kind_keys {
    track_kind kind;
    std::string_view needed;                   // one of these has to be there, when it is not empty
    std::array<std::string_view, 10> allowed;  // beside kind, name and weight
};

constexpr std::array kinds = {
    kind_keys{track_kind::process, "", {"process", "pid_file", "interval", "rise", "fall"}},
    kind_keys{track_kind::script, "command", {"command", "user", "interval", "timeout", "rise", "fall"}},
    kind_keys{track_kind::http, "url", {"url", "status", "host", "ca_bundle", "verify", "interval", "timeout", "rise", "fall"}},
    kind_keys{track_kind::tcp, "address", {"address", "interval", "timeout", "rise", "fall"}},
    kind_keys{track_kind::interface, "interface", {"interface"}},
    kind_keys{track_kind::file, "path", {"path", "interval"}},
};

constexpr std::array<std::string_view, 3> keys_of_all = {"kind", "name", "weight"};

const kind_keys& keys_of_kind(track_kind kind)
{
    return kinds[static_cast<std::size_t>(kind)];
}

std::string path_of(const spot& s, std::string_view key)
{
    return fmt::format("{}.{}", s.path, key);
}

bool refuse_keys_of_other_kinds(reading& r, const spot& s, const kind_keys& k)
{
    bool is_good = true;
    for (const auto& m : *s.at.as_table()) {
        if (std::ranges::find(keys_of_all, m.key) != keys_of_all.end() ||
            std::ranges::find(k.allowed, m.key) != k.allowed.end()) {
            continue;
        }
        std::vector<std::string_view> names;
        std::ranges::copy_if(k.allowed, std::back_inserter(names), [](std::string_view name) { return !name.empty(); });
        r.error(m.offset, path_of(s, m.key),
                fmt::format("has no meaning with kind = {}, whose keys are {}; remove it", in_quotes(to_string(k.kind)),
                            fmt::join(names, ", ")));
        is_good = false;
    }
    return is_good;
}

bool require(reading& r, const spot& s, std::string_view name)
{
    if (name.empty() || find(*s.at.as_table(), name) != nullptr) {
        return true;
    }
    r.error(s.at.offset, path_of(s, name),
            fmt::format("is missing; allowed is {}", allowed_text(*find_key("router.track", name))));
    return false;
}

bool refuse_at(reading& r, const spot& s, std::string_view key, const std::string& why)
{
    r.error(find(*s.at.as_table(), key)->offset, path_of(s, key), why);
    return false;
}

bool make_process(reading& r, const spot& s, const track_section& from, check_target& out)
{
    if (!from.process.empty() && !from.pid_file.empty()) {
        return refuse_at(r, s, "pid_file",
                         fmt::format("found {} beside process = {}; the process is known by one of the two; remove the other",
                                     in_quotes(from.pid_file), in_quotes(from.process)));
    }
    process_check c{from.process, from.pid_file};
    if (c.process.empty() && c.pid_file.empty()) {
        c.process = from.name;
        if (!is_process_name(c.process)) {
            return refuse_at(r, s, "name",
                             fmt::format("found {}, which is longer than the name of a process is for the kernel (15 bytes); "
                                         "add process, with what `ps -o comm=` shows, or pid_file",
                                         in_quotes(from.name)));
        }
    }
    out = std::move(c);
    return true;
}

bool make_script(reading& r, const spot& s, const track_section& from, check_target& out)
{
    script_check c{from.program, std::nullopt};
    if (!from.user.empty() && !find_user(r, s, from.user, c.runs_as)) {
        return false;
    }
    out = std::move(c);
    return true;
}

bool make_http(reading& r, const spot& s, const track_section& from, check_target& out)
{
    const auto& origin = from.url.origin;
    const auto refuse_without_tls = [&](std::string_view key) {
        return find(*s.at.as_table(), key) == nullptr ||
               refuse_at(r, s, key, "has no meaning with an http:// URL, which is not verified; remove it, or use https://");
    };
    if (!origin.tls && (!refuse_without_tls("ca_bundle") || !refuse_without_tls("verify"))) {
        return false;
    }
    if (!from.verify && !from.ca_bundle.empty()) {
        return refuse_at(r, s, "ca_bundle", "has no effect with verify = false; remove one of the two");
    }
    out = http_check{origin, from.url.target, from.host, from.status, from.ca_bundle, from.verify};
    return true;
}

bool make_tcp(reading& r, const spot& s, const track_section& from, check_target& out)
{
    if (from.address->address.is_unspecified()) {
        return refuse_at(r, s, "address",
                         fmt::format("found {}, where nobody can be reached; name the address, such as 127.0.0.1",
                                     in_quotes(from.address->address.to_string())));
    }
    out = tcp_check{from.address->address, from.address->port};
    return true;
}

bool make_target(reading& r, const spot& s, const track_section& from, check_target& out)
{
    switch (from.kind) {
        case track_kind::process:
            return make_process(r, s, from, out);
        case track_kind::script:
            return make_script(r, s, from, out);
        case track_kind::http:
            return make_http(r, s, from, out);
        case track_kind::tcp:
            return make_tcp(r, s, from, out);
        case track_kind::interface:
            out = interface_check{from.interface};
            return true;
        case track_kind::file:
            out = file_check{from.path};
            return true;
    }
    return false;
}

bool read_code(std::string_view text, std::uint16_t& out)
{
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failed == std::errc{} && end == text.data() + text.size() && out >= status_first && out <= status_last;
}

void check_name(reading& r, const entry<tracker>& e, std::map<std::string_view, std::string>& seen)
{
    const auto [first, is_new] = seen.emplace(e.value.name, e.path);
    if (!is_new) {
        r.error(e.where("name"), e.path_to("name"),
                fmt::format("found {}, which is also the name of {}; give each tracker of a router a name of its own",
                            in_quotes(e.value.name), first->second));
    }
}

void check_weight(reading& r, const entry<router>& router, const entry<tracker>& e)
{
    if (!e.value.weight) {
        return;
    }
    if (router.value.priority == vrrp::priority_owner) {
        r.error(e.where("weight"), e.path_to("weight"),
                "found a weight in a router with priority 255, which nothing changes; remove weight, and the tracker takes the "
                "router out while it fails");
    } else if (!router.value.preempt) {
        r.warning(
            e.where("weight"), e.path_to("weight"),
            "a node with preempt = false does not take over from an Active whose priority has dropped; set preempt = true "
            "on the nodes that are to do so");
    }
}

}  // namespace

bool read_value(reading& r, const spot& s, http_location& out)
{
    const auto* const text = std::get_if<std::string>(&s.at.value);
    if (text == nullptr || text->find('#') != std::string::npos || text->find(' ') != std::string::npos ||
        !has_no_control_character(*text)) {
        return refuse(r, s);
    }
    const auto scheme = text->find("://");
    const auto path = scheme == std::string::npos ? std::string::npos : text->find_first_of("/?", scheme + 3);
    const auto origin = aws::parse_origin(std::string_view{*text}.substr(0, path), true);
    if (!origin) {
        return refuse(r, s);
    }
    out.origin = *origin;
    out.target.clear();
    if (path == std::string::npos || (*text)[path] == '?') {
        out.target.push_back('/');
    }
    if (path != std::string::npos) {
        out.target.append(*text, path);
    }
    return true;
}

bool read_value(reading& r, const spot& s, status_range& out)
{
    if (const auto* const code = std::get_if<std::int64_t>(&s.at.value)) {
        if (*code < status_first || *code > status_last) {
            return refuse(r, s);
        }
        out.first = out.last = static_cast<std::uint16_t>(*code);
        return true;
    }
    const auto* const text = std::get_if<std::string>(&s.at.value);
    const auto dash = text == nullptr ? std::string::npos : text->find('-');
    if (dash == std::string::npos || !read_code(std::string_view{*text}.substr(0, dash), out.first) ||
        !read_code(std::string_view{*text}.substr(dash + 1), out.last) || out.first > out.last) {
        return refuse(r, s);
    }
    return true;
}

bool make_tracker(reading& r, const spot& s, const track_section& from, tracker& out)
{
    const auto& k = keys_of_kind(from.kind);
    const bool has_all = require(r, s, k.needed);
    if (!refuse_keys_of_other_kinds(r, s, k) || !has_all) {
        return false;
    }
    if (from.weight == 0) {
        return refuse_at(r, s, "weight",
                         "found 0, which would do nothing; allowed are -253 to 253; without weight a failing tracker takes the "
                         "router out");
    }
    out.name = from.name;
    out.weight = from.weight;
    out.what.interval = from.interval;
    out.what.timeout = from.timeout.value_or(std::min(from.interval, default_timeout_max));
    out.what.rise = from.rise;
    out.what.fall = from.fall;
    return make_target(r, s, from, out.what.target);
}

void check_trackers(reading& r, const entry<router>& e)
{
    std::map<std::string_view, std::string> seen;
    const bool priority_is_sound = is_sound(r, e, "router", {"priority", "preempt"});
    for_each_sound_entry(r, e, "track", e.value.trackers, [&](const entry<tracker>& t) {
        check_name(r, t, seen);
        if (priority_is_sound) {
            check_weight(r, e, t);
        }
        if (const auto* const script = std::get_if<script_check>(&t.value.what.target)) {
            check_program(r, t.where("command"), t.path_to("command"), script->program, script->runs_as);
        }
    });
}

}  // namespace vipd::config
