#include "agent/io/http_server.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/listening_socket.hpp"
#include "agent/io/socket_address.hpp"
#include "tests/integration/io/child_program.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

struct scripted_source final : status::body_source {
    explicit scripted_source(std::vector<status::body_chunk> c) : chunks(std::move(c)) {}
    status::body_chunk next(instant) override
    {
        return at < chunks.size() ? std::move(chunks[at++]) : status::body_chunk{status::finished{}};
    }
    std::vector<status::body_chunk> chunks;
    std::size_t at = 0;
};

struct endless_source final : status::body_source {
    status::body_chunk next(instant) override { return std::string(1000, 'x'); }
};

struct silent_source final : status::body_source {
    status::body_chunk next(instant) override { return status::not_yet{1s}; }
};

// A client that never waits: the server runs in the same thread.
class client {
public:
    explicit client(const std::uint16_t port)
    {
        const auto to = to_socket_address(ip_address::v4(127, 0, 0, 1), port);
        socket_ = file_descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size), 0);
        ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
    }
    explicit client(const std::string& path)
    {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::memcpy(to.sun_path, path.data(), path.size());
        socket_ = file_descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
        ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
    }

    void send(std::string_view text) { static_cast<void>(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL)); }
    void finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

    // What has come so far.
    const std::string& received()
    {
        std::array<char, 65536> buffer{};
        while (!closed_) {
            const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (size > 0) {
                text_.append(buffer.data(), static_cast<std::size_t>(size));
            } else if (size == 0 || errno != EAGAIN) {
                closed_ = true;
            } else {
                break;
            }
        }
        return text_;
    }
    bool is_closed()
    {
        received();
        return closed_;
    }

private:
    file_descriptor socket_;
    std::string text_;
    bool closed_ = false;
};

struct http_server_test : reactor_fixture, http_handler {
    http_server::limits limits;
    std::unique_ptr<http_server> server;
    std::uint16_t port = 0;
    std::vector<status::http_request> requests;
    std::function<status::http_reply(const status::http_request&)> reply = [](const status::http_request& r) {
        return text("you asked for " + r.target);
    };

    static status::http_reply text(std::string body)
    {
        status::http_reply r;
        r.content_type = "text/plain";
        r.body = std::move(body);
        return r;
    }
    static status::http_reply stream(std::unique_ptr<status::body_source> source, std::string type = "text/plain")
    {
        status::http_reply r;
        r.content_type = std::move(type);
        r.headers = {{"Cache-Control", "no-store"}};
        r.body = std::move(source);
        return r;
    }

    status::http_reply respond(instant, const status::http_request& request) override
    {
        requests.push_back(request);
        return reply(request);
    }

    void start()
    {
        auto listener = listen_on(config::tcp_listener{ip_address::v4(127, 0, 0, 1), 0});
        ASSERT_TRUE(listener) << listener.error().text;
        sockaddr_in address{};
        socklen_t size = sizeof(address);
        ::getsockname(listener->get(), reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        server = std::make_unique<http_server>(context, *this, log, limits);
        server->serve(std::move(*listener), false);
    }

    // The server runs while the clients wait: a step of it, then a look.
    template <class Predicate>
    void serve_until(Predicate&& reached)
    {
        const auto give_up = std::chrono::steady_clock::now() + 30s;
        while (!reached()) {
            ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "hangs";
            context.restart();
            context.run_one_for(1ms);
        }
    }
    std::string ask(client& c, std::string_view request, std::string_view end)
    {
        c.send(request);
        serve_until([&] { return c.received().ends_with(end) || c.is_closed(); });
        return c.received();
    }
};

TEST_F(http_server_test, a_request_is_answered_with_its_length)
{
    start();
    client c(port);
    const auto answer =
        ask(c, "GET /readyz HTTP/1.1\r\nHost: x:9112\r\nAccept: text/html\r\nLast-Event-ID: 7\r\n\r\n", "/readyz");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find("Content-Type: text/plain\r\n"), std::string::npos);
    EXPECT_NE(answer.find("Content-Length: 21\r\n"), std::string::npos);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].method, "GET");
    EXPECT_EQ(requests[0].host, "x:9112");
    EXPECT_EQ(requests[0].accept, "text/html");
    EXPECT_EQ(requests[0].last_event_id, "7");
    EXPECT_FALSE(requests[0].from_unix_socket);
    EXPECT_FALSE(c.is_closed());
    EXPECT_EQ(server->request_count(), 1U);
}

TEST_F(http_server_test, requests_on_one_connection_are_answered_in_order)
{
    start();
    client c(port);
    const auto answer =
        ask(c, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n", "/3");
    EXPECT_LT(answer.find("you asked for /1"), answer.find("you asked for /2"));
    EXPECT_LT(answer.find("you asked for /2"), answer.find("you asked for /3"));
    EXPECT_NE(answer.find("you asked for /1"), std::string::npos);
}

TEST_F(http_server_test, a_body_is_handed_over_and_bounded)
{
    start();
    client small(port);
    ask(small, "POST /v1/maintenance HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", "maintenance");
    EXPECT_EQ(requests.at(0).body, "body");
    client large(port);
    EXPECT_TRUE(ask(large, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", "never").starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(large.is_closed());
    client chunked(port);
    const std::string piece = "400\r\n" + std::string(0x400, 'x') + "\r\n";
    chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_TRUE(ask(chunked, piece + piece + piece + piece + piece, "never").starts_with("HTTP/1.1 413"));
}

// Extensions of a chunk and a trailer are parts of a request for which HTTP has no bound.
TEST_F(http_server_test, a_chunked_body_whose_framing_does_not_end_is_refused)
{
    start();
    const std::string head = "POST /v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& begun :
         {head + "1;", head + "0\r\nX-Trailer: ", head + "400\r\n" + std::string(0x400, 'x') + "\r\n1;"}) {
        client c(port);
        EXPECT_TRUE(ask(c, begun + std::string(30'000, 'x'), "never").starts_with("HTTP/1.1 431 ")) << begun;
        EXPECT_TRUE(c.is_closed());
    }
    EXPECT_TRUE(requests.empty());
    client modest(port);
    ask(modest, head + "4;name=\"value\"\r\nbody\r\n0\r\nX-Trailer: y\r\n\r\n", "reload");
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].body, "body");
}

TEST_F(http_server_test, head_is_answered_without_a_body)
{
    start();
    client c(port);
    const auto answer = ask(c, "HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n");
    EXPECT_NE(answer.find("Content-Length: 21\r\n"), std::string::npos) << answer;
    EXPECT_TRUE(ask(c, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n", "/2").ends_with("you asked for /2"));
}

TEST_F(http_server_test, a_source_is_sent_in_chunks_to_http_1_1_and_until_the_end_to_http_1_0)
{
    reply = [](const auto&) {
        std::vector<status::body_chunk> chunks;
        chunks.emplace_back("one,");
        chunks.emplace_back(status::not_yet{});
        chunks.emplace_back("two");
        return stream(std::make_unique<scripted_source>(std::move(chunks)));
    };
    start();
    client c(port);
    const auto answer = ask(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "0\r\n\r\n");
    EXPECT_NE(answer.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_NE(answer.find("Cache-Control: no-store\r\n"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n")) << answer;
    client head(port);
    EXPECT_TRUE(ask(head, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n").ends_with("chunked\r\n\r\n"));
    client old(port);
    const auto plain = ask(old, "GET /metrics HTTP/1.0\r\n\r\n", "never");
    EXPECT_TRUE(plain.ends_with("\r\n\r\none,two")) << plain;
    EXPECT_TRUE(old.is_closed());
}

TEST_F(http_server_test, a_client_that_has_sent_all_it_wants_is_still_answered)
{
    start();
    client c(port);
    c.send("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    c.finish_sending();
    EXPECT_TRUE(ask(c, "", "/half").ends_with("you asked for /half"));
    serve_until([&] { return c.is_closed(); });
}

TEST_F(http_server_test, a_long_answer_is_whole_for_a_client_that_has_sent_all_it_wants)
{
    reply = [](const auto&) {
        std::vector<status::body_chunk> chunks;
        for (int i = 0; i < 5; ++i) {
            chunks.emplace_back(status::not_yet{});
            chunks.emplace_back("slice,");
        }
        return stream(std::make_unique<scripted_source>(std::move(chunks)));
    };
    start();
    client c(port);
    c.send("GET /metrics HTTP/1.0\r\n\r\n");
    c.finish_sending();
    EXPECT_TRUE(ask(c, "", "never").ends_with("\r\n\r\nslice,slice,slice,slice,slice,"));
}

// --- requests that are none ---

TEST_F(http_server_test, what_is_not_http_is_refused_and_closed)
{
    start();
    for (const std::string request :
         {"\x16\x03\x01 TLS?\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /\r\n\r\n",
          "GET / HTTP/1.1\r\nno colon\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
        client c(port);
        EXPECT_TRUE(ask(c, request, "never").starts_with("HTTP/1.1 400 ")) << request;
        EXPECT_TRUE(c.is_closed());
    }
    EXPECT_TRUE(requests.empty());
    serve_until([&] { return server->connection_count() == 0; });
}

TEST_F(http_server_test, a_head_above_the_bound_is_refused)
{
    start();
    client line(port);
    EXPECT_TRUE(ask(line, "GET /" + std::string(10'000, 'x'), "never").starts_with("HTTP/1.1 431 "));
    client headers(port);
    std::string many = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 1000; ++i) {
        many += "X-Header: xxxxxxxxxxxxxxxx\r\n";
    }
    EXPECT_TRUE(ask(headers, many, "never").starts_with("HTTP/1.1 431 "));
    EXPECT_TRUE(requests.empty());
}

TEST_F(http_server_test, the_head_of_a_chunk_and_the_trailer_are_bounded_as_well)
{
    start();
    for (const std::string begun : {"1;", "0\r\nX-Trailer: "}) {
        client c(port);
        c.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + begun);
        for (int i = 0; i < 1000 && !c.is_closed(); ++i) {
            c.send(std::string(1000, 'x'));
            context.restart();
            context.poll();
        }
        EXPECT_TRUE(c.received().starts_with("HTTP/1.1 431 ")) << begun << c.received();
    }
    EXPECT_TRUE(requests.empty());
}

// --- clients that take their time ---

TEST_F(http_server_test, a_request_that_does_not_end_is_closed)
{
    limits.request_time_max = 100ms;
    start();
    client c(port);
    EXPECT_EQ(ask(c, "GET / HTTP/1.1\r\nX-Slow: ", "never"), "");
    EXPECT_TRUE(c.is_closed());
    serve_until([&] { return server->connection_count() == 0; });
}

TEST_F(http_server_test, an_answer_that_nobody_fetches_is_closed)
{
    limits.request_time_max = 1s;
    reply = [](const auto&) { return stream(std::make_unique<endless_source>()); };
    start();
    client c(port);
    c.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    serve_until([&] { return requests.size() == 1; });
    serve_until([&] { return server->connection_count() == 0; });
}

TEST_F(http_server_test, an_event_stream_outlives_the_limit_while_its_client_is_there)
{
    limits.request_time_max = 1s;
    reply = [](const auto&) { return stream(std::make_unique<silent_source>(), "text/event-stream"); };
    start();
    auto c = std::make_unique<client>(port);
    c->send("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto later = std::chrono::steady_clock::now() + 1500ms;
    serve_until([&] { return std::chrono::steady_clock::now() > later; });
    EXPECT_EQ(server->connection_count(), 1U);
    EXPECT_FALSE(c->is_closed());
    c.reset();
    serve_until([&] { return server->connection_count() == 0; });
}

TEST_F(http_server_test, a_thousand_connections_leave_no_more_than_the_bound_and_a_newcomer_is_served)
{
    start();
    std::vector<std::unique_ptr<client>> idle;
    for (int i = 0; i < 1000; ++i) {
        idle.push_back(std::make_unique<client>(port));
        if (i % 100 == 0) {
            context.restart();
            context.poll();
        }
    }
    client newcomer(port);
    EXPECT_TRUE(ask(newcomer, "GET /new HTTP/1.1\r\nHost: x\r\n\r\n", "/new").ends_with("you asked for /new"));
    EXPECT_LE(server->connection_count(), 64U);
    EXPECT_TRUE(idle.front()->is_closed()) << "the oldest goes first";
    EXPECT_FALSE(idle.back()->is_closed());
}

TEST_F(http_server_test, clients_of_tcp_cannot_lock_out_those_of_the_unix_socket)
{
    start();
    temporary_folder folder;
    const auto path = folder.file("vipd.sock");
    auto listener = listen_on(path);
    ASSERT_TRUE(listener) << listener.error().text;
    server->serve(std::move(*listener), true);
    std::vector<std::unique_ptr<client>> half;
    for (std::size_t i = 0; i < 64; ++i) {
        half.push_back(std::make_unique<client>(port));
        half.back()->send("GET / HTTP/1.1\r\nX-Half: ");
    }
    serve_until([&] { return server->connection_count() == 64; });
    for (int i = 0; i < 10; ++i) {
        context.restart();
        context.poll();
    }
    client stranger(port);
    serve_until([&] { return stranger.is_closed(); });
    client waiting(path);
    serve_until([&] { return half.front()->is_closed(); });
    // Now that the operator's connection is the only idle one, a further stranger does not get its place.
    client another(port);
    serve_until([&] { return another.is_closed(); });
    EXPECT_TRUE(ask(waiting, "GET /operator HTTP/1.1\r\nHost: x\r\n\r\n", "/operator").ends_with("you asked for /operator"));
    EXPECT_FALSE(half.back()->is_closed()) << "the oldest goes first";
    EXPECT_LE(server->connection_count(), 64U);
}

TEST_F(http_server_test, running_out_of_descriptors_ends_neither_the_loop_nor_the_server)
{
    start();
    client before(port);
    serve_until([&] { return server->connection_count() == 1; });
    client turned_away(port);
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
    const int next = ::dup(0);
    ::close(next);
    const rlimit none{static_cast<rlim_t>(next), old.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    serve_until([&] { return turned_away.is_closed(); });
    EXPECT_TRUE(ask(before, "GET /here HTTP/1.1\r\nHost: x\r\n\r\n", "/here").ends_with("/here"));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
    client after(port);
    EXPECT_TRUE(ask(after, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n", "/again").ends_with("/again"));
}

// --- the Unix socket ---

TEST_F(http_server_test, the_unix_socket_says_so_and_is_not_for_everybody)
{
    start();
    temporary_folder folder;
    const auto path = folder.file("new/vipd.sock");
    auto listener = listen_on(path);
    ASSERT_TRUE(listener) << listener.error().text;
    struct stat what {};
    ASSERT_EQ(::stat(path.c_str(), &what), 0);
    EXPECT_EQ(what.st_mode & 0777U, 0660U);
    server->serve(std::move(*listener), true);
    client c(path);
    ask(c, "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "reload");
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(requests[0].from_unix_socket);
    const auto second = listen_on(path);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text.find("another vipd"), std::string::npos) << second.error().text;
}

TEST_F(http_server_test, the_socket_of_a_dead_daemon_is_replaced_and_other_files_are_not)
{
    temporary_folder folder;
    const auto path = folder.file("vipd.sock");
    ASSERT_TRUE(listen_on(path));
    EXPECT_TRUE(listen_on(path)) << "nobody answers there";
    const auto file = folder.file("important");
    ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0600));
    const auto on_a_file = listen_on(file);
    ASSERT_FALSE(on_a_file);
    EXPECT_EQ(on_a_file.error().text,
              file + " is there and is no socket: remove it, or choose another path with socket in [http]");
    struct stat what {};
    EXPECT_EQ(::stat(file.c_str(), &what), 0);
    EXPECT_FALSE(listen_on(std::string(200, 'x')));
    const auto deep = listen_on(folder.file("a/b/vipd.sock"));
    ASSERT_FALSE(deep);
    EXPECT_NE(deep.error().text.find("not those above"), std::string::npos) << deep.error().text;
}

// Whoever is behind it does not speak to us; that is no sign that nobody is.
TEST_F(http_server_test, a_socket_that_refuses_for_another_reason_is_not_replaced)
{
    temporary_folder folder;
    const auto path = folder.file("datagrams.sock");
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.data(), path.size());
    const file_descriptor other{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::bind(other.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)), 0);
    const auto listener = listen_on(path);
    ASSERT_FALSE(listener);
    EXPECT_NE(listener.error().text.find("it may be another vipd"), std::string::npos) << listener.error().text;
    struct stat what {};
    EXPECT_EQ(::stat(path.c_str(), &what), 0);
}

}  // namespace
}  // namespace vipd::io
