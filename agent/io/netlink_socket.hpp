#pragma once

// The kernel's links and addresses as events, and changes to them as requests.
//
// Two sockets: one hears events and dumps, and may lose some when the kernel has more to tell than fits (ENOBUFS), after which
// all is dumped again; the other carries requests and belongs to no group, so that an answer is never lost. The kernel works on
// a request inside the system call that hands it over: its answer is there in the same turn.

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

    // Answered once, usually before this returns.
    void change(net::kernel_request_id id, const net::kernel_change& what);

private:
    // What the sockets are waiting for; one dump at a time, as the kernel wants it.
    enum class dump_stage : std::uint8_t { none, links, addresses };

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
    void begin_dump();
    void restart_dump(const char* reason);
    void dump_later();
    bool ask(const byte_buffer& message);
    void answer(std::uint32_t sequence, int error_number, std::string text);
    void deliver();

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
};

}  // namespace vipd::io
