// What a node knows of EC2 and can find out again only in time: its priority is the same on both sides of a restart in place.

#include "tests/unit/node/node_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vipd::node {
namespace {

TEST(succession_of_ec2, that_an_older_version_has_not_left_is_a_path_that_works_and_no_notice)
{
    for (const std::string more : {"", R"(,"ec2_path":null,"notices":null)"}) {
        const auto read = parse_succession(R"({"format":1,"maintenance":true,"routers":[],"addresses":[])" + more + "}");
        ASSERT_TRUE(read.has_value()) << read.error().text;
        EXPECT_EQ(*read, (succession{true, {}}));
    }
}

TEST(succession_of_ec2, is_understood_however_long_the_trouble_of_a_path_is)
{
    succession s;
    s.ec2_path = {time_point{9s}, std::string(2 * trouble_size_max, 'x')};
    const auto read = parse_succession(format_succession(s));
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(read->ec2_path->trouble, std::string(trouble_size_max, 'x'));
    s.ec2_path->trouble = "time\nout \xff";
    EXPECT_EQ(parse_succession(format_succession(s)).value().ec2_path->trouble, "time out ?");
}

TEST(succession_of_ec2, that_is_malformed_or_too_long_is_refused_whole)
{
    const std::string event = R"({"kind":"scheduled event","what":"system-reboot","at":"2026-09-21T14:13:20Z"})";
    const auto good = R"({"format":1,"maintenance":true,"routers":[],)"
                      R"("ec2_path":{"broken_since_nanoseconds":9,"trouble":"timeout"},"notices":[)" +
                      event + "]}";
    const auto read = parse_succession(good);
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(read->notices.size(), 1U);
    const auto quoted = [](std::size_t size) { return '"' + std::string(size, 'x') + '"'; };
    const std::vector<std::pair<std::string, std::string>> changes{
        {R"({"broken_since_nanoseconds":9,"trouble":"timeout"})", "7"},
        {"9,", "-1,"},
        {"9,", "null,"},
        {R"("timeout")", "null"},
        {R"("timeout")", quoted(trouble_size_max + 1)},
        {R"("timeout")", R"("time\nout")"},
        {"[" + event + "]", "7"},
        {event, "7"},
        {event, event + "," + event},
        {R"("scheduled event")", R"("eclipse")"},
        {R"("system-reboot")", "null"},
        {R"("system-reboot")", quoted(aws::notice_what_size_max + 1)},
        {R"("2026-09-21T14:13:20Z")", "null"},
        {R"("2026-09-21T14:13:20Z")", R"("soon")"},
        {R"("2026-09-21T14:13:20Z")", R"("2300-01-01T00:00:00Z")"},
    };
    for (const auto& [from, to] : changes) {
        auto text = good;
        const auto at = text.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
        EXPECT_FALSE(parse_succession(text).has_value()) << text;
    }
}

class succession_path_test : public node_test {
protected:
    succession_path_test()
    {
        configuration = changed([](auto& c) { c.routers[0].api_weight = -60; });
        h.replace(configuration);
    }

    void lose_ec2()
    {
        h.intercept = [](const aws::http_exchange&) { return std::optional{node_harness::failure(true, "timeout")}; };
    }
    void restart(std::shared_ptr<const config::configuration> next = nullptr)
    {
        h.adverts.clear();
        h.succeed(80ms, std::move(next));
        h.start();
    }
    void be_a_backup_without_ec2()
    {
        start_as_backup();
        lose_ec2();
        advance_with_peer(1min, 200);
        ASSERT_EQ(h.router().effective_priority, 40);
    }
};

TEST_F(succession_path_test, an_active_whose_path_is_broken_goes_on_with_its_priority)
{
    start_as_active();
    lose_ec2();
    h.advance(1min);
    ASSERT_EQ(h.router().effective_priority, 40);
    for (int i = 0; i < 2; ++i) {
        restart();
        ASSERT_EQ(h.state(), state::active);
        h.advance(20s);
        EXPECT_TRUE(std::ranges::all_of(h.adverts, [](const auto& a) { return a.priority == 40; }));
        EXPECT_GT(h.adverts.size(), 190U);
    }
    EXPECT_EQ(h.router().epoch, 1U);
    EXPECT_EQ(h.log.count({"event=priority"}), 1U);
    EXPECT_EQ(h.log.count({"event=ec2_path"}), 1U) << "it is no news";
}

TEST_F(succession_path_test, a_backup_whose_path_is_broken_takes_over_with_its_priority)
{
    be_a_backup_without_ec2();
    restart();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.router().effective_priority, 40);
    h.advance(1s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.front().priority, 40);
}

TEST_F(succession_path_test, a_path_that_is_broken_does_not_begin_to_be_so)
{
    be_a_backup_without_ec2();
    const auto before = *h.node->snapshot(h.now).ec2_path;
    restart();
    const auto after = *h.node->snapshot(h.now).ec2_path;
    EXPECT_FALSE(after.works);
    EXPECT_EQ(after.trouble, before.trouble);
    EXPECT_EQ(*after.age, *before.age + 80ms);
}

TEST_F(succession_path_test, a_path_has_to_hold_for_thirty_seconds_after_a_restart_too)
{
    be_a_backup_without_ec2();
    h.intercept = nullptr;
    restart();
    advance_with_peer(29s, 200);
    EXPECT_EQ(h.router().effective_priority, 40);
    advance_with_peer(31s, 200);
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_EQ(h.log.count({"event=ec2_path", "state=works"}), 1U);
}

// A router that moves no route: nothing is read but what the period says.
TEST_F(succession_path_test, a_path_that_is_broken_is_looked_at_often_from_the_start)
{
    configuration = changed([](auto& c) {
        c.aws.reconcile_period = 1h;
        c.routers[0].routes.clear();
        c.routers[0].secondary_ips = {{ip_address::v4(10, 0, 1, 100), "", aws::network_interface_id{me}}};
    });
    h.replace(configuration);
    lose_ec2();
    be_a_backup_without_ec2();
    h.intercept = nullptr;
    restart();
    EXPECT_EQ(h.router().effective_priority, 40);
    advance_with_peer(1min, 200);
    EXPECT_EQ(h.router().effective_priority, 100);
}

TEST_F(succession_path_test, a_sync_group_goes_on_with_its_priority)
{
    configuration = changed([](auto& c) {
        auto second = c.routers[0];
        second.name = "second";
        second.vrid = 52;
        second.api_weight = -5;
        second.addresses[0].address = *ip_prefix::parse("172.16.1.200/32");
        c.routers.push_back(second);
        c.sync_groups = {{"both", {"web", "second"}}};
    });
    h.replace(configuration);
    start_as_active();
    lose_ec2();
    h.advance(1min);
    restart();
    for (const std::uint32_t index : {0U, 1U}) {
        EXPECT_EQ(h.state(index), state::active);
        const auto first = std::ranges::find(h.adverts, index, &test::sent_advert::router);
        ASSERT_NE(first, h.adverts.end());
        EXPECT_EQ(first->priority, 35);
    }
}

TEST_F(succession_path_test, what_needs_nothing_in_aws_any_more_forgets_the_path)
{
    be_a_backup_without_ec2();
    restart(changed([](auto& c) { c.routers[0].routes.clear(); }));
    advance_with_peer(1s, 200);
    h.reload(configuration);
    EXPECT_EQ(h.router().effective_priority, 100);
}

TEST_F(succession_path_test, a_path_that_works_is_left_as_one)
{
    start_as_active();
    restart();
    EXPECT_EQ(h.adverts.front().priority, 100);
    EXPECT_TRUE(h.node->snapshot(h.now).ec2_path->works);
}

class succession_notice_test : public node_test {
protected:
    succession_notice_test()
    {
        configuration = changed([](auto& c) { c.notices = {.spot = true, .rebalance = true, .scheduled_events = true}; });
        h.replace(configuration);
        h.intercept = [this](const aws::http_exchange& exchange) -> std::optional<aws::http_result> {
            if (exchange.origin.tls) {
                return std::nullopt;
            }
            if (!imds_answers) {
                return node_harness::failure(true, "timeout");
            }
            const auto& target = exchange.request.target;
            const auto found = said.find(target.substr(target.rfind('/') + 1));
            return found == said.end() ? aws::http_result{aws::http_response{404, {}, ""}, {}, never, {}}
                                       : aws::http_result{aws::http_response{200, {}, found->second}, {}, never, {}};
        };
    }

    void announce() { said["instance-action"] = R"({"action":"stop","time":"2026-06-01T00:30:00.5Z"})"; }
    void call_off() { said.erase("instance-action"); }
    void restart(std::shared_ptr<const config::configuration> next = nullptr)
    {
        h.adverts.clear();
        h.succeed(80ms, std::move(next));
        h.start();
    }
    void be_a_backup_that_is_about_to_go()
    {
        start_as_backup();
        announce();
        advance_with_peer(6s, 200);
        ASSERT_EQ(h.router().effective_priority, 1);
    }

    bool imds_answers = true;
    std::map<std::string, std::string> said{{"token", "token"}};
};

TEST_F(succession_notice_test, an_active_that_is_about_to_go_serves_on_with_its_priority)
{
    start_as_active();
    announce();
    h.advance(10s);
    ASSERT_EQ(h.state(), state::active);
    ASSERT_EQ(h.router().effective_priority, 1);
    const auto epoch = h.router().epoch;
    restart();
    ASSERT_EQ(h.state(), state::active);
    h.advance(10s);
    EXPECT_EQ(h.router().epoch, epoch);
    EXPECT_GT(h.adverts.size(), 90U);
    EXPECT_TRUE(std::ranges::all_of(h.adverts, [](const auto& a) { return a.priority == 1; }));
    EXPECT_EQ(h.log.count({"event=notice"}), 1U) << "it is no news";
}

TEST_F(succession_notice_test, a_backup_that_is_about_to_go_takes_over_with_its_priority)
{
    be_a_backup_that_is_about_to_go();
    restart();
    EXPECT_EQ(h.state(), state::backup);
    EXPECT_EQ(h.router().effective_priority, 1);
    EXPECT_EQ(h.node->snapshot(h.now).notice->what, "stop");
    imds_answers = false;
    h.advance(1s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.adverts.front().priority, 1);
}

TEST_F(succession_notice_test, what_was_announced_stands_while_imds_does_not_answer)
{
    be_a_backup_that_is_about_to_go();
    imds_answers = false;
    for (int i = 0; i < 2; ++i) {
        restart();
        advance_with_peer(1min, 200);
        EXPECT_EQ(h.router().effective_priority, 1);
    }
}

TEST_F(succession_notice_test, what_was_called_off_meanwhile_is_known_with_the_first_answer)
{
    be_a_backup_that_is_about_to_go();
    call_off();
    restart();
    EXPECT_EQ(h.router().effective_priority, 1);
    advance_with_peer(6s, 200);
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_FALSE(h.node->snapshot(h.now).notice);
    EXPECT_EQ(h.log.count({"event=notice", "state=\"called off\""}), 1U);
}

TEST_F(succession_notice_test, an_event_that_was_heard_of_ahead_counts_when_it_is_near)
{
    said["scheduled"] = R"([{"NotBefore":"1 Jun 2026 00:05:00 GMT","Code":"system-reboot","EventId":"e","State":"active"}])";
    start_as_backup();
    advance_with_peer(10s, 200);
    imds_answers = false;
    restart();
    EXPECT_EQ(h.router().effective_priority, 100);
    advance_with_peer(3min, 200);
    EXPECT_EQ(h.router().effective_priority, 1);
}

TEST_F(succession_notice_test, one_that_the_next_file_does_not_ask_for_is_forgotten)
{
    be_a_backup_that_is_about_to_go();
    imds_answers = false;
    restart(changed([](auto& c) { c.notices.spot = false; }));
    EXPECT_EQ(h.router().effective_priority, 100);
}

}  // namespace
}  // namespace vipd::node
