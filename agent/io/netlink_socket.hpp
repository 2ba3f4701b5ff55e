#pragma once

// The kernel's links and addresses, and our rules and routes, as events; changes to them as requests.
//
// Two sockets: one hears events and dumps, and may lose some when the kernel has more to tell than fits (ENOBUFS), after which
// all is dumped again; the other carries requests and belongs to no group, so that an answer is never lost. The kernel works on
// a request inside the system call that hands it over: its answer is there in the same turn. Requests of a turn are handed over
// together, in their order: a hundred rules and routes are two system calls and not a hundred.
//
// IPv4 routes that go with a link, or with its last address, go without a word (fib_sync_down_dev), so after those events all
// is dumped again where there is a route of ours.

#include "agent/io/file_descriptor.hpp"
#include "agent/net/kernel_view.hpp"
#include "agent/net/link.hpp"
#include "agent/net/netlink.hpp"
#include "common/log.hpp"
#include "common/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace vipd::io {

class netlink_socket {
public:
    struct listener {
        virtual void on_kernel_event(net::kernel_event&& event) = 0;
        virtual void on_kernel_answer(net::kernel_answer&& answer) = 0;

    protected:
        ~listener() = default;
    };

    static result<std::unique_ptr<netlink_socket>> open(boost::asio::io_context& context, listener& to, log_sink& log);

    // Asks for everything there is; dump_done follows.
    void start();

    // Answered once: usually by the next deliver_answers(), and by itself when the kernel is late.
    void change(net::kernel_request_id id, const net::kernel_change& what);
    // Hands over what was asked for. Calls nobody.
    void submit();
    void deliver_answers();

private:
    // What the sockets are waiting for; one dump at a time, as the kernel wants it.
    enum class dump_stage : std::uint8_t { none, links, addresses, rules, routes_v4, routes_v6 };

    struct pending_request {
        net::kernel_request_id id;
        net::kernel_change change;
    };

    netlink_socket(boost::asio::io_context& context, listener& to, log_sink& log);

    void wait_for_events();
    void wait_for_answers();
    void read_events();
    void read_answers();
    void take(const net::netlink_message& message);
    void advance_dump(const net::netlink_dump_end& end);
    [[nodiscard]] byte_buffer dump_request(dump_stage stage, std::uint32_t sequence) const;
    void ask_for(dump_stage stage);
    void begin_dump();
    void restart_dump(const char* reason);
    void dump_later();
    bool ask(const byte_buffer& message);
    void answer(std::uint32_t sequence, int error_number, std::string text);
    void deliver();
    void dump_what_went_silently();

    listener& to_;
    log_sink& log_;
    boost::asio::posix::stream_descriptor events_;
    boost::asio::posix::stream_descriptor requests_;
    boost::asio::steady_timer retry_;
    std::vector<std::uint8_t> buffer_;
    net::kernel_view view_;
    std::vector<net::kernel_event> news_;
    dump_stage stage_ = dump_stage::none;
    bool dump_is_stale_ = false;  // something was lost or changed since the dump began: its end begins another
    std::uint32_t dump_sequence_ = 0;
    std::uint32_t sequence_ = 0;
    std::map<std::uint32_t, pending_request> pending_;
    byte_buffer batch_;
    std::uint32_t batch_first_ = 0;  // the sequence number of its first request
    std::size_t batch_size_ = 0;
    bool waits_for_answers_ = false;
    std::vector<net::kernel_answer> answers_;
};

}  // namespace vipd::io
