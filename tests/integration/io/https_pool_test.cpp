// What the HTTPS client does with its connections when the other side dies, hesitates, or is no longer trusted.

#include "agent/io/https_client.hpp"
#include "agent/io/limited_log.hpp"
#include "tests/integration/io/hostile_server.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <linux/filter.h>
#include <sys/socket.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::system::error_code;

// Plain HTTP on the test's own reactor. "/hang" gets no answer, "/part" half a one, everything else "fine".
class obedient_server {
public:
    explicit obedient_server(boost::asio::io_context& context) :
        acceptor_(context, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0})
    {
        accept();
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] std::size_t accepted() const { return connections_.size(); }
    [[nodiscard]] std::size_t bytes_received() const { return bytes_received_; }
    [[nodiscard]] const error_code& end() const { return end_; }

    // Those that are accepted from now on are not read from before read().
    void wait_with_reading() { reads_ = false; }
    void read()
    {
        reads_ = true;
        for (const auto& c : connections_) {
            read_from(c);
        }
    }

    // As when the host dies: of what is accepted so far the kernel takes no packet any more, and acknowledges none.
    void fall_silent()
    {
        sock_filter drop_all{BPF_RET | BPF_K, 0, 0, 0};
        const sock_fprog program{1, &drop_all};
        for (const auto& c : connections_) {
            ASSERT_EQ(::setsockopt(c->socket.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
        }
    }

private:
    struct connection {
        explicit connection(tcp::socket s) : socket(std::move(s)) {}
        tcp::socket socket;
        std::array<char, 1U << 16U> bytes{};
    };

    void accept()
    {
        acceptor_.async_accept([this](const error_code& failed, tcp::socket socket) {
            if (failed) {
                return;
            }
            connections_.push_back(std::make_shared<connection>(std::move(socket)));
            if (reads_) {
                read_from(connections_.back());
            }
            accept();
        });
    }

    void read_from(const std::shared_ptr<connection>& c)
    {
        c->socket.async_read_some(boost::asio::buffer(c->bytes), [this, c](const error_code& failed, std::size_t size) {
            bytes_received_ += size;
            if (failed) {
                end_ = failed;
                return;
            }
            answer(c, {c->bytes.data(), size});
            read_from(c);
        });
    }

    static void answer(const std::shared_ptr<connection>& c, std::string_view request)
    {
        if (request.starts_with("GET /part ")) {
            boost::asio::write(c->socket, boost::asio::buffer(std::string{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfi"}));
        } else if (request.starts_with("GET ") && !request.starts_with("GET /hang ")) {
            boost::asio::write(c->socket, boost::asio::buffer(std::string{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"}));
        }
    }

    tcp::acceptor acceptor_;
    std::vector<std::shared_ptr<connection>> connections_;
    bool reads_ = true;
    std::size_t bytes_received_ = 0;
    error_code end_;
};

struct https_pool_test : reactor_fixture, https_client::owner {
    obedient_server server{context};
    aws::http_origin origin{false, "127.0.0.1", server.port()};
    limited_log limited{log};
    resolver names{context, limited, {}};
    std::unique_ptr<https_client> client;
    bool permit = true;
    std::size_t asked_for_permit = 0;
    std::map<std::uint64_t, aws::http_result> results;
    std::vector<std::uint64_t> finished;                      // in order
    std::map<std::uint64_t, std::size_t> idle_when_finished;  // at the origin
    std::uint64_t last_id = 0;

    void SetUp() override { make_client(""); }
    void TearDown() override { client.reset(); }

    void make_client(const std::string& ca_bundle)
    {
        https_client::limits limits;
        limits.plain_idle_max = 60s;
        auto made = https_client::create(context, names, *this, ca_bundle, 1, limited, limits);
        ASSERT_TRUE(made) << made.error().text;
        client = std::move(*made);
    }

    bool may_begin(aws::http_exchange_id) override
    {
        ++asked_for_permit;
        return permit;
    }
    void on_http_finished(aws::http_exchange_id id, aws::http_result&& result) override
    {
        finished.push_back(id.value());
        idle_when_finished[id.value()] = client->idle_connections(origin);
        results[id.value()] = std::move(result);
    }

    aws::http_exchange reading(const std::string& target)
    {
        aws::http_exchange e;
        e.id = aws::http_exchange_id{++last_id};
        e.origin = origin;
        e.request.target = target;
        e.request.headers = {{"Host", "localhost"}};
        // Far above what a busy machine needs, unless a test is about time.
        e.time_max = 20s;
        e.connect_time_max = 10s;
        return e;
    }
    aws::http_exchange changing(const std::string& target)
    {
        auto e = reading(target);
        e.mutating = true;
        return e;
    }

    std::uint64_t start(aws::http_exchange e)
    {
        const auto id = e.id.value();
        client->start(std::move(e));
        return id;
    }
    const aws::http_result& end_of(std::uint64_t id)
    {
        run_until([&] { return results.contains(id); });
        return results[id];
    }
    const aws::http_result& run(aws::http_exchange e) { return end_of(start(std::move(e))); }

    void warm_up(std::size_t count)
    {
        client->keep_warm(origin, static_cast<unsigned>(count));
        run_until([&] { return client->idle_connections(origin) == count && server.accepted() == count; });
    }

    static std::string body(const aws::http_result& result)
    {
        const auto* failure = std::get_if<aws::http_failure>(&result.outcome);
        return failure != nullptr ? "failed: " + failure->cause.text : std::get<aws::http_response>(result.outcome).body;
    }
    static aws::http_failure failure(const aws::http_result& result)
    {
        const auto* failure = std::get_if<aws::http_failure>(&result.outcome);
        EXPECT_NE(failure, nullptr) << body(result);
        return failure != nullptr ? *failure : aws::http_failure{};
    }
};

// --- the other side dies without a word ---

TEST_F(https_pool_test, a_request_that_nobody_acknowledges_ends_before_its_deadline)
{
    warm_up(1);
    server.fall_silent();
    const auto& result = run(changing("/ok"));
    EXPECT_TRUE(failure(result).may_have_arrived);
    EXPECT_EQ(failure(result).cause.kind, error_class::unavailable) << "the deadline would say timed_out";
}

TEST_F(https_pool_test, after_a_request_without_an_answer_the_next_one_gets_a_new_connection)
{
    warm_up(3);
    server.fall_silent();
    const auto first = start(changing("/ok"));
    const auto second = start(changing("/ok"));
    EXPECT_TRUE(failure(end_of(first)).may_have_arrived);
    EXPECT_TRUE(failure(end_of(second)).may_have_arrived);
    EXPECT_EQ(body(run(reading("/ok"))), "fine") << "the third connection that was warm is as dead as the other two";
}

TEST_F(https_pool_test, a_deadline_without_an_answer_closes_what_has_rested_since_before_the_request)
{
    warm_up(2);
    auto e = reading("/hang");
    e.time_max = 300ms;
    const auto id = start(std::move(e));
    EXPECT_EQ(failure(end_of(id)).cause.kind, error_class::timed_out);
    EXPECT_EQ(idle_when_finished[id], 0U);
    run_until([&] { return client->idle_connections(origin) == 2; });
}

TEST_F(https_pool_test, a_connection_that_has_served_since_the_request_began_is_kept)
{
    warm_up(2);
    auto e = reading("/hang");
    e.time_max = 1s;
    const auto id = start(std::move(e));
    EXPECT_EQ(body(run(reading("/ok"))), "fine");
    EXPECT_EQ(failure(end_of(id)).cause.kind, error_class::timed_out);
    EXPECT_EQ(idle_when_finished[id], 1U);
}

TEST_F(https_pool_test, half_an_answer_says_nothing_about_other_connections)
{
    warm_up(2);
    auto e = reading("/part");
    e.time_max = 1s;
    const auto id = start(std::move(e));
    EXPECT_EQ(failure(end_of(id)).cause.kind, error_class::timed_out);
    EXPECT_EQ(idle_when_finished[id], 1U);
}

// --- who waits for whom ---

TEST_F(https_pool_test, a_mutating_request_gets_the_first_connection_whatever_waited_before_it)
{
    const std::vector reads = {start(reading("/ok")), start(reading("/ok")), start(reading("/ok"))};
    const auto first = start(changing("/ok"));
    const auto second = start(changing("/ok"));
    run_until([&] { return results.size() == 5; });
    EXPECT_LT(results[first].first_byte, results[second].first_byte);
    for (const auto read : reads) {
        EXPECT_LT(results[second].first_byte, results[read].first_byte);
    }
}

TEST_F(https_pool_test, a_read_gives_up_before_a_mutating_request_when_connections_fail)
{
    tcp::acceptor unused{context, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
    origin.port = unused.local_endpoint().port();
    unused.close();
    const auto change = start(changing("/ok"));
    const auto read = start(reading("/ok"));
    run_until([&] { return results.size() == 2; });
    EXPECT_EQ(finished, (std::vector{read, change}));
}

// --- half a request ---

TEST_F(https_pool_test, the_rest_of_a_mutating_request_needs_the_permit_again)
{
    constexpr std::size_t much = 64U << 20U;  // more than the kernel takes at once
    server.wait_with_reading();
    auto e = changing("/ok");
    e.request.method = "POST";
    e.request.body = std::string(much, 'b');
    const auto id = start(std::move(e));
    run_until([&] { return asked_for_permit > 0 && server.accepted() == 1; });
    permit = false;
    server.read();
    EXPECT_TRUE(failure(end_of(id)).may_have_arrived);
    EXPECT_EQ(failure(end_of(id)).cause.kind, error_class::cancelled);
    run_until([&] { return server.end().failed(); });
    EXPECT_EQ(server.end(), boost::asio::error::connection_reset);
    EXPECT_LT(server.bytes_received(), much);
}

// --- trust ---

TEST_F(https_pool_test, nothing_that_was_verified_by_earlier_ca_certificates_is_used_after_they_are_exchanged)
{
    const hostile_server hostile;
    origin = {true, "localhost", hostile.port("good")};
    make_client(hostile.ca());
    // Its answer, and the session tickets before that, are read when the certificates have been exchanged.
    const auto id = start(changing("/ok"));
    run_until([&] { return asked_for_permit > 0; });
    ASSERT_TRUE(client->trust(hostile.file("stranger.pem")));
    EXPECT_EQ(body(end_of(id)), "fine");
    EXPECT_NE(failure(run(reading("/ok"))).cause.text.find("certificate of localhost"), std::string::npos);
}

TEST_F(https_pool_test, a_connection_on_its_way_when_ca_certificates_are_exchanged_is_not_used)
{
    const hostile_server hostile;
    origin = {true, "localhost", hostile.port("good")};
    make_client(hostile.ca());
    const auto id = start(reading("/ok"));
    ASSERT_TRUE(client->trust(hostile.file("stranger.pem")));
    EXPECT_FALSE(failure(end_of(id)).may_have_arrived);
}

}  // namespace
}  // namespace vipd::io
