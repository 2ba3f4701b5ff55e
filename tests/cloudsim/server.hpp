#pragma once

// The sockets of cloudsim: EC2 and STS over HTTPS, IMDS over HTTP, the control endpoint, and one timer for effects that are
// due. One thread.

#include "tests/cloud/simulated_cloud.hpp"
#include "tests/cloudsim/request_log.hpp"
#include "tests/cloudsim/tls_contexts.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

namespace vipd::cloudsim {

// CLOCK_MONOTONIC and the wall clock.
instant read_clocks();

enum class service_kind : std::uint8_t { ec2, sts, imds, control };

// "ADDR:PORT", "[ADDR6]:PORT", for the control endpoint also "unix:PATH", and behind an IMDS address "=INSTANCE": whoever asks
// there is that instance, for tests on one loopback address.
struct listen_address {
    service_kind service = service_kind::ec2;
    ip_address address;
    std::uint16_t port = 0;
    std::string unix_path;
    aws::instance_id instance;

    static result<listen_address> parse(service_kind service, const std::string& text);
};

class server {
public:
    server(cloud::simulated_cloud& cloud, request_log& log, tls_contexts& tls);

    // Binds and begins to accept. The answer is what was bound, "127.0.0.1:34567".
    result<std::string> listen(const listen_address& where);

    // Until SIGTERM or SIGINT.
    void run();

private:
    using tcp = boost::asio::ip::tcp;

    struct peer {
        std::string text;  // "10.0.1.10:34567"
        cloud::request_source source;
        request_times times;
    };

    result<std::string> listen_unix(const std::string& path);
    boost::asio::awaitable<void> accept_tcp(tcp::acceptor acceptor, listen_address where);
    boost::asio::awaitable<void> accept_unix(boost::asio::local::stream_protocol::acceptor acceptor);
    void serve(tcp::socket&& socket, peer&& from, service_kind service);
    boost::asio::awaitable<void> serve_over_tls(tcp::socket socket, peer from, service_kind service);
    boost::asio::awaitable<void> serve_imds(tcp::socket socket, peer from);
    template <class Socket>
    boost::asio::awaitable<void> serve_control(Socket socket);
    // Carries out what the faults say about a connection; false when it has ended of it.
    boost::asio::awaitable<bool> begin_connection(tcp::socket& socket, const peer& from, service_kind service,
                                                  const cloud::exchange_plan& plan);
    template <class Stream>
    boost::asio::awaitable<void> serve_cloud(Stream& stream, peer from, service_kind service);
    template <class Stream>
    boost::asio::awaitable<bool> answer(Stream& stream, peer& from, service_kind service, const aws::http_request& request,
                                        bool keep_alive);
    // Logs the changes that happened, and arms the timer for the next one that is due.
    void after_cloud_call();

    boost::asio::io_context context_{1};
    boost::asio::signal_set signals_{context_, SIGTERM, SIGINT};
    cloud::simulated_cloud& cloud_;
    request_log& log_;
    tls_contexts& tls_;
    boost::asio::steady_timer effect_timer_{context_};
    time_point effect_due_ = never;  // what the timer is armed for
    std::uint64_t connections_ = 0;
};

}  // namespace vipd::cloudsim
