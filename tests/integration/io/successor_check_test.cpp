#include "agent/io/successor_check.hpp"

#include "tests/integration/io/child_program.hpp"
#include "tests/integration/io/reactor_fixture.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct successor_check_test : reactor_fixture {
    // What comes of asking a program that does this.
    result<void> ask(const std::string& text)
    {
        successor_check check{context};
        return ask(check, text);
    }
    result<void> ask(successor_check& check, const std::string& text)
    {
        const auto program = folder.file("vipd");
        std::ofstream{program} << "#!/bin/sh\n" << text << "\n";
        std::filesystem::permissions(program, std::filesystem::perms::owner_all | std::filesystem::perms::others_write);
        std::optional<result<void>> outcome;
        check.begin(program, folder.file("vipd.toml"), [&](const result<void>& found) { outcome = found; });
        EXPECT_FALSE(outcome) << "whoever begins it has gone on before it ends";
        run_until([&] { return outcome.has_value(); });
        return outcome.value_or(result<void>{});
    }

    temporary_folder folder;
};

TEST_F(successor_check_test, a_program_that_takes_the_file_may_follow)
{
    EXPECT_TRUE(ask("test \"$*\" = \"check --config " + folder.file("vipd.toml") + "\""));
}

TEST_F(successor_check_test, one_that_refuses_it_is_heard_on_one_line)
{
    const auto refused = ask("echo 'vipd.toml: 1 error'; echo 'mode of the key' >&2; exit 1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, error_class::malformed);
    EXPECT_THAT(refused.error().text,
                AllOf(HasSubstr("exit code 1: vipd.toml: 1 error mode of the key"), Not(HasSubstr("\n"))));
}

TEST_F(successor_check_test, one_that_dies_or_is_no_program_says_so)
{
    EXPECT_THAT(ask("kill -SEGV $$").error().text, HasSubstr("ended by signal 11"));
    std::filesystem::create_directory(folder.file("folder"));
    successor_check check{context};
    std::optional<result<void>> outcome;
    check.begin(folder.file("folder"), folder.file("vipd.toml"), [&](const result<void>& found) { outcome = found; });
    run_until([&] { return outcome.has_value(); });
    EXPECT_THAT(outcome->error().text, HasSubstr("Permission denied"));
}

TEST_F(successor_check_test, one_that_hangs_is_killed)
{
    successor_check check{context, 1s};
    const auto hung = ask(check, "echo $$ > " + folder.file("pid") + "; exec sleep 1000");
    ASSERT_FALSE(hung);
    EXPECT_EQ(hung.error().kind, error_class::unavailable);
    EXPECT_THAT(hung.error().text, HasSubstr("has not ended for 1 s"));
    pid_t process = 0;
    std::ifstream{folder.file("pid")} >> process;
    ASSERT_GT(process, 0);
    run_until([&] { return ::kill(process, 0) != 0; });
}

TEST_F(successor_check_test, one_that_never_stops_talking_is_cut_short)
{
    const auto refused = ask("i=0; while test $i -lt 1000; do echo 0123456789; i=$((i + 1)); done; exit 3");
    ASSERT_FALSE(refused);
    EXPECT_LT(refused.error().text.size(), 3000U);
}

}  // namespace
}  // namespace vipd::io
