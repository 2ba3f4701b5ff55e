#include "agent/io/netlink_socket.hpp"

#include "common/overloaded.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

namespace vipd::io {
namespace {

constexpr int loopback = 1;

net::link_address on_loopback(std::string_view prefix)
{
    return {loopback, *ip_prefix::parse(prefix), false};
}

net::link_address numbered(unsigned i)
{
    return {loopback, ip_prefix::host(ip_address::v4(10, 77, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i))),
            false};
}

// What the node would know.
struct listening final : netlink_socket::listener {
    void on_kernel_event(net::kernel_event&& event) override
    {
        std::visit(overloaded{
                       [&](const net::link_seen& e) { links[e.value.index] = e.value; },
                       [&](const net::link_gone& e) { links.erase(e.index); },
                       [&](const net::address_seen& e) { addresses[e.value.address] = e.value; },
                       [&](const net::address_gone& e) { EXPECT_EQ(addresses.erase(e.value.address), 1U); },
                       [&](const net::dump_done&) { ++dumps; },
                   },
                   event);
    }
    void on_kernel_answer(net::kernel_answer&& answer) override { answers.push_back(std::move(answer)); }

    [[nodiscard]] bool has(std::string_view prefix) const { return addresses.contains(*ip_prefix::parse(prefix)); }

    std::map<int, net::link> links;
    std::map<ip_prefix, net::link_address> addresses;
    std::vector<net::kernel_answer> answers;
    unsigned dumps = 0;
};

struct netlink_socket_test : reactor_fixture {
    listening node;
    listening other_node;
    std::unique_ptr<netlink_socket> socket;
    std::unique_ptr<netlink_socket> other;  // whoever else changes addresses
    id_source<net::kernel_request_id> ids;

    void SetUp() override
    {
        socket = *netlink_socket::open(context, node, log);
        other = *netlink_socket::open(context, other_node, log);
        socket->start();
        run_until([&] { return node.dumps == 1; });
    }
    void TearDown() override
    {
        for (const auto& [prefix, address] : node.addresses) {
            if (prefix.address().is_v4() && !prefix.address().is_loopback()) {
                other->change(ids.next(), net::remove_address{address});
            }
        }
    }

    // Answered before it returns.
    net::kernel_answer change(netlink_socket& by, const net::kernel_change& what)
    {
        auto& answers = &by == socket.get() ? node.answers : other_node.answers;
        answers.clear();
        by.change(ids.next(), what);
        EXPECT_EQ(answers.size(), 1U);
        return answers.empty() ? net::kernel_answer{} : answers.front();
    }
};

TEST_F(netlink_socket_test, what_is_there_is_told_at_the_start)
{
    ASSERT_TRUE(node.links.contains(loopback));
    EXPECT_EQ(node.links[loopback], (net::link{loopback, "lo", "", true, true}));
    EXPECT_TRUE(node.has("127.0.0.1/8"));
    EXPECT_TRUE(node.has("::1/128"));
}

TEST_F(netlink_socket_test, an_address_is_added_and_removed_and_told_of)
{
    EXPECT_EQ(change(*socket, net::add_address{on_loopback("10.77.0.1/32")}).error_number, 0);
    run_until([&] { return node.has("10.77.0.1/32"); });
    EXPECT_EQ(change(*socket, net::add_address{on_loopback("10.77.0.1/32")}).error_number, 0) << "it is there, as wanted";
    EXPECT_EQ(change(*socket, net::remove_address{on_loopback("10.77.0.1/32")}).error_number, 0);
    run_until([&] { return !node.has("10.77.0.1/32"); });
    EXPECT_EQ(change(*socket, net::remove_address{on_loopback("10.77.0.1/32")}).error_number, 0) << "it is gone, as wanted";
}

TEST_F(netlink_socket_test, an_ipv6_address_is_usable_at_once)
{
    EXPECT_EQ(change(*socket, net::add_address{on_loopback("fd77::1/128")}).error_number, 0);
    run_until([&] { return node.has("fd77::1/128"); });
    EXPECT_FALSE(node.addresses[*ip_prefix::parse("fd77::1/128")].tentative);
    EXPECT_EQ(change(*socket, net::remove_address{on_loopback("fd77::1/128")}).error_number, 0);
    run_until([&] { return !node.has("fd77::1/128"); });
}

TEST_F(netlink_socket_test, what_the_kernel_refuses_is_answered_with_its_reason)
{
    const auto answer = change(*socket, net::add_address{{4711, *ip_prefix::parse("10.77.0.1"), false}});
    EXPECT_EQ(answer.error_number, ENODEV);
}

TEST_F(netlink_socket_test, what_somebody_else_changes_is_told)
{
    change(*other, net::add_address{on_loopback("10.77.0.2/32")});
    run_until([&] { return node.has("10.77.0.2/32"); });
    change(*other, net::remove_address{on_loopback("10.77.0.2/32")});
    run_until([&] { return !node.has("10.77.0.2/32"); });
}

TEST_F(netlink_socket_test, after_lost_events_everything_is_known_again_and_what_has_gone_meanwhile_is_told)
{
    constexpr unsigned count = 6000;
    change(*other, net::add_address{on_loopback("10.78.0.1/32")});
    run_until([&] { return node.has("10.78.0.1/32"); });
    // Nobody reads while these happen: more events than the kernel keeps for us.
    change(*other, net::remove_address{on_loopback("10.78.0.1/32")});
    for (unsigned i = 0; i < count; ++i) {
        change(*other, net::add_address{numbered(i)});
    }
    run_until([&] { return node.dumps >= 2; });
    EXPECT_TRUE(std::ranges::any_of(log.lines, [](const auto& line) {
        return line.find("netlink_resync") != std::string::npos;
    })) << "the events did fit after all: the test needs more of them";
    EXPECT_FALSE(node.has("10.78.0.1/32"));
    for (unsigned i = 0; i < count; ++i) {
        ASSERT_TRUE(node.addresses.contains(numbered(i).address)) << i;
    }
}

}  // namespace
}  // namespace vipd::io
