#include "tests/cloudsim/server.hpp"

#include "tests/cloud/control.hpp"
#include "tests/cloudsim/http_stream.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <charconv>
#include <cstdio>
#include <exception>

#include <unistd.h>

namespace vipd::cloudsim {

namespace {

ip_address to_ip_address(const asio::ip::address& address)
{
    if (address.is_v4()) {
        const auto bytes = address.to_v4().to_bytes();
        return ip_address::from_bytes(bytes);
    }
    if (address.to_v6().is_v4_mapped()) {
        const auto bytes = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_bytes();
        return ip_address::from_bytes(bytes);
    }
    const auto bytes = address.to_v6().to_bytes();
    return ip_address::from_bytes(bytes);
}

std::string to_text(const asio::ip::tcp::endpoint& endpoint)
{
    const auto address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

cloud::cloud_service in_cloud(service_kind service)
{
    return service == service_kind::ec2   ? cloud::cloud_service::ec2
           : service == service_kind::sts ? cloud::cloud_service::sts
                                          : cloud::cloud_service::imds;
}

std::string_view service_name(service_kind service)
{
    return service == service_kind::control ? "control" : to_string(in_cloud(service));
}

// The barrier of every session: one that goes wrong is told about and costs its own connection only.
void report(const std::exception_ptr& failure)
{
    if (!failure) {
        return;
    }
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "cloudsim: a session ended with an exception: %s\n", e.what());
    }
}

}  // namespace

instant read_clocks()
{
    return {steady_now(), std::chrono::system_clock::now()};
}

result<listen_address> listen_address::parse(service_kind service, const std::string& text)
{
    listen_address out;
    out.service = service;
    if (service == service_kind::control && text.starts_with("unix:") && text.size() > 5) {
        out.unix_path = text.substr(5);
        return out;
    }
    const auto pin = service == service_kind::imds ? text.find('=') : std::string::npos;
    if (pin != std::string::npos) {
        out.instance = aws::instance_id{text.substr(pin + 1)};
    }
    const auto place = text.substr(0, pin);
    const auto colon = place.rfind(':');
    const bool bracketed = place.starts_with('[') && colon != std::string::npos && colon > 1 && place[colon - 1] == ']';
    const auto host = bracketed ? place.substr(1, colon - 2) : place.substr(0, colon);
    const auto digits = colon == std::string::npos ? std::string_view{} : std::string_view(place).substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    const auto address = ip_address::parse(host);
    if (!address || digits.empty() || failure != std::errc{} || end != digits.data() + digits.size()) {
        return error{error_class::malformed,
                     "'" + text + "' is no listen address; allowed are 127.0.0.1:443 and [::1]:443, port 0 for any"};
    }
    out.address = *address;
    return out;
}

server::server(cloud::simulated_cloud& cloud, request_log& log, tls_contexts& tls) : cloud_(cloud), log_(log), tls_(tls) {}

result<std::string> server::listen(const listen_address& where)
{
    if (!where.unix_path.empty()) {
        return listen_unix(where.unix_path);
    }
    beast::error_code failure;
    const tcp::endpoint endpoint(asio::ip::make_address(where.address.to_string()), where.port);
    tcp::acceptor acceptor(context_);
    acceptor.open(endpoint.protocol(), failure);
    if (!failure) {
        acceptor.set_option(asio::socket_base::reuse_address(true), failure);
    }
    if (!failure) {
        acceptor.bind(endpoint, failure);
    }
    if (!failure) {
        acceptor.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
        return error{error_class::unavailable, "cannot listen on " + to_text(endpoint) + ": " + failure.message()};
    }
    auto bound = to_text(acceptor.local_endpoint());
    asio::co_spawn(context_, accept_tcp(std::move(acceptor), where), report);
    return bound;
}

result<std::string> server::listen_unix(const std::string& path)
{
    // What an earlier run has left behind.
    ::unlink(path.c_str());
    beast::error_code failure;
    asio::local::stream_protocol::acceptor acceptor(context_);
    acceptor.open(asio::local::stream_protocol(), failure);
    if (!failure) {
        acceptor.bind(asio::local::stream_protocol::endpoint(path), failure);
    }
    if (!failure) {
        acceptor.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
        return error{error_class::unavailable, "cannot listen on unix:" + path + ": " + failure.message()};
    }
    asio::co_spawn(context_, accept_unix(std::move(acceptor)), report);
    return "unix:" + path;
}

void server::run()
{
    signals_.async_wait([this](const beast::error_code&, int) { context_.stop(); });
    context_.run();
}

asio::awaitable<void> server::accept_tcp(tcp::acceptor acceptor, listen_address where)
{
    asio::steady_timer pause(context_);
    for (;;) {
        auto [failure, socket] = co_await acceptor.async_accept(as_result);
        if (failure) {
            // Out of descriptors, most likely; the next attempt would fail at once too.
            pause.expires_after(std::chrono::milliseconds{20});
            co_await pause.async_wait(as_result);
            continue;
        }
        peer from;
        from.times.accepted = steady_now();
        from.times.connection = ++connections_;
        beast::error_code gone;
        const auto remote = socket.remote_endpoint(gone);
        socket.set_option(tcp::no_delay(true), gone);
        if (gone) {
            continue;
        }
        from.text = to_text(remote);
        from.source = {to_ip_address(remote.address()), where.instance};
        serve(std::move(socket), std::move(from), where.service);
    }
}

asio::awaitable<void> server::accept_unix(asio::local::stream_protocol::acceptor acceptor)
{
    asio::steady_timer pause(context_);
    for (;;) {
        auto [failure, socket] = co_await acceptor.async_accept(as_result);
        if (failure) {
            pause.expires_after(std::chrono::milliseconds{20});
            co_await pause.async_wait(as_result);
            continue;
        }
        asio::co_spawn(context_, serve_control(std::move(socket)), report);
    }
}

void server::serve(tcp::socket&& socket, peer&& from, service_kind service)
{
    switch (service) {
        case service_kind::ec2:
        case service_kind::sts:
            asio::co_spawn(context_, serve_over_tls(std::move(socket), std::move(from), service), report);
            break;
        case service_kind::imds:
            asio::co_spawn(context_, serve_imds(std::move(socket), std::move(from)), report);
            break;
        case service_kind::control:
            asio::co_spawn(context_, serve_control(std::move(socket)), report);
            break;
    }
}

asio::awaitable<bool> server::begin_connection(tcp::socket& socket, const peer& from, service_kind service,
                                               const cloud::exchange_plan& plan)
{
    if (plan.before_effect > duration::zero()) {
        asio::steady_timer timer(context_, plan.before_effect);
        co_await timer.async_wait(as_result);
    }
    if (plan.end == cloud::exchange_plan::ending::answer) {
        co_return true;
    }
    const bool hangs = plan.end == cloud::exchange_plan::ending::hang;
    log_.connection(service_name(service), from.times, from.text, hangs ? "hung" : "reset");
    if (hangs) {
        co_await wait_for_close(socket);
    } else {
        reset_connection(socket);
    }
    co_return false;
}

asio::awaitable<void> server::serve_over_tls(tcp::socket socket, peer from, service_kind service)
{
    const auto plan = cloud_.handle_connection(in_cloud(service), from.source);
    if (!co_await begin_connection(socket, from, service, plan)) {
        co_return;
    }
    asio::ssl::stream<tcp::socket> stream(std::move(socket), tls_.with(plan.certificate));
    const auto [failure] = co_await stream.async_handshake(asio::ssl::stream_base::server, as_result);
    if (failure) {
        log_.connection(service_name(service), from.times, from.text, "tls_failed: " + failure.message());
        co_return;
    }
    from.times.secured = steady_now();
    log_.connection(service_name(service), from.times, from.text, "secured");
    co_await serve_cloud(stream, from, service);
}

asio::awaitable<void> server::serve_imds(tcp::socket socket, peer from)
{
    const auto plan = cloud_.handle_connection(cloud::cloud_service::imds, from.source);
    if (co_await begin_connection(socket, from, service_kind::imds, plan)) {
        co_await serve_cloud(socket, from, service_kind::imds);
    }
}

template <class Socket>
asio::awaitable<void> server::serve_control(Socket socket)
{
    beast::flat_buffer buffer;
    request_times ignored;
    for (;;) {
        const auto request = co_await read_request(socket, buffer, ignored);
        if (!request.complete) {
            co_return;
        }
        cloud::collected_reply reply;
        reply.answer.head = cloud::handle_control(cloud_, read_clocks(), request.message);
        after_cloud_call();
        if (!co_await write_answer(socket, reply, request.keep_alive) || !request.keep_alive) {
            co_return;
        }
    }
}

template <class Stream>
asio::awaitable<void> server::serve_cloud(Stream& stream, peer from, service_kind service)
{
    beast::flat_buffer buffer;
    for (;;) {
        from.times.first_byte = from.times.complete = from.times.replied = never;
        const auto request = co_await read_request(stream, buffer, from.times);
        if (!request.complete) {
            if (from.times.first_byte != never) {
                log_.connection(service_name(service), from.times, from.text, "request_incomplete");
            }
            co_return;
        }
        if (!co_await answer(stream, from, service, request.message, request.keep_alive)) {
            co_return;
        }
    }
}

// False when the connection has ended.
template <class Stream>
asio::awaitable<bool> server::answer(Stream& stream, peer& from, service_kind service, const aws::http_request& request,
                                     bool keep_alive)
{
    const auto now = read_clocks();
    const auto planned = service == service_kind::ec2   ? cloud_.handle_ec2(now, request, from.source)
                         : service == service_kind::sts ? cloud_.handle_sts(now, request, from.source)
                                                        : cloud_.handle_imds(now, request, from.source);
    after_cloud_call();
    if (planned.reply_at != never && planned.reply_at > steady_now()) {
        asio::steady_timer timer(context_, for_timer(planned.reply_at));
        co_await timer.async_wait(as_result);
    }
    const auto reply = cloud_.collect(read_clocks(), planned.id);
    after_cloud_call();
    const auto finish = [&](std::string_view outcome) {
        from.times.replied = outcome == "hung" ? never : steady_now();
        log_.request(service_name(service), from.times, from.text, reply.record, outcome);
    };
    using ending = cloud::collected_reply::ending;
    if (reply.end == ending::reset) {
        reset_connection(beast::get_lowest_layer(stream));
        finish("reset");
        co_return false;
    }
    if (reply.end == ending::hang) {
        finish("hung");
        co_await wait_for_close(stream);
        co_return false;
    }
    const bool written =
        co_await write_answer(stream, reply, keep_alive && reply.answer.end == cloud::wire_answer::ending::keep_alive);
    finish(written ? "answered" : "client_gone");
    if (written && reply.answer.end == cloud::wire_answer::ending::hang) {
        co_await wait_for_close(stream);
    }
    co_return written&& keep_alive&& reply.answer.end == cloud::wire_answer::ending::keep_alive;
}

void server::after_cloud_call()
{
    while (const auto change = cloud_.poll_change()) {
        log_.change(*change);
    }
    while (const auto movement = cloud_.poll_movement()) {
        log_.movement(*movement);
    }
    const auto next = cloud_.next_wakeup().at;
    if (next == effect_due_) {
        return;
    }
    effect_due_ = next;
    effect_timer_.cancel();
    if (next == never) {
        return;
    }
    effect_timer_.expires_at(for_timer(next));
    effect_timer_.async_wait([this](const beast::error_code& cancelled) {
        if (!cancelled) {
            effect_due_ = never;
            cloud_.handle_timeout(read_clocks());
            after_cloud_call();
        }
    });
}

}  // namespace vipd::cloudsim
