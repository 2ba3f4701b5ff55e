#include "agent/cli/daemon_reports.hpp"

#include "agent/cli/json_view.hpp"
#include "agent/config/text.hpp"
#include "agent/vrrp/types.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <vector>

#include <system_error>

namespace vipd::cli {

namespace {

namespace json = boost::json;

constexpr std::string_view default_priority = "default";

printed failed(std::string_view text)
{
    return {"", fmt::format("vipd: {}\n", text), exit_failure};
}

// The lines of an error are the daemon's own (a refused configuration has many); each is made harmless by itself.
std::string harmless_lines(std::string_view text)
{
    std::string lines;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        lines += (lines.empty() ? "" : "\n") + config::printable(line, 2000);
    }
    return lines;
}

std::optional<json::value> parse_json(std::string_view text)
{
    json::error_code failure;
    auto value = json::parse({text.data(), text.size()}, failure);
    return failure ? std::nullopt : std::optional{std::move(value)};
}

// {"error": "..."} of the daemon, or what can be said without it.
std::string problem_of(const http_reply& reply)
{
    const auto body = parse_json(reply.body);
    const auto* const text = body ? member(*body, "error") : nullptr;
    if (text != nullptr && text->is_string() && !text->get_string().empty()) {
        return harmless_lines({text->get_string().data(), text->get_string().size()});
    }
    return fmt::format("the daemon answered with status {} and no reason", reply.status);
}

struct document {
    std::optional<json::value> value;
    printed problem;  // when there is no value
};

document read_document(const result<http_reply>& reply)
{
    if (!reply) {
        return {std::nullopt, failed(reply.error().text)};
    }
    if (reply->status != 200) {
        return {std::nullopt, failed(problem_of(*reply))};
    }
    auto value = parse_json(reply->body);
    if (!value) {
        return {std::nullopt, failed("the daemon's answer is not JSON; are the daemon and this command of the same version?")};
    }
    return {std::move(value), {}};
}

std::vector<std::string> texts_of(const json::array& list)
{
    std::vector<std::string> texts;
    for (const auto& item : list) {
        if (const auto* const text = item.if_string()) {
            texts.push_back(config::printable({text->data(), text->size()}, 500));
        }
    }
    return texts;
}

// The first character of a line says what it is: '=' stays, '?' is not known yet, any other is a change.
std::string plan_heading(const std::vector<std::string>& lines)
{
    const auto begins_with = [&](char c) {
        return std::ranges::count_if(lines, [c](const std::string& line) { return line.starts_with(c); });
    };
    const auto unknown = begins_with('?');
    const auto changes = std::ssize(lines) - begins_with('=') - unknown;
    const auto heading = changes == 0   ? std::string("nothing would change")
                         : changes == 1 ? std::string("1 change")
                                        : fmt::format("{} changes", changes);
    return unknown == 0 ? heading : fmt::format("{}, {} not known yet", heading, unknown);
}

}  // namespace

printed status_report(const result<http_reply>& reply, bool as_json, table_style style)
{
    const auto read = read_document(reply);
    if (!read.value) {
        return read.problem;
    }
    if (!as_json) {
        return {status_table(*read.value, style), "", exit_success};
    }
    return {reply->body + (reply->body.ends_with('\n') ? "" : "\n"), "", exit_success};
}

printed plan_report(const result<http_reply>& reply)
{
    const auto read = read_document(reply);
    if (!read.value) {
        return read.problem;
    }
    printed result;
    for (const auto& router : list_of(*read.value, "routers")) {
        const auto lines = texts_of(list_of(router, "changes"));
        result.out += fmt::format("{} ({}): {}\n", or_dash(text_of(router, "name")), or_dash(text_of(router, "state")),
                                  plan_heading(lines));
        for (const auto& line : lines) {
            result.out += fmt::format("  {}\n", line);
        }
    }
    if (result.out.empty()) {
        result.out = "no routers\n";
    }
    return result;
}

printed unfinished_plan(printed plan, std::string_view when, std::string_view session_error,
                        std::span<const status::router> routers)
{
    plan.err += fmt::format("vipd: not everything could be read {}\n", when);
    if (!session_error.empty()) {
        plan.err += fmt::format("  {}\n", config::printable(session_error, 500));
    }
    for (const auto& r : routers) {
        for (const auto& resource : r.resources) {
            if (resource.state == status::resource_state::unknown) {
                const auto why = resource.last_error.empty() ? "no answer yet" : config::printable(resource.last_error, 500);
                plan.err += fmt::format("  {}: {} {}: {}\n", config::printable(r.name), to_string(resource.kind),
                                        config::printable(resource.name, 200), why);
            }
        }
    }
    plan.exit_code = exit_failure;
    return plan;
}

printed change_report(const result<http_reply>& reply)
{
    const auto read = read_document(reply);
    if (!read.value) {
        return read.problem;
    }
    return {or_dash(text_of(*read.value, "message")) + "\n", "", exit_success};
}

http_request step_down_request(std::string_view router)
{
    // A router's name has no character that would have to be encoded.
    return {"POST", router.empty() ? "/v1/step-down" : fmt::format("/v1/routers/{}/step-down", router), ""};
}

http_request maintenance_request(bool on)
{
    return {"POST", "/v1/maintenance", on ? R"({"enabled":true})" : R"({"enabled":false})"};
}

http_request priority_request(std::string_view router, std::string_view priority)
{
    return {"POST", router.empty() ? "/v1/priority" : fmt::format("/v1/routers/{}/priority", router),
            priority == default_priority ? R"({"priority":"default"})" : fmt::format(R"({{"priority":{}}})", priority)};
}

http_request reload_request()
{
    return {"POST", "/v1/reload", ""};
}

http_request restart_request()
{
    return {"POST", "/v1/restart", ""};
}

bool is_busy(const result<http_reply>& reply)
{
    return reply && reply->status == 503;
}

std::optional<process_seen> find_process(const result<http_reply>& status)
{
    const auto read = read_document(status);
    if (!read.value || !truth_of(*read.value, "ready")) {
        return std::nullopt;
    }
    process_seen seen{text_of(*read.value, "version"), number_of(*read.value, "uptime_seconds").value_or(0), {}};
    for (const auto& router : list_of(*read.value, "routers")) {
        if (text_of(router, "state") == "Active") {
            seen.active.push_back(text_of(router, "name"));
        }
    }
    return seen;
}

printed restart_report(const process_seen& before, const std::optional<process_seen>& after)
{
    if (!after) {
        return failed(
            "nobody answers any more; `journalctl -u vipd` may say why, and the peers take over what was Active here");
    }
    if (after->uptime_seconds >= before.uptime_seconds) {
        return failed(
            fmt::format("vipd {} goes on as it was, and nothing has changed; `journalctl -u vipd` says why it could not "
                        "be replaced (event=restart)",
                        or_dash(before.version)));
    }
    const auto names = [](const process_seen& p) {
        return p.active.empty() ? std::string("no router") : fmt::format("{}", fmt::join(p.active, ", "));
    };
    const auto done = fmt::format("vipd {} has taken the place of vipd {}", or_dash(after->version), or_dash(before.version));
    if (after->active == before.active) {
        return {fmt::format("{}; Active here, as before: {}\n", done, names(before)), "", exit_success};
    }
    return failed(
        fmt::format("{}, but the routers have changed their state: Active here was {}, and is {}; `vipd status` and "
                    "the log say why",
                    done, names(before), names(*after)));
}

std::string wrong_router_name(std::string_view router)
{
    if (config::is_router_name(router)) {
        return "";
    }
    return fmt::format(
        "{} is not the name of a router; allowed are 1 to 64 of the characters A-Z a-z 0-9 . _ -; `vipd status` lists "
        "them",
        config::in_quotes(router));
}

std::string wrong_priority(std::string_view priority)
{
    unsigned value = 0;
    const auto* const end = priority.data() + priority.size();
    const auto [stopped_at, failure] = std::from_chars(priority.data(), end, value);
    const bool is_number = failure == std::errc{} && stopped_at == end && !priority.starts_with('0');
    if (priority == default_priority || (is_number && value < vrrp::priority_owner)) {
        return "";
    }
    return fmt::format("{} is no priority that can be set; allowed are 1 to {}, or {} for the configured one",
                       config::in_quotes(config::printable(priority)), vrrp::priority_owner - 1, default_priority);
}

error no_daemon(std::string_view socket, int error_number)
{
    const auto start = "start it with `systemctl start vipd` or `vipd run --config FILE`";
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            return {error_class::not_found,
                    fmt::format("no daemon is running here: there is no socket at {}; {}, or name its socket with --socket",
                                config::in_quotes(socket), start)};
        case ECONNREFUSED:
            return {error_class::unavailable, fmt::format("no daemon is running here: nobody listens on the socket at {}; {}",
                                                          config::in_quotes(socket), start)};
        case EACCES:
        case EPERM:
            return {error_class::denied, fmt::format("the socket at {} is not open to this user; run the command with sudo",
                                                     config::in_quotes(socket))};
        case EAGAIN:
        case ETIMEDOUT:
            return {error_class::timed_out,
                    fmt::format("the daemon behind {} did not answer within 3s; `journalctl -u vipd` may say why",
                                config::in_quotes(socket))};
        case ECONNRESET:
        case EPIPE:
            return {error_class::unavailable,
                    fmt::format("the daemon behind {} is busy with other HTTP clients; ask again", config::in_quotes(socket))};
        case ENAMETOOLONG:
            return {error_class::out_of_range,
                    fmt::format("{} is too long for a socket; allowed are 107 bytes", config::in_quotes(socket))};
        default:
            return {error_class::unavailable, fmt::format("cannot talk to the daemon at {}: {}", config::in_quotes(socket),
                                                          std::system_category().message(error_number))};
    }
}

}  // namespace vipd::cli
