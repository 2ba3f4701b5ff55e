// An IPv6 address of which duplicate address detection has found that another node has it.

#include "agent/takeover/local_resources.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0 = time_point{1000s};
constexpr auto of_another_node = "it is another node's as well, as duplicate address detection has found";

class duplicate_address : public testing::Test {
protected:
    duplicate_address()
    {
        links.apply(net::link_seen{{1, "lo", "", true, true}});
        links.apply(net::dump_done{});
    }

    void want(config::address_lifetime when = config::address_lifetime::while_active)
    {
        config::router r;
        auto& entry = r.addresses.emplace_back();
        entry.address = vip;
        entry.interface = "lo";
        entry.nodad = false;
        entry.when = when;
        a.want(local_items(r));
        a.start(now, links);
    }

    void tell(const net::kernel_event& event)
    {
        links.apply(event);
        a.kernel_changed(now, links, event);
    }
    void tell_found(bool tentative, bool duplicate) { tell(net::address_seen{{1, vip, tentative, duplicate}}); }

    // Lets the kernel do what is asked, and find the other node at once.
    void perform()
    {
        while (const auto change = a.poll_output()) {
            const auto id = ids.next();
            a.issued(change->entry, id);
            const bool adds = std::holds_alternative<net::add_address>(change->what);
            (adds ? added : removed).push_back(now);
            adds ? tell_found(true, false) : tell(net::address_gone{{1, vip}});
            a.answered(now, {id, 0, ""}, links);
            if (adds && another_has_it) {
                tell_found(true, true);
            }
        }
    }

    // Every wake-up before `end`, each at its time.
    void pass_until(time_point end)
    {
        for (perform(); a.next_wakeup().at < end; perform()) {
            now = std::max(now + 1ms, a.next_wakeup().at);
            a.handle_timeout(now, links);
        }
        now = end;
    }

    [[nodiscard]] status::resource seen() const
    {
        std::vector<status::resource> all;
        a.snapshot(links, all);
        return all.at(0);
    }

    test::recording_log log;
    status::journal journal{log, 100};
    net::link_table links;
    struct no_needs final : local_needs {
        [[nodiscard]] bool is_needed_elsewhere(const local_value&, const local_resources&) const override { return false; }
    };
    no_needs others;
    local_resources a{"web", 1, journal, others};
    id_source<net::kernel_request_id> ids;
    ip_prefix vip = *ip_prefix::parse("fd00::100/128");
    time_point now = t0;
    bool another_has_it = true;
    std::vector<time_point> added;
    std::vector<time_point> removed;
};

TEST_F(duplicate_address, is_added_anew_until_the_other_node_lets_go)
{
    want();
    a.become_active(now, links);
    pass_until(t0 + 10min);
    EXPECT_GE(added.size(), 60U);
    EXPECT_LE(added.size(), 200U) << "with pauses that grow";
    for (std::size_t i = 1; i < added.size(); ++i) {
        EXPECT_LE(added.at(i) - added.at(i - 1), 10200ms);
    }
    EXPECT_EQ(removed.size(), added.size() - 1);
    EXPECT_EQ(seen().failures, added.size());
    EXPECT_EQ(seen().repairs, 0U);
    EXPECT_EQ(seen().state, status::resource_state::taking);
    EXPECT_EQ(a.take_arrived().size(), 1U) << "no neighbour is told of what another node has";

    another_has_it = false;
    const auto before = added.size();
    pass_until(t0 + 11min);
    EXPECT_EQ(added.size(), before + 1);
    EXPECT_EQ(seen().last_error, of_another_node) << "it is not known yet that it is not";
    tell_found(false, false);
    EXPECT_TRUE(a.all_here(links));
    EXPECT_EQ(seen().last_error, "");
    EXPECT_EQ(a.take_arrived().size(), 1U);
    EXPECT_EQ(a.next_wakeup().at, never);
}

TEST_F(duplicate_address, is_told_once_a_minute_and_when_it_has_come_after_all)
{
    want();
    a.become_active(now, links);
    pass_until(t0 + 5min);
    EXPECT_GE(log.count({"warning event=address", "outcome=duplicate", "address=fd00::100/128"}), 4U);
    EXPECT_LE(log.count({"event=address"}), 7U);
    another_has_it = false;
    pass_until(t0 + 6min);
    EXPECT_EQ(log.count({"outcome=added"}), 1U);
    tell_found(false, false);
    EXPECT_EQ(log.count({"outcome=added"}), 2U);
    a.leave_active(now);
    pass_until(now + 1s);
    EXPECT_EQ(log.count({"outcome=removed"}), 1U);
}

TEST_F(duplicate_address, says_so_throughout)
{
    want();
    a.become_active(now, links);
    perform();
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(seen().last_error, of_another_node);
        now = std::max(now + 1ms, a.next_wakeup().at);
        a.handle_timeout(now, links);
        EXPECT_EQ(seen().last_error, of_another_node);
        perform();
    }
}

TEST_F(duplicate_address, is_removed_at_once_by_an_active_that_leaves_and_let_be_while_it_drains)
{
    want();
    a.become_active(now, links);
    pass_until(t0 + 1min);
    a.leave_active(now + 30s);
    const auto before = removed.size();
    pass_until(t0 + 89s);
    EXPECT_EQ(removed.size(), before);
    pass_until(t0 + 90s + 1ms);
    EXPECT_EQ(removed.size(), before + 1);
    EXPECT_EQ(removed.back(), t0 + 90s);
    EXPECT_EQ(a.next_wakeup().at, never);
}

TEST_F(duplicate_address, that_was_always_there_is_not_touched)
{
    links.apply(net::address_seen{{1, vip, true, true}});
    want(config::address_lifetime::always);
    a.become_active(now, links);
    pass_until(t0 + 1min);
    EXPECT_TRUE(added.empty());
    EXPECT_TRUE(removed.empty());
    EXPECT_EQ(seen().last_error, of_another_node);
}

TEST_F(duplicate_address, that_is_merely_tentative_is_waited_for)
{
    another_has_it = false;
    want();
    a.become_active(now, links);
    pass_until(t0 + 1min);
    EXPECT_EQ(added.size(), 1U);
    EXPECT_TRUE(removed.empty());
    EXPECT_EQ(a.next_wakeup().at, never);
}

}  // namespace
}  // namespace vipd::takeover
