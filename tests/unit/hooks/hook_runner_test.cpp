#include "agent/hooks/hook_runner.hpp"

#include "tests/support/recording_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vipd::hooks {
namespace {

using namespace std::chrono_literals;
using config::hook_event;
using status::hook_outcome;
using testing::ElementsAre;
using testing::IsEmpty;

class hook_runner_test : public testing::Test {
protected:
    hook_runner_test()
    {
        for (const auto event : config::hook_events) {
            configured.commands[static_cast<std::size_t>(event)].argv = {"/hook/" + std::string(to_string(event)), "-v"};
        }
    }

    void happens(hook_event event, std::uint64_t epoch = 1)
    {
        runner.happened(configured, {.event = event, .router = "web", .vrid = 51, .epoch = epoch, .priority = 150});
        give_places();
    }

    // As the node does, with a place for everybody.
    void give_places()
    {
        if (runner.takes_place()) {
            runner.begin(now, ids.next());
        }
        while (const auto o = runner.poll_output()) {
            if (const auto* started = std::get_if<start_process>(&*o)) {
                running = started->id;
                std::string line;
                for (const auto& argument : started->argv) {
                    line += (line.empty() ? "" : " ") + argument;
                }
                begun.push_back(line);
                last = *started;
            } else {
                const auto& signal = std::get<signal_process>(*o);
                EXPECT_EQ(signal.id, running);
                signals.push_back(signal.what);
            }
        }
    }

    void ends(int status = 0, process_end how = process_end::exited)
    {
        runner.handle(now, process_ended{running, how, status, "", false});
        give_places();
    }

    void pass(duration d)
    {
        const auto until = now + d;
        while (runner.next_wakeup().at <= until) {
            now = runner.next_wakeup().at;
            runner.handle_timeout(now);
            give_places();
        }
        now = until;
    }

    [[nodiscard]] status::hook shown(hook_event event, bool is_notify = false)
    {
        std::vector<status::hook> all;
        runner.snapshot(now, configured, all);
        for (const auto& h : all) {
            if (h.event == event && h.is_notify == is_notify) {
                return h;
            }
        }
        return {};
    }
    [[nodiscard]] bool told(std::string_view text) const { return log.count({text}) > 0; }
    [[nodiscard]] std::uint64_t count(hook_event event, hook_outcome outcome)
    {
        return shown(event).runs[static_cast<std::size_t>(outcome)];
    }

    test::recording_log log;
    status::journal journal{log, 100};
    config::hooks_section configured;
    hook_runner runner{"web", journal};
    time_point now{1000s};
    id_source<process_id> ids;
    process_id running;
    start_process last;
    std::vector<std::string> begun;
    std::vector<process_signal> signals;
};

TEST_F(hook_runner_test, what_happens_is_told_in_its_order_and_one_at_a_time)
{
    happens(hook_event::active);
    happens(hook_event::owned);
    happens(hook_event::lower_priority_advert);
    EXPECT_THAT(begun, ElementsAre("/hook/active -v"));
    EXPECT_TRUE(shown(hook_event::active).running);
    EXPECT_TRUE(shown(hook_event::owned).waiting);
    ends();
    ends();
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/active -v", "/hook/owned -v", "/hook/lower_priority_advert -v"));
    EXPECT_TRUE(runner.idle());
}

TEST_F(hook_runner_test, role_that_came_and_went_while_another_program_ran_is_not_told)
{
    happens(hook_event::backup);
    happens(hook_event::active, 1);
    happens(hook_event::owned, 1);
    happens(hook_event::backup, 1);
    happens(hook_event::active, 2);
    happens(hook_event::owned, 2);
    ends();
    ends();
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/backup -v", "/hook/active -v", "/hook/owned -v"));
    EXPECT_EQ(shown(hook_event::active).superseded, 1U);
    EXPECT_EQ(shown(hook_event::owned).superseded, 1U);
    EXPECT_EQ(shown(hook_event::backup).superseded, 1U);
    EXPECT_EQ(shown(hook_event::active).last->epoch, 2U);
    EXPECT_TRUE(told("event=hook_superseded router=web hook=active notify=false epoch=1 by=backup"));
}

TEST_F(hook_runner_test, role_for_which_nothing_is_configured_outdates_those_before_it_as_well)
{
    configured.commands[static_cast<std::size_t>(hook_event::backup)] = {};
    happens(hook_event::lower_priority_advert);
    happens(hook_event::active);
    happens(hook_event::backup);
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/lower_priority_advert -v"));
}

TEST_F(hook_runner_test, program_that_runs_is_not_ended_by_what_happens)
{
    happens(hook_event::active);
    happens(hook_event::backup);
    happens(hook_event::fault);
    pass(29s);
    EXPECT_THAT(signals, IsEmpty());
}

TEST_F(hook_runner_test, lower_adverts_wait_once_however_many_there_are)
{
    happens(hook_event::active);
    for (int i = 0; i < 1000; ++i) {
        happens(hook_event::lower_priority_advert);
    }
    ends();
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/active -v", "/hook/lower_priority_advert -v"));
    EXPECT_TRUE(runner.idle());
}

TEST_F(hook_runner_test, deadline_is_a_request_and_then_an_order)
{
    configured.timeout = 5s;
    happens(hook_event::active);
    pass(5s);
    EXPECT_THAT(signals, ElementsAre(process_signal::terminate));
    pass(2s - 1ms);
    EXPECT_EQ(signals.size(), 1U);
    pass(1ms);
    EXPECT_THAT(signals, ElementsAre(process_signal::terminate, process_signal::kill));
    ends(9, process_end::signalled);
    EXPECT_EQ(count(hook_event::active, hook_outcome::timed_out), 1U);
    EXPECT_EQ(shown(hook_event::active).last->problem, "it ran for longer than 5s and was ended (signal 9)");
    EXPECT_EQ(runner.next_wakeup().at, never);
}

TEST_F(hook_runner_test, process_that_hangs_in_the_kernel_does_not_hold_up_the_next_one)
{
    happens(hook_event::active);
    happens(hook_event::backup);
    pass(30s + hook_runner::kill_after + hook_runner::abandon_after);
    EXPECT_EQ(count(hook_event::active, hook_outcome::abandoned), 1U);
    EXPECT_THAT(begun, ElementsAre("/hook/active -v", "/hook/backup -v"));
    // It ends after all, and nobody minds.
    runner.handle(now, process_ended{process_id{1}, process_end::signalled, 9, "", false});
    EXPECT_TRUE(shown(hook_event::backup).running);
}

TEST_F(hook_runner_test, how_a_run_ended_is_told_and_remembered)
{
    happens(hook_event::active, 7);
    pass(1500ms);
    ends();
    EXPECT_TRUE(
        told("event=hook router=web hook=active notify=false epoch=7 outcome=succeeded took_ms=1500.000 lines=0 "
             "lines_dropped=0 command=\"/hook/active -v\""));
    EXPECT_FALSE(shown(hook_event::active).is_failing());
    happens(hook_event::backup, 7);
    ends(3);
    EXPECT_TRUE(told("event=hook router=web hook=backup notify=false epoch=7 outcome=failed problem=\"exit status 3\""));
    EXPECT_TRUE(shown(hook_event::backup).is_failing());
    happens(hook_event::fault, 7);
    ends(11, process_end::signalled);
    EXPECT_EQ(shown(hook_event::fault).last->problem, "signal 11");
    happens(hook_event::active, 8);
    runner.handle(now, process_ended{running, process_end::not_started, 0, "no such file", false});
    pass(90s);
    const auto h = shown(hook_event::active);
    EXPECT_EQ(h.last->outcome, hook_outcome::not_started);
    EXPECT_EQ(h.last->problem, "no such file");
    EXPECT_EQ(h.last->age, 90s);
    EXPECT_EQ(h.runs[static_cast<std::size_t>(hook_outcome::succeeded)], 1U);
}

TEST_F(hook_runner_test, what_is_left_of_the_group_is_told)
{
    happens(hook_event::active);
    runner.handle(now, process_ended{running, process_end::exited, 0, "", true});
    EXPECT_TRUE(told("left_behind=\"processes of its group, which were ended\""));
}

TEST_F(hook_runner_test, notify_is_called_behind_the_program_of_the_event_as_keepalived_calls_it)
{
    configured.notify.argv = {"/etc/keepalived/notify.sh"};
    happens(hook_event::active);
    ends();
    ends();
    happens(hook_event::lower_priority_advert);
    ends();
    ends();
    EXPECT_THAT(
        begun, ElementsAre("/hook/active -v", "/etc/keepalived/notify.sh INSTANCE web MASTER 150",
                           "/hook/lower_priority_advert -v", "/etc/keepalived/notify.sh INSTANCE web MASTER_RX_LOWER_PRI 150"));
    EXPECT_TRUE(shown(hook_event::active, true).last);
    EXPECT_FALSE(shown(hook_event::backup, true).last);
}

TEST_F(hook_runner_test, notify_has_no_word_for_ownership)
{
    configured.notify.argv = {"/notify"};
    happens(hook_event::owned);
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/owned -v"));
    EXPECT_TRUE(runner.idle());
}

TEST_F(hook_runner_test, notify_of_a_role_that_is_over_is_not_called)
{
    configured.notify.argv = {"/notify"};
    happens(hook_event::active);
    happens(hook_event::backup);
    ends();
    ends();
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/active -v", "/hook/backup -v", "/notify INSTANCE web BACKUP 150"));
    EXPECT_EQ(shown(hook_event::active, true).superseded, 1U);
}

TEST_F(hook_runner_test, reload_changes_what_is_run_for_the_next_event)
{
    happens(hook_event::active);
    happens(hook_event::owned);
    configured.commands[static_cast<std::size_t>(hook_event::owned)].argv = {"/other"};
    ends();
    happens(hook_event::owned);
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/active -v", "/hook/owned -v", "/other"));
}

TEST_F(hook_runner_test, failure_of_another_program_is_not_that_of_the_one_that_is_configured_now)
{
    happens(hook_event::active);
    ends(1);
    EXPECT_TRUE(shown(hook_event::active).is_failing());
    configured.commands[static_cast<std::size_t>(hook_event::active)].argv = {"/repaired"};
    EXPECT_FALSE(shown(hook_event::active).is_failing());
    EXPECT_EQ(count(hook_event::active, hook_outcome::failed), 1U);
}

TEST_F(hook_runner_test, end_is_always_told_and_nothing_behind_it)
{
    happens(hook_event::active);
    happens(hook_event::backup);
    runner.stop(now);
    happens(hook_event::stopping);
    happens(hook_event::backup);
    ends();
    ends();
    EXPECT_THAT(begun, ElementsAre("/hook/active -v", "/hook/stopping -v"));
    EXPECT_TRUE(runner.idle());
}

TEST_F(hook_runner_test, end_leaves_the_program_that_runs_some_time_and_its_own_the_rest)
{
    configured.timeout = 600s;
    happens(hook_event::active);
    pass(100s);
    runner.stop(now);
    happens(hook_event::stopping);
    pass(hook_runner::last_run_max);
    EXPECT_THAT(signals, ElementsAre(process_signal::terminate));
    ends(15, process_end::signalled);
    EXPECT_EQ(shown(hook_event::active).last->problem, "it ran for longer than 2m and was ended (signal 15)");
    EXPECT_EQ(begun.back(), "/hook/stopping -v");
    pass(config::hook_stop_max - hook_runner::last_run_max);
    EXPECT_EQ(signals.size(), 2U);
}

TEST_F(hook_runner_test, what_has_no_time_before_the_end_is_told_as_not_started)
{
    configured.notify.argv = {"/notify"};
    configured.timeout = 600s;
    runner.stop(now);
    happens(hook_event::stopping);
    pass(config::hook_stop_max);
    ends(15, process_end::signalled);
    EXPECT_THAT(begun, ElementsAre("/hook/stopping -v"));
    EXPECT_EQ(shown(hook_event::stopping, true).last->problem, "no time was left before the end of vipd");
    EXPECT_TRUE(runner.idle());
}

TEST_F(hook_runner_test, program_that_outlives_its_time_is_killed_whatever_waits_behind_it)
{
    configured.notify.argv = {"/notify"};
    configured.timeout = 600s;
    runner.stop(now);
    happens(hook_event::stopping);
    pass(config::hook_stop_max);
    EXPECT_EQ(shown(hook_event::stopping, true).last->outcome, hook_outcome::not_started);
    EXPECT_TRUE(shown(hook_event::stopping).running);
    EXPECT_FALSE(runner.idle());
    pass(hook_runner::kill_after);
    EXPECT_THAT(signals, ElementsAre(process_signal::terminate, process_signal::kill));
    ends(9, process_end::signalled);
    EXPECT_EQ(count(hook_event::stopping, hook_outcome::timed_out), 1U);
    EXPECT_TRUE(runner.idle());
}

TEST_F(hook_runner_test, place_that_is_no_longer_needed_is_given_back)
{
    configured.commands[static_cast<std::size_t>(hook_event::backup)] = {};
    runner.happened(configured, {.event = hook_event::active, .router = "web"});
    EXPECT_TRUE(runner.takes_place());
    EXPECT_FALSE(runner.takes_place()) << "asked once";
    runner.happened(configured, {.event = hook_event::backup, .router = "web"});
    EXPECT_FALSE(runner.begin(now, ids.next()));
    happens(hook_event::active);
    EXPECT_EQ(begun.size(), 1U) << "and asked for again";
}

TEST_F(hook_runner_test, output_is_logged_line_by_line_up_to_a_limit)
{
    happens(hook_event::active);
    runner.handle(process_output{running, "first\nsec"});
    runner.handle(process_output{running, "ond\n\nlast without its end"});
    runner.handle(process_output{process_id{99}, "a stranger's\n"});
    ends();
    EXPECT_TRUE(told("event=hook_output router=web hook=active line=first"));
    EXPECT_TRUE(told("event=hook_output router=web hook=active line=second"));
    EXPECT_TRUE(told("event=hook_output router=web hook=active line=\"last without its end\""));
    EXPECT_FALSE(told("stranger"));
    EXPECT_TRUE(told("lines=3 lines_dropped=0"));
    happens(hook_event::backup);
    std::string many;
    for (std::size_t i = 0; i < 10'000; ++i) {
        many += std::string(100, 'x') + "\n";
    }
    runner.handle(process_output{running, many});
    ends();
    EXPECT_TRUE(told("lines=100 lines_dropped=9900"));
    EXPECT_EQ(shown(hook_event::backup).lines_dropped, 9900U);
    EXPECT_TRUE(journal.after(0).size() < 10U) << "the history is not for output";
}

TEST(output_lines, line_without_end_takes_no_more_memory_than_a_long_line)
{
    output_lines lines;
    std::vector<std::string> told;
    const auto keep = [&](std::string_view line) { told.emplace_back(line); };
    for (int i = 0; i < 100; ++i) {
        lines.take(std::string(100'000, 'y'), keep);
    }
    lines.take("\nnext\n", keep);
    lines.end(keep);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].size(), output_lines::line_bytes_max);
    EXPECT_EQ(told[1], "next");
}

TEST(environment, has_every_variable_and_the_words_of_status)
{
    const std::vector<ip_address> addresses = {ip_address::v4(172, 16, 1, 100), *ip_address::parse("fd00::100")};
    const auto variables = environment_of({.event = hook_event::backup,
                                           .router = "web",
                                           .vrid = 51,
                                           .state = vrrp::state::backup,
                                           .previous_state = vrrp::state::active,
                                           .epoch = 4,
                                           .reason = "10.0.2.10 (priority 200) is the better one",
                                           .priority = 150,
                                           .addresses = addresses,
                                           .interface = "ens5",
                                           .source = ip_address::v4(10, 0, 1, 10),
                                           .active_address = ip_address::v4(10, 0, 2, 10)});
    EXPECT_THAT(variables, ElementsAre("VIPD_ROUTER=web", "VIPD_VRID=51", "VIPD_EVENT=backup", "VIPD_STATE=Backup",
                                       "VIPD_PREVIOUS_STATE=Active", "VIPD_EPOCH=4",
                                       "VIPD_REASON=10.0.2.10 (priority 200) is the better one", "VIPD_PRIORITY=150",
                                       "VIPD_ADDRESSES=172.16.1.100 fd00::100", "VIPD_INTERFACE=ens5", "VIPD_SOURCE=10.0.1.10",
                                       "VIPD_ACTIVE_ADDRESS=10.0.2.10"));
}

TEST(environment, what_is_not_known_is_empty)
{
    const auto variables = environment_of({.event = hook_event::fault, .router = "web"});
    EXPECT_EQ(variables.size(), 12U);
    EXPECT_THAT(variables, testing::Contains("VIPD_SOURCE="));
    EXPECT_THAT(variables, testing::Contains("VIPD_STATE=Initialize"));
}

TEST(environment, keepalived_has_its_own_words)
{
    const auto word = [](hook_event event) {
        const auto arguments = keepalived_arguments({.event = event, .router = "web", .priority = 100});
        return arguments.empty() ? "" : arguments.at(2);
    };
    EXPECT_EQ(word(hook_event::active), "MASTER");
    EXPECT_EQ(word(hook_event::backup), "BACKUP");
    EXPECT_EQ(word(hook_event::fault), "FAULT");
    EXPECT_EQ(word(hook_event::stopping), "STOP");
    EXPECT_EQ(word(hook_event::lower_priority_advert), "MASTER_RX_LOWER_PRI");
    EXPECT_EQ(word(hook_event::owned), "");
}

}  // namespace
}  // namespace vipd::hooks
