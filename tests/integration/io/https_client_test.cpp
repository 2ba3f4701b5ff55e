#include "agent/io/https_client.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/file_descriptor.hpp"
#include "agent/io/limited_log.hpp"
#include "tests/integration/io/hostile_server.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <map>
#include <memory>
#include <optional>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

struct https_client_test : reactor_fixture, https_client::owner {
    hostile_server& server = hostile_server::get();
    limited_log limited{log};
    resolver names{context, limited, {}};
    https_client::limits limits;
    std::unique_ptr<https_client> client;
    bool permit = true;
    std::vector<aws::http_exchange_id> asked_for_permit;
    std::map<std::uint64_t, aws::http_result> results;
    std::uint64_t last_id = 0;

    void SetUp() override
    {
        // As with exchange(): no test is about it.
        limits.connect_time_max = 10s;
        make_client(server.ca());
    }
    void TearDown() override { client.reset(); }

    void make_client(const std::string& ca_bundle)
    {
        auto made = https_client::create(context, names, *this, ca_bundle, 1, limited, limits);
        ASSERT_TRUE(made) << made.error().text;
        client = std::move(*made);
    }

    bool may_begin(aws::http_exchange_id id) override
    {
        asked_for_permit.push_back(id);
        return permit;
    }
    void on_http_finished(aws::http_exchange_id id, aws::http_result&& result) override
    {
        EXPECT_TRUE(results.emplace(id.value(), std::move(result)).second) << "finished twice";
    }

    [[nodiscard]] aws::http_origin origin(const char* port, const std::string& host = "localhost") const
    {
        return {std::string{port} != "plain", host, server.port(port)};
    }

    aws::http_exchange exchange(const aws::http_origin& to, const std::string& target)
    {
        aws::http_exchange e;
        e.id = aws::http_exchange_id{++last_id};
        e.origin = to;
        e.request.target = target;
        e.request.headers = {{"Host", to.host}};
        // Far above what a busy machine needs, unless a test is about time.
        e.time_max = 20s;
        e.connect_time_max = 10s;
        return e;
    }

    aws::http_result run(aws::http_exchange e)
    {
        const auto id = e.id.value();
        client->start(std::move(e));
        run_until([&] { return results.contains(id); });
        return results[id];
    }
    aws::http_result get(const aws::http_origin& to, const std::string& target) { return run(exchange(to, target)); }

    void wait_for_idle(const aws::http_origin& at, std::size_t count)
    {
        run_until([&] { return client->idle_connections(at) == count; });
    }

    static const aws::http_response& response(const aws::http_result& result)
    {
        static const aws::http_response none;
        if (const auto* failure = std::get_if<aws::http_failure>(&result.outcome)) {
            ADD_FAILURE() << failure->cause.text;
            return none;
        }
        return std::get<aws::http_response>(result.outcome);
    }
    static const aws::http_failure& failure(const aws::http_result& result)
    {
        static const aws::http_failure none;
        if (const auto* answer = std::get_if<aws::http_response>(&result.outcome)) {
            ADD_FAILURE() << "answered with " << answer->status << ": " << answer->body.substr(0, 100);
            return none;
        }
        return std::get<aws::http_failure>(result.outcome);
    }

    // Until the kernel knows that the other side of our connection from `local_port` has closed; the reactor stands still.
    static void wait_for_close(std::uint16_t local_port)
    {
        for (int fd = 0; fd < 1024; ++fd) {
            sockaddr_in address{};
            socklen_t size = sizeof(address);
            if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.sin_family == AF_INET &&
                address.sin_port == htons(local_port)) {
                pollfd closing{fd, POLLRDHUP, 0};
                EXPECT_EQ(::poll(&closing, 1, 30'000), 1);
                return;
            }
        }
        ADD_FAILURE() << "no connection from port " << local_port;
    }
};

// --- answers ---

TEST_F(https_client_test, a_verified_server_is_asked_and_answers)
{
    const auto result = get(origin("good"), "/ok");
    EXPECT_EQ(response(result).status, 200U);
    EXPECT_EQ(response(result).body, "fine");
    EXPECT_LE(result.started, result.first_byte);
    EXPECT_LE(result.first_byte, result.finished);
}

TEST_F(https_client_test, an_ip_literal_is_verified_against_the_addresses_of_the_certificate)
{
    EXPECT_EQ(response(get(origin("good", "127.0.0.1"), "/ok")).body, "fine");
    const auto result = get(origin("other_name", "127.0.0.1"), "/ok");
    EXPECT_FALSE(failure(result).may_have_arrived);
}

TEST_F(https_client_test, tls_1_2_and_plain_http_are_spoken)
{
    EXPECT_EQ(response(get(origin("tls12"), "/ok")).body, "fine");
    EXPECT_EQ(response(get(origin("plain"), "/ok")).body, "fine");
}

TEST_F(https_client_test, a_request_arrives_as_it_was_meant)
{
    auto e = exchange(origin("good"), "/echo");
    e.request.method = "PUT";
    e.request.headers.push_back({"X-Token", "abc"});
    e.request.body = std::string(100'000, 'b');
    const auto body = response(run(e)).body;
    EXPECT_TRUE(body.starts_with("PUT\nPUT /echo HTTP/1.1\r\nHost: localhost\r\nX-Token: abc\r\n")) << body.substr(0, 200);
    EXPECT_NE(body.find("Content-Length: 100000\r\nConnection: keep-alive"), std::string::npos);
    EXPECT_TRUE(body.ends_with(std::string(100'000, 'b')));
}

TEST_F(https_client_test, every_honest_form_of_answer_is_read)
{
    EXPECT_EQ(response(get(origin("good"), "/chunked")).body, "fine");
    EXPECT_EQ(response(get(origin("good"), "/interim")).body, "fine");
    EXPECT_EQ(response(get(origin("good"), "/until-end")).body, "fine");
    EXPECT_EQ(response(get(origin("good"), "/close")).body, "fine");
    EXPECT_EQ(response(get(origin("good"), "/ok")).body, "fine");
}

TEST_F(https_client_test, a_redirect_is_an_answer_and_followed_by_nobody)
{
    EXPECT_EQ(response(get(origin("good"), "/redirect")).status, 302U);
}

TEST_F(https_client_test, a_header_that_would_begin_another_line_is_not_sent)
{
    auto e = exchange(origin("good"), "/ok");
    e.request.headers.push_back({"X-Token", "a\r\nX-Evil: b"});
    EXPECT_FALSE(failure(run(e)).may_have_arrived);
}

// --- servers that are not whom we mean ---

TEST_F(https_client_test, no_request_reaches_a_server_that_cannot_prove_its_name)
{
    for (const auto* port : {"other_name", "expired", "unknown_ca"}) {
        auto e = exchange(origin(port), "/ok");
        e.mutating = true;
        const auto result = run(e);
        EXPECT_FALSE(failure(result).may_have_arrived) << port;
        EXPECT_EQ(result.first_byte, never) << port;
        EXPECT_NE(failure(result).cause.text.find("certificate of localhost"), std::string::npos) << failure(result).cause.text;
    }
    EXPECT_TRUE(asked_for_permit.empty());
}

TEST_F(https_client_test, a_certificate_of_our_own_ca_is_a_stranger_to_the_systems_trust)
{
    make_client("");
    const auto result = get(origin("good"), "/ok");
    EXPECT_FALSE(failure(result).may_have_arrived);
    EXPECT_NE(failure(result).cause.text.find("ca_bundle"), std::string::npos);
}

TEST_F(https_client_test, trust_can_be_exchanged_while_running)
{
    make_client("");
    failure(get(origin("good"), "/ok"));
    ASSERT_TRUE(client->trust(server.ca()));
    EXPECT_EQ(response(get(origin("good"), "/ok")).body, "fine");
    EXPECT_FALSE(client->trust("/nonexistent/ca.pem"));
    EXPECT_EQ(response(get(origin("good"), "/ok")).body, "fine");
}

TEST_F(https_client_test, there_is_no_fallback_to_plain_text)
{
    const auto result = get(origin("speaks_plainly"), "/ok");
    EXPECT_FALSE(failure(result).may_have_arrived);
    EXPECT_NE(failure(result).cause.text.find("TLS"), std::string::npos) << failure(result).cause.text;
}

// --- servers that do not get far ---

TEST_F(https_client_test, whoever_does_not_come_to_tls_in_time_has_not_got_the_request)
{
    for (const auto* port : {"silent", "half_handshake"}) {
        auto e = exchange(origin(port), "/ok");
        e.connect_time_max = 200ms;
        e.time_max = 400ms;
        const auto result = run(e);
        EXPECT_FALSE(failure(result).may_have_arrived) << port;
        EXPECT_EQ(failure(result).cause.kind, error_class::timed_out) << port;
    }
    for (const auto* port : {"closed", "closing"}) {
        const auto result = get(origin(port), "/ok");
        EXPECT_FALSE(failure(result).may_have_arrived) << port;
        EXPECT_EQ(failure(result).cause.kind, error_class::unavailable) << port;
    }
}

TEST_F(https_client_test, a_name_that_does_not_exist_is_told_without_a_byte_sent)
{
    auto e = exchange(origin("good", "no-such-host.invalid"), "/ok");
    EXPECT_FALSE(failure(run(e)).may_have_arrived);
}

// --- answers that are none ---

TEST_F(https_client_test, a_broken_answer_is_an_unknown_outcome)
{
    for (const auto* target : {"/truncated", "/no-answer", "/bad-chunk", "/two-lengths", "/garbage", "/switch",
                               "/endless-interim", "/endless-chunk-head"}) {
        const auto result = get(origin("good"), target);
        EXPECT_TRUE(failure(result).may_have_arrived) << target;
        EXPECT_NE(result.first_byte, never) << target;
    }
}

TEST_F(https_client_test, an_answer_without_length_needs_the_goodbye_of_tls)
{
    EXPECT_TRUE(failure(get(origin("truncating"), "/")).may_have_arrived);
}

TEST_F(https_client_test, what_is_too_large_is_broken_off)
{
    for (const auto* target : {"/large", "/endless", "/endless-head", "/endless-line"}) {
        auto e = exchange(origin("good"), target);
        e.body_size_max = 1U << 20U;
        const auto result = run(e);
        EXPECT_EQ(failure(result).cause.kind, error_class::too_large) << target << ": " << failure(result).cause.text;
        EXPECT_TRUE(failure(result).may_have_arrived) << target;
    }
}

TEST_F(https_client_test, the_deadline_ends_what_never_ends_by_itself)
{
    for (const auto* target : {"/hang", "/one-byte-a-time", "/slow-head"}) {
        // So that all of the time is the server's.
        client->keep_warm(origin("good"), 1);
        wait_for_idle(origin("good"), 1);
        auto e = exchange(origin("good"), target);
        e.time_max = 1s;
        const auto result = run(e);
        EXPECT_EQ(failure(result).cause.kind, error_class::timed_out) << target;
        EXPECT_TRUE(failure(result).may_have_arrived) << target;
        EXPECT_GE(result.finished - result.started, 1s) << target;
    }
}

// --- connections ---

TEST_F(https_client_test, warm_connections_are_opened_ahead_and_a_request_on_one_leaves_at_once)
{
    client->keep_warm(origin("good"), 2);
    wait_for_idle(origin("good"), 2);
    auto e = exchange(origin("good"), "/ok");
    e.mutating = true;
    const auto id = e.id;
    client->start(std::move(e));
    EXPECT_EQ(asked_for_permit, std::vector{id}) << "the permit is asked for, and the request written, before start() returns";
    EXPECT_EQ(client->idle_connections(origin("good")), 1U);
    run_until([&] { return results.contains(id.value()); });
    EXPECT_EQ(response(results[id.value()]).body, "fine");
    wait_for_idle(origin("good"), 2);
}

TEST_F(https_client_test, a_warm_connection_comes_back_when_the_server_closes_it)
{
    client->keep_warm(origin("good"), 1);
    wait_for_idle(origin("good"), 1);
    response(get(origin("good"), "/close-silently"));
    wait_for_idle(origin("good"), 0);
    wait_for_idle(origin("good"), 1);
    EXPECT_EQ(response(get(origin("good"), "/ok")).body, "fine");
}

TEST_F(https_client_test, a_warm_connection_that_grows_old_is_replaced_without_a_gap)
{
    limits.idle_max = 100ms;
    limits.overlap_max = 20s;
    make_client(server.ca());
    client->keep_warm(origin("good"), 1);
    wait_for_idle(origin("good"), 1);
    const auto first = response(get(origin("good"), "/whoami")).body;
    auto last = first;
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (last == first) {
        ASSERT_LT(std::chrono::steady_clock::now(), give_up);
        // It grows old in this time, however long its replacement then takes.
        const auto later = std::chrono::steady_clock::now() + 150ms;
        while (std::chrono::steady_clock::now() < later) {
            context.restart();
            context.run_one_until(later);
            ASSERT_GE(client->idle_connections(origin("good")), 1U);
        }
        last = response(get(origin("good"), "/whoami")).body;
    }
    EXPECT_TRUE(log.lines.empty());
}

TEST_F(https_client_test, one_that_grows_old_is_closed_in_the_end_though_nothing_replaces_it)
{
    limits.idle_max = 100ms;
    limits.overlap_max = 100ms;
    make_client(server.ca());
    client->keep_warm(origin("one_at_a_time"), 1);
    wait_for_idle(origin("one_at_a_time"), 1);
    wait_for_idle(origin("one_at_a_time"), 0);
}

TEST_F(https_client_test, zero_closes_what_is_warm)
{
    client->keep_warm(origin("good"), 2);
    wait_for_idle(origin("good"), 2);
    client->keep_warm(origin("good"), 0);
    EXPECT_EQ(client->idle_connections(origin("good")), 0U);
}

TEST_F(https_client_test, a_server_that_is_down_is_tried_again_with_pauses_and_few_words)
{
    const file_descriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 100), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const auto begin = steady_now();
    client->keep_warm({true, "localhost", ntohs(address.sin_port)}, 2);
    unsigned attempts = 0;
    run_until([&] {
        while (file_descriptor turned_away{::accept(listener.get(), nullptr, nullptr)}) {
            ++attempts;
        }
        return attempts >= 8;
    });
    // Two at a time, and a pause that is drawn at random before the next two: without any of them they would be over at once.
    EXPECT_GE(steady_now() - begin, 20ms);
    EXPECT_NE(log.lines.at(0).find("event=connect_failed"), std::string::npos);
    EXPECT_LE(log.lines.size(), 1U + static_cast<unsigned>((steady_now() - begin) / 10s));
}

TEST_F(https_client_test, many_requests_at_once_each_get_their_own_connection)
{
    for (int i = 0; i < 32; ++i) {
        client->start(exchange(origin("good"), "/ok"));
    }
    run_until([&] { return results.size() == 32; });
    for (const auto& [id, result] : results) {
        EXPECT_EQ(response(result).body, "fine");
    }
}

TEST_F(https_client_test, an_answer_that_nobody_asked_for_spoils_the_connection)
{
    for (const auto* target : {"/extra", "/extra-later"}) {
        EXPECT_EQ(response(get(origin("good"), target)).body, "fine");
        wait_for_idle(origin("good"), 0);
        EXPECT_EQ(response(get(origin("good"), "/ok")).body, "fine");
    }
}

TEST_F(https_client_test, a_connection_that_the_server_has_left_is_noticed_before_a_request_is_written_on_it)
{
    for (const auto* port : {"good", "tls12", "plain"}) {
        for (const auto* manner : {"/leave", "/leave-with-goodbye", "/leave-with-reset"}) {
            response(get(origin(port), manner));
            wait_for_close(static_cast<std::uint16_t>(std::stoi(server.read_line())));
            EXPECT_EQ(client->idle_connections(origin(port)), 1U) << "nobody has looked since";
            asked_for_permit.clear();
            auto e = exchange(origin(port), "/count");
            e.mutating = true;
            const auto id = e.id;
            const auto first = response(run(std::move(e))).body;
            EXPECT_EQ(asked_for_permit, std::vector{id}) << port << manner;
            const auto second = response(get(origin(port), "/count")).body;
            EXPECT_EQ(std::stoi(second), std::stoi(first) + 1) << port << manner << ": it arrived once";
        }
    }
    EXPECT_TRUE(log.lines.empty());
}

TEST_F(https_client_test, a_connection_that_the_server_leaves_under_a_request_is_an_unknown_outcome_and_no_second_request)
{
    client->keep_warm(origin("leaving"), 1);
    wait_for_idle(origin("leaving"), 1);
    auto e = exchange(origin("leaving"), "/ok");
    e.mutating = true;
    const auto id = e.id;
    const auto result = run(std::move(e));
    EXPECT_TRUE(failure(result).may_have_arrived);
    EXPECT_EQ(failure(result).cause.kind, error_class::unavailable);
    EXPECT_NE(result.first_byte, never);
    EXPECT_EQ(asked_for_permit, std::vector{id});
    EXPECT_EQ(server.read_line(), "request");
    response(get(origin("plain"), "/leave"));
    EXPECT_NE(server.read_line(), "request") << "the next line is that of the one that has just left";
}

// --- permit and cancellation ---

TEST_F(https_client_test, without_the_permit_nothing_is_written)
{
    client->keep_warm(origin("good"), 1);
    wait_for_idle(origin("good"), 1);
    permit = false;
    auto e = exchange(origin("good"), "/ok");
    e.mutating = true;
    const auto result = run(e);
    EXPECT_FALSE(failure(result).may_have_arrived);
    EXPECT_EQ(failure(result).cause.kind, error_class::cancelled);
    EXPECT_EQ(result.first_byte, never);
    EXPECT_EQ(client->idle_connections(origin("good")), 1U) << "the connection is as good as before";
}

TEST_F(https_client_test, reading_needs_no_permit)
{
    permit = false;
    EXPECT_EQ(response(get(origin("good"), "/ok")).body, "fine");
}

TEST_F(https_client_test, a_cancelled_request_is_never_heard_of_again)
{
    client->keep_warm(origin("good"), 1);
    wait_for_idle(origin("good"), 1);
    auto under_way = exchange(origin("good"), "/hang");
    under_way.mutating = true;
    auto waiting = exchange(origin("silent"), "/ok");
    const auto ids = {under_way.id, waiting.id};
    client->start(std::move(under_way));
    client->start(std::move(waiting));
    for (const auto id : ids) {
        client->cancel(id);
    }
    EXPECT_EQ(response(get(origin("good"), "/ok")).body, "fine");
    EXPECT_EQ(results.size(), 1U);
}

TEST_F(https_client_test, a_cancelled_request_is_reset_on_the_wire_at_once)
{
    for (const auto* port : {"good", "tls12", "plain"}) {
        client->keep_warm(origin(port), 1);
        wait_for_idle(origin(port), 1);
        // With the answer everything has been read that would make a reset of any close: session tickets.
        response(get(origin(port), "/ok"));
        auto e = exchange(origin(port), "/tell-the-end");
        e.mutating = true;
        const auto id = e.id;
        client->start(std::move(e));
        EXPECT_EQ(server.read_line(), "begun");
        client->cancel(id);
        EXPECT_EQ(server.read_line(), "reset") << port;
    }
}

// As a process does that was forked and has not become another program yet.
std::vector<file_descriptor> hold_all_connections()
{
    std::vector<file_descriptor> held;
    for (int number = 3; number < 1024; ++number) {
        sockaddr_storage peer{};
        socklen_t size = sizeof(peer);
        if (::getpeername(number, reinterpret_cast<sockaddr*>(&peer), &size) == 0) {
            held.emplace_back(::dup(number));
        }
    }
    return held;
}

TEST_F(https_client_test, a_cancelled_request_is_reset_even_while_another_process_holds_its_socket)
{
    client->keep_warm(origin("good"), 1);
    wait_for_idle(origin("good"), 1);
    response(get(origin("good"), "/ok"));
    auto e = exchange(origin("good"), "/tell-the-end");
    e.mutating = true;
    const auto id = e.id;
    client->start(std::move(e));
    EXPECT_EQ(server.read_line(), "begun");
    const auto held = hold_all_connections();
    EXPECT_GE(held.size(), 1U);
    client->cancel(id);
    EXPECT_EQ(server.read_line(), "reset");
}

TEST_F(https_client_test, what_the_kernel_still_holds_of_a_cancelled_request_is_not_delivered)
{
    client->keep_warm(origin("stalling"), 1);
    wait_for_idle(origin("stalling"), 1);
    auto e = exchange(origin("stalling"), "/");
    e.request.method = "PUT";
    e.request.body = std::string(1'000'000, 'b');
    e.mutating = true;
    const auto id = e.id;
    client->start(std::move(e));
    EXPECT_EQ(server.read_line(), "begun");
    client->cancel(id);
    const auto rest = server.read_line();
    EXPECT_TRUE(rest.ends_with(" reset")) << rest;
    EXPECT_LT(std::stoi(rest), 500'000);
}

}  // namespace
}  // namespace vipd::io
