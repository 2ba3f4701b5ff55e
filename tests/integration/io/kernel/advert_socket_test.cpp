#include "agent/io/advert_socket.hpp"

#include "tests/integration/io/reactor_fixture.hpp"

#include <cerrno>
#include <optional>

#include <netinet/ip.h>
#include <sys/socket.h>

namespace vipd::io {
namespace {

const ip_address one = ip_address::v4(127, 0, 0, 1);
const ip_address two = ip_address::v4(127, 0, 0, 2);

struct heard {
    ip_address source;
    ip_address destination;
    unsigned ttl = 0;
    std::string message;
    friend bool operator==(const heard&, const heard&) = default;
};

struct advert_socket_test : reactor_fixture {
    std::unique_ptr<advert_socket> socket;

    void open(ip_family family)
    {
        auto opened = advert_socket::open(context, family);
        ASSERT_TRUE(opened) << opened.error().text;
        socket = std::move(*opened);
    }
    void send(std::uint32_t router, const ip_address& from, const ip_address& to, const std::string& message)
    {
        socket->send(router, from, to, {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
    }
    // On the loopback what was sent has arrived when the call returns.
    std::vector<heard> receive_all()
    {
        std::vector<heard> all;
        advert_socket::batch batch;
        do {
            batch = socket->receive();
            for (const auto& d : batch.datagrams) {
                all.push_back({d.source, d.destination, d.ttl, {d.message.begin(), d.message.end()}});
            }
        } while (batch.more);
        return all;
    }
};

TEST_F(advert_socket_test, a_datagram_arrives_with_what_its_header_says)
{
    open(ip_family::v4);
    const std::vector<ip_address> peers = {one};
    ASSERT_TRUE(*socket->set_peers(peers));
    send(0, one, two, "message1");
    EXPECT_EQ(receive_all(), std::vector<heard>{}) << "it is in a batch that has not gone out yet";
    socket->flush();
    EXPECT_EQ(receive_all(), (std::vector<heard>{{one, two, 255, "message1"}}));
    EXPECT_TRUE(socket->errors().empty());
}

TEST_F(advert_socket_test, strangers_end_in_the_kernel)
{
    open(ip_family::v4);
    send(0, one, two, "before anybody is a peer");
    socket->flush();
    EXPECT_EQ(receive_all(), std::vector<heard>{});
    const std::vector<ip_address> peers = {one};
    ASSERT_TRUE(*socket->set_peers(peers));
    send(0, two, one, "stranger");
    send(0, one, two, "peer....");
    socket->flush();
    EXPECT_EQ(receive_all(), (std::vector<heard>{{one, two, 255, "peer...."}}));
    const std::vector<ip_address> others = {two};
    ASSERT_TRUE(*socket->set_peers(others));
    send(0, one, two, "stranger");
    socket->flush();
    EXPECT_EQ(receive_all(), std::vector<heard>{});
}

TEST_F(advert_socket_test, too_many_peers_for_a_filter_let_everybody_through)
{
    open(ip_family::v4);
    std::vector<ip_address> peers;
    for (unsigned i = 0; i < 5000; ++i) {
        peers.push_back(ip_address::v4(10, 0, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)));
    }
    EXPECT_FALSE(*socket->set_peers(peers));
    send(0, one, two, "anybody!");
    socket->flush();
    EXPECT_EQ(receive_all().size(), 1U);
}

TEST_F(advert_socket_test, ipv6_is_heard_with_hop_limit_and_destination_and_filtered_alike)
{
    open(ip_family::v6);
    const auto self = *ip_address::parse("::1");
    const std::vector<ip_address> strangers = {*ip_address::parse("::2")};
    ASSERT_TRUE(*socket->set_peers(strangers));
    send(0, self, self, "........stranger");
    socket->flush();
    EXPECT_EQ(receive_all(), std::vector<heard>{});
    const std::vector<ip_address> peers = {self};
    ASSERT_TRUE(*socket->set_peers(peers));
    send(0, self, self, std::string("......\0\0behind", 14));
    socket->flush();
    const auto all = receive_all();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].source, self);
    EXPECT_EQ(all[0].destination, self);
    EXPECT_EQ(all[0].ttl, 255U);
    EXPECT_NE(all[0].message.substr(6, 2), std::string(2, '\0')) << "the kernel has put the checksum in";
    EXPECT_EQ(all[0].message.substr(8), "behind");
}

TEST_F(advert_socket_test, what_cannot_be_sent_is_told_of_and_holds_nothing_else_up)
{
    open(ip_family::v4);
    const std::vector<ip_address> peers = {one};
    ASSERT_TRUE(*socket->set_peers(peers));
    send(1, one, two, "first...");
    send(2, ip_address::v4(192, 0, 2, 1), two, "not our address");
    send(3, one, ip_address::v4(192, 0, 2, 1), "no route");
    send(4, one, two, "last....");
    socket->flush();
    EXPECT_EQ(receive_all().size(), 2U);
    ASSERT_EQ(socket->errors().size(), 2U);
    EXPECT_EQ(socket->errors()[0].router, 2U);
    EXPECT_NE(socket->errors()[0].error_number, 0);
    EXPECT_EQ(socket->errors()[1].router, 3U);
    EXPECT_EQ(socket->errors()[1].error_number, ENETUNREACH);
    socket->clear_errors();
    EXPECT_TRUE(socket->errors().empty());
}

TEST_F(advert_socket_test, more_than_a_batch_goes_out_and_comes_in_in_order)
{
    open(ip_family::v4);
    const std::vector<ip_address> peers = {one};
    ASSERT_TRUE(*socket->set_peers(peers));
    for (unsigned i = 0; i < 300; ++i) {
        send(i, one, two, "advert " + std::to_string(1000 + i));
    }
    socket->flush();
    const auto all = receive_all();
    ASSERT_EQ(all.size(), 300U);
    for (unsigned i = 0; i < 300; ++i) {
        EXPECT_EQ(all[i].message, "advert " + std::to_string(1000 + i));
    }
    EXPECT_EQ(socket->dropped(), 0U);
}

TEST_F(advert_socket_test, adverts_are_marked_as_network_control_and_may_be_fragmented)
{
    open(ip_family::v4);
    const int raw = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, vrrp::ip_protocol);
    ASSERT_GE(raw, 0);
    send(0, one, two, "message1");
    socket->flush();
    std::array<std::uint8_t, 100> packet{};
    ASSERT_EQ(::recv(raw, packet.data(), packet.size(), MSG_DONTWAIT), 28);
    ::close(raw);
    EXPECT_EQ(packet[1], 0xc0) << "type of service";
    EXPECT_EQ(packet[6] & 0x40U, 0U) << "don't fragment";
    EXPECT_EQ(packet[8], 255) << "TTL";
}

TEST_F(advert_socket_test, arrivals_are_told_of_once_and_only_while_that_is_wanted)
{
    open(ip_family::v4);
    const std::vector<ip_address> peers = {one};
    ASSERT_TRUE(*socket->set_peers(peers));
    unsigned told = 0;
    const auto tell = [&] { ++told; };
    ASSERT_TRUE(socket->notify_when_readable(tell));
    ASSERT_TRUE(socket->notify_when_readable(tell));
    send(0, one, two, "message1");
    socket->flush();
    run_until([&] { return told == 1; });
    context.restart();
    context.poll();
    EXPECT_EQ(told, 1U);
    ASSERT_TRUE(socket->notify_when_readable(tell));
    socket->stop_notifying();
    context.restart();
    context.poll();
    EXPECT_EQ(told, 1U);
    ASSERT_TRUE(socket->notify_when_readable(tell)) << "what arrived in between is told of";
    run_until([&] { return told == 2; });
}

}  // namespace
}  // namespace vipd::io
