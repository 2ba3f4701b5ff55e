// An Elastic IP of an address that the same router moves: EC2 refuses to associate it before the address is there.

#include "agent/takeover/takeover.hpp"
#include "tests/support/ec2_builders.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;
using kind = aws::ec2_error_class;

constexpr time_point t0 = time_point{1000s};

class elastic_ip_test : public testing::Test {
protected:
    elastic_ip_test()
    {
        of_address.address = address;
        w.watch(t0, {{of_address, {}}, {of_elastic_ip, {}}});
        t.want(t0, wanted(address), w);
    }

    [[nodiscard]] desired wanted(const std::optional<ip_address>& private_address) const
    {
        desired all;
        all.others = {{of_address, secondary_address{address, eni("eni-me")}},
                      {of_elastic_ip, elastic_ip{allocation, eni("eni-me"), private_address}}};
        return all;
    }

    void become_active(time_point now) { t.become_active(now, now, 1); }

    // The calls that are made now, by their names.
    std::vector<std::string> calls()
    {
        std::vector<std::string> made;
        while (const auto o = t.poll_output()) {
            if (const auto* call = std::get_if<issue_call>(&*o)) {
                made.emplace_back(aws::action_name(call->call));
                tickets[made.back()] = call->ticket;
            }
        }
        return made;
    }

    void answer(const std::string& action, const aws::ec2_reply& reply, time_point now)
    {
        t.answered(now, tickets.at(action), call_done(reply, now, now, now));
    }

    void see_address_at(const char* interface, time_point now)
    {
        query_view view;
        view.read_began = view.read_ended = now;
        view.interfaces[eni(interface)].addresses = {ip_address::v4(10, 0, 1, 10), address};
        t.world_changed(now, of_address, view);
    }

    void see_elastic_ip_at(const char* interface, time_point now)
    {
        query_view view;
        view.read_began = view.read_ended = now;
        auto& seen = view.elastic_addresses[allocation];
        seen.interface = eni(interface);
        seen.private_address = address;
        t.world_changed(now, of_elastic_ip, view);
    }

    status::resource row(time_point now) const
    {
        std::vector<status::resource> rows;
        t.snapshot(now, w, rows);
        return *std::ranges::find(rows, status::resource_kind::elastic_ip, &status::resource::kind);
    }

    using names = std::vector<std::string>;

    recording_log log;
    status::journal journal{log, 100};
    world w{10s, 1};
    ip_address address = ip_address::v4(10, 0, 1, 100);
    aws::allocation_id allocation{"eipalloc-1"};
    interface_query of_address;
    elastic_ip_query of_elastic_ip{allocation};
    interface_registers interfaces;
    takeover t{"web", 1, journal, interfaces};
    std::map<std::string, std::uint64_t> tickets;
};

TEST_F(elastic_ip_test, follows_its_address_in_the_turn_in_which_that_is_accepted)
{
    become_active(t0);
    EXPECT_EQ(calls(), names{"AssignPrivateIpAddresses"});
    EXPECT_EQ(t.next_wakeup().at, never) << "there is nothing to do before the answer";
    EXPECT_EQ(row(t0).state, status::resource_state::taking);
    EXPECT_EQ(row(t0).last_error, "it waits for 10.0.1.100, which is not at eni-me yet");
    answer("AssignPrivateIpAddresses", reply_done(), t0 + 100ms);
    EXPECT_EQ(calls(), names{"AssociateAddress"});
    EXPECT_EQ(row(t0 + 100ms).last_error, "");
    EXPECT_EQ(row(t0 + 100ms).failures, 0U);
}

TEST_F(elastic_ip_test, is_asked_for_beside_an_address_that_was_seen_here)
{
    see_address_at("eni-me", t0);
    become_active(t0);
    EXPECT_EQ(calls(), (names{"AssignPrivateIpAddresses", "AssociateAddress"}));
}

TEST_F(elastic_ip_test, does_not_wait_for_an_address_that_is_not_its_own)
{
    t.want(t0, wanted(ip_address::v4(10, 0, 1, 10)), w);
    become_active(t0);
    EXPECT_EQ(calls(), (names{"AssignPrivateIpAddresses", "AssociateAddress"}));
    answer("AssociateAddress", reply_done(), t0);
    t.leave_active();
    t.want(t0, wanted(std::nullopt), w);
    t.become_active(t0 + 1min, t0 + 1min, 2);
    EXPECT_EQ(calls(), (names{"AssignPrivateIpAddresses", "AssociateAddress"}));
}

TEST_F(elastic_ip_test, waits_for_as_long_as_its_address_is_refused_and_no_longer_than_it_is_not_seen)
{
    become_active(t0);
    ASSERT_EQ(calls(), names{"AssignPrivateIpAddresses"});
    auto now = t0;
    answer("AssignPrivateIpAddresses", reply_error(kind::denied), now);
    for (int refusals = 0; refusals < 5; ++refusals) {
        ASSERT_GT(t.next_wakeup().at, now) << "nothing is waited for in a busy loop";
        now = t.next_wakeup().at;
        t.handle_timeout(now);
        ASSERT_EQ(calls(), names{"AssignPrivateIpAddresses"});
        answer("AssignPrivateIpAddresses", reply_error(kind::denied), now);
    }
    see_address_at("eni-me", now + 1ms);
    EXPECT_EQ(calls(), names{"AssociateAddress"});
}

TEST_F(elastic_ip_test, that_goes_away_with_its_address_comes_back_after_it)
{
    become_active(t0);
    calls();
    answer("AssignPrivateIpAddresses", reply_done(), t0);
    calls();
    answer("AssociateAddress", reply_done(), t0);
    see_address_at("eni-me", t0 + 1s);
    see_elastic_ip_at("eni-me", t0 + 1s);
    for (const auto at : {t0 + 1min, t0 + 1min + 200ms}) {
        see_elastic_ip_at("eni-other", at);
    }
    EXPECT_EQ(calls(), names{"AssociateAddress"}) << "its address has not been missed yet";
    answer("AssociateAddress", reply_error(kind::invalid), t0 + 1min + 300ms);
    for (const auto at : {t0 + 1min + 400ms, t0 + 1min + 600ms}) {
        see_address_at("eni-other", at);
    }
    EXPECT_EQ(calls(), names{"AssignPrivateIpAddresses"});
    answer("AssignPrivateIpAddresses", reply_done(), t0 + 1min + 700ms);
    EXPECT_EQ(calls(), names{"AssociateAddress"}) << "what was refused without its address is asked for with it";
}

}  // namespace
}  // namespace vipd::takeover
