// What the node and its routers have on this machine: policies that follow the address, policies of the node, and
// announcements.

#include "tests/unit/node/node_fixture.hpp"

namespace vipd::node {
namespace {

config::policy_entry policy(std::uint32_t table, std::uint32_t priority)
{
    config::policy_entry p;
    p.table = table;
    auto& rule = p.rules.emplace_back();
    rule.from = config::rule_prefix{*ip_prefix::parse(vip)};
    rule.priority = priority;
    auto& route = p.routes.emplace_back();
    route.via = *ip_address::parse("10.0.1.1");
    route.interface = "ens5";
    return p;
}

class policies_test : public node_test {
protected:
    policies_test()
    {
        configuration = changed([](auto& c) { c.routers[0].policies = {policy(100, 90)}; });
        h.replace(configuration);
    }

    [[nodiscard]] std::size_t rules() const { return h.policies.rules.size(); }
    [[nodiscard]] std::size_t routes() const { return h.policies.routes.size(); }
    [[nodiscard]] std::uint32_t table_of_rule() const { return h.policies.rules.empty() ? 0 : h.policies.rules.begin()->table; }
    void tell(const std::vector<net::kernel_event>& events)
    {
        for (const auto& event : events) {
            h.kernel(event);
        }
    }
};

TEST_F(policies_test, a_policy_follows_the_address)
{
    start_as_backup();
    EXPECT_EQ(rules() + routes(), 0U);
    EXPECT_EQ(h.resource(kind::policy).state, status::resource_state::elsewhere);
    h.advance(500ms);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(rules(), 1U);
    EXPECT_EQ(routes(), 1U);
    EXPECT_EQ(h.resource(kind::policy).state, status::resource_state::here);
    advance_with_peer(900ms, 200);
    ASSERT_EQ(h.state(), state::backup);
    EXPECT_EQ(rules(), 1U) << "what still arrives is answered by the right interface";
    advance_with_peer(300ms, 200);
    EXPECT_EQ(rules() + routes(), 0U);
}

TEST_F(policies_test, the_kernel_is_asked_before_an_advert_goes_out)
{
    h.start();
    h.order.clear();
    h.advance(361ms);
    ASSERT_EQ(h.state(), state::active);
    std::erase(h.order, "http");
    ASSERT_GE(h.order.size(), 4U);
    EXPECT_EQ((std::vector<std::string>{h.order.begin(), h.order.begin() + 4}),
              (std::vector<std::string>{"kernel", "kernel", "kernel", "advert"}));
}

TEST_F(policies_test, a_rule_that_somebody_removes_is_put_back)
{
    start_as_active();
    std::vector<net::kernel_event> told;
    h.policies.take(*h.policies.rules.begin(), told);
    tell(told);
    EXPECT_EQ(rules(), 1U);
    EXPECT_EQ(h.log.count({"event=policy_lost", "router=web"}), 1U);
}

TEST_F(policies_test, a_reload_that_changes_the_table_is_no_transition)
{
    start_as_active();
    const auto epoch = h.router().epoch;
    h.reload(changed([](auto& c) { c.routers[0].policies = {policy(200, 90)}; }));
    EXPECT_EQ(h.router().epoch, epoch);
    EXPECT_EQ(table_of_rule(), 200U);
    EXPECT_EQ(rules(), 1U);
    EXPECT_EQ(routes(), 1U);
}

TEST_F(policies_test, a_policy_that_moves_to_another_router_is_there_all_the_time)
{
    start_as_active();
    const auto without = h.log.count({"event=policy"});
    h.reload(changed([](auto& c) {
        c.routers[0].name = "renamed";
        c.routers[0].vrid = 52;
    }));
    h.advance(2s);
    EXPECT_EQ(rules(), 1U);
    EXPECT_EQ(routes(), 1U);
    EXPECT_EQ(h.log.count({"event=policy_lost"}), 0U);
    EXPECT_EQ(h.log.count({"event=policy"}), without) << "nobody had anything to change";
}

TEST_F(policies_test, a_shutdown_undoes_what_follows_the_address_and_keeps_what_is_the_nodes)
{
    configuration = changed([](auto& c) { c.policies = {policy(300, 80)}; });
    h.replace(configuration);
    start_as_active();
    EXPECT_EQ(rules(), 2U);
    h.tell(shut_down{});
    h.advance(2s);
    EXPECT_TRUE(h.is_stopped);
    EXPECT_EQ(rules(), 1U);
    EXPECT_EQ(table_of_rule(), 300U);
}

TEST_F(policies_test, a_policy_of_the_node_is_there_from_the_start_and_kept_up)
{
    configuration = changed([](auto& c) { c.policies = {policy(300, 80)}; });
    h.replace(configuration);
    start_as_backup();
    EXPECT_EQ(rules(), 1U);
    EXPECT_EQ(routes(), 1U);
    std::vector<net::kernel_event> told;
    h.policies.take(h.policies.routes.begin()->first, told);
    tell(told);
    EXPECT_EQ(routes(), 1U);
    const auto all = h.node->snapshot(h.now).policies;
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].name, "table 300");
    EXPECT_EQ(all[0].state, status::resource_state::here);
    EXPECT_EQ(all[0].repairs, 1U);
    h.reload(changed([](auto& c) { c.policies.clear(); }));
    EXPECT_EQ(rules() + routes(), 0U) << "it goes with its entry";
}

TEST_F(policies_test, what_a_killed_predecessor_left_is_removed_and_what_others_have_is_not)
{
    net::policy_rule left;
    left.priority = 70;
    left.table = 70;
    h.policies.rules.insert(left);
    net::route old_route;
    old_route.key.table = 70;
    h.policies.routes.emplace(old_route.key, old_route);
    auto foreign = left;
    foreign.table = 71;
    h.policies.foreign_rules.insert(foreign);
    start_as_backup();
    EXPECT_EQ(rules() + routes(), 0U);
    EXPECT_EQ(h.policies.foreign_rules.size(), 1U);
    EXPECT_EQ(h.log.count({"event=policy_remains", "found=2"}), 1U);
    // Later on it may be a second vipd's.
    h.policies.rules.insert(left);
    h.kernel(net::rule_seen{left});
    h.advance(100ms);
    EXPECT_EQ(rules(), 1U);
}

TEST_F(policies_test, what_a_predecessor_left_stays_until_an_active_knows_its_interface)
{
    // By rules of a table of their own replies leave through it; which link that is depends on what EC2 says of its tags.
    configuration = changed([](auto& c) { c.routers[0].enis.emplace_back().match.tags = {{"Name", "floating"}}; });
    h.replace(configuration);
    start_as_active();
    net::policy_rule left;
    left.priority = 12112;
    left.table = 112007;
    h.policies.rules.insert(left);
    const auto before = rules();
    h.succeed(80ms);
    h.start();
    ASSERT_EQ(h.state(), state::active);
    h.advance(200ms);
    EXPECT_EQ(rules(), before) << "it is not known yet whether it is the interface's";
    h.hear(200);
    ASSERT_EQ(h.state(), state::backup);
    h.advance(200ms);
    EXPECT_FALSE(h.policies.rules.contains(left));
    EXPECT_EQ(h.log.count({"event=policy_remains", "found=1"}), 1U);
}

TEST_F(policies_test, a_policy_of_the_node_that_becomes_a_routers_is_there_all_the_time)
{
    configuration = changed([](auto& c) { c.policies = std::exchange(c.routers[0].policies, {}); });
    h.replace(configuration);
    start_as_active();
    h.reload(changed([](auto& c) { c.routers[0].policies = std::exchange(c.policies, {}); }));
    h.advance(1s);
    EXPECT_EQ(rules(), 1U);
    EXPECT_EQ(h.log.count({"event=policy_lost"}), 0U);
    EXPECT_EQ(h.log.count({"event=policy", "removed=1"}), 0U);
}

// --- announcements ---

class announcements_test : public node_test {
protected:
    announcements_test()
    {
        configuration = changed([](auto& c) {
            c.routers[0].announce = config::announce_section{};
            c.routers[0].addresses[0].interface = "ens5";
        });
        h.replace(configuration);
    }
};

TEST_F(announcements_test, five_go_out_when_the_address_is_there_and_five_more_after_five_seconds)
{
    h.start();
    h.advance(361ms);
    ASSERT_EQ(h.state(), state::active);
    ASSERT_EQ(h.announcements.size(), 5U);
    EXPECT_EQ(h.announcements[0].link_index, 2);
    EXPECT_EQ(h.announcements[0].address.to_string(), "172.16.1.100");
    h.advance(4900ms);
    EXPECT_EQ(h.announcements.size(), 5U);
    h.advance(200ms);
    EXPECT_EQ(h.announcements.size(), 10U);
    h.advance(1min);
    EXPECT_EQ(h.announcements.size(), 10U);
    EXPECT_EQ(h.router().announcements_sent, 10U);
}

TEST_F(announcements_test, nobody_hears_of_an_address_that_the_kernel_refused)
{
    h.kernel_error = 1;
    h.start();
    h.advance(2s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_TRUE(h.announcements.empty());
}

TEST_F(announcements_test, a_backup_says_no_more)
{
    h.start();
    h.advance(361ms);
    ASSERT_EQ(h.announcements.size(), 5U);
    advance_with_peer(6s, 200);
    EXPECT_EQ(h.announcements.size(), 5U);
}

// Two were Active, and the neighbours may have believed the other one last.
TEST_F(announcements_test, they_go_out_again_when_a_lower_priority_or_the_end_of_another_active_is_heard)
{
    h.start();
    h.advance(361ms);
    ASSERT_EQ(h.state(), state::active);
    for (const std::uint8_t priority : {std::uint8_t{50}, std::uint8_t{0}}) {
        h.advance(20s);
        const auto before = h.announcements.size();
        // The second one is not news.
        for (int i = 0; i < 2; ++i) {
            h.hear(priority);
            h.advance(1ms);
            EXPECT_EQ(h.announcements.size(), before + 5) << int{priority};
        }
    }
}

TEST_F(announcements_test, an_address_on_the_loopback_is_announced_on_the_routers_interface)
{
    configuration = changed([](auto& c) { c.routers[0].addresses[0].interface = "lo"; });
    h.replace(configuration);
    h.start();
    h.advance(361ms);
    ASSERT_EQ(h.announcements.size(), 5U);
    EXPECT_EQ(h.announcements[0].link_index, 2);
}

TEST_F(announcements_test, an_address_that_was_there_all_the_time_is_announced_by_the_new_active)
{
    configuration = changed([](auto& c) { c.routers[0].addresses[0].when = config::address_lifetime::always; });
    h.replace(configuration);
    start_as_backup();
    EXPECT_TRUE(h.has_local(vip));
    EXPECT_TRUE(h.announcements.empty()) << "that a Backup has it is nobody's business";
    h.advance(500ms);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.announcements.size(), 5U);
}

TEST_F(announcements_test, nothing_is_said_unless_it_is_asked_for)
{
    configuration = changed([](auto& c) { c.routers[0].announce.reset(); });
    h.replace(configuration);
    start_as_active();
    EXPECT_TRUE(h.announcements.empty());
}

}  // namespace
}  // namespace vipd::node
