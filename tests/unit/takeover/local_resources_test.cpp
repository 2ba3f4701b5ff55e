#include "agent/takeover/local_resources.hpp"

#include "common/overloaded.hpp"
#include "tests/support/policy_kernel.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0 = time_point{1000s};

class local_resources_test : public testing::Test {
protected:
    local_resources_test()
    {
        links.apply(net::link_seen{{1, "lo", "", true, true}});
        links.apply(net::link_seen{{2, "eth1", "0a:00:00:00:00:01", true, true}});
        links.apply(net::dump_done{});
        a.want(addresses({vip}));
    }

    static config::address_entry entry(const ip_prefix& address, const std::string& interface = "lo",
                                       config::address_lifetime when = config::address_lifetime::while_active)
    {
        config::address_entry e;
        e.address = address;
        e.interface = interface;
        e.when = when;
        return e;
    }

    static std::vector<local_item> addresses(std::initializer_list<ip_prefix> wanted, const std::string& interface = "lo")
    {
        config::router r;
        for (const auto& address : wanted) {
            r.addresses.push_back(entry(address, interface));
        }
        return local_items(r);
    }

    // Issues what is asked and, unless `error` says otherwise, lets the kernel do it.
    std::vector<std::string> perform(time_point now, int error = 0)
    {
        std::vector<std::string> done;
        while (const auto change = a.poll_output()) {
            const auto id = ids.next();
            a.issued(change->entry, id);
            std::vector<net::kernel_event> told;
            done.push_back(carry_out(change->what, error == 0, told));
            for (const auto& event : told) {
                links.apply(event);
                a.kernel_changed(now, links, event);
            }
            a.answered(now, {id, error, error == 0 ? "" : "Operation not permitted"}, links);
        }
        return done;
    }

    std::string carry_out(const net::kernel_change& what, bool works, std::vector<net::kernel_event>& told)
    {
        const auto route_text = [](const net::route& r) {
            return r.key.destination.to_string() + " in " + std::to_string(r.key.table) + " dev " +
                   std::to_string(r.link_index) + (r.gateway ? " via " + r.gateway->to_string() : "");
        };
        const auto rule_text = [](const net::policy_rule& r) {
            return std::to_string(r.priority) + " to " + std::to_string(r.table);
        };
        if (works) {
            kernel.apply(what, told);
        }
        return std::visit(overloaded{
                              [&](const net::set_link_up& c) {
                                  if (works) {
                                      auto link = links.links().at(c.link_index);
                                      link.up = true;
                                      told.emplace_back(net::link_seen{link});
                                  }
                                  return "set up " + std::to_string(c.link_index);
                              },
                              [&](const net::add_address& c) {
                                  if (works) {
                                      told.emplace_back(net::address_seen{c.value});
                                  }
                                  return "add " + c.value.address.to_string();
                              },
                              [&](const net::remove_address& c) {
                                  if (works) {
                                      told.emplace_back(net::address_gone{c.value});
                                  }
                                  return "remove " + c.value.address.to_string();
                              },
                              [&](const net::add_rule& c) { return "add rule " + rule_text(c.value); },
                              [&](const net::remove_rule& c) { return "remove rule " + rule_text(c.value); },
                              [&](const net::add_route& c) { return "add route " + route_text(c.value); },
                              [&](const net::replace_route& c) { return "replace route " + route_text(c.value); },
                              [&](const net::remove_route& c) { return "remove route " + route_text(c.value); },
                          },
                          what);
    }

    using changes = std::vector<std::string>;

    test::recording_log log;
    status::journal journal{log, 100};
    net::link_table links;
    test::policy_kernel kernel;
    struct other_needs final : local_needs {
        bool exist = false;
        [[nodiscard]] bool is_needed_elsewhere(const local_value&, const local_resources&) const override { return exist; }
    };
    other_needs others;
    local_resources a{"web", 1, journal, others};
    id_source<net::kernel_request_id> ids;
    ip_prefix vip = *ip_prefix::parse("172.16.1.100/32");
};

TEST_F(local_resources_test, nothing_is_touched_before_the_start)
{
    links.apply(net::address_seen{{1, vip}});
    a.kernel_changed(t0, links);
    EXPECT_EQ(perform(t0), changes{});
}

TEST_F(local_resources_test, an_address_is_here_when_it_is_no_longer_tentative)
{
    const auto v6 = *ip_prefix::parse("fd00::100/128");
    const auto tell = [&](bool tentative, bool duplicate) {
        const net::kernel_event event = net::address_seen{{1, v6, tentative, duplicate}};
        links.apply(event);
        a.kernel_changed(t0, links, event);
    };
    a.want(addresses({v6}));
    a.start(t0, links);
    a.become_active(t0, links);
    const auto change = a.poll_output();
    ASSERT_TRUE(change.has_value());
    const auto id = ids.next();
    a.issued(change->entry, id);
    tell(true, false);
    a.answered(t0, {id, 0, ""}, links);
    a.take_arrived();
    EXPECT_FALSE(a.all_here(links));
    a.handle_timeout(t0 + 10s, links);
    EXPECT_EQ(perform(t0 + 10s), changes{}) << "it is neither added again nor taken away";
    EXPECT_EQ(a.next_wakeup().at, never);
    const auto seen = [&] {
        std::vector<status::resource> all;
        a.snapshot(links, all);
        return all.at(0);
    };
    EXPECT_EQ(seen().state, status::resource_state::taking);
    EXPECT_EQ(seen().last_error, "it is tentative: duplicate address detection has not ended");
    tell(true, true);
    EXPECT_EQ(seen().last_error, "it is another node's as well, as duplicate address detection has found");

    tell(false, false);
    EXPECT_TRUE(a.all_here(links));
    EXPECT_EQ(seen().last_error, "");
    EXPECT_EQ(seen().repairs, 0U);
    EXPECT_EQ(a.take_arrived().size(), 1U) << "the neighbours hear of it once it can be used";
    EXPECT_EQ(perform(t0 + 10s), changes{});

    tell(true, false);
    EXPECT_EQ(perform(t0 + 10s), changes{}) << "its link was down for a moment";
    a.leave_active(t0 + 11s);
    a.handle_timeout(t0 + 11s, links);
    EXPECT_EQ(perform(t0 + 11s), changes{"remove fd00::100/128"}) << "a tentative one stands in the way as well";
}

TEST_F(local_resources_test, what_a_predecessor_left_is_removed_at_the_start)
{
    links.apply(net::address_seen{{1, vip}});
    a.start(t0, links);
    EXPECT_EQ(perform(t0), changes{"remove 172.16.1.100/32"});
    EXPECT_TRUE(a.settled(links));
}

TEST_F(local_resources_test, active_adds_and_the_end_of_the_drain_removes)
{
    a.start(t0, links);
    a.become_active(t0, links);
    EXPECT_EQ(perform(t0), changes{"add 172.16.1.100/32"});
    a.leave_active(t0 + 5s);
    a.handle_timeout(t0 + 4999ms, links);
    EXPECT_EQ(perform(t0 + 4999ms), changes{});
    EXPECT_EQ(a.next_wakeup().at, t0 + 5s);
    a.handle_timeout(t0 + 5s, links);
    EXPECT_EQ(perform(t0 + 5s), changes{"remove 172.16.1.100/32"});
    EXPECT_EQ(a.next_wakeup().at, never);
}

TEST_F(local_resources_test, becoming_active_again_during_the_drain_keeps_the_address)
{
    a.start(t0, links);
    a.become_active(t0, links);
    perform(t0);
    a.leave_active(t0 + 5s);
    a.become_active(t0 + 1s, links);
    a.handle_timeout(t0 + 10s, links);
    EXPECT_EQ(perform(t0 + 10s), changes{});
    EXPECT_FALSE(a.draining());
}

TEST_F(local_resources_test, a_refusal_is_repeated_with_backoff_up_to_a_second)
{
    a.start(t0, links);
    a.become_active(t0, links);
    auto now = t0;
    unsigned attempts = 0;
    for (; now < t0 + 60s; now += 1ms) {
        a.handle_timeout(now, links);
        attempts += static_cast<unsigned>(perform(now, 1).size());
    }
    EXPECT_GE(attempts, 60u);
    EXPECT_LE(attempts, 400u);
    std::vector<status::resource> resources;
    a.snapshot(links, resources);
    EXPECT_EQ(resources.at(0).last_error, "Operation not permitted");
    EXPECT_EQ(resources.at(0).failures, attempts);
}

TEST_F(local_resources_test, an_interface_that_is_missing_is_waited_for_without_a_busy_loop)
{
    a.want(addresses({vip}, "ens9"));
    a.start(t0, links);
    a.become_active(t0, links);
    EXPECT_EQ(perform(t0), changes{});
    EXPECT_EQ(a.next_wakeup().at, never);
    links.apply(net::link_seen{{9, "ens9", "", true, true}});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"add 172.16.1.100/32"});
}

TEST_F(local_resources_test, an_address_that_is_edited_out_is_removed_and_one_for_always_stays)
{
    const auto other = *ip_prefix::parse("172.16.1.200/32");
    config::router r;
    r.addresses = {entry(vip), entry(other, "lo", config::address_lifetime::always)};
    a.want(local_items(r));
    a.start(t0, links);
    a.become_active(t0, links);
    EXPECT_EQ(perform(t0), (changes{"add 172.16.1.200/32", "add 172.16.1.100/32"}));
    a.want({});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"remove 172.16.1.100/32"});
    EXPECT_TRUE(a.settled(links));
}

TEST_F(local_resources_test, what_something_else_needs_stays_until_that_has_ended)
{
    others.exist = true;
    links.apply(net::address_seen{{1, vip}});
    a.start(t0, links);
    EXPECT_EQ(perform(t0), changes{});
    EXPECT_TRUE(a.settled(links));
    EXPECT_EQ(a.next_wakeup().at, never);
    others.exist = false;
    EXPECT_FALSE(a.settled(links));
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"remove 172.16.1.100/32"});
}

TEST_F(local_resources_test, what_was_edited_out_is_left_to_whoever_needs_it)
{
    a.start(t0, links);
    a.become_active(t0, links);
    perform(t0);
    others.exist = true;
    a.want({});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{});
    std::vector<status::resource> resources;
    a.snapshot(links, resources);
    EXPECT_TRUE(resources.empty()) << "it is the other's now";
}

TEST_F(local_resources_test, one_that_is_removed_by_somebody_else_is_put_back_and_told)
{
    a.start(t0, links);
    a.become_active(t0, links);
    perform(t0);
    links.apply(net::address_gone{{1, vip}});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"add 172.16.1.100/32"});
    EXPECT_EQ(log.count({"event=address_lost", "router=web"}), 1u);
}

TEST_F(local_resources_test, a_kernel_that_refuses_again_and_again_is_told_of_once_a_minute_with_a_count)
{
    a.start(t0, links);
    a.become_active(t0, links);
    unsigned tries = 0;
    for (auto now = t0; now < t0 + 150s; now += 100ms) {
        a.handle_timeout(now, links);
        tries += static_cast<unsigned>(perform(now, 1).size());
    }
    EXPECT_GE(tries, 100u);
    EXPECT_EQ(log.count({"error event=address", "outcome=failed"}), 3u);
    EXPECT_EQ(log.count({"outcome=failed", "like_it_since_last_line=0"}), 1u);
}

// --- policies ---

class local_policies_test : public local_resources_test {
protected:
    local_policies_test() { a.want(with_policy()); }

    // Table 100 with one route by eth1, and a rule from the address.
    [[nodiscard]] config::policy_entry policy(const std::string& gateway = "10.1.0.1") const
    {
        config::policy_entry p;
        p.table = 100;
        auto& rule = p.rules.emplace_back();
        rule.from = config::rule_prefix{vip};
        rule.priority = 90;
        auto& leads = p.routes.emplace_back();
        leads.via = *ip_address::parse(gateway);
        leads.interface = "eth1";
        return p;
    }
    [[nodiscard]] std::vector<local_item> with_policy(const std::string& gateway = "10.1.0.1") const
    {
        config::router r;
        r.addresses = {entry(vip)};
        r.policies = {policy(gateway)};
        return local_items(r);
    }
    void tell(time_point now, const net::kernel_event& event)
    {
        links.apply(event);
        a.kernel_changed(now, links, event);
    }
    void lose_rule(time_point now)
    {
        std::vector<net::kernel_event> told;
        kernel.take(*kernel.rules.begin(), told);
        tell(now, told.at(0));
    }
    [[nodiscard]] status::resource table() const
    {
        std::vector<status::resource> all;
        a.snapshot(links, all);
        for (const auto& r : all) {
            if (r.kind == status::resource_kind::policy) {
                return r;
            }
        }
        return {};
    }
    void become_active()
    {
        a.start(t0, links);
        a.become_active(t0, links);
    }

    const std::string route = "route 0.0.0.0/0 in 100 dev 2 via 10.1.0.1";
};

TEST_F(local_policies_test, routes_come_before_rules_and_go_after_them)
{
    become_active();
    EXPECT_EQ(perform(t0), (changes{"add 172.16.1.100/32", "add " + route, "add rule 90 to 100"}));
    EXPECT_EQ(table().state, status::resource_state::here);
    EXPECT_EQ(table().owner, "this node: 1 of 1 rules, 1 of 1 routes here");
    a.leave_active(t0 + 1s);
    a.handle_timeout(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), (changes{"remove rule 90 to 100", "remove " + route, "remove 172.16.1.100/32"}));
    EXPECT_EQ(table().state, status::resource_state::elsewhere);
    EXPECT_TRUE(a.settled(links));
    EXPECT_EQ(a.next_wakeup().at, never);
}

TEST_F(local_policies_test, all_of_it_is_asked_for_before_the_first_answer)
{
    become_active();
    unsigned asked = 0;
    while (const auto change = a.poll_output()) {
        a.issued(change->entry, ids.next());
        ++asked;
    }
    EXPECT_EQ(asked, 3U);
}

TEST_F(local_policies_test, a_route_waits_for_its_interface_and_that_is_no_error)
{
    links.apply(net::link_gone{2});
    become_active();
    EXPECT_EQ(perform(t0), (changes{"add 172.16.1.100/32", "add rule 90 to 100"}));
    EXPECT_EQ(table().state, status::resource_state::taking);
    EXPECT_EQ(table().last_error, "");
    EXPECT_EQ(table().owner,
              "1 of 1 rules, 0 of 1 routes here; missing: route default via 10.1.0.1 dev eth1 table 100 (there is no interface "
              "'eth1' on this node)");
    EXPECT_TRUE(a.settled(links)) << "an interface that never comes must not hold up the end";
    EXPECT_EQ(a.next_wakeup().at, never);
    tell(t0 + 1s, net::link_seen{{7, "eth1", "", false, false}});
    EXPECT_EQ(perform(t0 + 1s), changes{});
    tell(t0 + 2s, net::link_seen{{7, "eth1", "", true, true}});
    EXPECT_EQ(perform(t0 + 2s), changes{"add route 0.0.0.0/0 in 100 dev 7 via 10.1.0.1"});
}

TEST_F(local_policies_test, a_route_waits_while_its_source_is_tentative)
{
    config::router r;
    r.policies = {policy("fd00::fe")};
    r.policies[0].rules.clear();
    r.policies[0].routes[0].source = *ip_address::parse("fd00::5");
    a.want(local_items(r));
    become_active();
    const auto source = *ip_prefix::parse("fd00::5/64");
    tell(t0, net::address_seen{{2, source, true}});
    EXPECT_EQ(perform(t0), changes{}) << "the kernel would refuse it";
    const auto expect_reason = [&](const std::string& why) {
        EXPECT_NE(table().owner.find("(its source fd00::5 " + why + ")"), std::string::npos) << table().owner;
    };
    expect_reason("is tentative: duplicate address detection has not ended");
    tell(t0, net::address_seen{{2, source, true, true}});
    EXPECT_EQ(perform(t0), changes{});
    expect_reason("is another node's as well, as duplicate address detection has found");
    tell(t0, net::address_seen{{2, source}});
    EXPECT_EQ(perform(t0), changes{"add route ::/0 in 100 dev 2 via fd00::fe"});
}

TEST_F(local_policies_test, a_route_that_went_with_its_link_returns_with_it_and_was_not_lost)
{
    become_active();
    perform(t0);
    tell(t0 + 1s, net::link_seen{{2, "eth1", "", false, false}});
    std::vector<net::kernel_event> told;
    kernel.take_routes_of(2, told);
    tell(t0 + 1s, told.at(0));
    EXPECT_EQ(perform(t0 + 1s), changes{});
    tell(t0 + 2s, net::link_seen{{2, "eth1", "", true, true}});
    EXPECT_EQ(perform(t0 + 2s), changes{"add " + route});
    EXPECT_EQ(log.count({"event=policy_lost"}), 0U);
    EXPECT_EQ(table().repairs, 0U);
}

TEST_F(local_policies_test, a_rule_that_somebody_removes_is_put_back_and_told)
{
    become_active();
    perform(t0);
    lose_rule(t0 + 1s);
    EXPECT_EQ(perform(t0 + 1s), changes{"add rule 90 to 100"});
    EXPECT_EQ(log.count({"event=policy_lost", "router=web", "rule 90 from 172.16.1.100/32 lookup 100"}), 1U);
    EXPECT_EQ(table().repairs, 1U);
}

TEST_F(local_policies_test, a_rule_of_somebody_else_in_its_place_is_left_alone_and_named_as_the_reason)
{
    kernel.foreign_rules.insert(std::get<net::policy_rule>(with_policy().back().value));
    become_active();
    auto now = t0;
    for (; now < t0 + 1s; now += 10ms) {
        a.handle_timeout(now, links);
        while (const auto change = a.poll_output()) {
            const auto id = ids.next();
            a.issued(change->entry, id);
            std::vector<net::kernel_event> told;
            const auto error = kernel.apply(change->what, told).value_or(0);
            if (const auto* add = std::get_if<net::add_address>(&change->what)) {
                told.emplace_back(net::address_seen{add->value});
            }
            for (const auto& event : told) {
                tell(now, event);
            }
            a.answered(now, {id, error, "File exists"}, links);
        }
    }
    EXPECT_EQ(table().state, status::resource_state::taking);
    EXPECT_NE(table().last_error.find("which is not vipd's"), std::string::npos) << table().last_error;
    EXPECT_EQ(kernel.foreign_rules.size(), 1U);
    kernel.foreign_rules.clear();
    now += 1s;
    a.handle_timeout(now, links);
    EXPECT_EQ(perform(now), changes{"add rule 90 to 100"});
    EXPECT_EQ(table().last_error, "");
}

TEST_F(local_policies_test, what_is_there_already_may_only_not_have_been_told_of_yet)
{
    become_active();
    std::vector<net::kernel_event> told_late;
    while (const auto change = a.poll_output()) {
        const auto id = ids.next();
        a.issued(change->entry, id);
        const bool is_policy = !std::holds_alternative<net::add_address>(change->what);
        kernel.apply(change->what, told_late);
        a.answered(t0, {id, is_policy ? EEXIST : 0, "File exists"}, links);
    }
    EXPECT_EQ(table().failures, 0U);
    for (const auto& event : told_late) {
        tell(t0 + 10ms, event);
    }
    EXPECT_EQ(table().state, status::resource_state::here);
    EXPECT_EQ(perform(t0 + 1s), changes{});
}

TEST_F(local_policies_test, a_route_that_is_edited_is_replaced_in_one_step)
{
    become_active();
    perform(t0);
    a.want(with_policy("10.1.0.2"));
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"replace route 0.0.0.0/0 in 100 dev 2 via 10.1.0.2"});
    EXPECT_EQ(log.count({"event=policy_lost"}), 0U);
}

TEST_F(local_policies_test, a_table_that_is_edited_is_built_before_the_old_one_goes)
{
    become_active();
    perform(t0);
    config::router r;
    r.addresses = {entry(vip)};
    r.policies = {policy()};
    r.policies[0].table = 200;
    a.want(local_items(r));
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), (changes{"add route 0.0.0.0/0 in 200 dev 2 via 10.1.0.1", "add rule 90 to 200",
                                         "remove rule 90 to 100", "remove " + route}));
}

TEST_F(local_policies_test, what_a_killed_predecessor_left_is_removed_by_a_backup)
{
    const net::policy_rule rule = std::get<net::policy_rule>(with_policy().back().value);
    kernel.rules.insert(rule);
    links.apply(net::rule_seen{rule});
    a.start(t0, links);
    EXPECT_EQ(perform(t0), changes{"remove rule 90 to 100"});
}

TEST_F(local_policies_test, a_policy_for_always_is_there_from_the_start_and_goes_with_its_entry)
{
    a.want(local_items(std::vector{policy()}));
    a.start(t0, links);
    EXPECT_EQ(perform(t0), (changes{"add " + route, "add rule 90 to 100"}));
    a.want({});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), (changes{"remove rule 90 to 100", "remove " + route}));
}

TEST_F(local_policies_test, remains_are_removed_whole)
{
    const auto items = local_items(std::vector{policy()});
    auto left = std::get<policy_route>(items.at(0).value).value;
    left.link_index = 2;
    kernel.routes.emplace(left.key, left);
    links.apply(net::route_seen{left});
    a.want({});
    a.take_remains({policy_route{left, {}}});
    a.start(t0, links);
    EXPECT_EQ(perform(t0), changes{"remove " + route});
    std::vector<status::resource> all;
    a.snapshot(links, all);
    EXPECT_TRUE(all.empty());
}

TEST_F(local_policies_test, a_route_that_speaks_from_the_address_comes_along_with_it_and_waits_for_one_of_somebody_elses)
{
    config::router r;
    r.addresses = {entry(vip)};
    r.policies = {policy()};
    r.policies[0].routes[0].source = vip.address();
    a.want(local_items(r));
    become_active();
    EXPECT_EQ(perform(t0), (changes{"add 172.16.1.100/32", "add " + route, "add rule 90 to 100"}));
    r.addresses.clear();
    r.policies[0].routes[0].source = *ip_address::parse("10.1.0.9");
    a.want(local_items(r));
    links.apply(net::address_gone{{1, vip}});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{});
    tell(t0 + 2s, net::address_seen{{2, *ip_prefix::parse("10.1.0.9/24")}});
    EXPECT_EQ(perform(t0 + 2s), changes{"replace " + route});
}

TEST_F(local_policies_test, the_plan_names_what_would_change_and_what_waits)
{
    a.start(t0, links);
    links.apply(net::link_gone{2});
    EXPECT_EQ(a.plan(links),
              (std::vector<std::string>{
                  "+ 172.16.1.100/32 on lo: added by netlink",
                  "? route default via 10.1.0.1 dev eth1 table 100: waits, because there is no interface 'eth1' on this node",
                  "+ rule 90 from 172.16.1.100/32 lookup 100: added by netlink"}));
}

TEST_F(local_policies_test, a_refusal_is_shown_counted_and_repeated)
{
    become_active();
    perform(t0, 1);
    EXPECT_EQ(table().failures, 2U);
    EXPECT_EQ(table().last_error, "route default via 10.1.0.1 dev eth1 table 100: Operation not permitted");
    EXPECT_LE(a.next_wakeup().at, t0 + 1s);
    a.handle_timeout(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s).size(), 3U);
    EXPECT_EQ(table().last_error, "");
}

TEST_F(local_policies_test, fifty_rules_and_fifty_routes_are_one_line_of_the_journal)
{
    config::router r;
    auto& p = r.policies.emplace_back();
    p.table = 100;
    for (unsigned i = 0; i < 50; ++i) {
        auto& rule = p.rules.emplace_back();
        rule.from = config::rule_prefix{ip_prefix::host(ip_address::v4(10, 9, 0, static_cast<std::uint8_t>(i)))};
        rule.priority = 100;
        auto& one = p.routes.emplace_back();
        one.to.value = ip_prefix::host(ip_address::v4(10, 8, 0, static_cast<std::uint8_t>(i)));
        one.interface = "eth1";
    }
    a.want(local_items(r));
    become_active();
    std::vector<std::pair<net::kernel_request_id, net::kernel_change>> batch;
    while (auto change = a.poll_output()) {
        const auto id = ids.next();
        a.issued(change->entry, id);
        batch.emplace_back(id, change->what);
    }
    ASSERT_EQ(batch.size(), 100U);
    for (const auto& [id, what] : batch) {
        a.answered(t0, {id, 0, ""}, links);
    }
    EXPECT_EQ(log.count({"event=policy", "table=100", "added=100", "removed=0"}), 1U);
    EXPECT_EQ(log.count({"event=policy"}), 1U);
}

}  // namespace
}  // namespace vipd::takeover
