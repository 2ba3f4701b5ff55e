#pragma once

// One HTTP request in, one answer out, on any stream; with the moments of both, and with everything that can be wrong about an
// answer.

#include "agent/aws/http_message.hpp"
#include "common/time.hpp"
#include "tests/cloud/simulated_cloud.hpp"
#include "tests/cloudsim/request_log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <string>

namespace vipd::cloudsim {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
inline constexpr std::size_t request_body_max = 1U << 20U;

// CLOCK_MONOTONIC, which is what libstdc++'s steady clock reads.
inline time_point steady_now()
{
    return time_point{std::chrono::steady_clock::now().time_since_epoch()};
}

inline std::chrono::steady_clock::time_point for_timer(time_point at)
{
    return std::chrono::steady_clock::time_point{at.time_since_epoch()};
}

// A request with its headers in the order in which they came.
struct incoming_request {
    aws::http_request message;
    bool keep_alive = false;
    bool complete = false;  // false: the connection ended or was no HTTP
};

template <class Stream>
asio::awaitable<incoming_request> read_request(Stream& stream, beast::flat_buffer& buffer, request_times& times)
{
    incoming_request request;
    http::request_parser<http::string_body> parser;
    parser.body_limit(request_body_max);
    if (buffer.size() == 0) {
        const auto space = buffer.prepare(16U << 10U);
        const auto [failure, size] = co_await stream.async_read_some(space, as_result);
        if (failure) {
            co_return request;
        }
        buffer.commit(size);
    }
    times.first_byte = steady_now();
    const auto [failure, size] = co_await http::async_read(stream, buffer, parser, as_result);
    if (failure) {
        co_return request;
    }
    times.complete = steady_now();
    auto& message = parser.get();
    request.message.method = std::string(message.method_string());
    request.message.target = std::string(message.target());
    for (const auto& field : message) {
        request.message.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    request.message.body = std::move(message.body());
    request.keep_alive = message.keep_alive();
    request.complete = true;
    co_return request;
}

// The bytes before the body.
inline std::string head_of(const cloud::wire_answer& answer, bool keep_alive)
{
    std::string out = "HTTP/1.1 " + std::to_string(answer.head.status) + " " +
                      std::string(http::obsolete_reason(http::int_to_status(answer.head.status))) + "\r\n";
    for (const auto& header : answer.head.headers) {
        out += header.name + ": " + header.value + "\r\n";
    }
    const auto length = answer.announced_length.value_or(answer.head.body.size());
    out += answer.filler_count == cloud::endless ? std::string("Transfer-Encoding: chunked\r\n")
                                                 : "Content-Length: " + std::to_string(length) + "\r\n";
    return out + (keep_alive ? "" : "Connection: close\r\n") + "\r\n";
}

inline std::string as_chunk(const std::string& text)
{
    std::string size;
    for (auto rest = text.size(); rest > 0; rest /= 16) {
        size.insert(size.begin(), "0123456789abcdef"[rest % 16]);
    }
    return size + "\r\n" + text + "\r\n";
}

template <class Stream>
asio::awaitable<bool> write_bytes(Stream& stream, const std::string& bytes)
{
    const auto [failure, size] = co_await asio::async_write(stream, asio::buffer(bytes), as_result);
    co_return !failure;
}

// At most this many bytes a second, a little at a time; at least one byte each time.
template <class Stream>
asio::awaitable<bool> trickle_bytes(Stream& stream, const std::string& bytes, double bytes_per_second)
{
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    const auto step = static_cast<std::size_t>(std::max(1.0, bytes_per_second / 100.0));
    const auto pause =
        std::chrono::duration_cast<duration>(std::chrono::duration<double>(static_cast<double>(step) / bytes_per_second));
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const auto part = bytes.substr(at, step);
        if (!co_await write_bytes(stream, part)) {
            co_return false;
        }
        timer.expires_after(pause);
        co_await timer.async_wait(as_result);
    }
    co_return true;
}

// False when the client did not take all of it.
template <class Stream>
asio::awaitable<bool> write_answer(Stream& stream, const cloud::collected_reply& reply, bool keep_alive)
{
    const auto& answer = reply.answer;
    const bool chunked = !answer.raw && answer.filler_count == cloud::endless;
    // Head and body in one write, so that an ordinary answer is one TLS record and one segment.
    std::string first = answer.raw ? *answer.raw : head_of(answer, keep_alive);
    if (reply.bytes_per_second && !answer.raw) {
        if (!co_await write_bytes(stream, first) ||
            !co_await trickle_bytes(stream, answer.head.body, *reply.bytes_per_second)) {
            co_return false;
        }
    } else {
        first += answer.raw ? std::string{} : chunked ? as_chunk(answer.head.body) : answer.head.body;
        if (!co_await write_bytes(stream, first)) {
            co_return false;
        }
    }
    // Many at a time: a client is to be flooded, not tickled.
    const auto one = chunked ? as_chunk(answer.filler) : answer.filler;
    const std::uint64_t batch_max = one.empty() ? 1 : std::max<std::uint64_t>(1, (64U << 10U) / one.size());
    std::string batch;
    for (std::uint64_t left = answer.filler_count; left > 0;) {
        const auto now = std::min(left, batch_max);
        if (batch.size() != now * one.size()) {
            batch.clear();
            for (std::uint64_t i = 0; i < now; ++i) {
                batch += one;
            }
        }
        if (!co_await write_bytes(stream, batch)) {
            co_return false;
        }
        left -= left == cloud::endless ? 0 : now;
    }
    co_return co_await write_bytes(stream, answer.tail);
}

// Reads and forgets until the client closes.
template <class Stream>
asio::awaitable<void> wait_for_close(Stream& stream)
{
    std::array<char, 4096> ignored{};
    for (;;) {
        const auto [failure, size] = co_await stream.async_read_some(asio::buffer(ignored), as_result);
        if (failure) {
            co_return;
        }
    }
}

template <class Socket>
void reset_connection(Socket& socket)
{
    beast::error_code ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
}

}  // namespace vipd::cloudsim
