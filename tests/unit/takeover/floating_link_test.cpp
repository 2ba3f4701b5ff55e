#include "agent/takeover/floating_link.hpp"

#include "agent/takeover/local_resources.hpp"
#include "tests/support/ec2_builders.hpp"
#include "tests/support/policy_kernel.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;

constexpr time_point t0 = time_point{1000s};

ip_address address(std::string_view text)
{
    return *ip_address::parse(text);
}

aws::instance_interface floating()
{
    return {"0a:00:00:00:00:f0",
            eni("eni-float"),
            aws::vpc_id{"vpc-1"},
            "subnet-1",
            {*ip_prefix::parse("10.1.0.0/24"), *ip_prefix::parse("2001:db8:1::/64")},
            {address("10.1.0.50"), address("10.1.0.51"), address("2001:db8:1::50")}};
}

net::link eth1(bool up = false)
{
    return {7, "eth1", "0a:00:00:00:00:f0", up, up};
}

std::vector<std::string> told(const std::vector<local_item>& items)
{
    std::vector<std::string> lines;
    for (const auto& item : items) {
        lines.push_back(describe(item.value) + (item.always ? ", always" : ""));
    }
    return lines;
}

TEST(floating_link, is_set_up_with_its_addresses_and_a_table_that_they_lead_to)
{
    EXPECT_EQ(told(floating_items({}, floating(), eth1())),
              (std::vector<std::string>{
                  "interface eth1, always", "10.1.0.50/32 on eth1", "10.1.0.51/32 on eth1", "2001:db8:1::50/128 on eth1",
                  "route 10.1.0.0/24 dev eth1 table 112007", "route default via 10.1.0.1 dev eth1 table 112007",
                  "route 2001:db8:1::/64 dev eth1 table 112007", "route default (IPv6) via fe80:ec2::1 dev eth1 table 112007",
                  "rule 12112 from 10.1.0.50/32 lookup 112007", "rule 12112 from 10.1.0.51/32 lookup 112007",
                  "rule 12112 from 2001:db8:1::50/128 lookup 112007"}));
}

TEST(floating_link, has_no_routes_of_a_family_that_it_has_no_address_of)
{
    auto interface = floating();
    interface.addresses.pop_back();
    for (const auto& line : told(floating_items({}, interface, eth1()))) {
        EXPECT_EQ(line.find("2001:db8"), std::string::npos) << line;
        EXPECT_EQ(line.find("fe80"), std::string::npos) << line;
    }
}

TEST(floating_link, takes_its_table_and_priority_from_the_configuration)
{
    config::eni_entry entry;
    entry.table = 300;
    entry.rule_priority = 5000;
    const auto lines = told(floating_items(entry, floating(), eth1()));
    EXPECT_NE(std::ranges::find(lines, "rule 5000 from 10.1.0.50/32 lookup 300"), lines.end());
    EXPECT_NE(std::ranges::find(lines, "route default via 10.1.0.1 dev eth1 table 300"), lines.end());
}

TEST(floating_link, has_the_addresses_that_the_configuration_lists_instead_of_all)
{
    config::eni_entry entry;
    entry.addresses = {address("10.1.0.51")};
    EXPECT_EQ(told(floating_items(entry, floating(), eth1())),
              (std::vector<std::string>{
                  "interface eth1, always", "10.1.0.51/32 on eth1", "route 10.1.0.0/24 dev eth1 table 112007",
                  "route default via 10.1.0.1 dev eth1 table 112007", "rule 12112 from 10.1.0.51/32 lookup 112007"}));
}

TEST(floating_link, has_its_gateway_behind_the_first_address_of_a_subnet_that_begins_anywhere)
{
    auto interface = floating();
    interface.subnet_prefixes = {*ip_prefix::parse("10.1.0.64/26")};
    const auto lines = told(floating_items({}, interface, eth1()));
    EXPECT_NE(std::ranges::find(lines, "route default via 10.1.0.65 dev eth1 table 112007"), lines.end());
}

// --- on a node ---

class plugged_in : public testing::Test {
protected:
    plugged_in()
    {
        links.apply(net::link_seen{{1, "lo", "", true, true}});
        links.apply(net::link_seen{eth1()});
        links.apply(net::dump_done{});
        local.want(floating_items({}, floating(), eth1()));
        local.start(t0, links);
    }

    struct nobody final : local_needs {
        [[nodiscard]] bool is_needed_elsewhere(const local_value&, const local_resources&) const override { return false; }
    };

    // What the kernel was asked for; it does all of it, and refuses routes of a link that is down as the kernel does.
    unsigned perform(time_point now)
    {
        unsigned count = 0;
        while (const auto change = local.poll_output()) {
            ++count;
            const auto id = ids.next();
            local.issued(change->entry, id);
            std::vector<net::kernel_event> events;
            int error = 0;
            if (const auto* set = std::get_if<net::set_link_up>(&change->what)) {
                events.emplace_back(net::link_seen{eth1(true)});
                EXPECT_EQ(set->link_index, 7);
            } else if (const auto* add = std::get_if<net::add_address>(&change->what)) {
                events.emplace_back(net::address_seen{add->value});
            } else if (const auto* remove = std::get_if<net::remove_address>(&change->what)) {
                events.emplace_back(net::address_gone{remove->value});
            } else if (std::holds_alternative<net::add_route>(change->what) && !links.find_link("eth1")->up) {
                error = ENETDOWN;
            } else {
                error = kernel.apply(change->what, events).value_or(0);
            }
            EXPECT_EQ(error, 0);
            for (const auto& event : events) {
                links.apply(event);
                local.kernel_changed(now, links, event);
            }
            local.answered(now, {id, error, ""}, links);
        }
        return count;
    }

    recording_log log;
    status::journal journal{log, 100};
    net::link_table links;
    policy_kernel kernel;
    nobody others;
    local_resources local{"web", 1, journal, others};
    id_source<net::kernel_request_id> ids;
};

TEST_F(plugged_in, is_raised_before_its_routes_are_asked_for)
{
    local.become_active(t0, links);
    perform(t0);
    EXPECT_TRUE(links.find_link("eth1")->up);
    EXPECT_EQ(kernel.routes.size(), 4u);
    EXPECT_EQ(kernel.rules.size(), 3u);
    EXPECT_TRUE(local.settled(links));
    EXPECT_EQ(log.count({"event=link", "interface=eth1", "outcome=up"}), 1u);
    std::vector<status::resource> resources;
    local.snapshot(links, resources);
    ASSERT_EQ(resources.size(), 5u);
    EXPECT_EQ(resources[0].kind, status::resource_kind::link);
    EXPECT_EQ(resources[0].name, "interface eth1");
    for (const auto& r : resources) {
        EXPECT_EQ(r.state, status::resource_state::here) << r.name;
    }
}

TEST_F(plugged_in, and_no_longer_served_keeps_its_link_up_and_nothing_else)
{
    local.become_active(t0, links);
    perform(t0);
    local.leave_active(t0 + 1s);
    local.handle_timeout(t0 + 1s, links);
    perform(t0 + 1s);
    EXPECT_TRUE(kernel.routes.empty());
    EXPECT_TRUE(kernel.rules.empty());
    EXPECT_TRUE(links.addresses_of(7).empty());
    EXPECT_TRUE(links.find_link("eth1")->up);
}

TEST_F(plugged_in, that_was_set_down_is_set_up_again)
{
    local.become_active(t0, links);
    perform(t0);
    links.apply(net::link_seen{eth1(false)});
    local.kernel_changed(t0 + 10s, links);
    EXPECT_EQ(perform(t0 + 10s), 0u) << "it may be about to leave";
    EXPECT_EQ(local.next_wakeup().at, t0 + 10s + 100ms);
    local.handle_timeout(t0 + 10s + 100ms, links);
    EXPECT_GT(perform(t0 + 10s + 100ms), 0u);
    EXPECT_TRUE(links.find_link("eth1")->up);
    EXPECT_EQ(log.count({"event=link_lost", "interface=eth1"}), 1u);
}

TEST_F(plugged_in, that_was_taken_away_leaves_no_rule_behind)
{
    local.become_active(t0, links);
    perform(t0);
    // In the kernel's order.
    std::vector<net::kernel_event> gone{net::link_seen{eth1(false)},
                                        net::address_gone{{7, *ip_prefix::parse("10.1.0.50/32"), false}}};
    kernel.take_routes_of(7, gone);
    gone.emplace_back(net::link_gone{7});
    for (const auto& event : gone) {
        links.apply(event);
        local.kernel_changed(t0 + 1s, links, event);
        perform(t0 + 1s);
    }
    EXPECT_EQ(log.count({"_lost"}), 0u);
    local.want({});
    local.kernel_changed(t0 + 1s, links);
    perform(t0 + 1s);
    EXPECT_TRUE(kernel.rules.empty());
    EXPECT_TRUE(local.settled(links));
    std::vector<status::resource> resources;
    local.snapshot(links, resources);
    EXPECT_TRUE(resources.empty());
}

}  // namespace
}  // namespace vipd::takeover
