#include "agent/io/child_processes.hpp"

#include "agent/io/file_descriptor.hpp"
#include "agent/io/hook_program.hpp"
#include "tests/integration/io/child_program.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;
using hooks::process_end;
using hooks::process_id;
using hooks::process_signal;
using testing::ElementsAre;
using testing::HasSubstr;

struct child_processes_test : reactor_fixture, child_processes::owner {
    void on_process_output(hooks::process_output&& what) override
    {
        largest_piece = std::max(largest_piece, what.bytes.size());
        output[what.id] += what.bytes;
    }
    void on_process_ended(hooks::process_ended&& what) override { ends[what.id] = what; }

    process_id start(std::vector<std::string> argv, std::optional<config::account> user = {})
    {
        const auto id = ids.next();
        children->start({id, std::move(argv), {"VIPD_EVENT=active"}, std::move(user)});
        return id;
    }
    process_id shell(const std::string& text, std::optional<config::account> user = {})
    {
        return start({"/bin/sh", "-c", text}, std::move(user));
    }
    hooks::process_ended wait(process_id id)
    {
        run_until([&] { return ends.contains(id); });
        return ends[id];
    }
    std::string said(process_id id)
    {
        wait(id);
        return output[id];
    }
    std::vector<std::string> lines(process_id id)
    {
        std::istringstream text(said(id));
        std::vector<std::string> all;
        for (std::string line; std::getline(text, line);) {
            all.push_back(line);
        }
        return all;
    }
    void wait_for_output(process_id id)
    {
        run_until([&] { return !output[id].empty(); });
    }
    // Gone, or dead and not yet collected by whoever is its parent now.
    void wait_until_dead(const std::string& process)
    {
        boost::asio::steady_timer again(context);
        run_until([&] {
            std::ifstream stat("/proc/" + process + "/stat");
            std::string text;
            std::getline(stat, text);
            again.expires_after(10ms);
            again.async_wait([](boost::system::error_code) {});
            return text.empty() || text.find(") Z") != std::string::npos;
        });
    }
    std::string script(const std::string& text, mode_t mode = 0755)
    {
        const auto path = folder.file("script");
        ::unlink(path.c_str());
        std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
        ::chmod(path.c_str(), mode);
        return path;
    }

    temporary_folder folder;
    id_source<process_id> ids;
    std::map<process_id, std::string> output;
    std::map<process_id, hooks::process_ended> ends;
    std::size_t largest_piece = 0;
    std::unique_ptr<child_processes> children = std::make_unique<child_processes>(context, *this);
};

TEST_F(child_processes_test, what_it_writes_and_how_it_ends_is_told)
{
    const auto id = shell("echo out; echo err >&2; exit 7");
    const auto end = wait(id);
    EXPECT_EQ(output[id], "out\nerr\n");
    EXPECT_EQ(end.how, process_end::exited);
    EXPECT_EQ(end.code, 7);
    EXPECT_FALSE(end.left_others);
    EXPECT_EQ(children->size(), 0U);
    const auto silent = wait(start({"/bin/true"}));
    EXPECT_EQ(silent.how, process_end::exited);
    EXPECT_EQ(silent.code, 0);
}

TEST_F(child_processes_test, script_gets_its_arguments_as_they_are)
{
    const auto id = start({script("for a in \"$@\"; do echo \"<$a>\"; done"), "two words", "", "$HOME;"});
    EXPECT_EQ(said(id), "<two words>\n<>\n<$HOME;>\n");
}

TEST_F(child_processes_test, signal_that_ends_it_is_told)
{
    const auto end = wait(shell("kill -SEGV $$"));
    EXPECT_EQ(end.how, process_end::signalled);
    EXPECT_EQ(end.code, SIGSEGV);
}

TEST_F(child_processes_test, nobody_who_has_ended_is_left_to_be_collected)
{
    for (const std::string how : {"echo $$", "echo $$; kill -KILL $$"}) {
        const auto process = std::stoi(said(shell(how)));
        siginfo_t what{};
        EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(process), &what, WEXITED | WNOHANG | WNOWAIT), -1) << "a zombie";
        EXPECT_EQ(errno, ECHILD);
    }
}

TEST_F(child_processes_test, whole_group_is_asked_to_end)
{
    const auto id = shell("sleep 1000 & echo $!; wait");
    wait_for_output(id);
    children->signal({id, process_signal::terminate});
    const auto end = wait(id);
    EXPECT_EQ(end.how, process_end::signalled);
    EXPECT_EQ(end.code, SIGTERM);
    wait_until_dead(lines(id).at(0));
}

TEST_F(child_processes_test, program_that_does_not_listen_is_killed)
{
    const auto id = shell("trap '' TERM; echo $$; while :; do sleep 1000; done");
    wait_for_output(id);
    children->signal({id, process_signal::terminate});
    children->signal({id, process_signal::kill});
    EXPECT_EQ(wait(id).code, SIGKILL);
}

TEST_F(child_processes_test, what_is_left_of_the_group_is_ended_and_told)
{
    const auto id = shell("sleep 1000 & echo $!");
    EXPECT_TRUE(wait(id).left_others);
    wait_until_dead(lines(id).at(0));
}

TEST_F(child_processes_test, session_of_its_own_escapes_and_holds_up_nobody)
{
    // The program ends when the other has said, by way of a FIFO, that it has its session.
    const auto id = shell(
        "d=$(mktemp -d) && mkfifo $d/begun && { setsid sh -c \"echo \\$\\$; echo >$d/begun; exec sleep 1000\" & "
        "read -r line <$d/begun; rm -r $d; }");
    wait_for_output(id);
    const auto end = wait(id);
    EXPECT_EQ(end.code, 0);
    const auto escaped = std::stoi(output[id]);
    EXPECT_EQ(::kill(escaped, 0), 0) << "it lives";
    ::kill(escaped, SIGKILL);
}

TEST_F(child_processes_test, ten_megabytes_come_in_small_pieces)
{
    const auto id = start({"/usr/bin/head", "-c", "10000000", "/dev/zero"});
    EXPECT_EQ(wait(id).code, 0);
    EXPECT_EQ(output[id].size(), 10'000'000U);
    EXPECT_LE(largest_piece, 16U << 10U);
}

TEST_F(child_processes_test, output_without_end_can_be_ended)
{
    const auto id = start({"/usr/bin/yes"});
    run_until([&] { return output[id].size() > 1'000'000; });
    children->signal({id, process_signal::terminate});
    EXPECT_EQ(wait(id).code, SIGTERM);
}

TEST_F(child_processes_test, program_that_closes_its_output_is_waited_for)
{
    const auto id = shell("exec >&- 2>&-; sleep 0.1; exit 3");
    EXPECT_EQ(wait(id).code, 3);
}

TEST_F(child_processes_test, environment_is_what_it_is_told_and_path_and_language)
{
    ::setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    ::setenv("LANG", "C.UTF-8", 1);
    const auto told = lines(start({"/usr/bin/env"}));
    ::unsetenv("AWS_SECRET_ACCESS_KEY");
    EXPECT_THAT(told, ElementsAre("VIPD_EVENT=active", std::string("PATH=") + std::getenv("PATH"), "LANG=C.UTF-8"));
}

TEST_F(child_processes_test, no_descriptor_goes_along)
{
    // Not closed on exec by itself, as a careless library leaves them; and no number that the new process makes use of.
    const file_descriptor zero{::open("/dev/zero", O_RDONLY | O_CLOEXEC)};
    const file_descriptor careless{::fcntl(zero.get(), F_DUPFD, 100)};
    ASSERT_TRUE(careless);
    const auto told = lines(start({"/bin/ls", "-l", "/proc/self/fd"}));
    // The line of the total, and the folder that ls looks into.
    ASSERT_EQ(told.size(), 5U);
    EXPECT_THAT(told[1], HasSubstr("0 -> /dev/null"));
    EXPECT_THAT(told[2], HasSubstr("1 -> pipe:"));
    EXPECT_THAT(told[3], HasSubstr("2 -> pipe:"));
}

TEST_F(child_processes_test, no_signal_is_blocked_or_ignored)
{
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t some;
    sigset_t before;
    ::sigemptyset(&some);
    ::sigaddset(&some, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &some, &before);
    const auto told = lines(start({"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}));
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    EXPECT_THAT(told, ElementsAre("SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"));
}

TEST_F(child_processes_test, it_leads_a_session_and_stands_in_the_root)
{
    const auto told = lines(shell("echo $$; cut -d' ' -f5,6 /proc/$$/stat; pwd"));
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[1], told[0] + " " + told[0]);
    EXPECT_EQ(told[2], "/");
}

TEST_F(child_processes_test, priority_of_the_loop_is_not_inherited)
{
    sched_param urgent{};
    urgent.sched_priority = 1;
    const bool is_realtime = ::sched_setscheduler(0, SCHED_RR, &urgent) == 0;
    ::prctl(PR_SET_TIMERSLACK, 1UL);
    const auto id = shell(
        "cut -d' ' -f41 /proc/$$/stat; cat /proc/$$/timerslack_ns; cat /proc/$$/oom_score_adj; ulimit -S -n; "
        "grep -c 'realtime priority *0 *0' /proc/$$/limits");
    const auto told = lines(id);
    const sched_param ordinary{};
    ::sched_setscheduler(0, SCHED_OTHER, &ordinary);
    ASSERT_EQ(told.size(), 5U);
    EXPECT_EQ(told[0], "0") << is_realtime;
    EXPECT_EQ(told[1], "50000");
    EXPECT_EQ(told[2], "0");
    EXPECT_LE(std::stoi(told[3]), 1024);
    EXPECT_EQ(told[4], "1");
}

TEST_F(child_processes_test, other_user_is_become_with_its_groups_and_without_capabilities)
{
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can become somebody else";
    }
    const auto nobody = find_account("nobody");
    ASSERT_TRUE(nobody);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> had{};
    ::syscall(SYS_capget, &header, had.data());
    auto more = had;
    more[0].inheritable |= 1U << CAP_NET_RAW;
    ASSERT_EQ(::syscall(SYS_capset, &header, more.data()), 0);
    ASSERT_EQ(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0), 0);
    const auto told = lines(shell("id -u; id -g; id -G; grep -E '^Cap(Prm|Eff|Amb)' /proc/$$/status", *nobody));
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    ::syscall(SYS_capset, &header, had.data());
    const auto none = "\t0000000000000000";
    const auto group = std::to_string(nobody->group);
    EXPECT_THAT(told, ElementsAre(std::to_string(nobody->user), group, group, std::string("CapPrm:") + none,
                                  std::string("CapEff:") + none, std::string("CapAmb:") + none));
}

TEST_F(child_processes_test, program_that_cannot_be_run_is_told_with_the_reason)
{
    const auto why = [&](const std::string& path) {
        const auto end = wait(start({path}));
        EXPECT_EQ(end.how, process_end::not_started) << path;
        return end.why;
    };
    EXPECT_THAT(why("/usr/bin/nowhere"), HasSubstr("/usr/bin/nowhere cannot be run: No such file or directory"));
    EXPECT_THAT(why(folder.path()), HasSubstr("it is no regular file"));
    EXPECT_THAT(why(script("true", 0644)), HasSubstr("it has mode 0644; chmod 0755 it"));
    EXPECT_THAT(why(script("true", 0777)), HasSubstr("has mode 0777, which lets group or others change what is run"));
    const auto strange = folder.file("strange");
    std::ofstream(strange) << "#!/usr/bin/no-such-interpreter\n";
    ::chmod(strange.c_str(), 0755);
    EXPECT_THAT(why(strange), HasSubstr("running " + strange + ": No such file or directory"));
    std::ofstream(strange) << "neither a script nor a program\n";
    EXPECT_THAT(why(strange), HasSubstr("Exec format error"));
}

TEST_F(child_processes_test, many_are_started_one_in_each_round_and_all_end)
{
    std::vector<process_id> all;
    for (int i = 0; i < 40; ++i) {
        all.push_back(shell("echo " + std::to_string(i)));
    }
    context.poll_one();
    EXPECT_EQ(children->size(), 40U);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(said(all[i]), std::to_string(i) + "\n");
    }
}

TEST_F(child_processes_test, one_whose_time_is_over_before_its_turn_is_not_started)
{
    const auto first = start({"/bin/true"});
    const auto id = start({"/bin/true"});
    children->signal({id, process_signal::terminate});
    EXPECT_EQ(ends[id].how, process_end::not_started);
    wait(first);
    EXPECT_EQ(ends.size(), 2U);
}

TEST_F(child_processes_test, who_has_no_group_yet_is_killed_with_all_others)
{
    // As soon as it is there it is killed: mostly before it has begun a session.
    for (int i = 0; i < 10; ++i) {
        const auto id = start({"/bin/sleep", "1000"});
        context.restart();
        ASSERT_EQ(context.poll_one(), 1U);
        children->kill_all();
        const auto end = wait(id);
        ASSERT_EQ(end.how, process_end::signalled) << end.why;
        ASSERT_EQ(end.code, SIGKILL);
    }
}

TEST_F(child_processes_test, who_still_runs_at_the_end_is_killed)
{
    const auto id = shell("sleep 1000 & echo $!; wait");
    wait_for_output(id);
    std::istringstream text(output[id]);
    std::string process;
    text >> process;
    children.reset();
    wait_until_dead(process);
}

TEST_F(child_processes_test, nothing_is_left_open)
{
    const auto count = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
    wait(start({"/bin/true"}));
    const auto before = count();
    for (int i = 0; i < 10; ++i) {
        wait(start({"/bin/true"}));
        wait(start({"/usr/bin/nowhere"}));
    }
    EXPECT_EQ(count(), before);
}

// --- who may be run ---

struct hook_program : testing::Test {
    std::string program(const std::string& in, mode_t mode = 0755)
    {
        const auto path = in + "/program";
        ::unlink(path.c_str());
        std::ofstream(path) << "#!/bin/sh\n";
        ::chmod(path.c_str(), mode);
        return path;
    }
    static std::string refusal(const std::string& path, const std::optional<config::account>& user = {})
    {
        const auto checked = check_program(path, user);
        return checked ? "" : checked.error().text;
    }

    temporary_folder folder;
};

TEST_F(hook_program, one_that_only_its_user_can_change_may_run)
{
    EXPECT_EQ(refusal("/bin/sh"), "");
    EXPECT_EQ(refusal(program(folder.path())), "");
    EXPECT_EQ(refusal(program(folder.path(), 0500)), "");
}

TEST_F(hook_program, one_that_others_can_change_or_replace_may_not)
{
    for (const mode_t mode : {0775U, 0757U, 0722U}) {
        EXPECT_THAT(refusal(program(folder.path(), mode)), HasSubstr("chmod go-w it")) << std::oct << mode;
    }
    const auto inside = folder.file("inside");
    std::filesystem::create_directory(inside);
    const auto path = program(inside);
    ::chmod(inside.c_str(), 0777);
    EXPECT_THAT(refusal(path), HasSubstr("can be replaced: its folder " + inside + " has mode 0777"));
    // By its own name as well as by another one.
    const auto link = folder.file("link");
    std::filesystem::create_symlink(path, link);
    EXPECT_THAT(refusal(link), HasSubstr("can be replaced"));
    ::chmod(inside.c_str(), 01777);
    EXPECT_EQ(refusal(path), "") << "as in /tmp";
}

TEST_F(hook_program, one_of_another_user_may_not_be_run)
{
    const auto path = program(folder.path());
    constexpr uid_t stranger = 65533;
    if (::chown(path.c_str(), stranger, static_cast<gid_t>(-1)) != 0) {
        GTEST_SKIP() << "only root gives files away";
    }
    EXPECT_THAT(refusal(path), HasSubstr("belongs to user 65533; allowed are root and the user that the program runs as"));
    EXPECT_EQ(refusal(path, config::account{"stranger", stranger, stranger, {}}), "");
}

TEST_F(hook_program, what_is_not_there_is_of_another_class)
{
    EXPECT_EQ(check_program(folder.file("nowhere"), {}).error().kind, error_class::not_found);
    EXPECT_EQ(check_program(program(folder.path(), 0644), {}).error().kind, error_class::not_found);
    EXPECT_EQ(check_program(program(folder.path(), 0777), {}).error().kind, error_class::denied);
}

TEST_F(hook_program, users_are_found_with_their_groups)
{
    const auto root = find_account("root");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->user, 0U);
    EXPECT_THAT(root->groups, testing::Contains(root->group));
    EXPECT_THAT(find_account("no-such-user").error().text, HasSubstr("is no user of this machine"));
}

}  // namespace
}  // namespace vipd::io
