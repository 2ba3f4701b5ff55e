#include "agent/io/shell.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/process_facts.hpp"
#include "common/overloaded.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <sys/prctl.h>

namespace vipd::io {

namespace {

// Each tells of one thing that happened to the socket; more than a few in a row are one that does not pass.
constexpr std::size_t socket_errors_max = 8;

}  // namespace

shell::shell(boost::asio::io_context& context, node::node& node, log_writer& log, observer& to) :
    context_(context), node_(node), log_(log), to_(to), children_(context, *this), timer_(context)
{
    // Sleeps end when they should, and not with others up to 50 us later.
    ::prctl(PR_SET_TIMERSLACK, 1UL);
}

result<void> shell::open_sockets(bool v4, bool v6)
{
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        if (family == ip_family::v4 ? v4 : v6) {
            if (const auto opened = socket_of(family); !opened) {
                return opened.error();
            }
        }
    }
    return {};
}

result<advert_socket*> shell::socket_of(ip_family family)
{
    auto& place = sockets_[family == ip_family::v4 ? 0 : 1];
    if (!place) {
        auto opened = advert_socket::open(context_, family);
        if (!opened) {
            return opened.error();
        }
        place = std::move(*opened);
        let_peers_through(*place);
        readable_ = true;  // the next turn begins to wait for it
    }
    return place.get();
}

void shell::start()
{
    wait_for_adverts();
    node_.start(read_clocks());
    was_told_ = true;
}

void shell::run()
{
    while (!stopped_) {
        turn_if_due();
        if (was_told_) {
            perform_outputs();
        }
        log_.flush();
        if (stopped_) {
            break;
        }
        arm();
        if (more_queued_) {
            context_.poll_one();
        } else {
            context_.run_one();
        }
        context_.restart();
    }
    log_.flush();
}

void shell::tell(node::input&& what)
{
    node_.handle(read_clocks(), std::move(what));
    was_told_ = true;
}

// --- turns ---

void shell::turn_if_due()
{
    const auto now = read_clocks();
    const auto due = node_.next_wakeup().at;
    if (readable_ && pacer_.crowded()) {
        mute(now.steady);
    }
    const bool has_reason = readable_ || more_queued_ || due <= now.steady || pacer_.read_at() <= now.steady;
    if (has_reason && now.steady >= pacer_.next_turn_from()) {
        turn(now, due);
    }
    // After a turn as well as without one: a loop that has nothing but turns is the busiest of all.
    if (realtime_) {
        const auto after = steady_now();
        if (breather_.is_stretch_over(after)) {
            breathe(after, node_.next_wakeup().at);
        }
    }
}

void shell::breathe(time_point now, time_point due)
{
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    const auto until = breather_.end_stretch(now, std::chrono::seconds{used.tv_sec} + duration{used.tv_nsec}, due);
    if (until > now) {
        const auto since_boot = until.time_since_epoch();
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
        const timespec at{seconds.count(), (since_boot - seconds).count()};
        ::clock_nanosleep(steady_clock_id, TIMER_ABSTIME, &at, nullptr);
    }
}

void shell::turn(instant now, time_point due)
{
    if (due <= now.steady) {
        const auto late = now.steady - due;
        facts_.loop_lateness.observe(late);
        lateness_max_.observe(now.steady, late);
    }
    const auto received = drain();
    if (const auto after = read_clocks(); node_.next_wakeup().at <= after.steady) {
        node_.handle_timeout(after);
    }
    const auto sent_before = adverts_sent_;
    perform_outputs();
    pacer_.took_turn(now.steady, received + adverts_sent_ - sent_before);
    if (pacer_.was_read(now.steady, received) || readable_) {
        wait_for_adverts();
    }
}

std::uint64_t shell::drain()
{
    more_queued_ = false;
    std::uint64_t received = 0;
    for (const auto& socket : sockets_) {
        if (socket) {
            received += drain(*socket);
        }
    }
    facts_.datagrams_received += received;
    facts_.datagrams_broken = 0;
    for (const auto& socket : sockets_) {
        facts_.datagrams_broken += socket ? socket->dropped() : 0;
    }
    return received;
}

std::uint64_t shell::drain(advert_socket& socket)
{
    std::uint64_t received = 0;
    std::size_t errors = 0;
    while (true) {
        const auto batch = socket.receive();
        // Read afterwards, however long this process stood still before: a down timer that counted from earlier than the advert
        // would end too early.
        const auto now = read_clocks();
        for (const auto& datagram : batch.datagrams) {
            node_.handle(now, datagram);
        }
        received += batch.taken;
        errors += batch.taken == 0 ? 1 : 0;
        if (!batch.more || errors > socket_errors_max) {
            return received;
        }
        if (received >= socket.queue_capacity()) {
            // More than was queued when this drain began: a flood. What is due comes first.
            more_queued_ = true;
            return received;
        }
    }
}

void shell::wait_for_adverts()
{
    readable_ = false;
    bool all_waiting = true;
    for (const auto& socket : sockets_) {
        if (socket && !socket->notify_when_readable([this] { readable_ = true; })) {
            all_waiting = false;
            pacer_.mute(steady_now());
        }
    }
    if (reactor_full_ == all_waiting) {
        reactor_full_ = !all_waiting;
        log_.warning("reactor", {{"full", reactor_full_},
                                 {"consequence", reactor_full_ ? "adverts are read by the clock" : "adverts wake it again"}});
    }
}

void shell::mute(time_point now)
{
    readable_ = false;
    pacer_.mute(now);
    for (const auto& socket : sockets_) {
        if (socket) {
            socket->stop_notifying();
        }
    }
}

void shell::arm()
{
    const auto due = std::max(node_.next_wakeup().at, pacer_.next_turn_from());
    const auto at = std::min(due, pacer_.read_at());
    // A timer that rings too early costs a look at the clock, less than moving it back for every advert that is heard.
    if (at >= armed_at_) {
        return;
    }
    armed_at_ = at;
    timer_.expires_at(to_steady_clock(at));
    timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) {
            armed_at_ = never;
        }
    });
}

// --- outputs ---

void shell::perform_outputs()
{
    do {
        was_told_ = false;
        while (auto what = node_.poll_output()) {
            if (const auto* wanted = std::get_if<node::change_kernel>(&*what)) {
                perform(*wanted);
                continue;
            }
            submit_changes();
            if (const auto* advert = std::get_if<node::send_advert>(&*what)) {
                perform(*advert);
            } else {
                // In the order in which they were wanted.
                flush_adverts();
                perform(std::move(*what));
            }
        }
        submit_changes();
        flush_adverts();
        report_send_errors();
        deliver_answers();
    } while (was_told_);
}

void shell::perform(const node::send_advert& advert)
{
    if (means_.only_look) {
        return;
    }
    const auto socket = socket_of(advert.destination.family());
    if (!socket) {
        tell(node::advert_not_sent{advert.router, EAFNOSUPPORT});
        return;
    }
    (*socket)->send(advert.router, advert.source, advert.destination, advert.message);
    ++adverts_sent_;
}

void shell::perform(const node::change_kernel& wanted)
{
    if (means_.kernel != nullptr && !means_.only_look) {
        means_.kernel->change(wanted.id, wanted.change);
    }
}

// What is asked of the kernel comes first, and its answers when nothing of the node's is in use any more.
void shell::submit_changes()
{
    if (means_.kernel != nullptr) {
        means_.kernel->submit();
    }
}

void shell::deliver_answers()
{
    if (means_.kernel != nullptr) {
        means_.kernel->deliver_answers();
    }
}

void shell::perform(node::output&& what)
{
    std::visit(overloaded{
                   [&](const node::send_advert& advert) { perform(advert); },
                   [&](const node::set_peers& peers) { perform(peers); },
                   [&](const node::change_kernel& o) { perform(o); },
                   [&](const node::announcement& o) {
                       if (means_.only_look) {
                           return;
                       }
                       if (const auto sent = announcements_.send(o); !sent) {
                           log_.warning("announcement", {{"address", o.address.to_string()}, {"error", sent.error().text}});
                       }
                   },
                   [&](node::start_http& o) {
                       if (means_.cloud != nullptr) {
                           means_.cloud->start(std::move(o.exchange));
                       }
                   },
                   [&](const node::cancel_http& o) {
                       if (means_.cloud != nullptr) {
                           means_.cloud->cancel(o.id);
                       }
                   },
                   [&](const node::keep_warm& o) {
                       if (means_.cloud != nullptr) {
                           means_.cloud->keep_warm(o.origin, o.connections);
                       }
                   },
                   [&](const node::read_file& o) {
                       tell(node::file_was_read{o.id, read_small_file(o.path)});
                   },
                   [&](const node::write_file& o) {
                       if (!means_.only_look) {
                           tell(node::file_was_written{o.id, replace_small_file(o.path, o.content)});
                       }
                   },
                   [&](node::start_process& o) {
                       if (!means_.only_look) {
                           children_.start(std::move(o));
                       }
                   },
                   [&](const node::signal_process& o) { children_.signal(o); },
                   [&](node::start_probe& o) {
                       if (means_.checks != nullptr && !means_.only_look) {
                           means_.checks->start(std::move(o));
                       }
                   },
                   [&](const node::stop_probes& o) {
                       if (means_.checks != nullptr) {
                           means_.checks->stop(o.id);
                       }
                   },
                   [&](const node::ready&) { to_.on_ready(); },
                   [&](const node::stopped&) { to_.on_stopped(); },
               },
               what);
}

void shell::perform(const node::set_peers& peers)
{
    if (means_.only_look) {
        return;
    }
    peers_ = peers.peers;
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        if (const auto& socket = sockets_[family == ip_family::v4 ? 0 : 1]) {
            let_peers_through(*socket);
        } else if (std::ranges::any_of(peers_, [&](const ip_address& a) { return a.family() == family; })) {
            if (const auto opened = socket_of(family); !opened) {
                log_.error("peer_filter", {{"error", opened.error().text}});
            }
        }
    }
}

void shell::let_peers_through(advert_socket& socket)
{
    const auto filtered = socket.set_peers(peers_);
    if (!filtered) {
        log_.error("peer_filter", {{"error", filtered.error().text}});
    } else if (!*filtered) {
        log_.warning("peer_filter",
                     {{"peers", peers_.size()},
                      {"consequence", "too many for a filter in the kernel: strangers are dropped by vipd itself"},
                      {"remedy", "raise net.core.optmem_max, or split the routers between nodes"}});
    }
}

void shell::flush_adverts()
{
    for (const auto& socket : sockets_) {
        if (socket) {
            socket->flush();
        }
    }
}

void shell::report_send_errors()
{
    for (const auto& socket : sockets_) {
        if (socket && !socket->errors().empty()) {
            for (const auto& e : socket->errors()) {
                tell(node::advert_not_sent{e.router, e.error_number});
            }
            socket->clear_errors();
        }
    }
}

// --- the cloud ---

bool shell::may_begin(aws::http_exchange_id id)
{
    return !means_.only_look && node_.permit(read_clocks(), id);
}

void shell::on_http_finished(aws::http_exchange_id id, aws::http_result&& result)
{
    tell(node::http_finished{id, std::move(result)});
}

}  // namespace vipd::io
