#include "agent/status/http.hpp"

#include "agent/status/events.hpp"
#include "agent/status/json.hpp"
#include "agent/status/metrics.hpp"
#include "agent/status/page.hpp"
#include "agent/status/target.hpp"
#include "agent/status/text.hpp"
#include "common/overloaded.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace vipd::status {

namespace json = boost::json;

namespace {

constexpr std::string_view plain_type = "text/plain; charset=utf-8";
constexpr std::string_view json_type = "application/json";
constexpr std::string_view html_type = "text/html; charset=utf-8";

http_reply reply(unsigned status, std::string_view type, std::string body)
{
    http_reply out;
    out.status = status;
    out.content_type = type;
    out.body = std::move(body);
    return out;
}

http_reply reply(std::string_view type, std::unique_ptr<body_source> body)
{
    http_reply out;
    out.content_type = type;
    out.body = std::move(body);
    return out;
}

http_reply json_reply(unsigned status, std::string_view name, std::string_view text)
{
    std::string body;
    append_json(body, json::object{{name, json::string(valid_utf8(text))}});
    return reply(status, json_type, body + "\n");
}

// Below /v1 programs read the answers, elsewhere people and probes do.
http_reply refuse(unsigned status, bool as_json, std::string_view text)
{
    return as_json ? json_reply(status, "error", text) : reply(status, plain_type, std::string(text) + "\n");
}

unsigned status_of(error_class kind)
{
    switch (kind) {
        case error_class::not_found:
            return 404;
        case error_class::malformed:
        case error_class::out_of_range:
            return 422;
        case error_class::unavailable:
            return 503;
        default:
            return 409;
    }
}

http_reply outcome(const result<std::string>& done)
{
    return done ? json_reply(200, "message", *done) : json_reply(status_of(done.error().kind), "error", done.error().text);
}

bool wants_event_stream(std::string_view accept)
{
    constexpr std::string_view wanted = "text/event-stream";
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; };
    return std::search(accept.begin(), accept.end(), wanted.begin(), wanted.end(), same) != accept.end();
}

std::optional<std::uint64_t> parse_number(std::string_view text)
{
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

// The value of {"enabled": true}.
std::optional<bool> parse_enabled(std::string_view body)
{
    boost::system::error_code failure;
    const json::value value = json::parse(body, failure);
    if (failure || !value.is_object()) {
        return std::nullopt;
    }
    const auto* enabled = value.get_object().if_contains("enabled");
    return enabled != nullptr && enabled->is_bool() ? std::optional{enabled->get_bool()} : std::nullopt;
}

// The value of {"priority": 120}; 0 stands for {"priority": "default"}, the configured one. A member beside it could be meant
// to name a router, which is the path's affair.
std::optional<std::uint8_t> parse_priority(std::string_view body)
{
    boost::system::error_code failure;
    const json::value value = json::parse(body, failure);
    const auto* const object = failure ? nullptr : value.if_object();
    const auto* const priority = object == nullptr || object->size() != 1 ? nullptr : object->if_contains("priority");
    if (priority == nullptr) {
        return std::nullopt;
    }
    if (const auto* const number = priority->if_int64(); number != nullptr && *number >= 1 && *number < vrrp::priority_owner) {
        return static_cast<std::uint8_t>(*number);
    }
    return *priority == "default" ? std::optional<std::uint8_t>{0} : std::nullopt;
}

}  // namespace

class responder::impl {
public:
    impl(node_view& view, operator_commands& commands, std::string socket) :
        view_(view), commands_(commands), socket_(std::move(socket)), metrics_(view), streams_(view)
    {}

    http_reply respond(instant now, const http_request& request);

private:
    // One request on its way through a handler.
    struct visit {
        instant now;
        const http_request& request;
        const request_target& target;
        std::string_view name;     // what stands for NAME; empty where the path has none
        std::uint32_t router = 0;  // its index; valid where the path has a NAME
    };
    using handler = http_reply (impl::*)(const visit&);
    struct route {
        std::string_view path;  // NAME stands for a router's name
        bool changes = false;   // POST from the Unix socket; else GET and HEAD
        handler handle = nullptr;
    };
    static std::span<const route> routes();
    static const route* find_route(const request_target& target, std::string_view& name);
    static http_reply unknown_path(bool as_json);

    http_reply dispatch(instant now, const http_request& request, const request_target& target, bool as_json);

    http_reply page(const visit&);
    http_reply style(const visit&);
    http_reply script(const visit&);
    http_reply icon(const visit&);
    http_reply healthy(const visit&);
    http_reply ready(const visit&);
    http_reply whole_status(const visit&);
    http_reply one_router(const visit&);
    http_reply router_active(const visit&);
    http_reply events(const visit&);
    http_reply whole_plan(const visit&);
    http_reply router_plan(const visit&);
    http_reply metrics(const visit&);
    http_reply step_down(const visit&);
    http_reply maintenance(const visit&);
    http_reply priority(const visit&);
    http_reply reload(const visit&);
    http_reply restart(const visit&);

    node_view& view_;
    operator_commands& commands_;
    std::string socket_;
    metrics_endpoint metrics_;
    event_streams streams_;
};

std::span<const responder::impl::route> responder::impl::routes()
{
    static constexpr std::array table = {
        route{"/", false, &impl::page},
        route{"/page.css", false, &impl::style},
        route{"/page.js", false, &impl::script},
        route{"/page.svg", false, &impl::icon},
        route{"/healthz", false, &impl::healthy},
        route{"/readyz", false, &impl::ready},
        route{"/metrics", false, &impl::metrics},
        route{"/v1/status", false, &impl::whole_status},
        route{"/v1/routers/NAME", false, &impl::one_router},
        route{"/v1/routers/NAME/active", false, &impl::router_active},
        route{"/v1/routers/NAME/plan", false, &impl::router_plan},
        route{"/v1/plan", false, &impl::whole_plan},
        route{"/v1/events", false, &impl::events},
        route{"/v1/routers/NAME/step-down", true, &impl::step_down},
        route{"/v1/step-down", true, &impl::step_down},
        route{"/v1/maintenance", true, &impl::maintenance},
        route{"/v1/routers/NAME/priority", true, &impl::priority},
        route{"/v1/priority", true, &impl::priority},
        route{"/v1/reload", true, &impl::reload},
        route{"/v1/restart", true, &impl::restart},
    };
    return table;
}

const responder::impl::route* responder::impl::find_route(const request_target& target, std::string_view& name)
{
    for (const auto& candidate : routes()) {
        std::string_view rest = candidate.path;
        name = {};
        bool same = true;
        for (const auto& segment : target.path) {
            if (!rest.starts_with('/')) {
                same = false;
                break;
            }
            rest.remove_prefix(1);
            const auto expected = rest.substr(0, rest.find('/'));
            rest.remove_prefix(expected.size());
            if (expected == "NAME" && !segment.empty()) {
                name = segment;
            } else if (expected != segment) {
                same = false;
                break;
            }
        }
        if (same && rest.empty()) {
            return &candidate;
        }
    }
    return nullptr;
}

http_reply responder::impl::unknown_path(bool as_json)
{
    if (as_json) {
        json::array paths;
        for (const auto& r : routes()) {
            paths.emplace_back(std::string(r.changes ? "POST " : "GET ") + std::string(r.path));
        }
        const json::object body{{"error", "there is no such path; `paths` lists those there are"}, {"paths", std::move(paths)}};
        return reply(404, json_type, json_text(body) + "\n");
    }
    std::string text = "There is no such path. These there are:\n\n";
    for (const auto& r : routes()) {
        text += fmt::format("{:<4} {}\n", r.changes ? "POST" : "GET", r.path);
    }
    return reply(404, plain_type, text);
}

http_reply responder::impl::respond(instant now, const http_request& request)
{
    const bool as_json = request.target.starts_with("/v1");
    http_reply out;
    if (const auto target = parse_target(request.target); target) {
        out = dispatch(now, request, *target, as_json);
    } else {
        out = refuse(target.error().kind == error_class::too_large ? 414 : 400, as_json, target.error().text);
    }
    out.headers.emplace_back("Cache-Control", "no-store");
    out.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return out;
}

http_reply responder::impl::dispatch(instant now, const http_request& request, const request_target& target, bool as_json)
{
    std::string_view name;
    const route* found = find_route(target, name);
    if (found == nullptr) {
        return unknown_path(as_json);
    }
    const bool is_read = request.method == "GET" || request.method == "HEAD";
    if (found->changes ? request.method != "POST" : !is_read) {
        const std::string_view allowed = found->changes ? "POST" : "GET, HEAD";
        auto out = refuse(405, as_json, fmt::format("{} allows {} only", found->path, allowed));
        out.headers.emplace_back("Allow", allowed);
        return out;
    }
    if (found->changes && !request.from_unix_socket) {
        return refuse(403, as_json,
                      fmt::format("changes are accepted on the Unix socket only: use the vipd command, or "
                                  "curl --unix-socket {} -X POST http://vipd{}",
                                  socket_, found->path));
    }
    if (request.body.size() > request_body_size_max) {
        return refuse(413, as_json, fmt::format("the body is longer than {} bytes", request_body_size_max));
    }
    visit v{now, request, target, name};
    if (!name.empty()) {
        const auto index = view_.find_router(name);
        if (!index) {
            return refuse(404, as_json, fmt::format("there is no router \"{}\"; GET /v1/status lists them", name));
        }
        v.router = *index;
    }
    return (this->*found->handle)(v);
}

// --- for people and probes ---

http_reply responder::impl::page(const visit& /*v*/)
{
    auto out = reply(html_type, page_body(view_));
    out.headers.emplace_back("Content-Security-Policy", page_security_policy);
    out.headers.emplace_back("Referrer-Policy", "no-referrer");
    return out;
}

http_reply responder::impl::style(const visit& /*v*/)
{
    return reply(200, "text/css; charset=utf-8", std::string(page_style()));
}

http_reply responder::impl::script(const visit& /*v*/)
{
    return reply(200, "text/javascript; charset=utf-8", std::string(page_script()));
}

http_reply responder::impl::icon(const visit& /*v*/)
{
    return reply(200, "image/svg+xml", std::string(page_icon()));
}

http_reply responder::impl::healthy(const visit& /*v*/)
{
    return reply(200, plain_type, "ok\n");
}

http_reply responder::impl::ready(const visit& v)
{
    if (view_.node_snapshot(v.now).ready) {
        return reply(200, plain_type, "ready\n");
    }
    return reply(503, plain_type, "not ready: not every router has been started yet\n");
}

http_reply responder::impl::metrics(const visit& v)
{
    return std::visit(
        overloaded{[](std::string&& text) { return reply(200, metrics_content_type, std::move(text)); },
                   [](std::unique_ptr<body_source>&& body) { return reply(metrics_content_type, std::move(body)); },
                   [](metrics_endpoint::busy) {
                       auto out = reply(503, plain_type, "too many scrapes of many routers are under way\n");
                       out.headers.emplace_back("Retry-After", "1");
                       return out;
                   }},
        metrics_.scrape(v.now));
}

// --- for programs ---

http_reply responder::impl::whole_status(const visit& /*v*/)
{
    return reply(json_type, status_body(view_));
}

http_reply responder::impl::one_router(const visit& v)
{
    return reply(json_type, router_body(view_.router_snapshot(v.now, v.router)));
}

http_reply responder::impl::router_active(const visit& v)
{
    const router r = view_.router_snapshot(v.now, v.router);
    if (r.state == vrrp::state::active) {
        return reply(200, plain_type, "Active\n");
    }
    return reply(503, plain_type, fmt::format("{}: {}\n", vrrp::to_string(r.state), valid_utf8(r.state_reason)));
}

http_reply responder::impl::events(const visit& v)
{
    std::uint64_t after = 0;
    if (v.target.has_parameter("after")) {
        const auto number = parse_number(v.target.parameter("after"));
        if (!number) {
            return refuse(400, true,
                          "\"after\" is not the number of an event: decimal digits, from `last` of an earlier answer");
        }
        after = *number;
    }
    if (!wants_event_stream(v.request.accept)) {
        auto [events, last] = history_after(view_, after);
        return reply(json_type, events_body(std::move(events), last));
    }
    auto body = streams_.open(parse_number(v.request.last_event_id).value_or(after));
    if (!body) {
        auto out = refuse(503, true,
                          fmt::format("{} event streams are open, and no more are allowed; without "
                                      "\"Accept: text/event-stream\" the answer is a list",
                                      event_streams_max));
        out.headers.emplace_back("Retry-After", "5");
        return out;
    }
    return reply("text/event-stream", std::move(body));
}

http_reply responder::impl::whole_plan(const visit& /*v*/)
{
    return reply(json_type, plan_body(view_));
}

http_reply responder::impl::router_plan(const visit& v)
{
    const auto body = plan_json(view_.router_snapshot(v.now, v.router), view_.plan(v.now, v.router));
    return reply(200, json_type, json_text(body) + "\n");
}

// --- for operators ---

http_reply responder::impl::step_down(const visit& v)
{
    return outcome(commands_.step_down(v.now, v.name));
}

http_reply responder::impl::maintenance(const visit& v)
{
    const auto enabled = parse_enabled(v.request.body);
    if (!enabled) {
        return refuse(400, true, "the body has to be {\"enabled\": true} or {\"enabled\": false}");
    }
    return outcome(commands_.set_maintenance(v.now, *enabled));
}

http_reply responder::impl::priority(const visit& v)
{
    const auto priority = parse_priority(v.request.body);
    if (!priority) {
        return refuse(400, true, R"(the body has to be {"priority": N} with N from 1 to 254, or {"priority": "default"})");
    }
    if (v.name.empty() && view_.router_count() != 1) {
        return refuse(400, true,
                      fmt::format("this node has {} routers: name the one that is meant, with `vipd priority --router NAME` or "
                                  "POST /v1/routers/NAME/priority; `vipd status` lists them",
                                  view_.router_count()));
    }
    const auto name = v.name.empty() ? view_.router_snapshot(v.now, 0).name : std::string(v.name);
    return outcome(commands_.set_priority(v.now, name, *priority == 0 ? std::nullopt : priority));
}

http_reply responder::impl::reload(const visit& v)
{
    return outcome(commands_.reload(v.now));
}

http_reply responder::impl::restart(const visit& v)
{
    return outcome(commands_.restart(v.now));
}

responder::responder(node_view& view, operator_commands& commands, std::string socket) :
    impl_(std::make_unique<impl>(view, commands, std::move(socket)))
{}
responder::~responder() = default;

http_reply responder::respond(instant now, const http_request& request)
{
    return impl_->respond(now, request);
}

}  // namespace vipd::status
