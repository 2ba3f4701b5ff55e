// What a tracker does to the role of a router: one without a weight takes it out, the others move its priority.

#include "agent/status/attention.hpp"
#include "tests/unit/node/node_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace vipd::node {
namespace {

using health::probe_outcome;
using status::tracker_state;
using testing::HasSubstr;

class trackers_test : public node_test {
protected:
    static config::tracker tracker(const std::string& name, std::optional<std::int16_t> weight, std::uint16_t port = 8080)
    {
        config::tracker t;
        t.name = name;
        t.weight = weight;
        t.what.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), port};
        return t;
    }
    static config::tracker file(const std::string& name, std::optional<std::int16_t> weight)
    {
        auto t = tracker(name, weight);
        t.what.target = config::file_check{"/run/" + name};
        return t;
    }

    void track(std::vector<config::tracker> all, std::uint8_t priority = 100)
    {
        configuration->routers[0].priority = priority;
        configuration->routers[0].trackers = std::move(all);
        h.replace(configuration);
    }

    // Every look that has begun and has had no answer yet.
    void answer(bool well, std::int64_t number = 0)
    {
        for (; answered < h.probes.size(); ++answered) {
            h.tell(probe_ended{h.probes[answered].what.id, well ? probe_outcome::passed : probe_outcome::failed,
                               well ? "" : "connection refused", number, false});
        }
    }

    // The peer speaks, and every look is answered like this.
    void run(duration d, bool well, std::optional<std::uint8_t> peer = {}, std::int64_t number = 0)
    {
        for (duration passed{}; passed < d; passed += 50ms) {
            if (peer && passed % 100ms == 0ms) {
                h.hear(*peer);
            }
            h.advance(50ms);
            answer(well, number);
        }
    }

    // From the last advert of a better peer until this node is Active, while every look says something else than the last.
    duration takeover_while_flapping(std::optional<std::int16_t> weight)
    {
        auto t = tracker("a", weight);
        t.what.interval = 100ms;
        t.what.rise = t.what.fall = 1;
        track({t});
        h.start();
        run(1s, true, 200);
        EXPECT_EQ(h.state(), state::backup);
        h.hear(200);
        const auto last_heard = h.now.steady;
        for (bool well = true; h.state() != state::active && h.now.steady - last_heard < 1s;) {
            h.advance(10ms);
            if (answered < h.probes.size()) {
                answer(well = !well);
            }
        }
        return h.now.steady - last_heard;
    }

    [[nodiscard]] status::tracker seen(std::size_t i = 0) const { return h.router().trackers.at(i); }

    std::size_t answered = 0;
};

TEST_F(trackers_test, without_an_answer_the_router_does_not_begin_and_the_first_one_lets_it)
{
    track({tracker("haproxy", {})});
    h.start();
    EXPECT_TRUE(h.is_ready) << "the service manager is not kept waiting";
    h.advance(200ms);
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.router().state_reason, "tracker haproxy: it has not been looked at yet");
    EXPECT_EQ(seen().state, tracker_state::unknown);
    ASSERT_EQ(h.probes.size(), 1U);
    answer(true);
    EXPECT_EQ(h.state(), state::backup);
    h.advance(1s);
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(trackers_test, one_that_fails_hands_over_with_priority_0_at_once_and_drains)
{
    track({tracker("haproxy", {})});
    h.start();
    run(2s, true);
    ASSERT_EQ(h.state(), state::active);
    ASSERT_TRUE(h.has_local(vip));
    h.adverts.clear();
    while (h.adverts.empty() || h.state() == state::active) {
        h.advance(50ms);
        answer(false);
    }
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.adverts.back().priority, 0);
    EXPECT_TRUE(h.has_local(vip)) << "it still serves what arrives";
    EXPECT_EQ(h.router().state_reason, "tracker haproxy: connection refused");
    EXPECT_EQ(h.router().effective_priority, 0);
    EXPECT_EQ(h.log.count({"warning event=standing", "takes_part=false", "tracker haproxy: connection refused"}), 1U);
    run(1500ms, false);
    EXPECT_FALSE(h.has_local(vip));
    EXPECT_EQ(h.state(), state::initialize);
    run(1100ms, true);
    EXPECT_NE(h.state(), state::initialize);
    EXPECT_EQ(h.log.count({"info event=standing", "takes_part=true"}), 1U);
}

TEST_F(trackers_test, fall_counts_before_anybody_is_taken_out)
{
    auto t = tracker("haproxy", {});
    t.what.fall = 3;
    track({t});
    h.start();
    run(2s, true);
    ASSERT_EQ(h.state(), state::active);
    run(1900ms, false);
    EXPECT_EQ(h.state(), state::active);
    run(1500ms, false);
    EXPECT_EQ(h.state(), state::initialize);
}

TEST_F(trackers_test, weights_move_the_priority_and_undo_each_other_exactly)
{
    track({tracker("a", 200, 1), tracker("b", -200, 2)});
    h.start();
    const auto set = [&](bool a, bool b) {
        for (int i = 0; i < 40; ++i) {
            h.hear(200);
            h.advance(50ms);
            for (; answered < h.probes.size(); ++answered) {
                const auto& what = h.probes[answered].what;
                const bool well = std::get<config::tcp_check>(what.what).port == 1 ? a : b;
                h.tell(probe_ended{what.id, well ? probe_outcome::passed : probe_outcome::failed, "refused", 0, false});
            }
        }
    };
    set(true, true);
    EXPECT_EQ(h.router().effective_priority, 254);
    EXPECT_EQ(h.router().priority_total, 300);
    EXPECT_EQ(h.router().priority_reason, "tracker a: +200");
    set(false, false);
    EXPECT_EQ(h.router().effective_priority, 1);
    EXPECT_EQ(h.router().priority_total, -100);
    EXPECT_EQ(h.router().priority_reason, "tracker b: -200 (refused)");
    set(true, false);
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_EQ(h.router().priority_total, 100);
    set(false, true);
    EXPECT_EQ(h.router().effective_priority, 100);
    EXPECT_EQ(seen(0).contribution, 0);
    EXPECT_EQ(seen(1).contribution, 0);
    EXPECT_GE(h.log.count({"event=priority", "configured=100", "tracker b: -200 (refused)"}), 1U);
}

TEST_F(trackers_test, trackers_and_the_path_to_ec2_add_up)
{
    configuration->routers[0].api_weight = 10;
    track({tracker("a", 20)});
    h.start();
    run(2s, true, 200);
    EXPECT_EQ(h.router().effective_priority, 130);
    EXPECT_EQ(h.router().priority_reason, "api_weight: the path to EC2 works; tracker a: +20");
}

TEST_F(trackers_test, number_of_a_file_moves_the_priority_and_back)
{
    track({file("weight", 1)});
    h.start();
    run(2s, true, 200, 0);
    EXPECT_EQ(h.router().effective_priority, 100);
    run(2s, true, 200, -30);
    EXPECT_EQ(h.router().effective_priority, 70);
    EXPECT_EQ(seen().number, -30);
    EXPECT_EQ(seen().contribution, -30);
    run(2s, true, 200, 0);
    EXPECT_EQ(h.router().effective_priority, 100);
}

TEST_F(trackers_test, file_without_a_weight_is_a_switch)
{
    track({file("maintenance", {})});
    h.start();
    run(2s, true, {}, 0);
    ASSERT_EQ(h.state(), state::active);
    run(1100ms, true, {}, 1);
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.router().state_reason, "tracker maintenance: the file says 1");
    EXPECT_EQ(seen().state, tracker_state::failing);
    run(2s, true, {}, 0);
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(trackers_test, a_weight_that_flaps_does_not_postpone_a_takeover)
{
    // 3 * 100 ms + 100 ms * (256 - 50) / 256 at most, from the last advert and not from the last change.
    EXPECT_LE(takeover_while_flapping(-50), 400ms);
}

TEST_F(trackers_test, a_fault_that_flaps_does_not_postpone_a_takeover)
{
    // The same, and then until it is well.
    EXPECT_LE(takeover_while_flapping({}), 500ms);
}

TEST_F(trackers_test, one_that_comes_back_while_somebody_is_active_waits_for_that_ones_silence)
{
    auto t = tracker("a", {});
    t.what.interval = 100ms;
    t.what.rise = t.what.fall = 1;
    track({t});
    h.start();
    run(1s, true, 200);
    ASSERT_EQ(h.state(), state::backup);
    run(1s, false, 200);
    ASSERT_EQ(h.state(), state::initialize);
    run(50ms, true, 200);
    run(1s, true, 200);
    EXPECT_EQ(h.state(), state::backup);
}

TEST_F(trackers_test, an_active_that_was_out_for_a_moment_lets_its_peers_take_over)
{
    auto t = tracker("a", {});
    t.what.interval = 100ms;
    t.what.rise = t.what.fall = 1;
    track({t});
    h.start();
    run(2s, true);
    ASSERT_EQ(h.state(), state::active);
    while (h.state() == state::active) {
        h.advance(10ms);
        answer(false);
    }
    const auto left = h.now.steady;
    while (h.state() == state::initialize) {
        h.advance(10ms);
        answer(true);
    }
    ASSERT_EQ(h.state(), state::backup);
    while (h.state() != state::active) {
        h.advance(10ms);
        answer(true);
        ASSERT_LT(h.now.steady - left, 1s);
    }
    EXPECT_GE(h.now.steady - left, 300ms) << "it was the Active itself until then";
}

TEST_F(trackers_test, what_flaps_does_not_fill_the_log)
{
    auto a = tracker("a", -50, 1);
    auto b = tracker("b", {}, 2);
    a.what.interval = b.what.interval = 100ms;
    track({a, b});
    h.start();
    for (int i = 0; i < 1200; ++i) {
        h.hear(200);
        h.advance(50ms);
        answer(i / 2 % 2 == 0);
    }
    EXPECT_LE(h.log.count({"event=tracker"}), 2U * (10 + 6 + 2));
    EXPECT_LE(h.log.count({"event=standing"}) + h.log.count({"event=priority"}), 2U * (20 + 12 + 2));
    EXPECT_GE(h.log.count({"event=standing"}), 5U);
}

TEST_F(trackers_test, active_whose_weight_drops_says_so_at_once)
{
    track({tracker("a", -50)});
    h.start();
    run(2s, true);
    ASSERT_EQ(h.state(), state::active);
    h.advance(1s);
    h.adverts.clear();
    answer(false);
    ASSERT_FALSE(h.adverts.empty());
    EXPECT_EQ(h.adverts.front().priority, 50);
    EXPECT_EQ(h.adverts.front().at, h.now.steady);
    EXPECT_EQ(h.state(), state::active);
}

TEST_F(trackers_test, what_several_routers_track_is_looked_at_once)
{
    configuration->routers[0].trackers = {tracker("a", {})};
    auto other = configuration->routers[0];
    other.name = "mail";
    other.vrid = 52;
    other.trackers = {tracker("b", -10)};
    configuration->routers.push_back(other);
    h.replace(configuration);
    h.start();
    h.advance(100ms);
    ASSERT_EQ(h.probes.size(), 1U);
    answer(false);
    EXPECT_EQ(h.router(0).trackers[0].state, tracker_state::failing);
    EXPECT_EQ(h.router(1).trackers[0].state, tracker_state::failing);
    EXPECT_EQ(h.state(0), state::initialize);
    EXPECT_EQ(h.state(1), state::backup);
    EXPECT_EQ(h.router(1).effective_priority, 90);
}

TEST_F(trackers_test, a_reload_keeps_what_is_known_and_makes_no_transition)
{
    track({tracker("a", {}, 1)});
    h.start();
    run(2s, true);
    ASSERT_EQ(h.state(), state::active);
    h.adverts.clear();
    h.reload(changed([](auto& c) {
        c.routers[0].trackers.push_back(tracker("b", {}, 2));
        c.routers[0].trackers.push_back(tracker("c", -50, 3));
        c.routers[0].trackers.push_back(tracker("d", 50, 4));
    }));
    EXPECT_EQ(h.state(), state::active) << "what is not known yet takes nobody out who takes part";
    EXPECT_EQ(h.router().effective_priority, 150) << "and is taken for well";
    EXPECT_EQ(seen(0).state, tracker_state::well);
    EXPECT_EQ(seen(1).state, tracker_state::unknown);
    run(200ms, true);
    EXPECT_EQ(seen(2).state, tracker_state::well);
    EXPECT_EQ(h.router().election.became_active, 1U);
    // Another interval is another check of the same tracker: it stays what it was.
    run(2s, false);
    ASSERT_EQ(h.state(), state::initialize);
    h.reload(changed([](auto& c) {
        c.routers[0].trackers.push_back(tracker("c", -50, 3));
        c.routers[0].trackers.erase(c.routers[0].trackers.begin());
        c.routers[0].trackers[0].what.interval = 2s;
    }));
    EXPECT_EQ(h.state(), state::backup) << "none without a weight is left";
    EXPECT_EQ(h.router().effective_priority, 50) << "at the start what is not known counts as failing";
    h.reload(changed([](auto& c) {
        c.routers[0].trackers.push_back(tracker("c", -50, 3));
        c.routers[0].trackers.erase(c.routers[0].trackers.begin());
        c.routers[0].trackers[0].what.interval = 3s;
    }));
    EXPECT_EQ(h.router().effective_priority, 50) << "it was failing as far as was known";
    EXPECT_FALSE(h.stopped_probes.empty());
}

TEST_F(trackers_test, interface_is_told_by_the_kernel)
{
    auto t = tracker("backend", {});
    t.what.target = config::interface_check{"eth1"};
    track({t});
    h.start();
    EXPECT_EQ(h.router().state_reason, "tracker backend: there is no such interface");
    const auto tell = [&](bool running) {
        net::link link;
        link.index = 7;
        link.name = "eth1";
        link.up = true;
        link.running = running;
        h.kernel(net::link_seen{link});
    };
    tell(true);
    EXPECT_EQ(h.state(), state::backup);
    h.advance(1s);
    ASSERT_EQ(h.state(), state::active);
    tell(false);
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.adverts.back().priority, 0);
    EXPECT_TRUE(h.probes.empty());
}

TEST_F(trackers_test, process_that_dies_counts_in_the_same_moment)
{
    auto t = tracker("haproxy", {});
    t.what.target = config::process_check{"haproxy", ""};
    track({t});
    h.start();
    h.advance(10ms);
    ASSERT_EQ(h.probes.size(), 1U);
    h.tell(probe_ended{h.probes[0].what.id, probe_outcome::passed, "", 0, true});
    h.advance(10s);
    ASSERT_EQ(h.state(), state::active);
    EXPECT_EQ(h.probes.size(), 1U) << "it costs nothing while it is there";
    h.tell(watch_ended{h.probes[0].what.id, "it has ended"});
    EXPECT_EQ(h.state(), state::initialize);
    EXPECT_EQ(h.adverts.back().priority, 0);
}

TEST_F(trackers_test, looks_go_on_while_ec2_is_broken)
{
    track({tracker("a", -50)});
    h.intercept = [](const aws::http_exchange&) -> std::optional<aws::http_result> {
        return node_harness::failure(true, "timeout");
    };
    h.start();
    run(10s, true, 200);
    EXPECT_GE(h.probes.size(), 9U);
    EXPECT_EQ(seen().state, tracker_state::well);
    EXPECT_EQ(seen().checks[0], h.probes.size());
}

TEST_F(trackers_test, what_fails_is_among_what_needs_attention)
{
    track({tracker("a", -50)});
    h.start();
    run(2s, false, 200);
    const auto found = status::findings(h.router());
    EXPECT_TRUE(std::ranges::any_of(found, [](const auto& f) {
        return f.text.starts_with("the tracker a has been failing for ") &&
               f.text.ends_with(": connection refused (127.0.0.1:8080)");
    }));
    EXPECT_EQ(h.log.count({"warning event=tracker", "router=web", "tracker=a", "state=failing", "connection refused"}), 1U);
}

TEST_F(trackers_test, hook_fault_is_told_of_a_tracker)
{
    configuration->routers[0].hooks.emplace();
    configuration->routers[0].hooks->commands[static_cast<std::size_t>(config::hook_event::fault)].argv = {"/fault"};
    track({tracker("haproxy", {})});
    h.start();
    run(2s, true);
    ASSERT_EQ(h.state(), state::active);
    h.programs.clear();
    run(1100ms, false);
    ASSERT_EQ(h.programs.size(), 1U);
    EXPECT_THAT(h.programs[0].environment, testing::Contains("VIPD_REASON=tracker haproxy: connection refused"));
}

}  // namespace
}  // namespace vipd::node
