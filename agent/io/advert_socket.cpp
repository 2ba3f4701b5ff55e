#include "agent/io/advert_socket.hpp"

#include "agent/io/system_error.hpp"
#include "agent/net/ip_header.hpp"
#include "agent/net/source_filter.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/ip.h>

namespace vipd::io {

namespace {

constexpr std::uint8_t traffic_class = 0xc0;  // network control, as every VRRP implementation marks its adverts
constexpr int checksum_offset = 6;            // of the VRRP header
// 255 addresses behind the VRRP header and, for IPv4, the longest IP header.
constexpr std::size_t message_bytes_max_v4 = 60 + 8 + 255 * 4 + 8;
constexpr std::size_t message_bytes_max_v6 = 8 + 255 * 16;
constexpr std::size_t send_bytes_max = 64 << 10;
// What the kernel charges to a receive buffer for one small datagram at the least (struct sk_buff and its head).
constexpr std::size_t charge_per_datagram_min = 512;

struct socket_option {
    int level;
    int name;
    int value;
    const char* text;
};

result<void> set_options(int socket, std::span<const socket_option> options)
{
    for (const auto& o : options) {
        if (::setsockopt(socket, o.level, o.name, &o.value, sizeof(o.value)) != 0) {
            return system_error(error_class::unavailable, std::string{"setting "} + o.text + " on the VRRP socket", errno);
        }
    }
    return {};
}

// The forcing form needs CAP_NET_ADMIN; the plain one is cut to the system's maximum without an error.
result<void> set_buffer(int socket, int forcing, int plain, int bytes, const char* text)
{
    if (::setsockopt(socket, SOL_SOCKET, forcing, &bytes, sizeof(bytes)) == 0) {
        return {};
    }
    const socket_option option{SOL_SOCKET, plain, bytes, text};
    return set_options(socket, {&option, 1});
}

result<file_descriptor> open_raw(ip_family family)
{
    file_descriptor socket{
        ::socket(family == ip_family::v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, vrrp::ip_protocol)};
    if (socket) {
        return socket;
    }
    const int why = errno;
    if (why == EPERM || why == EACCES) {
        return error{
            error_class::denied,
            "no permission to open a raw socket for VRRP (IP protocol 112): vipd needs CAP_NET_RAW; run it as root, or "
            "give the unit AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN"};
    }
    return system_error(error_class::unavailable, "opening a raw socket for VRRP (IP protocol 112)", why);
}

result<void> attach(int socket, const std::vector<sock_filter>& instructions)
{
    sock_fprog program{};
    program.len = static_cast<unsigned short>(instructions.size());
    program.filter = const_cast<sock_filter*>(instructions.data());
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
        return system_error(error_class::unavailable, "attaching the peer filter to the VRRP socket", errno);
    }
    return {};
}

template <class Info>
void put_control(msghdr& header, int level, int type, const Info& info)
{
    header.msg_controllen = CMSG_SPACE(sizeof(Info));
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = level;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(sizeof(Info));
    std::memcpy(CMSG_DATA(control), &info, sizeof(Info));
}

}  // namespace

result<std::unique_ptr<advert_socket>> advert_socket::open(boost::asio::io_context& context, ip_family family)
{
    auto hearing = open_raw(family);
    if (!hearing) {
        return hearing.error();
    }
    auto speaking = open_raw(family);
    if (!speaking) {
        return speaking.error();
    }
    std::unique_ptr<advert_socket> result{new advert_socket(context, family, std::move(*hearing), std::move(*speaking))};
    if (const auto prepared = result->prepare_hearing(); !prepared) {
        return prepared.error();
    }
    if (const auto prepared = result->prepare_speaking(); !prepared) {
        return prepared.error();
    }
    return result;
}

advert_socket::advert_socket(boost::asio::io_context& context, ip_family family, file_descriptor hearing,
                             file_descriptor speaking) :
    family_(family),
    hearing_(std::move(hearing)),
    speaking_(std::move(speaking)),
    reactor_(context),
    receive_slot_bytes_(family == ip_family::v4 ? message_bytes_max_v4 : message_bytes_max_v6)
{
    lay_out_buffers();
}

advert_socket::~advert_socket()
{
    // The descriptor is closed by its owner.
    stop_notifying();
}

result<void> advert_socket::prepare_hearing()
{
    if (const auto attached = attach(hearing_.get(), net::drop_all_filter()); !attached) {
        return attached.error();
    }
    discard_queued();
    static constexpr std::array v6_options{
        socket_option{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT"},
        socket_option{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"},
    };
    if (family_ == ip_family::v6) {
        if (const auto set = set_options(hearing_.get(), v6_options); !set) {
            return set.error();
        }
    }
    if (const auto set = set_buffer(hearing_.get(), SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer_bytes, "SO_RCVBUF"); !set) {
        return set.error();
    }
    int granted = 0;
    socklen_t size = sizeof(granted);
    if (::getsockopt(hearing_.get(), SOL_SOCKET, SO_RCVBUF, &granted, &size) != 0) {
        return system_error(error_class::unavailable, "reading SO_RCVBUF of the VRRP socket", errno);
    }
    queue_capacity_ = static_cast<std::size_t>(granted) / charge_per_datagram_min + 1;
    return {};
}

result<void> advert_socket::prepare_speaking()
{
    if (const auto attached = attach(speaking_.get(), net::drop_all_filter()); !attached) {
        return attached.error();
    }
    static constexpr std::array v4_options{
        socket_option{IPPROTO_IP, IP_TTL, vrrp::ttl_sent, "IP_TTL"},
        socket_option{IPPROTO_IP, IP_TOS, traffic_class, "IP_TOS"},
        socket_option{IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "IP_MTU_DISCOVER"},
    };
    static constexpr std::array v6_options{
        socket_option{IPPROTO_IPV6, IPV6_UNICAST_HOPS, vrrp::ttl_sent, "IPV6_UNICAST_HOPS"},
        socket_option{IPPROTO_IPV6, IPV6_TCLASS, traffic_class, "IPV6_TCLASS"},
        socket_option{IPPROTO_IPV6, IPV6_CHECKSUM, checksum_offset, "IPV6_CHECKSUM"},
    };
    const auto set =
        family_ == ip_family::v4 ? set_options(speaking_.get(), v4_options) : set_options(speaking_.get(), v6_options);
    if (!set) {
        return set.error();
    }
    bind_to_loopback();
    return set_buffer(speaking_.get(), SO_SNDBUFFORCE, SO_SNDBUF, send_buffer_bytes, "SO_SNDBUF");
}

// A host without a loopback address does without: the filter drops what the kernel then copies.
void advert_socket::bind_to_loopback()
{
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    if (family_ == ip_family::v4) {
        static_cast<void>(::bind(speaking_.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof(v4)));
    } else {
        static_cast<void>(::bind(speaking_.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof(v6)));
    }
}

void advert_socket::lay_out_buffers()
{
    receive_bytes_.resize(receive_slot_bytes_ * batch_size);
    receive_vectors_.resize(batch_size);
    receive_addresses_.resize(batch_size);
    receive_headers_.resize(batch_size);
    received_.reserve(batch_size);
    send_bytes_.resize(send_bytes_max);
    send_vectors_.resize(batch_size);
    send_addresses_.resize(batch_size);
    send_headers_.resize(batch_size);
    send_routers_.resize(batch_size);
    for (std::size_t i = 0; i < batch_size; ++i) {
        receive_vectors_[i] = {receive_bytes_.data() + i * receive_slot_bytes_, receive_slot_bytes_};
        receive_headers_[i].msg_hdr.msg_iov = &receive_vectors_[i];
        receive_headers_[i].msg_hdr.msg_iovlen = 1;
        send_headers_[i].msg_hdr.msg_iov = &send_vectors_[i];
        send_headers_[i].msg_hdr.msg_iovlen = 1;
        send_headers_[i].msg_hdr.msg_name = &send_addresses_[i].address;
        send_headers_[i].msg_hdr.msg_control = send_addresses_[i].control.data();
    }
}

void advert_socket::discard_queued()
{
    std::uint8_t byte = 0;
    for (std::size_t i = 0; i < 100'000 && ::recv(hearing_.get(), &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0; ++i) {}
}

result<bool> advert_socket::set_peers(std::span<const ip_address> peers)
{
    // Exchanging one filter for another is atomic. Adverts queued under the old one are the admission's to judge.
    if (const auto filter = net::source_filter(peers, family_)) {
        if (attach(hearing_.get(), *filter)) {
            return true;
        }
    }
    const int unused = 0;
    if (::setsockopt(hearing_.get(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) != 0 && errno != ENOENT) {
        return system_error(error_class::unavailable, "detaching the peer filter from the VRRP socket", errno);
    }
    return false;
}

// --- receiving ---

advert_socket::batch advert_socket::receive()
{
    received_.clear();
    if (family_ == ip_family::v6) {
        // The kernel shortens these to what it has filled in.
        for (std::size_t i = 0; i < batch_size; ++i) {
            auto& header = receive_headers_[i].msg_hdr;
            header.msg_name = &receive_addresses_[i].address;
            header.msg_namelen = sizeof(sockaddr_in6);
            header.msg_control = receive_addresses_[i].control.data();
            header.msg_controllen = receive_addresses_[i].control.size();
        }
    }
    int count = 0;
    do {
        count = ::recvmmsg(hearing_.get(), receive_headers_.data(), batch_size, MSG_DONTWAIT, nullptr);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        // An error that waits on the socket (an interface went down) is told once and says nothing about the datagrams behind
        // it.
        return {{}, 0, count < 0 && errno != EAGAIN};
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        dropped_ += take(i) ? 0U : 1U;
    }
    return {received_, static_cast<std::size_t>(count), static_cast<std::size_t>(count) == batch_size};
}

bool advert_socket::take(std::size_t slot)
{
    const auto& header = receive_headers_[slot];
    if ((header.msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return false;
    }
    const byte_view bytes{receive_bytes_.data() + slot * receive_slot_bytes_, header.msg_len};
    if (family_ == ip_family::v4) {
        if (const auto d = net::parse_ipv4_datagram(bytes)) {
            received_.push_back(*d);
            return true;
        }
        return false;
    }
    vrrp::datagram d;
    if (!take_v6(slot, bytes, d)) {
        return false;
    }
    received_.push_back(d);
    return true;
}

bool advert_socket::take_v6(std::size_t slot, byte_view bytes, vrrp::datagram& d)
{
    auto& header = receive_headers_[slot].msg_hdr;
    bool has_hop_limit = false;
    bool has_destination = false;
    for (auto* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level != IPPROTO_IPV6) {
            continue;
        }
        if (control->cmsg_type == IPV6_HOPLIMIT && control->cmsg_len == CMSG_LEN(sizeof(int))) {
            int hop_limit = 0;
            std::memcpy(&hop_limit, CMSG_DATA(control), sizeof(hop_limit));
            d.ttl = static_cast<std::uint8_t>(hop_limit);
            has_hop_limit = hop_limit >= 0 && hop_limit <= 255;
        } else if (control->cmsg_type == IPV6_PKTINFO && control->cmsg_len == CMSG_LEN(sizeof(in6_pktinfo))) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof(info));
            d.destination = ip_address::from_bytes({info.ipi6_addr.s6_addr, 16});
            has_destination = true;
        }
    }
    d.source = ip_address::from_bytes({receive_addresses_[slot].address.sin6_addr.s6_addr, 16});
    d.message = bytes;
    return has_hop_limit && has_destination && header.msg_namelen >= sizeof(sockaddr_in6);
}

// --- sending ---

void advert_socket::send(std::uint32_t router, const ip_address& source, const ip_address& destination, byte_view message)
{
    if (message.size() > send_bytes_max) {
        errors_.push_back({router, EMSGSIZE});
        return;
    }
    if (send_count_ == batch_size || send_bytes_used_ + message.size() > send_bytes_max) {
        flush();
    }
    const std::size_t slot = send_count_++;
    std::uint8_t* place = send_bytes_.data() + send_bytes_used_;
    std::copy(message.begin(), message.end(), place);
    send_bytes_used_ += message.size();
    send_vectors_[slot] = {place, message.size()};
    send_routers_[slot] = router;
    auto& header = send_headers_[slot].msg_hdr;
    auto& to = send_addresses_[slot].address;
    // The source is pinned: the kernel might otherwise choose the virtual address once it is local.
    if (family_ == ip_family::v4) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        std::memcpy(&address.sin_addr, destination.bytes().data(), 4);
        std::memcpy(&to, &address, sizeof(address));
        header.msg_namelen = sizeof(address);
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, source.bytes().data(), 4);
        put_control(header, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        to = {};
        to.sin6_family = AF_INET6;
        std::memcpy(&to.sin6_addr, destination.bytes().data(), 16);
        header.msg_namelen = sizeof(to);
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, source.bytes().data(), 16);
        put_control(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

void advert_socket::flush()
{
    std::size_t done = 0;
    while (done < send_count_) {
        const int sent =
            ::sendmmsg(speaking_.get(), send_headers_.data() + done, static_cast<unsigned>(send_count_ - done), MSG_DONTWAIT);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
        } else if (errno != EINTR) {
            // It speaks of the first one that is left; the others go on.
            errors_.push_back({send_routers_[done], errno});
            ++done;
        }
    }
    send_count_ = 0;
    send_bytes_used_ = 0;
}

// --- the reactor ---

bool advert_socket::notify_when_readable(std::function<void()> ready)
{
    if (is_waiting_) {
        return true;
    }
    if (!reactor_.is_open()) {
        boost::system::error_code failed;
        reactor_.assign(hearing_.get(), failed);
        if (failed) {
            return false;
        }
    }
    is_waiting_ = true;
    reactor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [this, ready = std::move(ready)](const boost::system::error_code& failed) {
                            if (failed != boost::asio::error::operation_aborted) {
                                is_waiting_ = false;
                                ready();
                            }
                        });
    return true;
}

void advert_socket::stop_notifying()
{
    is_waiting_ = false;
    if (reactor_.is_open()) {
        static_cast<void>(reactor_.release());
    }
}

}  // namespace vipd::io
