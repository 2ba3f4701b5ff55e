#include "agent/io/netlink_socket.hpp"

#include "agent/io/system_error.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace vipd::io {

namespace {

// The kernel fills at most 32 KiB of a dump into one datagram (netlink_recvmsg).
constexpr std::size_t datagram_bytes_max = 32U << 10U;
constexpr int event_buffer_bytes = 1 << 20;
// A flood of events is worked off in pieces, so that adverts come in between.
constexpr int datagrams_per_turn_max = 16;
// The answers to one batch fit into a receive buffer of the default size many times over.
constexpr std::size_t batch_requests_max = 64;
constexpr unsigned rtmgrp_ipv6_rule = 1U << (RTNLGRP_IPV6_RULE - 1U);
constexpr unsigned event_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_RULE | RTMGRP_IPV4_ROUTE |
                                  RTMGRP_IPV6_ROUTE | rtmgrp_ipv6_rule;
constexpr auto dump_retry_pause = std::chrono::milliseconds{200};

result<file_descriptor> open_socket(std::uint32_t groups)
{
    file_descriptor socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)};
    if (!socket) {
        return system_error(error_class::unavailable, "opening a netlink socket", errno);
    }
    const int on = 1;
    // The kernel's own words beside an error number; kernels before 4.12 have none.
    static_cast<void>(::setsockopt(socket.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)));
    // The kernel dumps only the routes that were asked for; before 4.20 it dumps all, and the view keeps what is ours.
    static_cast<void>(::setsockopt(socket.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)));
    if (groups != 0 && ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &event_buffer_bytes, sizeof(int)) != 0) {
        static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &event_buffer_bytes, sizeof(int)));
    }
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = groups;
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return system_error(error_class::unavailable, "binding a netlink socket", errno);
    }
    return socket;
}

bool takes_routes_along(const net::kernel_event& event)
{
    const auto* link = std::get_if<net::link_seen>(&event);
    return (link != nullptr && !link->value.up) || std::holds_alternative<net::link_gone>(event) ||
           std::holds_alternative<net::address_gone>(event);
}

// A whole datagram from the kernel; 0 and errno when there is none. Datagrams of other processes are thrown away.
std::size_t receive(int socket, std::vector<std::uint8_t>& buffer)
{
    while (true) {
        sockaddr_nl from{};
        socklen_t from_size = sizeof(from);
        const auto size = ::recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC,
                                     reinterpret_cast<sockaddr*>(&from), &from_size);
        if (size < 0) {
            if (errno == EINTR) {
                continue;
            }
            return 0;
        }
        if (from.nl_pid != 0) {
            continue;
        }
        if (static_cast<std::size_t>(size) > buffer.size()) {
            // A truncated datagram is a lost one.
            errno = ENOBUFS;
            return 0;
        }
        if (size > 0) {
            return static_cast<std::size_t>(size);
        }
    }
}

}  // namespace

result<std::unique_ptr<netlink_socket>> netlink_socket::open(boost::asio::io_context& context, listener& to, log_sink& log)
{
    auto events = open_socket(event_groups);
    if (!events) {
        return events.error();
    }
    auto requests = open_socket(0);
    if (!requests) {
        return requests.error();
    }
    std::unique_ptr<netlink_socket> made{new netlink_socket(context, to, log)};
    boost::system::error_code failed;
    made->events_.assign(events->get(), failed);
    if (!failed) {
        static_cast<void>(events->release());
        made->requests_.assign(requests->get(), failed);
    }
    if (failed) {
        return error{error_class::unavailable, "watching a netlink socket: " + failed.message()};
    }
    static_cast<void>(requests->release());
    return made;
}

netlink_socket::netlink_socket(boost::asio::io_context& context, listener& to, log_sink& log) :
    to_(to), log_(log), events_(context), requests_(context), retry_(context), buffer_(datagram_bytes_max)
{}

void netlink_socket::start()
{
    wait_for_events();
    begin_dump();
}

void netlink_socket::change(net::kernel_request_id id, const net::kernel_change& what)
{
    const std::uint32_t sequence = ++sequence_;
    if (batch_size_ == 0) {
        batch_first_ = sequence;
    }
    append(batch_, net::encode_change(what, sequence));
    pending_.emplace(sequence, pending_request{id, what});
    if (++batch_size_ == batch_requests_max) {
        submit();
    }
}

void netlink_socket::submit()
{
    if (batch_size_ == 0) {
        return;
    }
    const bool sent = ::send(requests_.native_handle(), batch_.data(), batch_.size(), MSG_DONTWAIT) >= 0;
    const int why = errno;
    batch_.clear();
    batch_size_ = 0;
    if (sent) {
        read_answers();
        return;
    }
    for (auto i = pending_.lower_bound(batch_first_); i != pending_.end(); i = pending_.lower_bound(batch_first_)) {
        answer(i->first, why, {});
    }
}

void netlink_socket::deliver_answers()
{
    submit();
    // The listener may ask for more, whose answers come the next time.
    std::vector<net::kernel_answer> answers;
    answers.swap(answers_);
    for (auto& told : answers) {
        to_.on_kernel_answer(std::move(told));
    }
    if (!pending_.empty() && !waits_for_answers_) {
        wait_for_answers();
    }
}

void netlink_socket::wait_for_answers()
{
    waits_for_answers_ = true;
    requests_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& failed) {
        waits_for_answers_ = false;
        if (failed == boost::asio::error::operation_aborted) {
            return;
        }
        read_answers();
        deliver_answers();
    });
}

void netlink_socket::read_answers()
{
    while (!pending_.empty()) {
        const std::size_t size = receive(requests_.native_handle(), buffer_);
        if (size == 0) {
            if (errno == ENOBUFS) {
                // Answers were lost against all expectation: say so for each that is open, and let the node look again.
                const int lost = errno;
                while (!pending_.empty()) {
                    answer(pending_.begin()->first, lost, "the kernel's answer was lost");
                }
            }
            return;
        }
        for (auto& message : net::decode_netlink({buffer_.data(), size}).messages) {
            if (auto* told = std::get_if<net::netlink_acknowledgement>(&message)) {
                answer(told->sequence, told->error_number, std::move(told->text));
            }
        }
    }
}

void netlink_socket::answer(std::uint32_t sequence, int error_number, std::string text)
{
    const auto found = pending_.find(sequence);
    if (found == pending_.end()) {
        return;
    }
    const auto request = found->second;
    pending_.erase(found);
    if (net::is_success(request.change, error_number)) {
        error_number = 0;
        text.clear();
    } else if (text.empty()) {
        text = std::system_category().message(error_number);
    }
    answers_.push_back({request.id, error_number, std::move(text)});
}

// --- events and dumps ---

void netlink_socket::wait_for_events()
{
    events_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& failed) {
        if (failed == boost::asio::error::operation_aborted) {
            return;
        }
        read_events();
        wait_for_events();
    });
}

void netlink_socket::read_events()
{
    for (int i = 0; i < datagrams_per_turn_max; ++i) {
        const std::size_t size = receive(events_.native_handle(), buffer_);
        if (size == 0) {
            if (errno == ENOBUFS) {
                restart_dump("events were lost");
                continue;
            }
            break;
        }
        const auto decoded = net::decode_netlink({buffer_.data(), size});
        if (decoded.malformed != 0) {
            log_.warning("netlink_malformed", {{"messages", decoded.malformed}});
        }
        dump_is_stale_ |= decoded.dump_interrupted;
        for (const auto& message : decoded.messages) {
            take(message);
        }
    }
    deliver();
}

void netlink_socket::take(const net::netlink_message& message)
{
    if (const auto* end = std::get_if<net::netlink_dump_end>(&message)) {
        advance_dump(*end);
    } else if (const auto* told = std::get_if<net::netlink_acknowledgement>(&message)) {
        // The only requests on this socket are dumps, and an acknowledgement in place of one is a refusal.
        advance_dump({told->sequence, told->error_number == 0 ? EPROTO : told->error_number});
    } else if (std::holds_alternative<net::netlink_overrun>(message)) {
        restart_dump("the kernel reported an overrun");
    } else {
        view_.apply(message, news_);
    }
}

void netlink_socket::advance_dump(const net::netlink_dump_end& end)
{
    if (stage_ == dump_stage::none || end.sequence != dump_sequence_) {
        return;
    }
    // A kernel without policy routing, or without IPv6, has none.
    const bool has_none = stage_ >= dump_stage::rules && (end.error_number == EOPNOTSUPP || end.error_number == EAFNOSUPPORT);
    if (end.error_number != 0 && !has_none) {
        log_.warning("netlink_dump_failed", {{"error", std::system_category().message(end.error_number)}});
        stage_ = dump_stage::none;
        dump_later();
        return;
    }
    if (stage_ != dump_stage::routes_v6) {
        ask_for(static_cast<dump_stage>(static_cast<std::uint8_t>(stage_) + 1));
        return;
    }
    if (dump_is_stale_) {
        begin_dump();
        return;
    }
    stage_ = dump_stage::none;
    view_.end_dump(news_);
}

byte_buffer netlink_socket::dump_request(dump_stage stage, std::uint32_t sequence) const
{
    switch (stage) {
        case dump_stage::none:
        case dump_stage::links:
            return net::encode_link_dump(sequence);
        case dump_stage::addresses:
            return net::encode_address_dump(sequence);
        case dump_stage::rules:
            return net::encode_rule_dump(sequence);
        case dump_stage::routes_v4:
            return net::encode_route_dump(ip_family::v4, sequence);
        case dump_stage::routes_v6:
            return net::encode_route_dump(ip_family::v6, sequence);
    }
    return {};
}

void netlink_socket::ask_for(dump_stage stage)
{
    stage_ = stage;
    dump_sequence_ = ++sequence_;
    if (!ask(dump_request(stage, dump_sequence_))) {
        dump_later();
    }
}

void netlink_socket::begin_dump()
{
    dump_is_stale_ = false;
    view_.begin_dump();
    ask_for(dump_stage::links);
}

void netlink_socket::restart_dump(const char* reason)
{
    log_.warning("netlink_resync", {{"reason", reason}});
    // A dump that is under way cannot be called off, and its end may be among what was lost; a new one is asked for when it has
    // ended, or after a pause.
    dump_is_stale_ = true;
    dump_later();
}

void netlink_socket::dump_later()
{
    retry_.expires_after(dump_retry_pause);
    retry_.async_wait([this](const boost::system::error_code& failed) {
        // A dump that began in the meantime and is still good serves as well.
        if (!failed && (stage_ == dump_stage::none || dump_is_stale_)) {
            begin_dump();
        }
    });
}

bool netlink_socket::ask(const byte_buffer& message)
{
    if (::send(events_.native_handle(), message.data(), message.size(), MSG_DONTWAIT) >= 0) {
        return true;
    }
    log_.warning("netlink_dump_failed", {{"error", std::system_category().message(errno)}});
    stage_ = dump_stage::none;
    return false;
}

void netlink_socket::dump_what_went_silently()
{
    if (stage_ == dump_stage::none) {
        begin_dump();
    } else {
        dump_is_stale_ = true;  // its end begins another
    }
}

void netlink_socket::deliver()
{
    // The listener may ask for changes, whose answers come through here no more: news are handed over one by one from a copy.
    std::vector<net::kernel_event> news;
    news.swap(news_);
    if (view_.has_routes() && std::ranges::any_of(news, takes_routes_along)) {
        dump_what_went_silently();
    }
    for (auto& event : news) {
        to_.on_kernel_event(std::move(event));
    }
}

}  // namespace vipd::io
