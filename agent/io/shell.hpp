#pragma once

// The loop. It turns readiness into inputs of the node and carries out what the node wants, and decides nothing.
//
//     a turn: drain the raw sockets, then due timeouts, then all outputs, then arm the one timer
//
// Drained first: after a pause both "adverts wait in the queue" and "the down timer has elapsed" are true, and the other order
// would be a needless takeover. For the same reason the drain goes on until everything is read that was queued when it began;
// how much that can be is bounded by the sockets' receive buffers.
//
// The reactor runs one handler at a time, and after each the loop looks whether a turn is due: an HTTP client, a TLS handshake
// or a flood of netlink events can delay an advert by one handler and no more.

#include "agent/io/advert_socket.hpp"
#include "agent/io/announcement_socket.hpp"
#include "agent/io/breather.hpp"
#include "agent/io/child_processes.hpp"
#include "agent/io/https_client.hpp"
#include "agent/io/log_writer.hpp"
#include "agent/io/netlink_socket.hpp"
#include "agent/io/pacer.hpp"
#include "agent/io/probes.hpp"
#include "agent/node/node.hpp"
#include "agent/status/snapshot.hpp"
#include "common/recent_maximum.hpp"
#include "common/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <memory>
#include <vector>

namespace vipd::io {

class shell final : public netlink_socket::listener,
                    public https_client::owner,
                    public child_processes::owner,
                    public probes::owner {
public:
    struct observer {
        virtual void on_ready() = 0;
        virtual void on_stopped() = 0;

    protected:
        ~observer() = default;
    };

    // What the outputs of a node are carried out with. A shell that only looks (`vipd plan`) has no advert sockets, changes
    // nothing in the kernel, writes no file, runs no program, looks at nothing that is tracked and permits no mutating request.
    struct means {
        netlink_socket* kernel = nullptr;
        https_client* cloud = nullptr;
        bool only_look = false;
        probes* checks = nullptr;
    };

    shell(boost::asio::io_context& context, node::node& node, log_writer& log, observer& to);

    // Opens the sockets for these families; the others follow when a peer of theirs appears or, should that fail, with the next
    // advert to it.
    result<void> open_sockets(bool v4, bool v6);
    void use(const means& m) { means_ = m; }
    void set_fastest_interval(duration interval) { pacer_.set_fastest_interval(interval); }

    // The loop has a real-time priority, and leaves time to others.
    void set_realtime(bool realtime) { realtime_ = realtime; }

    void start();
    // Until stop().
    void run();
    void stop() { stopped_ = true; }

    // From signals and operators.
    void tell(node::input&& what);

    // Programs that it has started and whose end it has not seen.
    [[nodiscard]] bool has_children() const { return children_.size() != 0; }

    // The part of status::process that the loop knows.
    [[nodiscard]] const status::process& facts() const { return facts_; }
    [[nodiscard]] duration lateness_max(time_point now) const { return lateness_max_.get(now); }

    // --- of the sockets ---
    void on_kernel_event(net::kernel_event&& event) override { tell(node::kernel_told{std::move(event)}); }
    void on_kernel_answer(net::kernel_answer&& answer) override { tell(node::kernel_answered{std::move(answer)}); }
    bool may_begin(aws::http_exchange_id id) override;
    void on_http_finished(aws::http_exchange_id id, aws::http_result&& result) override;
    void on_process_output(hooks::process_output&& what) override { tell(std::move(what)); }
    void on_process_ended(hooks::process_ended&& what) override { tell(std::move(what)); }
    void on_probe_ended(health::probe_ended&& how) override { tell(std::move(how)); }
    void on_watch_ended(health::watch_ended&& what) override { tell(std::move(what)); }

private:
    using sockets = std::array<std::unique_ptr<advert_socket>, 2>;

    void turn_if_due();
    void breathe(time_point now, time_point due);
    void turn(instant now, time_point due);
    std::uint64_t drain();
    std::uint64_t drain(advert_socket& socket);
    void perform_outputs();
    void perform(node::output&& what);
    void perform(const node::send_advert& advert);
    void perform(const node::change_kernel& wanted);
    void perform(const node::set_peers& peers);
    void let_peers_through(advert_socket& socket);
    void submit_changes();
    void deliver_answers();
    void flush_adverts();
    void report_send_errors();
    void wait_for_adverts();
    void mute(time_point now);
    void arm();
    result<advert_socket*> socket_of(ip_family family);

    boost::asio::io_context& context_;
    node::node& node_;
    log_writer& log_;
    observer& to_;
    means means_;
    sockets sockets_;
    std::vector<ip_address> peers_;  // whom they should hear, whenever they are opened
    announcement_socket announcements_;
    child_processes children_;
    pacer pacer_;
    breather breather_;
    bool realtime_ = false;
    boost::asio::steady_timer timer_;
    time_point armed_at_ = never;
    bool readable_ = false;     // a socket has said so since the last drain
    bool more_queued_ = false;  // the last drain ended at its bound
    bool was_told_ = false;     // the node may have outputs
    bool reactor_full_ = false;
    bool stopped_ = false;
    std::uint64_t adverts_sent_ = 0;
    status::process facts_;
    recent_maximum lateness_max_;
};

}  // namespace vipd::io
