#include "agent/health/check_set.hpp"

#include "tests/support/recording_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace vipd::health {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

config::health_check server(std::uint16_t port)
{
    config::health_check c;
    c.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), port};
    return c;
}

config::health_check script(int number)
{
    config::health_check c;
    c.target = config::script_check{{{"/check", std::to_string(100 + number)}}, std::nullopt};
    return c;
}

class check_set_test : public testing::Test {
protected:
    void want(const std::vector<config::health_check>& all)
    {
        check_set::wanted_checks wanted;
        for (const auto& c : all) {
            wanted[c].push_back({"web", "t"});
        }
        set.want(now, wanted, links);
        drain();
    }

    void drain()
    {
        while (auto o = set.poll_output()) {
            if (const auto* begun = std::get_if<start_probe>(&*o)) {
                began.emplace_back(begun->id, now);
                targets[begun->id] = begun->what;
            } else {
                stopped.push_back(std::get<stop_probes>(*o).id);
            }
        }
    }

    void advance_to(time_point until)
    {
        while (set.next_wakeup().at <= until) {
            now = std::max(now, set.next_wakeup().at);
            set.handle_timeout(now);
            drain();
        }
        now = until;
    }

    void answer(check_id id, bool well, const std::string& text = "refused")
    {
        set.handle(now, probe_ended{id, well ? probe_outcome::passed : probe_outcome::failed, well ? "" : text, 0, false});
        drain();
    }

    void answer_all(bool well = true)
    {
        for (auto answered = std::exchange(began, {}); const auto& [id, at] : answered) {
            answer(id, well);
        }
    }

    test::recording_log log;
    status::journal journal{log, 64};
    net::link_table links;
    check_set set{1, journal};
    time_point now{1000s};
    std::vector<std::pair<check_id, time_point>> began;
    std::map<check_id, config::check_target> targets;
    std::vector<check_id> stopped;
};

TEST_F(check_set_test, one_alone_begins_at_once_and_then_once_an_interval)
{
    want({server(1)});
    advance_to(now + 10ms);
    ASSERT_EQ(began.size(), 1U);
    const auto first = began[0].second;
    answer_all();
    advance_to(first + 3s);
    EXPECT_THAT(began, ElementsAre(std::pair{check_id{1}, first + 1s}));
    answer_all();
    advance_to(first + 4s);
    EXPECT_EQ(began.size(), 1U) << "late by what it has waited for its answer, and no more";
}

TEST_F(check_set_test, a_hundred_are_spread_over_their_interval_from_the_first_look_on)
{
    std::vector<config::health_check> all;
    for (std::uint16_t i = 1; i <= 100; ++i) {
        all.push_back(server(i));
    }
    want(all);
    const auto start = now;
    for (int second = 0; second < 5; ++second) {
        std::map<duration, int> in_slot;  // of 50 ms
        for (int slot = 0; slot < 20; ++slot) {
            advance_to(start + second * 1s + slot * 50ms + 49999us);
            in_slot[slot * 50ms] = static_cast<int>(began.size());
            answer_all();
            advance_to(start + second * 1s + (slot + 1) * 50ms - 1ns);
        }
        for (const auto& [at, count] : in_slot) {
            EXPECT_LE(count, 7) << at.count() << " in second " << second;
        }
    }
}

TEST_F(check_set_test, a_thousand_are_all_looked_at_within_their_interval)
{
    std::vector<config::health_check> all;
    for (std::uint16_t i = 1; i <= 1000; ++i) {
        all.push_back(server(i));
    }
    want(all);
    advance_to(now + 1s);
    EXPECT_EQ(began.size(), 1000U);
}

TEST_F(check_set_test, what_is_wanted_as_before_knows_what_it_knew_and_the_rest_ends)
{
    want({server(1), server(2)});
    advance_to(now + 20ms);
    answer_all(false);
    const auto first = set.find(server(1))->id();
    const auto second = set.find(server(2))->id();
    auto slower = server(2);
    slower.interval = 2s;
    want({server(1), slower});
    EXPECT_EQ(set.find(server(1))->id(), first);
    EXPECT_EQ(set.find(server(1))->state(), tracker_state::failing);
    EXPECT_EQ(set.find(server(2)), nullptr);
    ASSERT_NE(set.find(slower), nullptr);
    EXPECT_EQ(set.find(slower)->state(), tracker_state::unknown);
    EXPECT_THAT(stopped, ElementsAre(second));
    answer(second, true);
    EXPECT_EQ(set.size(), 2U) << "an answer that comes late is nobody's";
}

TEST_F(check_set_test, only_so_many_programs_run_at_once_and_the_others_follow_in_their_order)
{
    std::vector<config::health_check> all;
    for (int i = 1; i <= 12; ++i) {
        all.push_back(script(i));
    }
    want(all);
    advance_to(now + 500ms);
    ASSERT_EQ(began.size(), check_set::programs_max);
    EXPECT_EQ(log.count({"event=tracker_programs", "running=8", "remedy="}), 1U);
    const auto running = std::exchange(began, {});
    answer(running[3].first, true);
    answer(running[0].first, true);
    ASSERT_EQ(began.size(), 2U);
    EXPECT_LT(began[0].first, began[1].first);
    // One that waits and is not wanted any more leaves its place.
    const auto gone = all.back();
    all.pop_back();
    want(all);
    EXPECT_EQ(set.find(gone), nullptr);
    for (std::size_t i = 4; i < running.size(); ++i) {
        answer(running[i].first, true);
    }
    EXPECT_EQ(began.size(), 3U) << "the 9th, 10th and 11th";
}

TEST_F(check_set_test, programs_that_are_dropped_while_they_run_make_room)
{
    std::vector<config::health_check> all;
    for (int i = 1; i <= 9; ++i) {
        all.push_back(script(i));
    }
    want(all);
    advance_to(now + 500ms);
    ASSERT_EQ(began.size(), 8U);
    want({all.back()});
    EXPECT_EQ(stopped.size(), 8U);
    EXPECT_EQ(began.size(), 9U);
}

TEST_F(check_set_test, interface_is_well_while_it_is_there_up_and_running)
{
    config::health_check c;
    c.target = config::interface_check{"eth1"};
    want({c});
    EXPECT_EQ(set.next_wakeup().at, never) << "nobody has to look";
    EXPECT_EQ(set.find(c)->state(), tracker_state::unknown) << "the kernel has told nothing yet";
    links.apply(net::dump_done{});
    set.links_changed(now, links);
    EXPECT_EQ(set.find(c)->reason(), "there is no such interface");
    net::link link;
    link.index = 3;
    link.name = "eth1";
    const auto tell = [&](bool up, bool running) {
        link.up = up;
        link.running = running;
        links.apply(net::link_seen{link});
        set.links_changed(now, links);
    };
    tell(false, false);
    tell(true, false);
    EXPECT_EQ(set.find(c)->state(), tracker_state::failing);
    tell(true, true);
    EXPECT_EQ(set.find(c)->state(), tracker_state::well);
    tell(true, false);
    EXPECT_EQ(set.find(c)->reason(), "it has no carrier");
    EXPECT_THAT(stopped, IsEmpty());
    EXPECT_THAT(began, IsEmpty());
}

TEST_F(check_set_test, changes_are_told_and_what_flaps_is_told_now_and_then_with_its_last_state)
{
    auto c = server(1);
    c.interval = 100ms;
    want({c});
    bool well = false;
    for (int i = 0; i < 300; ++i) {
        advance_to(std::max(now, set.next_wakeup().at));
        answer_all(well = !well);
    }
    const auto told = log.count({"event=tracker", "router=web", "tracker=t", "kind=tcp", "what=127.0.0.1:1"});
    EXPECT_GE(told, 10U);
    EXPECT_LE(told, 14U) << "ten at once, and one every ten seconds";
    // It stays as it is now, and that is told as well.
    for (int i = 0; i < 200; ++i) {
        advance_to(std::max(now, set.next_wakeup().at));
        answer_all(well);
    }
    EXPECT_NE(log.lines.back().find(well ? "state=well" : "state=failing"), std::string::npos) << log.lines.back();
    EXPECT_NE(log.lines.back().find("changes="), std::string::npos) << log.lines.back();
}

TEST_F(check_set_test, failure_is_a_warning_with_its_reason_and_a_shared_check_says_how_many_it_concerns)
{
    check_set::wanted_checks wanted;
    wanted[server(1)] = {{"web", "a"}, {"mail", "b"}};
    set.want(now, wanted, links);
    advance_to(now + 10ms);
    answer_all(false);
    EXPECT_EQ(log.count({"warning event=tracker", "what=127.0.0.1:1", "state=failing", "reason=refused", "trackers=2"}), 1U);
    EXPECT_THAT(set.take_changed(), ElementsAre(set.find(server(1))->id()));
    EXPECT_THAT(set.take_changed(), IsEmpty());
}

}  // namespace
}  // namespace vipd::health
