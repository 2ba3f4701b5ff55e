#include "agent/io/resolver.hpp"

#include "agent/io/clock.hpp"
#include "tests/integration/io/dns_server.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

const ip_address v4_one = ip_address::v4(192, 0, 2, 1);
const ip_address v4_two = ip_address::v4(192, 0, 2, 2);
const ip_address v6_one = *ip_address::parse("2001:db8::1");

struct resolver_test : reactor_fixture {
    // What is not in here does not exist.
    std::map<std::string, dns_reply> v4;
    std::map<std::string, dns_reply> v6;
    unsigned questions_to_ignore = 0;
    dns_server dns{context, [this](const dns_question& q) { return reply(q); }};
    resolver::settings settings;
    std::unique_ptr<resolver> names;

    std::optional<dns_reply> reply(const dns_question& q)
    {
        if (questions_to_ignore > 0) {
            --questions_to_ignore;
            return std::nullopt;
        }
        const auto& zone = q.is_v6 ? v6 : v4;
        const auto& other = q.is_v6 ? v4 : v6;
        if (const auto found = zone.find(q.name); found != zone.end()) {
            return found->second;
        }
        return dns_reply{.addresses = {}, .code = other.contains(q.name) ? 0U : 3U};
    }

    // However the machine searches for names: one with a dot is asked for as it is, first of all.
    void SetUp() override { ::setenv("RES_OPTIONS", "ndots:1", 1); }
    void TearDown() override { ::unsetenv("RES_OPTIONS"); }

    void open()
    {
        settings.servers = dns.address();
        names = std::make_unique<resolver>(context, log, settings);
    }

    // Empty when it was not at hand.
    std::optional<resolver::answer> ask(const std::string& name)
    {
        std::optional<resolver::answer> got;
        names->resolve(name, [&](const resolver::answer& a) { got = a; });
        return got;
    }
    resolver::answer resolve(const std::string& name)
    {
        auto got = std::make_shared<std::optional<resolver::answer>>();
        names->resolve(name, [got](const resolver::answer& a) {
            EXPECT_FALSE(*got) << "told twice";
            *got = a;
        });
        run_until([&] { return got->has_value(); });
        return got->value_or(error{error_class::timed_out, "hangs"});
    }
    static std::vector<ip_address> sorted(const resolver::answer& answer)
    {
        if (!answer) {
            ADD_FAILURE() << answer.error().text;
            return {};
        }
        auto addresses = *answer;
        std::ranges::sort(addresses);
        return addresses;
    }
    std::vector<ip_address> addresses_of(const std::string& name) { return sorted(resolve(name)); }

    void let_pass(duration time)
    {
        const auto end = steady_now() + time;
        while (steady_now() < end) {
            context.restart();
            context.run_one_until(to_steady_clock(end));
        }
    }
    // What was sent is there already: on the loopback a datagram arrives in the call that sends it, as a rule.
    std::size_t count_of_questions()
    {
        context.restart();
        context.poll();
        return dns.questions().size();
    }
    [[nodiscard]] std::size_t logged(std::string_view text) const
    {
        return static_cast<std::size_t>(
            std::ranges::count_if(log.lines, [&](const auto& line) { return line.find(text) != std::string::npos; }));
    }
};

// --- answers ---

TEST_F(resolver_test, addresses_of_both_families_are_asked_for_and_given_out_together)
{
    v4["ec2.test.example"] = {{v4_one, v4_two}};
    v6["ec2.test.example"] = {{v6_one}};
    open();
    EXPECT_EQ(addresses_of("ec2.test.example"), (std::vector{v4_one, v4_two, v6_one}));
    ASSERT_EQ(dns.questions().size(), 2U);
    EXPECT_NE(dns.questions()[0].is_v6, dns.questions()[1].is_v6);
    EXPECT_TRUE(log.lines.empty());
}

TEST_F(resolver_test, one_family_is_enough)
{
    v4["v4.test.example"] = {{v4_one}};
    v6["v6.test.example"] = {{v6_one}};
    open();
    EXPECT_EQ(addresses_of("v4.test.example"), std::vector{v4_one});
    EXPECT_EQ(addresses_of("v6.test.example"), std::vector{v6_one});
}

TEST_F(resolver_test, an_alias_leads_to_the_addresses_behind_it)
{
    v4["v4.test.example"] = {.addresses = {v4_one}, .alias_of = "a.test.example"};
    v6["v4.test.example"] = {.addresses = {}, .alias_of = "a.test.example"};
    v4["v6.test.example"] = {.addresses = {}, .alias_of = "a.test.example"};
    v6["v6.test.example"] = {.addresses = {v6_one}, .alias_of = "a.test.example"};
    open();
    EXPECT_EQ(addresses_of("v4.test.example"), std::vector{v4_one});
    EXPECT_EQ(addresses_of("v6.test.example"), std::vector{v6_one});
}

TEST_F(resolver_test, what_does_not_fit_into_a_datagram_is_fetched_over_tcp)
{
    std::vector<ip_address> many;
    for (std::uint8_t i = 1; i <= 10; ++i) {
        many.push_back(ip_address::v4(192, 0, 2, i));
    }
    v4["many.test.example"] = {many};
    settings.try_time = 10s;
    dns_server truncating(context, [&](const dns_question& q) {
        auto told = reply(q);
        if (told && !q.over_tcp && !q.is_v6) {
            told->truncated = true;
            told->addresses.clear();
        }
        return told;
    });
    settings.servers = truncating.address();
    names = std::make_unique<resolver>(context, log, settings);
    EXPECT_EQ(addresses_of("many.test.example"), many);
    EXPECT_TRUE(truncating.questions().back().over_tcp);
}

TEST_F(resolver_test, nobody_is_asked_for_a_literal)
{
    open();
    const auto got = ask("2001:db8::1");
    ASSERT_TRUE(got && *got);
    EXPECT_EQ(**got, std::vector{v6_one});
    EXPECT_EQ(count_of_questions(), 0U);
}

TEST_F(resolver_test, those_who_ask_at_the_same_time_share_one_question)
{
    v4["ec2.test.example"] = {{v4_one}};
    open();
    unsigned told = 0;
    for (int i = 0; i < 5; ++i) {
        names->resolve("ec2.test.example", [&](const resolver::answer& a) { told += a ? 1U : 0U; });
    }
    run_until([&] { return told == 5; });
    EXPECT_EQ(dns.questions().size(), 2U);
}

TEST_F(resolver_test, no_thread_is_started)
{
    v4["ec2.test.example"] = {{v4_one}};
    open();
    addresses_of("ec2.test.example");
    std::ifstream status{"/proc/self/status"};
    std::string threads;
    for (std::string line; std::getline(status, line);) {
        threads = line.starts_with("Threads:") ? line : threads;
    }
    EXPECT_EQ(threads, "Threads:\t1");
}

// --- how long an answer is good for ---

TEST_F(resolver_test, within_its_time_to_live_a_name_is_not_asked_for_again)
{
    v4["ec2.test.example"] = {{v4_one}, 250};
    open();
    addresses_of("ec2.test.example");
    const auto at_hand = ask("ec2.test.example");
    ASSERT_TRUE(at_hand);
    EXPECT_EQ(sorted(*at_hand), std::vector{v4_one});
    EXPECT_EQ(count_of_questions(), 2U);
}

TEST_F(resolver_test, past_its_time_to_live_the_old_answer_is_given_and_a_new_one_fetched)
{
    settings.keep_min = 0s;
    v4["ec2.test.example"] = {{v4_one}, 1};
    v6["ec2.test.example"] = {{v6_one}, 250};
    open();
    addresses_of("ec2.test.example");
    v4["ec2.test.example"] = {{v4_two}, 250};
    let_pass(1s);
    const auto at_hand = ask("ec2.test.example");
    ASSERT_TRUE(at_hand) << "nobody waits for a name that is known";
    EXPECT_EQ(sorted(*at_hand), (std::vector{v4_one, v6_one}));
    run_until([&] { return sorted(ask("ec2.test.example").value()) == std::vector{v4_two, v6_one}; });
    EXPECT_EQ(dns.questions().size(), 4U);
}

TEST_F(resolver_test, a_time_to_live_is_cut_to_what_is_sensible)
{
    settings.keep_min = 1h;
    settings.keep_max = 2h;
    v4["brief.test.example"] = {{v4_one}, 0};
    open();
    addresses_of("brief.test.example");
    ask("brief.test.example");
    EXPECT_EQ(count_of_questions(), 2U);
    settings.keep_min = 0s;
    settings.keep_max = 50ms;
    v4["endless.test.example"] = {{v4_one}, 0x7fffffff};
    open();
    addresses_of("endless.test.example");
    let_pass(50ms);
    ask("endless.test.example");
    run_until([&] { return dns.questions().size() == 6; });
}

// --- servers that do not answer ---

TEST_F(resolver_test, a_question_that_was_lost_is_asked_again)
{
    settings.try_time = 100ms;
    v4["ec2.test.example"] = {{v4_one}};
    v6["ec2.test.example"] = {{v6_one}};
    questions_to_ignore = 2;
    open();
    EXPECT_EQ(addresses_of("ec2.test.example"), (std::vector{v4_one, v6_one}));
    EXPECT_EQ(dns.questions().size(), 4U);
    EXPECT_TRUE(log.lines.empty());
}

TEST_F(resolver_test, silence_is_told_in_the_end_and_the_next_one_who_asks_begins_anew)
{
    settings.try_time = 50ms;
    v4["ec2.test.example"] = {{v4_one}};
    questions_to_ignore = 1000;
    open();
    const auto failed = resolve("ec2.test.example");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, error_class::unavailable);
    EXPECT_NE(failed.error().text.find("ec2.test.example"), std::string::npos) << failed.error().text;
    EXPECT_EQ(logged("event=dns_failed name=ec2.test.example"), 1U);
    EXPECT_EQ(dns.questions().size(), 4U) << "each family twice";
    questions_to_ignore = 0;
    EXPECT_EQ(addresses_of("ec2.test.example"), std::vector{v4_one});
}

TEST_F(resolver_test, a_name_that_does_not_exist_is_told_and_may_exist_later)
{
    open();
    const auto failed = resolve("ec2.test.example");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, error_class::unavailable);
    EXPECT_EQ(logged("event=dns_failed name=ec2.test.example"), 1U);
    v4["ec2.test.example"] = {{v4_one}};
    EXPECT_EQ(addresses_of("ec2.test.example"), std::vector{v4_one});
}

TEST_F(resolver_test, the_old_answer_stays_while_the_server_is_down)
{
    settings.keep_min = 0s;
    settings.keep_max = 0s;
    settings.try_time = 50ms;
    v4["ec2.test.example"] = {{v4_one}};
    open();
    addresses_of("ec2.test.example");
    dns.go_down();
    for (std::size_t failures = 0; failures < 3; ++failures) {
        const auto at_hand = ask("ec2.test.example");
        ASSERT_TRUE(at_hand);
        EXPECT_EQ(sorted(*at_hand), std::vector{v4_one});
        run_until([&] { return logged("event=dns_failed") == failures + 1; });
    }
    EXPECT_EQ(logged("kept=1"), 3U);
    v4["ec2.test.example"] = {{v4_two}};
    dns.come_up();
    run_until([&] { return sorted(ask("ec2.test.example").value()) == std::vector{v4_two}; });
}

TEST_F(resolver_test, more_names_than_anybody_needs_are_refused)
{
    open();
    for (int i = 0; i < 256; ++i) {
        names->resolve("host" + std::to_string(i) + ".test.example", [](const auto&) {});
    }
    const auto refused = ask("one-more.test.example");
    ASSERT_TRUE(refused);
    EXPECT_FALSE(*refused);
}

TEST_F(resolver_test, a_name_that_nobody_has_asked_for_for_the_longest_time_makes_room)
{
    v4["ec2.test.example"] = {{v4_one}, 250};
    v4["old.test.example"] = {{v4_one}, 250};
    v4["new.test.example"] = {{v4_two}, 250};
    open();
    addresses_of("ec2.test.example");
    addresses_of("old.test.example");
    for (int i = 0; i < 254; ++i) {
        EXPECT_FALSE(resolve("host" + std::to_string(i) + ".test.example"));
    }
    EXPECT_TRUE(ask("ec2.test.example"));
    EXPECT_EQ(addresses_of("new.test.example"), std::vector{v4_two});
    const auto count = count_of_questions();
    EXPECT_TRUE(ask("ec2.test.example")) << "it was asked for since";
    EXPECT_TRUE(ask("new.test.example"));
    EXPECT_EQ(count_of_questions(), count);
    EXPECT_EQ(addresses_of("old.test.example"), std::vector{v4_one});
    EXPECT_EQ(count_of_questions(), count + 2) << "it made room";
}

}  // namespace
}  // namespace vipd::io
