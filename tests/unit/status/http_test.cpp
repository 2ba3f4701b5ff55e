#include "agent/status/http.hpp"

#include "agent/status/page.hpp"
#include "tests/support/fake_node.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace vipd::status::test {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class http : public testing::Test {
protected:
    http()
    {
        node.routers = {sample_router("haproxy"), sample_backup("a/b \"c\"")};
        node.events = {sample_event(1, "one"), sample_event(2, "two")};
    }

    http_reply ask(std::string method, std::string target, std::string accept = "")
    {
        http_request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.accept = std::move(accept);
        return endpoint.respond(at({}), request);
    }
    http_reply get(std::string target, std::string accept = "") { return ask("GET", std::move(target), std::move(accept)); }
    http_reply command(std::string target, std::string body = "")
    {
        http_request request;
        request.method = "POST";
        request.target = std::move(target);
        request.body = std::move(body);
        request.from_unix_socket = true;
        return endpoint.respond(at({}), request);
    }
    static std::string header(const http_reply& reply, std::string_view name)
    {
        const auto found =
            std::find_if(reply.headers.begin(), reply.headers.end(), [&](const auto& h) { return h.first == name; });
        return found == reply.headers.end() ? "" : found->second;
    }
    static json::value json_of(http_reply& reply)
    {
        EXPECT_EQ(reply.content_type, "application/json");
        boost::system::error_code failure;
        const auto text = text_of(reply, at({}));
        auto value = json::parse(text, failure);
        EXPECT_FALSE(failure) << text;
        return value;
    }
    static std::string error_of(http_reply& reply) { return std::string(json_of(reply).at("error").as_string()); }

    fake_node node;
    fake_commands commands;
    responder endpoint{node, commands, "/run/other.sock"};
};

TEST_F(http, every_answer_forbids_caching_and_sniffing)
{
    for (const auto* target : {"/", "/healthz", "/metrics", "/v1/status", "/nothing", "/%", "/v1/step-down"}) {
        const auto reply = get(target);
        EXPECT_EQ(header(reply, "Cache-Control"), "no-store") << target;
        EXPECT_EQ(header(reply, "X-Content-Type-Options"), "nosniff") << target;
        EXPECT_FALSE(reply.content_type.empty()) << target;
    }
}

TEST_F(http, page_loads_only_what_is_here)
{
    const auto reply = get("/");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(reply.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(header(reply, "Content-Security-Policy"), page_security_policy);
    EXPECT_EQ(page_security_policy.find("unsafe"), std::string_view::npos);
    EXPECT_EQ(get("/page.css").content_type, "text/css; charset=utf-8");
    EXPECT_EQ(get("/page.js").content_type, "text/javascript; charset=utf-8");
    EXPECT_EQ(get("/page.svg").content_type, "image/svg+xml");
}

TEST_F(http, health_is_answered_always_and_readiness_when_ready)
{
    EXPECT_EQ(get("/healthz").status, 200U);
    EXPECT_EQ(get("/readyz").status, 200U);
    node.the_node.ready = false;
    EXPECT_EQ(get("/healthz").status, 200U);
    auto reply = get("/readyz");
    EXPECT_EQ(reply.status, 503U);
    EXPECT_EQ(text_of(reply, at({})), "not ready: not every router has been started yet\n");
}

TEST_F(http, status_is_json_of_everything)
{
    auto reply = get("/v1/status");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(json_of(reply).at("routers").as_array().size(), 2U);
}

TEST_F(http, router_is_found_by_its_encoded_name)
{
    auto reply = get("/v1/routers/a%2Fb%20%22c%22");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(json_of(reply).at("name"), json::value("a/b \"c\""));
}

TEST_F(http, router_that_is_not_there_is_named)
{
    auto reply = get("/v1/routers/nginx");
    EXPECT_EQ(reply.status, 404U);
    EXPECT_EQ(error_of(reply), "there is no router \"nginx\"; GET /v1/status lists them");
}

TEST_F(http, activity_is_a_status_code_for_load_balancers)
{
    auto active = get("/v1/routers/haproxy/active");
    EXPECT_EQ(active.status, 200U);
    EXPECT_EQ(text_of(active, at({})), "Active\n");
    auto backup = get("/v1/routers/a%2Fb%20%22c%22/active");
    EXPECT_EQ(backup.status, 503U);
    EXPECT_EQ(text_of(backup, at({})), "Backup: 10.0.2.10 has priority 200\n");
    EXPECT_EQ(get("/v1/routers/nginx/active").status, 404U);
}

TEST_F(http, events_are_a_list_or_a_stream_as_accepted)
{
    auto list = get("/v1/events?after=1");
    EXPECT_EQ(json_of(list).at("events").as_array().size(), 1U);
    const auto stream = get("/v1/events", "Text/Event-Stream, */*;q=0.1");
    EXPECT_EQ(stream.content_type, "text/event-stream");
    EXPECT_EQ(stream.status, 200U);
}

TEST_F(http, event_number_has_to_be_one)
{
    for (const auto* target : {"/v1/events?after=", "/v1/events?after=-1", "/v1/events?after=1x",
                               "/v1/events?after=99999999999999999999", "/v1/events?after=%201"}) {
        auto reply = get(target);
        EXPECT_EQ(reply.status, 400U) << target;
        EXPECT_NE(error_of(reply).find("\"after\" is not the number of an event"), std::string::npos);
    }
}

TEST_F(http, stream_goes_on_where_the_browser_says_it_broke)
{
    http_request request;
    request.method = "GET";
    request.target = "/v1/events?after=0";
    request.accept = "text/event-stream";
    request.last_event_id = "1";
    auto reply = endpoint.respond(at({}), request);
    const auto got = draw(*std::get<std::unique_ptr<body_source>>(reply.body), at({}), 5);
    EXPECT_EQ(got.text.find("id: 1\n"), std::string::npos);
    EXPECT_NE(got.text.find("id: 2\n"), std::string::npos);
}

TEST_F(http, one_stream_too_many_is_told_what_to_do)
{
    std::vector<http_reply> open;
    for (std::size_t i = 0; i < event_streams_max; ++i) {
        open.push_back(get("/v1/events", "text/event-stream"));
        EXPECT_EQ(open.back().status, 200U);
    }
    auto reply = get("/v1/events", "text/event-stream");
    EXPECT_EQ(reply.status, 503U);
    EXPECT_EQ(header(reply, "Retry-After"), "5");
    EXPECT_NE(error_of(reply).find("6 event streams are open"), std::string::npos);
}

TEST_F(http, plan_is_there_for_one_router_and_for_all)
{
    auto all = get("/v1/plan");
    EXPECT_EQ(json_of(all).at("routers").as_array().size(), 2U);
    auto one = get("/v1/routers/a%2Fb%20%22c%22/plan");
    EXPECT_EQ(json_of(one).at("changes").as_array().size(), 2U);
}

TEST_F(http, metrics_have_the_type_that_prometheus_expects)
{
    auto reply = get("/metrics");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(reply.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(text_of(reply, at({})).find("vipd_build_info"), std::string::npos);
}

TEST_F(http, head_is_answered_as_get)
{
    EXPECT_EQ(ask("HEAD", "/v1/status").status, 200U);
    EXPECT_EQ(ask("HEAD", "/v1/routers/a%2Fb%20%22c%22/active").status, 503U);
}

TEST_F(http, unknown_path_lists_those_there_are)
{
    auto plain = get("/status");
    EXPECT_EQ(plain.status, 404U);
    EXPECT_NE(text_of(plain, at({})).find("GET  /v1/status\n"), std::string::npos);
    for (const auto* target :
         {"/v1", "/v1/", "/v1/status/", "/v1/routers", "/v1/routers/", "/v1/routers/haproxy/x", "/v1//status"}) {
        auto reply = get(target);
        EXPECT_EQ(reply.status, 404U) << target;
        const auto value = json_of(reply);
        const auto& paths = value.at("paths").as_array();
        EXPECT_NE(std::find(paths.begin(), paths.end(), json::value("POST /v1/reload")), paths.end());
    }
}

TEST_F(http, wrong_method_is_told_the_right_one)
{
    for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", ""}) {
        auto reply = ask(method, "/v1/status");
        EXPECT_EQ(reply.status, 405U) << method;
        EXPECT_EQ(header(reply, "Allow"), "GET, HEAD");
    }
    auto reply = get("/v1/reload");
    EXPECT_EQ(reply.status, 405U);
    EXPECT_EQ(header(reply, "Allow"), "POST");
}

TEST_F(http, target_that_is_no_target_is_refused)
{
    EXPECT_EQ(get("/%zz").status, 400U);
    EXPECT_EQ(get("*").status, 400U);
    EXPECT_EQ(get("/" + std::string(target_size_max, 'x')).status, 414U);
    auto reply = get("/v1/%zz");
    EXPECT_NE(error_of(reply).find("two hexadecimal digits"), std::string::npos);
}

TEST_F(http, changes_over_tcp_are_refused_whatever_they_name)
{
    for (const auto* target :
         {"/v1/step-down", "/v1/maintenance", "/v1/priority", "/v1/reload", "/v1/restart", "/v1/routers/haproxy/step-down",
          "/v1/routers/nginx/step-down", "/v1/routers/haproxy/priority"}) {
        auto reply = ask("POST", target);
        EXPECT_EQ(reply.status, 403U) << target;
        EXPECT_NE(error_of(reply).find("curl --unix-socket /run/other.sock "), std::string::npos);
    }
    EXPECT_TRUE(commands.calls.empty());
}

TEST_F(http, commands_reach_the_operator_s_interface)
{
    auto reply = command("/v1/routers/haproxy/step-down");
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(json_of(reply).at("message"), json::value("done"));
    command("/v1/routers/a%2Fb%20%22c%22/step-down");
    command("/v1/step-down");
    command("/v1/maintenance", "{\"enabled\": true}");
    command("/v1/maintenance", " {\"why\":\"x\",\"enabled\":false} ");
    command("/v1/reload");
    command("/v1/restart");
    EXPECT_EQ(commands.calls, (std::vector<std::string>{"step_down haproxy", "step_down a/b \"c\"", "step_down ",
                                                        "maintenance on", "maintenance off", "reload", "restart"}));
}

TEST_F(http, step_down_of_a_router_that_is_not_there_does_nothing)
{
    EXPECT_EQ(command("/v1/routers/nginx/step-down").status, 404U);
    EXPECT_TRUE(commands.calls.empty());
}

TEST_F(http, maintenance_without_a_clear_word_does_nothing)
{
    for (const std::string body :
         {"", "true", "{}", "{\"enabled\":1}", "{\"enabled\":\"true\"}", "{\"enabled\":true", "[true]"}) {
        auto reply = command("/v1/maintenance", body);
        EXPECT_EQ(reply.status, 400U) << body;
        EXPECT_EQ(error_of(reply), "the body has to be {\"enabled\": true} or {\"enabled\": false}");
    }
    EXPECT_EQ(command("/v1/maintenance", std::string(5000, ' ')).status, 413U);
    EXPECT_EQ(command("/v1/maintenance", std::string(4000, '[')).status, 400U);
    EXPECT_TRUE(commands.calls.empty());
}

TEST_F(http, a_priority_is_set_for_one_router_or_taken_back)
{
    EXPECT_EQ(command("/v1/routers/haproxy/priority", R"({"priority": 1})").status, 200U);
    EXPECT_EQ(command("/v1/routers/a%2Fb%20%22c%22/priority", R"({"priority": 254})").status, 200U);
    EXPECT_EQ(command("/v1/routers/haproxy/priority", R"({"priority": "default"})").status, 200U);
    EXPECT_EQ(commands.calls,
              (std::vector<std::string>{"priority haproxy 1", "priority a/b \"c\" 254", "priority haproxy default"}));
    EXPECT_EQ(command("/v1/routers/nginx/priority", R"({"priority": 1})").status, 404U);
    EXPECT_EQ(commands.calls.size(), 3U);
}

TEST_F(http, a_priority_without_a_name_is_that_of_the_only_router)
{
    auto reply = command("/v1/priority", R"({"priority": 120})");
    EXPECT_EQ(reply.status, 400U);
    EXPECT_EQ(error_of(reply),
              "this node has 2 routers: name the one that is meant, with `vipd priority --router NAME` or POST "
              "/v1/routers/NAME/priority; `vipd status` lists them");
    EXPECT_TRUE(commands.calls.empty());
    node.erase_router(0);
    EXPECT_EQ(command("/v1/priority", R"({"priority": 120})").status, 200U);
    EXPECT_EQ(commands.calls, std::vector<std::string>{"priority a/b \"c\" 120"});
}

TEST_F(http, a_priority_that_is_none_changes_nothing)
{
    for (const std::string body : {"", "120", "{}", "{\"priority\":0}", "{\"priority\":255}", "{\"priority\":-1}",
                                   "{\"priority\":1e2}", "{\"priority\":\"120\"}", "{\"priority\":null}", "{\"priority\":376}",
                                   "{\"priority\":120", "{\"priority\":120,\"router\":\"nginx\"}"}) {
        auto reply = command("/v1/routers/haproxy/priority", body);
        EXPECT_EQ(reply.status, 400U) << body;
        EXPECT_EQ(error_of(reply), "the body has to be {\"priority\": N} with N from 1 to 254, or {\"priority\": \"default\"}");
    }
    EXPECT_TRUE(commands.calls.empty());
}

TEST_F(http, refused_command_shows_its_reasons)
{
    const std::pair<error_class, unsigned> expected[] = {
        {error_class::not_found, 404U},   {error_class::malformed, 422U}, {error_class::out_of_range, 422U},
        {error_class::unavailable, 503U}, {error_class::denied, 409U},    {error_class::unsupported, 409U},
    };
    for (const auto& [kind, status] : expected) {
        commands.answer = error{kind, "vipd.toml:7:1: unknown key\nvipd.toml:9:1: unknown key"};
        auto reply = command("/v1/reload");
        EXPECT_EQ(reply.status, status);
        EXPECT_EQ(error_of(reply), "vipd.toml:7:1: unknown key\nvipd.toml:9:1: unknown key");
    }
}

TEST_F(http, too_many_large_scrapes_are_put_off)
{
    node.routers.assign(11'000, router{});
    const auto first = get("/metrics");
    auto second = get("/metrics");
    EXPECT_EQ(first.status, 200U);
    EXPECT_EQ(second.status, 503U);
    EXPECT_EQ(header(second, "Retry-After"), "1");
}

}  // namespace
}  // namespace vipd::status::test
