#include "agent/net/kernel_view.hpp"

#include "common/overloaded.hpp"

#include <gtest/gtest.h>

namespace vipd::net {
namespace {

link_address on(int index, std::string_view prefix)
{
    return {index, *ip_prefix::parse(prefix), false};
}

// The events as one line each: what was told is compared whole.
std::vector<std::string> lines(const std::vector<kernel_event>& events)
{
    std::vector<std::string> out;
    for (const auto& event : events) {
        out.push_back(std::visit(
            overloaded{
                [](const link_seen& e) { return "link " + e.value.name + (e.value.running ? " running" : " not running"); },
                [](const link_gone& e) { return "link " + std::to_string(e.index) + " gone"; },
                [](const address_seen& e) {
                    return "address " + e.value.address.to_string() + (e.value.tentative ? " tentative" : "");
                },
                [](const address_gone& e) { return "address " + e.value.address.to_string() + " gone"; },
                [](const rule_seen& e) { return "rule " + std::to_string(e.value.priority); },
                [](const rule_gone& e) { return "rule " + std::to_string(e.value.priority) + " gone"; },
                [](const route_seen& e) { return "route in " + std::to_string(e.value.key.table); },
                [](const route_gone& e) { return "route in " + std::to_string(e.value.key.table) + " gone"; },
                [](const dump_done&) { return std::string{"done"}; },
            },
            event));
    }
    return out;
}

struct fixture : testing::Test {
    kernel_view view;
    std::vector<kernel_event> events;

    std::vector<std::string> told()
    {
        auto out = lines(events);
        events.clear();
        return out;
    }
    void see_two_links()
    {
        view.begin_dump();
        view.apply(link_seen{{1, "lo", "", true, true}}, events);
        view.apply(link_seen{{2, "eth0", "0a:00:00:00:00:01", true, true}}, events);
        view.apply(address_seen{on(1, "127.0.0.1/8")}, events);
        view.apply(address_seen{on(2, "10.0.0.1/24")}, events);
        view.apply(address_seen{on(2, "10.0.0.2/24")}, events);
        view.end_dump(events);
    }
};

using kernel_view_test = fixture;

TEST_F(kernel_view_test, a_first_dump_tells_everything_and_then_that_it_is_done)
{
    see_two_links();
    EXPECT_EQ(told(), (std::vector<std::string>{"link lo running", "link eth0 running", "address 127.0.0.1/8",
                                                "address 10.0.0.1/24", "address 10.0.0.2/24", "done"}));
}

TEST_F(kernel_view_test, repeated_events_are_told_once)
{
    see_two_links();
    told();
    view.apply(link_seen{{2, "eth0", "0a:00:00:00:00:01", true, true}}, events);
    view.apply(address_seen{on(2, "10.0.0.1/24")}, events);
    EXPECT_EQ(told(), std::vector<std::string>{});
    view.apply(link_seen{{2, "eth0", "0a:00:00:00:00:01", true, false}}, events);
    EXPECT_EQ(told(), std::vector<std::string>{"link eth0 not running"});
}

TEST_F(kernel_view_test, what_a_later_dump_does_not_mention_is_gone)
{
    see_two_links();
    told();
    view.begin_dump();
    view.apply(link_seen{{1, "lo", "", true, true}}, events);
    view.apply(link_seen{{2, "eth0", "0a:00:00:00:00:01", true, true}}, events);
    view.apply(address_seen{on(1, "127.0.0.1/8")}, events);
    view.apply(address_seen{on(2, "10.0.0.2/24")}, events);
    view.apply(address_seen{on(2, "10.0.0.3/24")}, events);
    view.end_dump(events);
    EXPECT_EQ(told(), (std::vector<std::string>{"address 10.0.0.3/24", "address 10.0.0.1/24 gone", "done"}));
}

TEST_F(kernel_view_test, an_event_that_arrives_while_a_dump_is_read_counts)
{
    see_two_links();
    told();
    view.begin_dump();
    view.apply(link_seen{{1, "lo", "", true, true}}, events);
    view.apply(link_seen{{2, "eth0", "0a:00:00:00:00:01", true, true}}, events);
    view.apply(address_gone{on(1, "127.0.0.1/8")}, events);
    view.apply(address_seen{on(2, "10.0.0.1/24")}, events);
    view.apply(address_seen{on(2, "10.0.0.2/24")}, events);
    view.end_dump(events);
    EXPECT_EQ(told(), (std::vector<std::string>{"address 127.0.0.1/8 gone", "done"}));
}

TEST_F(kernel_view_test, a_link_takes_its_addresses_with_it)
{
    see_two_links();
    told();
    view.apply(link_gone{2}, events);
    EXPECT_EQ(told(), (std::vector<std::string>{"address 10.0.0.1/24 gone", "address 10.0.0.2/24 gone", "link 2 gone"}));
    view.apply(link_gone{2}, events);
    view.apply(address_gone{on(2, "10.0.0.1/24")}, events);
    EXPECT_EQ(told(), std::vector<std::string>{});
}

TEST_F(kernel_view_test, the_end_of_duplicate_address_detection_is_news)
{
    view.begin_dump();
    auto tentative = on(2, "fd00::1/64");
    tentative.tentative = true;
    view.apply(address_seen{tentative}, events);
    view.apply(address_seen{on(2, "fd00::1/64")}, events);
    view.end_dump(events);
    EXPECT_EQ(told(), (std::vector<std::string>{"address fd00::1/64 tentative", "address fd00::1/64", "done"}));
}

// --- rules and routes ---

rule_told rule(std::uint32_t priority, std::uint8_t protocol, bool gone = false)
{
    rule_told told{{}, protocol, gone};
    told.value.priority = priority;
    told.value.table = 100;
    return told;
}

route_told route(std::uint32_t table, std::uint8_t protocol, bool gone = false, bool replaces = false)
{
    route_told told{{}, protocol, gone, replaces};
    told.value.key.table = table;
    return told;
}

constexpr std::uint8_t theirs = 3;  // "boot": `ip route` without a protocol

TEST_F(kernel_view_test, ours_are_told_and_those_of_others_are_not)
{
    view.apply(rule(90, route_protocol), events);
    view.apply(rule(91, theirs), events);
    view.apply(route(100, route_protocol), events);
    view.apply(route(200, theirs), events);
    EXPECT_EQ(told(), (std::vector<std::string>{"rule 90", "route in 100"}));
    view.apply(rule(90, theirs, true), events);
    view.apply(route(100, theirs, true), events);
    EXPECT_EQ(told(), std::vector<std::string>{});
    view.apply(rule(90, route_protocol, true), events);
    view.apply(rule(90, route_protocol, true), events);
    view.apply(route(100, route_protocol, true), events);
    EXPECT_EQ(told(), (std::vector<std::string>{"rule 90 gone", "route in 100 gone"}));
}

TEST_F(kernel_view_test, a_route_that_somebody_replaces_is_his_from_then_on)
{
    view.apply(route(100, route_protocol), events);
    told();
    view.apply(route(100, theirs), events);
    EXPECT_EQ(told(), std::vector<std::string>{}) << "one beside it, with `ip route append`";
    view.apply(route(100, theirs, false, true), events);
    EXPECT_EQ(told(), std::vector<std::string>{"route in 100 gone"});
}

TEST_F(kernel_view_test, a_route_that_changes_is_told_again)
{
    auto told_of = route(100, route_protocol);
    view.apply(told_of, events);
    view.apply(told_of, events);
    told_of.value.mtu = 1400;
    view.apply(told_of, events);
    EXPECT_EQ(told(), (std::vector<std::string>{"route in 100", "route in 100"}));
}

TEST_F(kernel_view_test, what_went_without_a_word_is_found_by_the_next_dump)
{
    view.begin_dump();
    view.apply(rule(90, route_protocol), events);
    view.apply(route(100, route_protocol), events);
    view.apply(route(200, route_protocol), events);
    view.end_dump(events);
    told();
    EXPECT_TRUE(view.has_routes());
    view.begin_dump();
    view.apply(route(200, route_protocol), events);
    view.end_dump(events);
    EXPECT_EQ(told(), (std::vector<std::string>{"rule 90 gone", "route in 100 gone", "done"}));
}

TEST_F(kernel_view_test, a_flood_of_what_claims_to_be_ours_is_kept_within_bounds)
{
    for (std::uint32_t i = 0; i < policy_parts_seen_max + 10; ++i) {
        view.apply(rule(i, route_protocol), events);
        view.apply(route(i, route_protocol), events);
    }
    EXPECT_EQ(events.size(), 2 * policy_parts_seen_max);
}

}  // namespace
}  // namespace vipd::net
