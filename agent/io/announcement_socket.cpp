#include "agent/io/announcement_socket.hpp"

#include "agent/io/system_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace vipd::io {

namespace {

constexpr int hop_limit = 255;  // RFC 4861: whoever hears another one has heard it through a router
constexpr in6_addr all_nodes = {{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};

// Protocol 0: it hears nothing.
result<file_descriptor> open_packets()
{
    file_descriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket) {
        return system_error(error_class::unavailable,
                            "opening a packet socket for gratuitous ARP (it needs CAP_NET_RAW, and "
                            "deploy/systemd/vipd-announce.conf beside the unit)",
                            errno);
    }
    return socket;
}

result<file_descriptor> open_messages()
{
    file_descriptor socket{::socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6)};
    if (!socket) {
        return system_error(error_class::unavailable, "opening an ICMPv6 socket for neighbour advertisements", errno);
    }
    icmp6_filter nothing{};
    ICMP6_FILTER_SETBLOCKALL(&nothing);
    const bool set = ::setsockopt(socket.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &nothing, sizeof(nothing)) == 0 &&
                     ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hop_limit, sizeof(hop_limit)) == 0;
    if (!set) {
        return system_error(error_class::unavailable, "preparing an ICMPv6 socket for neighbour advertisements", errno);
    }
    return socket;
}

}  // namespace

result<void> announcement_socket::send(const takeover::announcement& what)
{
    return what.address.is_v4() ? send_frame(what) : send_message(what);
}

result<void> announcement_socket::send_frame(const takeover::announcement& what)
{
    if (!packets_) {
        auto opened = open_packets();
        if (!opened) {
            return opened.error();
        }
        packets_ = std::move(*opened);
    }
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ARP);
    to.sll_ifindex = what.link_index;
    to.sll_halen = ETH_ALEN;
    std::fill_n(to.sll_addr, ETH_ALEN, std::uint8_t{0xff});
    const auto sent = ::sendto(packets_.get(), what.bytes.data(), what.bytes.size(), MSG_DONTWAIT,
                               reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    if (sent < 0) {
        return system_error(error_class::unavailable, "sending gratuitous ARP", errno);
    }
    return {};
}

result<void> announcement_socket::send_message(const takeover::announcement& what)
{
    if (!messages_) {
        auto opened = open_messages();
        if (!opened) {
            return opened.error();
        }
        messages_ = std::move(*opened);
    }
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_addr = all_nodes;
    to.sin6_scope_id = static_cast<std::uint32_t>(what.link_index);
    in6_pktinfo from{};
    std::memcpy(&from.ipi6_addr, what.address.bytes().data(), sizeof(from.ipi6_addr));
    from.ipi6_ifindex = static_cast<std::uint32_t>(what.link_index);
    iovec part{const_cast<std::uint8_t*>(what.bytes.data()), what.bytes.size()};
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof(to);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* info = CMSG_FIRSTHDR(&message);
    info->cmsg_level = IPPROTO_IPV6;
    info->cmsg_type = IPV6_PKTINFO;
    info->cmsg_len = CMSG_LEN(sizeof(from));
    std::memcpy(CMSG_DATA(info), &from, sizeof(from));
    if (::sendmsg(messages_.get(), &message, MSG_DONTWAIT) < 0) {
        return system_error(error_class::unavailable, "sending a neighbour advertisement", errno);
    }
    return {};
}

}  // namespace vipd::io
