// Two takeovers that ship and one route table: what becomes of the address when both believe that it is theirs.

#include "agent/takeover/takeover.hpp"
#include "tests/support/ec2_builders.hpp"
#include "tests/support/recording_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace vipd::takeover {
namespace {

using namespace std::chrono_literals;
using namespace vipd::test;

constexpr time_point t0 = time_point{1000s};
constexpr duration latency = 20ms;

// What EC2 says of the one route.
struct shared_route {
    std::string target = "eni-nobody";
    aws::route_state state = aws::route_state::active;
    unsigned moves = 0;
};

class duelist {
public:
    duelist(std::string interface, std::uint64_t seed) :
        interface_(std::move(interface)), world_(10s, seed), takeover_("web", seed, journal_, interfaces_)
    {
        const table_query query{{rtb("rtb-1")}, {}, {}};
        world_.watch(t0, {{query, {destination()}}});
        wanted_ = {{{query, destination(), eni(interface_.c_str())}}, {}};
        find_target(t0);
    }

    void find_target(time_point now) { takeover_.want(now, wanted_, world_); }
    // Nobody can say at this moment which interface it is.
    void miss_target(time_point now) { takeover_.want(now, desired{{}, {}, {}, false}, world_); }

    void become_active(time_point now) { takeover_.become_active(now, now, ++epoch_); }

    [[nodiscard]] time_point next_wakeup() const
    {
        auto next = std::min(world_.next_wakeup().at, takeover_.next_wakeup().at);
        for (const auto& p : pending_) {
            next = std::min(next, p.at);
        }
        return next;
    }

    void step(time_point now, shared_route& route)
    {
        for (auto due = find_due(now); due != pending_.end(); due = find_due(now)) {
            const auto done = *due;
            pending_.erase(due);
            if (done.is_write) {
                route.moves += route.target == interface_ ? 0U : 1U;
                route = {interface_, aws::route_state::active, route.moves};
                takeover_.answered(now, done.ticket, call_done(reply_done(), now - latency, now - latency, now));
            } else {
                const auto page = reply_page({table("rtb-1", {route_to(route.target.c_str(), route.state)})});
                if (const auto query = world_.handle(now, done.ticket, page)) {
                    takeover_.world_changed(now, *query, *world_.find(*query));
                }
            }
        }
        takeover_.handle_timeout(now);
        while (auto o = takeover_.poll_output()) {
            if (const auto* call = std::get_if<issue_call>(&*o)) {
                ++writes;
                pending_.push_back({now + latency, call->ticket, true});
            } else if (const auto* read = std::get_if<want_read>(&*o)) {
                world_.read_at(read->query, read->at);
            } else if (const auto* cancel = std::get_if<cancel_call>(&*o)) {
                std::erase_if(pending_, [&](const auto& p) { return p.is_write && p.ticket == cancel->ticket; });
            }
        }
        world_.handle_timeout(now);
        while (const auto call = world_.poll_output()) {
            pending_.push_back({now + latency, call->ticket, false});
        }
    }

    [[nodiscard]] status::resource resource(time_point now) const
    {
        std::vector<status::resource> all;
        takeover_.snapshot(now, world_, all);
        return all.at(0);
    }

    takeover& cloud() { return takeover_; }
    recording_log log;
    unsigned writes = 0;

private:
    struct pending {
        time_point at;
        std::uint64_t ticket = 0;
        bool is_write = false;
    };
    [[nodiscard]] std::vector<pending>::iterator find_due(time_point now)
    {
        return std::ranges::find_if(pending_, [&](const pending& p) { return p.at <= now; });
    }

    std::string interface_;
    desired wanted_;
    status::journal journal_{log, 100};
    interface_registers interfaces_;
    world world_;
    takeover takeover_;
    std::uint64_t epoch_ = 0;
    std::vector<pending> pending_;
};

class duel_test : public testing::Test {
protected:
    // Runs both for `d`; `tick` is called every second. Returns for how long the route pointed at the better one.
    duration run(duration d, const std::function<void()>& tick = nullptr)
    {
        const auto end = now + d;
        duration at_better{};
        auto next_tick = now;
        while (now < end) {
            if (tick && now >= next_tick) {
                next_tick = now + 1s;
                tick();
            }
            better.step(now, route);
            worse.step(now, route);
            auto next = std::min({better.next_wakeup(), worse.next_wakeup(), end});
            next = std::max(tick ? std::min(next, next_tick) : next, now + 1ms);
            at_better += route.target == "eni-better" ? next - now : duration::zero();
            now = next;
        }
        return at_better;
    }

    void begin_with_the_better_one_active()
    {
        better.become_active(now);
        run(20min);
        ASSERT_EQ(route.target, "eni-better");
        better.writes = worse.writes = route.moves = 0;
    }

    time_point now = t0;
    shared_route route;
    duelist better{"eni-better", 1};
    duelist worse{"eni-worse", 2};
};

TEST_F(duel_test, when_neither_hears_the_other_the_lower_one_gives_way_and_the_address_stays_put)
{
    begin_with_the_better_one_active();
    worse.cloud().heard_rival(now - 400ms, true);
    worse.become_active(now);
    run(1min);
    const auto held = run(1h);
    EXPECT_GE(to_seconds(held), 0.95 * 3600);
    EXPECT_GE(worse.log.count({"error event=duel", "state=held", "this_node_is=outranked", "taken_by=eni-better"}), 1u);
    EXPECT_EQ(better.log.count({"event=duel", "state=held"}), 0u);
    EXPECT_EQ(better.log.count({"error event=duel", "state=fought", "this_node_is=unknown"}), 1u);
    EXPECT_LE(worse.writes, 3u + 4u + 13u);
    EXPECT_LE(better.writes, worse.writes);
}

TEST_F(duel_test, when_only_the_better_one_hears_the_other_it_repairs_within_moments_and_the_other_gives_way)
{
    begin_with_the_better_one_active();
    worse.cloud().heard_rival(now - 400ms, true);
    worse.become_active(now);
    const auto adverts_of_the_worse = [&] { better.cloud().suspect(now); };
    run(1min, adverts_of_the_worse);
    const auto held = run(1h, adverts_of_the_worse);
    EXPECT_GE(to_seconds(held), 0.99 * 3600);
    EXPECT_EQ(better.log.count({"event=duel", "state=held"}), 0u);
    EXPECT_LE(worse.writes, 3u + 4u + 13u);
}

TEST_F(duel_test, two_clusters_with_one_address_stop_moving_it_every_second)
{
    begin_with_the_better_one_active();
    worse.become_active(now);
    run(1h);
    EXPECT_GE(better.log.count({"error event=duel", "state=held", "this_node_is=unknown"}), 1u);
    EXPECT_LE(route.moves, 12u + 2 * 16u);
    EXPECT_LE(better.writes + worse.writes, 12u + 2 * 16u);
    const auto in_the_first_hour = route.moves;
    run(1h);
    EXPECT_LE(route.moves - in_the_first_hour, 2 * 13u);
}

TEST_F(duel_test, when_the_better_one_dies_unheard_the_other_has_the_address_five_minutes_later_at_most)
{
    begin_with_the_better_one_active();
    worse.cloud().heard_rival(now - 400ms, true);
    worse.become_active(now);
    run(2h);
    better.cloud().leave_active();
    route.target = "eni-better";
    run(5min + 12s);
    EXPECT_EQ(route.target, "eni-worse");
    run(2min);
    EXPECT_EQ(route.target, "eni-worse");
    EXPECT_EQ(worse.resource(now).duel, status::duel_state::none);
    EXPECT_GE(worse.log.count({"event=duel", "state=over"}), 1u);
}

TEST_F(duel_test, a_route_that_leads_nowhere_is_taken_at_once_in_the_middle_of_a_duel)
{
    begin_with_the_better_one_active();
    worse.cloud().heard_rival(now - 400ms, true);
    worse.become_active(now);
    run(1h);
    better.cloud().leave_active();
    route = {"eni-better", aws::route_state::blackhole, 0};
    run(12s);
    EXPECT_EQ(route.target, "eni-worse");
}

TEST_F(duel_test, a_partition_that_heals_gives_the_address_to_the_one_that_stays_active_at_once)
{
    begin_with_the_better_one_active();
    worse.become_active(now);  // it has never heard the better one: both give way
    run(1h);
    worse.cloud().leave_active();
    route.target = "eni-worse";
    better.cloud().suspect(now);  // the one advert of the other, by which both learn that there were two
    run(500ms);
    EXPECT_EQ(route.target, "eni-better");
    run(2min);
    EXPECT_EQ(route.target, "eni-better");
    EXPECT_EQ(better.resource(now).duel, status::duel_state::none);
}

TEST_F(duel_test, epochs_that_come_and_go_in_a_duel_stay_within_the_budget_and_each_begins_with_a_write)
{
    begin_with_the_better_one_active();
    worse.cloud().heard_rival(now, true);
    worse.become_active(now);
    run(2min);
    ASSERT_EQ(worse.resource(now).duel, status::duel_state::held);
    worse.writes = 0;
    unsigned epochs = 0;
    run(10min, [&] {
        if (++epochs % 10 == 0) {
            worse.cloud().leave_active();
            worse.cloud().heard_rival(now, true);
            worse.become_active(now);
        }
    });
    EXPECT_GE(worse.writes, 59u) << "a takeover waits for nothing";
    EXPECT_LE(worse.writes, 61u) << "and nothing but takeovers writes";
}

TEST_F(duel_test, a_target_that_is_missed_for_a_moment_again_and_again_makes_no_pause_shorter)
{
    begin_with_the_better_one_active();
    worse.cloud().heard_rival(now, true);
    worse.become_active(now);
    run(2min);
    ASSERT_EQ(worse.resource(now).duel, status::duel_state::held);
    worse.writes = 0;
    unsigned seconds = 0;
    run(10min, [&] {
        worse.cloud().heard_rival(now, true);
        if (++seconds % 10 == 1) {
            worse.miss_target(now);
        } else if (seconds % 10 == 2) {
            worse.find_target(now);
        }
    });
    EXPECT_GE(worse.writes, 2u);
    EXPECT_LE(worse.writes, 4u);
}

TEST_F(duel_test, an_epoch_that_begins_while_the_target_is_missed_begins_with_a_write_when_it_is_found)
{
    begin_with_the_better_one_active();
    worse.cloud().heard_rival(now, true);
    worse.become_active(now);
    run(2min);
    ASSERT_EQ(worse.resource(now).duel, status::duel_state::held);
    worse.writes = 0;
    worse.miss_target(now);
    worse.cloud().leave_active();
    worse.become_active(now);
    run(1s);
    EXPECT_EQ(worse.writes, 0u);
    worse.find_target(now);
    run(1s);
    EXPECT_EQ(worse.writes, 1u);
    worse.cloud().heard_rival(now, true);
    run(15s);
    EXPECT_EQ(worse.resource(now).duel, status::duel_state::held) << "the duel goes on";
}

}  // namespace
}  // namespace vipd::takeover
