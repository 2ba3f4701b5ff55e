#include "agent/io/outgoing_connection.hpp"

#include "agent/io/pool_policy.hpp"
#include "agent/io/socket_address.hpp"
#include "agent/io/system_error.hpp"

#include <boost/asio/error.hpp>

#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace vipd::io {

using boost::asio::posix::stream_descriptor;

outgoing_connection::outgoing_connection(connection_id id, boost::asio::io_context& context, connection_target& target,
                                         listener& to) :
    id_(id), target_(target), to_(to), watch_(context), alarm_(context)
{}

outgoing_connection::~outgoing_connection()
{
    stop_watching();
}

void outgoing_connection::stop_watching()
{
    if (watch_.is_open()) {
        // The descriptor is closed by its owner.
        static_cast<void>(watch_.release());
    }
    waits_for_read_ = waits_for_write_ = false;
}

void outgoing_connection::open(resolver& names, std::shared_ptr<const tls_context> tls, time_point give_up)
{
    tls_ = std::move(tls);
    give_up_ = give_up;
    set_opening_alarm(give_up);
    names.resolve(target_.origin.host, [weak = weak_from_this()](const resolver::answer& found) {
        if (const auto self = weak.lock()) {
            self->on_addresses(found);
        }
    });
}

void outgoing_connection::on_addresses(const resolver::answer& found)
{
    if (!found) {
        fail(found.error().kind, found.error().text);
        return;
    }
    addresses_ = *found;
    first_ = first_to_try(addresses_, target_.first_address);
    connect_next();
}

const ip_address& outgoing_connection::address() const
{
    return addresses_[(first_ + attempts_ - 1) % addresses_.size()];
}

void outgoing_connection::connect_next()
{
    stage_ = stage::connecting;
    stop_watching();
    ++attempts_;
    const bool is_v4 = address().is_v4();
    socket_ = file_descriptor{::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (!socket_) {
        on_attempt_failed(system_error(error_class::unavailable, "opening a socket", errno).text);
        return;
    }
    boost::system::error_code failed;
    watch_.assign(socket_.get(), failed);
    const int on = 1;
    if (failed || ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
        on_attempt_failed("preparing a socket: " + (failed ? failed.message() : std::system_category().message(errno)));
        return;
    }
    // With several addresses one that does not answer must not use up all the time.
    const auto now = steady_now();
    const bool is_last = attempts_ >= addresses_.size();
    set_opening_alarm(is_last ? give_up_ : now + (give_up_ - now) / 2);
    const auto to = to_socket_address(address(), target_.origin.port);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0) {
        on_connect_ended();
    } else if (errno == EINPROGRESS && target_.opens_at_once && address().is_loopback()) {
        ask_again(to);
    } else if (errno == EINPROGRESS) {
        wait_for(transport::status::want_write);
    } else {
        on_attempt_failed(system_error(error_class::unavailable, "connecting to " + address().to_string(), errno).text);
    }
}

// A connection to this machine itself is there when connect() returns, and only says so when it is called again. To wait for
// that would be a round of the reactor for each look at a server here.
void outgoing_connection::ask_again(const socket_address& to)
{
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0) {
        on_connect_ended();
    } else if (errno == EALREADY) {
        wait_for(transport::status::want_write);
    } else {
        on_attempt_failed(system_error(error_class::unavailable, "connecting to " + address().to_string(), errno).text);
    }
}

void outgoing_connection::set_opening_alarm(time_point at)
{
    if (alarm_.at() != at) {
        alarm_.set(at, [this] { on_opening_too_slow(); });
    }
}

void outgoing_connection::on_connect_ended()
{
    int failure = 0;
    socklen_t size = sizeof(failure);
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) {
        failure = errno;
    }
    if (failure != 0) {
        on_attempt_failed(system_error(error_class::unavailable, "connecting to " + address().to_string(), failure).text);
        return;
    }
    const auto& longest = target_.unacknowledged_max_ms;
    if (longest > 0 && ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &longest, sizeof(longest)) != 0) {
        on_attempt_failed(system_error(error_class::unavailable, "preparing a socket", errno).text);
        return;
    }
    target_.first_address = address();
    stage_ = stage::handshaking;
    set_opening_alarm(give_up_);
    const auto& name = target_.certified_name.empty() ? target_.origin.host : target_.certified_name;
    wire_ = target_.origin.tls ? std::make_unique<transport>(std::move(socket_), *tls_, name, target_.session)
                               : std::make_unique<transport>(std::move(socket_));
    shake_hands();
}

void outgoing_connection::on_attempt_failed(const std::string& cause)
{
    if (attempts_ < addresses_.size() && steady_now() < give_up_) {
        connect_next();
    } else {
        fail(error_class::unavailable, cause);
    }
}

void outgoing_connection::shake_hands()
{
    const auto step = wire_->handshake();
    if (step.what == transport::status::done) {
        stage_ = stage::open;
        tls_.reset();
        alarm_.clear();
        to_.on_open(id_);
    } else if (step.what == transport::status::want_read || step.what == transport::status::want_write) {
        wait_for(step.what);
    } else {
        // Should it be the session that the server did not like, the next handshake is a full one.
        target_.session.forget();
        fail(error_class::unavailable, wire_->problem());
    }
}

void outgoing_connection::on_opening_too_slow()
{
    const auto& host = target_.origin.host;
    switch (stage_) {
        case stage::resolving:
            fail(error_class::timed_out, "resolving " + host + " took too long");
            break;
        case stage::connecting:
            if (attempts_ < addresses_.size() && steady_now() < give_up_) {
                connect_next();
            } else {
                fail(error_class::timed_out, "connecting to " + host + " (" + address().to_string() + ") took too long");
            }
            break;
        case stage::handshaking:
            fail(error_class::timed_out, "the TLS handshake with " + host + " took too long");
            break;
        case stage::open:
            break;
    }
}

void outgoing_connection::fail(error_class kind, const std::string& cause)
{
    alarm_.clear();
    stop_watching();
    to_.on_open_failed(id_, {kind, cause});
}

bool outgoing_connection::is_quiet()
{
    std::array<std::uint8_t, 1> byte{};
    return wire_->read(byte).what == transport::status::want_read;
}

void outgoing_connection::wait_for(transport::status wanted)
{
    const bool reading = wanted == transport::status::want_read;
    auto& waits = reading ? waits_for_read_ : waits_for_write_;
    if (waits) {
        return;
    }
    waits = true;
    watch_.async_wait(reading ? stream_descriptor::wait_read : stream_descriptor::wait_write,
                      [weak = weak_from_this(), reading, attempt = attempts_](const boost::system::error_code& failed) {
                          const auto self = weak.lock();
                          // What was said of the socket of an earlier attempt says nothing of this one.
                          if (self && failed != boost::asio::error::operation_aborted && self->attempts_ == attempt) {
                              self->on_readiness(reading);
                          }
                      });
}

void outgoing_connection::on_readiness(bool reading)
{
    (reading ? waits_for_read_ : waits_for_write_) = false;
    switch (stage_) {
        case stage::resolving:
            break;
        case stage::connecting:
            on_connect_ended();
            break;
        case stage::handshaking:
            shake_hands();
            break;
        case stage::open:
            to_.on_ready(id_);
            break;
    }
}

void outgoing_connection::set_alarm(time_point at)
{
    alarm_.set(at, [this] { to_.on_alarm(id_); });
}

void outgoing_connection::step_on()
{
    // Several connections to one address fall silent together: they take one step.
    if (target_.first_address == address()) {
        target_.first_address = address_after(addresses_, address());
    }
}

void outgoing_connection::reset()
{
    stop_watching();
    wire_->reset();
}

}  // namespace vipd::io
