#include "agent/io/netlink_socket.hpp"

#include "common/overloaded.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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
                       [&](const net::rule_seen& e) { rules.insert(e.value); },
                       [&](const net::rule_gone& e) { EXPECT_EQ(rules.erase(e.value), 1U); },
                       [&](const net::route_seen& e) { routes[e.value.key] = e.value; },
                       [&](const net::route_gone& e) { EXPECT_EQ(routes.erase(e.value.key), 1U); },
                       [&](const net::dump_done&) { ++dumps; },
                   },
                   event);
    }
    void on_kernel_answer(net::kernel_answer&& answer) override { answers.push_back(std::move(answer)); }

    [[nodiscard]] bool has(std::string_view prefix) const { return addresses.contains(*ip_prefix::parse(prefix)); }

    std::map<int, net::link> links;
    std::map<ip_prefix, net::link_address> addresses;
    std::set<net::policy_rule> rules;
    std::map<net::route_key, net::route> routes;
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
        for (const auto& rule : node.rules) {
            other->change(ids.next(), net::remove_rule{rule});
        }
        for (const auto& [key, route] : node.routes) {
            other->change(ids.next(), net::remove_route{route});
        }
        other->deliver_answers();
    }

    // Carried out, and answered before it returns.
    net::kernel_answer change(netlink_socket& by, const net::kernel_change& what)
    {
        auto& answers = &by == socket.get() ? node.answers : other_node.answers;
        answers.clear();
        by.change(ids.next(), what);
        by.deliver_answers();
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

// --- policy routing ---

net::policy_rule rule_from(std::string_view prefix, std::uint32_t priority, std::uint32_t table)
{
    net::policy_rule rule;
    rule.from = *ip_prefix::parse(prefix);
    rule.family = rule.from->family();
    rule.priority = priority;
    rule.table = table;
    return rule;
}

net::route by_loopback(std::string_view destination, std::uint32_t table)
{
    net::route route;
    route.key = {table, *ip_prefix::parse(destination), 0};
    const bool is_v6 = route.key.destination.family() == ip_family::v6;
    route.key.metric = is_v6 ? 1024 : 0;
    route.scope = is_v6 ? net::route_scope::global : net::route_scope::link;
    route.link_index = loopback;
    return route;
}

TEST_F(netlink_socket_test, rules_and_routes_come_back_as_they_were_asked_for)
{
    auto full = rule_from("10.1.0.50/32", 100, 100);
    full.to = *ip_prefix::parse("10.2.0.0/16");
    full.input_interface = "lo";
    full.output_interface = "absent0";
    full.mark = 7;
    full.mark_mask = 0xff;
    auto kept = by_loopback("10.3.0.0/16", 1000);
    kept.key.metric = 50;
    kept.mtu = 1400;
    auto dark = by_loopback("10.4.0.0/16", 1000);
    dark.kind = net::route_kind::blackhole;
    dark.scope = net::route_scope::global;
    dark.link_index = 0;
    auto dark6 = by_loopback("fd78::/64", 1000);
    dark6.kind = net::route_kind::unreachable;
    dark6.link_index = 0;
    const std::set<net::policy_rule> rules = {full, rule_from("fd77::1/128", 101, 100)};
    const std::vector<net::route> routes = {
        kept, dark, dark6, by_loopback("fd77::/64", 1000), by_loopback("0.0.0.0/0", 1000), by_loopback("::/0", 1000)};
    for (const auto& route : routes) {
        EXPECT_EQ(change(*socket, net::add_route{route}).error_number, 0) << route.key.destination.to_string();
    }
    for (const auto& rule : rules) {
        EXPECT_EQ(change(*socket, net::add_rule{rule}).error_number, 0);
    }
    run_until([&] { return node.rules.size() == rules.size() && node.routes.size() == routes.size(); });
    EXPECT_EQ(node.rules, rules);
    for (const auto& route : routes) {
        EXPECT_EQ(node.routes[route.key], route) << route.key.destination.to_string();
    }
    EXPECT_EQ(change(*socket, net::add_rule{full}).error_number, EEXIST);
    EXPECT_EQ(change(*socket, net::add_route{kept}).error_number, EEXIST);
    for (const auto& rule : rules) {
        EXPECT_EQ(change(*socket, net::remove_rule{rule}).error_number, 0);
        EXPECT_EQ(change(*socket, net::remove_rule{rule}).error_number, 0) << "it is gone, as wanted";
    }
    for (const auto& route : routes) {
        EXPECT_EQ(change(*socket, net::remove_route{route}).error_number, 0);
        EXPECT_EQ(change(*socket, net::remove_route{route}).error_number, 0) << "it is gone, as wanted";
    }
    run_until([&] { return node.rules.empty() && node.routes.empty(); });
}

TEST_F(netlink_socket_test, a_route_of_ours_is_replaced_in_one_step)
{
    auto route = by_loopback("10.3.0.0/16", 1000);
    EXPECT_EQ(change(*socket, net::add_route{route}).error_number, 0);
    route.mtu = 1300;
    EXPECT_EQ(change(*socket, net::replace_route{route}).error_number, 0);
    run_until([&] { return node.routes.contains(route.key) && node.routes[route.key].mtu == 1300; });
}

TEST_F(netlink_socket_test, what_was_there_before_the_start_is_found)
{
    EXPECT_EQ(change(*socket, net::add_route{by_loopback("10.3.0.0/16", 1000)}).error_number, 0);
    EXPECT_EQ(change(*socket, net::add_rule{rule_from("10.1.0.50/32", 100, 1000)}).error_number, 0);
    other->start();
    run_until([&] { return other_node.dumps == 1; });
    EXPECT_EQ(other_node.routes.size(), 1U);
    EXPECT_EQ(other_node.rules.size(), 1U) << "the system's own three are not vipd's";
}

void set_loopback(bool up)
{
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = up ? IFF_UP : 0;
    const file_descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0);
}

TEST_F(netlink_socket_test, routes_that_go_with_their_link_are_missed)
{
    const auto route = by_loopback("10.3.0.0/16", 1000);
    const auto rule = rule_from("10.1.0.50/32", 100, 1000);
    EXPECT_EQ(change(*socket, net::add_route{route}).error_number, 0);
    EXPECT_EQ(change(*socket, net::add_rule{rule}).error_number, 0);
    run_until([&] { return node.routes.contains(route.key) && node.rules.contains(rule); });
    set_loopback(false);
    run_until([&] { return !node.routes.contains(route.key); });
    EXPECT_TRUE(node.rules.contains(rule));
    set_loopback(true);
    run_until([&] { return node.links[loopback].up; });
    EXPECT_EQ(change(*socket, net::add_route{route}).error_number, 0);
    run_until([&] { return node.routes.contains(route.key); });
}

TEST_F(netlink_socket_test, a_hundred_changes_of_one_turn_are_answered_each)
{
    node.answers.clear();
    for (std::uint32_t i = 0; i < 100; ++i) {
        socket->change(ids.next(), net::add_rule{rule_from("10.1.0.50/32", 100 + i, 100)});
    }
    socket->change(ids.next(), net::add_address{{4711, *ip_prefix::parse("10.77.0.1"), false}});
    socket->deliver_answers();
    ASSERT_EQ(node.answers.size(), 101U);
    EXPECT_TRUE(std::ranges::all_of(node.answers.begin(), node.answers.end() - 1,
                                    [](const auto& answer) { return answer.error_number == 0; }));
    EXPECT_EQ(node.answers.back().error_number, ENODEV) << "one that is refused stands in nobody's way";
    EXPECT_FALSE(node.answers.back().text.empty());
    run_until([&] { return node.rules.size() == 100; });
}

}  // namespace
}  // namespace vipd::io
