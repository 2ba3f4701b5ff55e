#include "agent/takeover/local_addresses.hpp"

#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0 = time_point{1000s};

class local_addresses_test : public testing::Test {
protected:
    local_addresses_test()
    {
        links.apply(net::link_seen{{1, "lo", "", true, true}});
        links.apply(net::dump_done{});
        a.want({{vip, "lo", config::address_lifetime::while_active}});
    }

    // Issues what is asked and, unless `error` says otherwise, lets the kernel do it.
    std::vector<std::string> perform(time_point now, int error = 0)
    {
        std::vector<std::string> done;
        while (const auto change = a.poll_output()) {
            const auto id = ids.next();
            a.issued(change->entry, id);
            const auto* add = std::get_if<net::add_address>(&change->what);
            const auto value = add != nullptr ? add->value : std::get<net::remove_address>(change->what).value;
            done.push_back((add != nullptr ? "add " : "remove ") + value.address.to_string());
            if (error == 0) {
                links.apply(add != nullptr ? net::kernel_event{net::address_seen{value}} : net::address_gone{value});
                a.kernel_changed(now, links);
            }
            a.answered(now, {id, error, error == 0 ? "" : "Operation not permitted"}, links);
        }
        return done;
    }

    using changes = std::vector<std::string>;

    test::recording_log log;
    status::journal journal{log, 100};
    net::link_table links;
    struct other_needs final : address_needs {
        bool exist = false;
        [[nodiscard]] bool is_needed_elsewhere(const config::address_entry&, const local_addresses&) const override
        {
            return exist;
        }
    };
    other_needs others;
    local_addresses a{"web", 1, journal, others};
    id_source<net::kernel_request_id> ids;
    ip_prefix vip = *ip_prefix::parse("172.16.1.100/32");
};

TEST_F(local_addresses_test, nothing_is_touched_before_the_start)
{
    links.apply(net::address_seen{{1, vip}});
    a.kernel_changed(t0, links);
    EXPECT_EQ(perform(t0), changes{});
}

TEST_F(local_addresses_test, what_a_predecessor_left_is_removed_at_the_start)
{
    links.apply(net::address_seen{{1, vip}});
    a.start(t0, links);
    EXPECT_EQ(perform(t0), changes{"remove 172.16.1.100/32"});
    EXPECT_TRUE(a.settled(links));
}

TEST_F(local_addresses_test, active_adds_and_the_end_of_the_drain_removes)
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

TEST_F(local_addresses_test, becoming_active_again_during_the_drain_keeps_the_address)
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

TEST_F(local_addresses_test, a_refusal_is_repeated_with_backoff_up_to_a_second)
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

TEST_F(local_addresses_test, an_interface_that_is_missing_is_waited_for_without_a_busy_loop)
{
    a.want({{vip, "ens9", config::address_lifetime::while_active}});
    a.start(t0, links);
    a.become_active(t0, links);
    EXPECT_EQ(perform(t0), changes{});
    EXPECT_EQ(a.next_wakeup().at, never);
    links.apply(net::link_seen{{9, "ens9", "", true, true}});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"add 172.16.1.100/32"});
}

TEST_F(local_addresses_test, an_address_that_is_edited_out_is_removed_and_one_for_always_stays)
{
    const auto other = *ip_prefix::parse("172.16.1.200/32");
    a.want({{vip, "lo", config::address_lifetime::while_active}, {other, "lo", config::address_lifetime::always}});
    a.start(t0, links);
    a.become_active(t0, links);
    EXPECT_EQ(perform(t0), (changes{"add 172.16.1.200/32", "add 172.16.1.100/32"}));
    a.want({});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"remove 172.16.1.100/32"});
    EXPECT_TRUE(a.settled(links));
}

TEST_F(local_addresses_test, what_something_else_needs_stays_until_that_has_ended)
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

TEST_F(local_addresses_test, what_was_edited_out_is_left_to_whoever_needs_it)
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

TEST_F(local_addresses_test, one_that_is_removed_by_somebody_else_is_put_back_and_told)
{
    a.start(t0, links);
    a.become_active(t0, links);
    perform(t0);
    links.apply(net::address_gone{{1, vip}});
    a.kernel_changed(t0 + 1s, links);
    EXPECT_EQ(perform(t0 + 1s), changes{"add 172.16.1.100/32"});
    EXPECT_EQ(log.count({"event=address_lost", "router=web"}), 1u);
}

TEST_F(local_addresses_test, a_kernel_that_refuses_again_and_again_is_told_of_once_a_minute_with_a_count)
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

}  // namespace
}  // namespace vipd::takeover
