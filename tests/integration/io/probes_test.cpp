#include "agent/io/probes.hpp"

#include "agent/io/clock.hpp"
#include "agent/io/file_descriptor.hpp"
#include "agent/io/limited_log.hpp"
#include "tests/integration/io/hostile_server.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <netinet/in.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;
using health::probe_outcome;
using testing::HasSubstr;
using testing::StartsWith;

struct probes_test : reactor_fixture, probes::owner {
    void on_probe_ended(health::probe_ended&& how) override { answers.push_back(how); }
    void on_watch_ended(health::watch_ended&& what) override { ended.push_back(what); }

    health::probe_ended look(config::check_target what, duration timeout = 10s, health::check_id id = health::check_id{1})
    {
        answers.clear();
        all.start({id, std::move(what), timeout});
        run_until([&] { return !answers.empty(); });
        EXPECT_EQ(answers.size(), 1U);
        EXPECT_EQ(answers.front().id, id);
        return answers.front();
    }

    [[nodiscard]] config::http_check url(const std::string& target, const char* port = "plain",
                                         const std::string& host = "127.0.0.1") const
    {
        config::http_check c;
        c.origin = {std::string{port} != "plain", host, server.port(port)};
        c.target = target;
        if (c.origin.tls) {
            c.ca_bundle = server.ca();
        }
        return c;
    }

    std::string script(const std::string& text)
    {
        const auto path = folder.file("script");
        std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
        ::chmod(path.c_str(), 0755);
        return path;
    }

    void wait_for(const std::string& file)
    {
        boost::asio::steady_timer again(context);
        run_until([&] {
            again.expires_after(10ms);
            again.async_wait([](boost::system::error_code) {});
            return std::filesystem::exists(file);
        });
    }

    hostile_server& server = hostile_server::get();
    temporary_folder folder;
    limited_log limited{log};
    resolver names{context, limited, {}};
    std::vector<health::probe_ended> answers;
    std::vector<health::watch_ended> ended;
    probes all{context, names, *this};
};

// --- connections ---

TEST_F(probes_test, connection_that_is_accepted_is_well_and_one_that_is_refused_says_so)
{
    EXPECT_EQ(look(config::tcp_check{ip_address::v4(127, 0, 0, 1), server.port("silent")}).outcome, probe_outcome::passed);
    const auto refused = look(config::tcp_check{ip_address::v4(127, 0, 0, 1), server.port("closed")});
    EXPECT_EQ(refused.outcome, probe_outcome::failed);
    EXPECT_THAT(refused.text, HasSubstr("Connection refused"));
}

TEST_F(probes_test, connection_that_nobody_answers_ends_with_its_deadline)
{
    // A queue of one, which is full.
    const file_descriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&where), size), 0);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
    const file_descriptor first{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::connect(first.get(), reinterpret_cast<const sockaddr*>(&where), size), 0);
    const auto silent = look(config::tcp_check{ip_address::v4(127, 0, 0, 1), ntohs(where.sin_port)}, 100ms);
    EXPECT_EQ(silent.outcome, probe_outcome::timed_out);
    EXPECT_THAT(silent.text, HasSubstr("took too long"));
}

// --- HTTP ---

TEST_F(probes_test, answers_are_judged_by_their_status)
{
    for (const auto* target : {"/ok", "/chunked", "/interim", "/redirect", "/close", "/close-silently", "/until-end"}) {
        EXPECT_EQ(look(url(target)).outcome, probe_outcome::passed) << target << ": " << answers.front().text;
    }
    auto strict = url("/redirect");
    strict.status = {{200, 200}};
    const auto got = look(strict);
    EXPECT_EQ(got.outcome, probe_outcome::failed);
    EXPECT_EQ(got.text, "the answer is 302; well are 200");
}

TEST_F(probes_test, body_that_is_too_large_is_not_read_and_its_status_counts)
{
    EXPECT_EQ(look(url("/large")).outcome, probe_outcome::passed);
    EXPECT_EQ(look(url("/endless")).outcome, probe_outcome::passed);
    EXPECT_EQ(look(url("/one-byte-a-time")).outcome, probe_outcome::passed) << "a million bytes, as its head says";
}

TEST_F(probes_test, what_is_no_answer_fails_with_a_reason)
{
    for (const auto* target : {"/garbage", "/no-answer", "/truncated", "/bad-chunk", "/two-lengths", "/switch", "/endless-head",
                               "/endless-line", "/endless-interim", "/endless-chunk-head"}) {
        const auto got = look(url(target));
        EXPECT_EQ(got.outcome, probe_outcome::failed) << target;
        EXPECT_FALSE(got.text.empty()) << target;
    }
    EXPECT_EQ(look(url("/ok", "closing")).outcome, probe_outcome::failed);
}

TEST_F(probes_test, silent_and_slow_servers_end_with_the_deadline)
{
    const auto slow = look(url("/slow-head"), 200ms);
    EXPECT_EQ(slow.outcome, probe_outcome::timed_out);
    EXPECT_EQ(slow.text, "no whole answer in 200ms");
    auto silent = url("/ok");
    silent.origin.port = server.port("silent");
    EXPECT_EQ(look(silent, 200ms).text, "no answer in 200ms");
    EXPECT_EQ(look(url("/ok", "half_handshake"), 200ms).outcome, probe_outcome::timed_out);
}

TEST_F(probes_test, names_are_resolved_and_host_is_said)
{
    auto what = url("/echo", "plain", "localhost");
    what.host = "www.example.com:8080";
    EXPECT_EQ(look(what).outcome, probe_outcome::passed);
    what.origin.host = "no-such-name.invalid";
    EXPECT_EQ(look(what).outcome, probe_outcome::failed);
}

TEST_F(probes_test, certificates_are_verified_unless_it_is_not_wanted)
{
    EXPECT_EQ(look(url("/ok", "good")).outcome, probe_outcome::passed) << answers.front().text;
    EXPECT_EQ(look(url("/ok", "tls12")).outcome, probe_outcome::passed);
    for (const auto* port : {"unknown_ca", "other_name", "expired"}) {
        auto what = url("/ok", port);
        const auto refused = look(what);
        EXPECT_EQ(refused.outcome, probe_outcome::failed) << port;
        EXPECT_THAT(refused.text, StartsWith("certificate of 127.0.0.1: ")) << port;
        EXPECT_THAT(refused.text, HasSubstr("ca_bundle in [[router.track]]")) << port;
        what.verify = false;
        what.ca_bundle.clear();
        EXPECT_EQ(look(what).outcome, probe_outcome::passed) << port << ": " << answers.front().text;
    }
    auto absent = url("/ok", "good");
    absent.ca_bundle = folder.file("absent.pem");
    EXPECT_THAT(look(absent).text, HasSubstr("holds no CA certificates that can be read"));
}

TEST_F(probes_test, host_is_the_name_that_the_certificate_has_to_carry)
{
    auto what = url("/ok", "other_name");
    what.host = "elsewhere.example:443";
    EXPECT_EQ(look(what).outcome, probe_outcome::passed) << answers.front().text;
    what = url("/ok", "good");
    what.host = "elsewhere.example";
    EXPECT_EQ(look(what, 10s, health::check_id{2}).outcome, probe_outcome::failed);
}

TEST_F(probes_test, bundle_that_has_changed_is_read_again)
{
    auto what = url("/ok", "unknown_ca");
    what.ca_bundle = folder.file("bundle.pem");
    std::filesystem::copy_file(server.ca(), what.ca_bundle);
    EXPECT_EQ(look(what).outcome, probe_outcome::failed);
    const auto stranger = std::filesystem::path{server.ca()}.parent_path() / "stranger.pem";
    std::filesystem::copy_file(stranger, what.ca_bundle, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::last_write_time(what.ca_bundle, std::filesystem::file_time_type::clock::now() + 10s);
    EXPECT_EQ(look(what).outcome, probe_outcome::passed) << answers.front().text;
}

TEST_F(probes_test, what_is_stopped_is_not_told_of)
{
    all.start({health::check_id{1}, url("/slow-head"), 10s});
    all.start({health::check_id{2}, config::script_check{{{"/bin/sleep", "1000"}}, std::nullopt}, 10s});
    all.start({health::check_id{3}, config::process_check{"no-such-name", ""}, 10s});
    for (const auto id : {1U, 2U, 3U}) {
        all.stop(health::check_id{id});
    }
    look(url("/ok"), 10s, health::check_id{4});
}

// --- programs ---

TEST_F(probes_test, program_is_well_with_status_0)
{
    const auto run = [&](const std::string& text) { return look(config::script_check{{{script(text)}}, std::nullopt}); };
    EXPECT_EQ(run("exit 0").outcome, probe_outcome::passed);
    const auto failed = run("echo database is away; exit 3");
    EXPECT_EQ(failed.outcome, probe_outcome::failed);
    EXPECT_EQ(failed.text, "exit status 3: database is away");
    EXPECT_EQ(run("kill -SEGV $$").text, "ended by signal 11");
    const auto absent = look(config::script_check{{{"/nowhere/at/all"}}, std::nullopt});
    EXPECT_EQ(absent.outcome, probe_outcome::failed);
    EXPECT_THAT(absent.text, StartsWith("it was not started: "));
}

TEST_F(probes_test, program_that_takes_too_long_is_killed_with_its_group)
{
    const auto file = folder.file("numbers");
    const auto what = config::script_check{
        {{script("sleep 1000 & echo $$ $! > " + file + ".new; mv " + file + ".new " + file + "; wait")}}, std::nullopt};
    answers.clear();
    all.start({health::check_id{1}, what, 500ms});
    run_until([&] { return !answers.empty(); });
    EXPECT_EQ(answers.front().outcome, probe_outcome::timed_out);
    EXPECT_EQ(answers.front().text, "it ran for longer than 500ms");
    std::ifstream numbers(file);
    pid_t shell = 0;
    pid_t sleep = 0;
    ASSERT_TRUE(numbers >> shell >> sleep) << "it had no time to begin";
    // Collected by us, and by whoever is the parent now.
    boost::asio::steady_timer again(context);
    run_until([&] {
        again.expires_after(10ms);
        again.async_wait([](boost::system::error_code) {});
        std::ifstream stat("/proc/" + std::to_string(sleep) + "/stat");
        std::string text;
        std::getline(stat, text);
        const bool is_dead = text.empty() || text.find(") Z") != std::string::npos;
        return is_dead && ::kill(shell, 0) != 0;
    });
    EXPECT_EQ(answers.size(), 1U) << "its end is no second answer";
    EXPECT_EQ(look(config::script_check{{{"/bin/true"}}, std::nullopt}).outcome, probe_outcome::passed);
}

TEST_F(probes_test, look_waits_for_the_end_of_the_run_before_it_that_was_killed)
{
    const auto hung = look(config::script_check{{{"/bin/sleep", "1000"}}, std::nullopt}, 200ms);
    EXPECT_EQ(hung.outcome, probe_outcome::timed_out);
    // At once, as the next look is where the timeout is as long as the interval: its end has not been told yet.
    const auto next = look(config::script_check{{{"/bin/true"}}, std::nullopt});
    EXPECT_EQ(next.outcome, probe_outcome::passed) << next.text;
}

TEST_F(probes_test, look_fails_with_its_deadline_while_the_killed_run_hangs_in_the_kernel)
{
    const auto file = folder.file("number");
    const auto what = config::script_check{
        {{script("echo $$ > " + file + ".new; mv " + file + ".new " + file + "; exec sleep 1000")}}, std::nullopt};
    const auto well = config::script_check{{{"/bin/true"}}, std::nullopt};
    answers.clear();
    all.start({health::check_id{1}, what, 2s});
    wait_for(file);
    pid_t process = 0;
    ASSERT_TRUE(std::ifstream(file) >> process);
    // Who traces it stops it on its way out, where no signal ends it.
    if (::ptrace(PTRACE_SEIZE, process, nullptr, PTRACE_O_TRACEEXIT) != 0) {
        GTEST_SKIP() << "nothing can be traced here";
    }
    run_until([&] { return !answers.empty(); });
    EXPECT_EQ(answers.front().outcome, probe_outcome::timed_out);
    const auto begun = steady_now();
    const auto got = look(well, 200ms);
    EXPECT_EQ(got.outcome, probe_outcome::failed);
    EXPECT_EQ(got.text, "its last run was killed and has not ended: it hangs in the kernel");
    EXPECT_GE(steady_now() - begun, 200ms);
    answers.clear();
    all.start({health::check_id{1}, well, 10s});
    int status = 0;
    ASSERT_EQ(::waitpid(process, &status, __WALL), process);
    ASSERT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
    ASSERT_EQ(::ptrace(PTRACE_DETACH, process, nullptr, nullptr), 0);
    run_until([&] { return !answers.empty(); });
    EXPECT_EQ(answers.front().outcome, probe_outcome::passed) << answers.front().text;
}

TEST_F(probes_test, program_that_was_abandoned_says_nothing_and_its_look_begins_again)
{
    const auto file = folder.file("begun");
    const auto what =
        config::script_check{{{script("[ -e " + file + " ] && exit 0; : > " + file + "; exec sleep 1000")}}, std::nullopt};
    answers.clear();
    all.start({health::check_id{1}, what, 10s});
    wait_for(file);
    all.abandon_programs();
    run_until([&] { return !answers.empty(); });
    EXPECT_EQ(answers.front().outcome, probe_outcome::passed) << answers.front().text;
    EXPECT_EQ(answers.size(), 1U);
}

TEST_F(probes_test, program_that_is_abandoned_before_its_turn_runs_once)
{
    const auto file = folder.file("runs");
    answers.clear();
    all.start({health::check_id{1}, config::script_check{{{script("echo run >> " + file)}}, std::nullopt}, 10s});
    all.abandon_programs();
    run_until([&] { return !answers.empty(); });
    EXPECT_EQ(answers.front().outcome, probe_outcome::passed) << answers.front().text;
    EXPECT_EQ(std::filesystem::file_size(file), 4U);
}

TEST_F(probes_test, endless_output_does_no_harm)
{
    const auto got = look(config::script_check{{{script("yes; exit 0")}}, std::nullopt}, 300ms);
    EXPECT_EQ(got.outcome, probe_outcome::timed_out);
}

// --- files and processes ---

TEST_F(probes_test, file_is_read_each_time)
{
    const auto path = folder.file("weight");
    EXPECT_EQ(look(config::file_check{path}).number, 0);
    std::ofstream(path) << "-50\n";
    EXPECT_EQ(look(config::file_check{path}).number, -50);
    std::ofstream(path) << "a lot\n";
    EXPECT_EQ(look(config::file_check{path}).outcome, probe_outcome::failed);
    ::unlink(path.c_str());
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(look(config::file_check{path}).outcome, probe_outcome::failed) << "and nobody waits for a writer";
}

TEST_F(probes_test, process_is_watched_from_the_answer_on)
{
    std::string own_name;
    std::getline(std::ifstream{"/proc/self/comm"}, own_name);
    const auto got = look(config::process_check{own_name, ""});
    EXPECT_EQ(got.outcome, probe_outcome::passed);
    EXPECT_TRUE(got.watched);
    EXPECT_TRUE(ended.empty());
}

}  // namespace
}  // namespace vipd::io
