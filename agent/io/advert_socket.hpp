#pragma once

// One raw socket of IP protocol 112 for all routers of a family. It reads and writes in batches, without allocation: a busy
// node has a hundred thousand datagrams a second in each direction.
//
// The socket starts deaf (a filter that drops everything), so that nothing of strangers is queued before set_peers().
//
// Adverts leave through a second socket. With one, every packet that is sent takes the locks of the epoll instance that waits
// for arrivals, to say that there is room in the send buffer again: a twentieth of what a busy Active spends. The second one is
// bound to the loopback address, so that the kernel looks for no copy of an arriving advert to give to it; the source of each
// datagram is named with it.

#include "agent/io/file_descriptor.hpp"
#include "agent/vrrp/admission.hpp"
#include "common/ip.hpp"
#include "common/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace vipd::io {

class advert_socket {
public:
    // What the kernel may queue for us, asked for with SO_RCVBUFFORCE: some 5,000 adverts, half a second of 1,000 routers at
    // 100 ms. Without CAP_NET_ADMIN it is what net.core.rmem_max allows.
    static constexpr int receive_buffer_bytes = 4 << 20;
    static constexpr int send_buffer_bytes = 2 << 20;
    static constexpr std::size_t batch_size = 64;

    struct send_error {
        std::uint32_t router = 0;
        int error_number = 0;
    };

    struct batch {
        std::span<const vrrp::datagram> datagrams;  // valid until the next receive()
        std::size_t taken = 0;                      // from the queue, those that are left out among them
        bool more = false;                          // the queue may hold further ones
    };

    // Fails with `denied` and the remedy when CAP_NET_RAW is missing.
    static result<std::unique_ptr<advert_socket>> open(boost::asio::io_context& context, ip_family family);
    ~advert_socket();

    // Lets adverts of these addresses through. False: there are too many for a filter, or for the memory that the kernel has
    // for one (net.core.optmem_max), and everything is let through: deaf to a peer would be worse than hearing strangers.
    result<bool> set_peers(std::span<const ip_address> peers);

    // Never waits. What is not a whole datagram with all that is known about it is left out and counted.
    batch receive();

    // Puts a datagram into the next batch, which goes out when it is full or at flush(). `message` is copied.
    void send(std::uint32_t router, const ip_address& source, const ip_address& destination, byte_view message);
    void flush();

    // Those of send() and flush() since the last call.
    [[nodiscard]] std::span<const send_error> errors() const { return errors_; }
    void clear_errors() { errors_.clear(); }

    // Calls `ready` once when there is something to receive; soon when there is already. Asked for again before that it changes
    // nothing. False: the reactor cannot take the socket (the kernel is out of memory for it), and the caller has to read by
    // the clock.
    [[nodiscard]] bool notify_when_readable(std::function<void()> ready);
    // No notification until the next notify_when_readable(): arrivals wake nobody. For a node that reads by the clock.
    void stop_notifying();

    [[nodiscard]] ip_family family() const { return family_; }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
    // At most so many small datagrams fit into the receive buffer.
    [[nodiscard]] std::size_t queue_capacity() const { return queue_capacity_; }

private:
    advert_socket(boost::asio::io_context& context, ip_family family, file_descriptor hearing, file_descriptor speaking);

    result<void> prepare_hearing();
    result<void> prepare_speaking();
    void bind_to_loopback();
    void lay_out_buffers();
    void discard_queued();
    bool take(std::size_t slot);
    bool take_v6(std::size_t slot, byte_view bytes, vrrp::datagram& d);

    // IPv6 names the source of a datagram beside it, and every send names source and destination.
    struct address_slot {
        sockaddr_in6 address{};
        alignas(cmsghdr) std::array<std::uint8_t, 128> control{};
    };

    ip_family family_;
    file_descriptor hearing_;
    file_descriptor speaking_;
    boost::asio::posix::stream_descriptor reactor_;  // empty while nobody is to be woken
    bool is_waiting_ = false;
    std::size_t queue_capacity_ = 0;
    std::uint64_t dropped_ = 0;

    std::size_t receive_slot_bytes_;
    std::vector<std::uint8_t> receive_bytes_;
    std::vector<iovec> receive_vectors_;
    std::vector<address_slot> receive_addresses_;
    std::vector<mmsghdr> receive_headers_;
    std::vector<vrrp::datagram> received_;

    std::vector<std::uint8_t> send_bytes_;
    std::size_t send_bytes_used_ = 0;
    std::vector<iovec> send_vectors_;
    std::vector<address_slot> send_addresses_;
    std::vector<mmsghdr> send_headers_;
    std::vector<std::uint32_t> send_routers_;
    std::size_t send_count_ = 0;
    std::vector<send_error> errors_;
};

}  // namespace vipd::io
