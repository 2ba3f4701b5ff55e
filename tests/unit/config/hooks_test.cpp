// [router.hooks]; what this machine says about users and programs is in file.hpp.

#include "tests/unit/config/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Line 7 is [router.hooks].
outcome with(std::vector<std::string> lines)
{
    lines.insert(lines.begin(), "[router.hooks]");
    return outcome_of(router_with(lines));
}

TEST(hooks, every_event_has_a_program_of_its_own)
{
    const auto got = with({R"(active = ["/a", "one argument", ""])", R"(owned = ["/o"])", R"(backup = ["/b"])",
                           R"(fault = ["/f"])", R"(stopping = ["/s"])", R"(lower_priority_advert = ["/l"])",
                           R"(notify = ["/n", "-x"])", R"(user = "haproxy")", R"(timeout = "1m")"});
    EXPECT_THAT(got.errors, IsEmpty());
    EXPECT_THAT(got.warnings, IsEmpty());
    ASSERT_TRUE(got.value.routers[0].hooks);
    const auto& hooks = *got.value.routers[0].hooks;
    EXPECT_THAT(hooks.of(hook_event::active).argv, ElementsAre("/a", "one argument", ""));
    EXPECT_THAT(hooks.of(hook_event::lower_priority_advert).argv, ElementsAre("/l"));
    EXPECT_THAT(hooks.notify.argv, ElementsAre("/n", "-x"));
    EXPECT_EQ(hooks.timeout, 60s);
    ASSERT_TRUE(hooks.runs_as);
    EXPECT_EQ(*hooks.runs_as, (account{"haproxy", 188, 188, {188, 4}}));
}

TEST(hooks, little_is_enough)
{
    const auto got = with({R"(backup = ["/b"])"});
    EXPECT_THAT(got.errors, IsEmpty());
    const auto& hooks = *got.value.routers[0].hooks;
    EXPECT_EQ(hooks.timeout, 30s);
    EXPECT_FALSE(hooks.runs_as);
    EXPECT_FALSE(outcome_of(router_with({})).value.routers[0].hooks);
}

TEST(hooks, what_is_wrong_is_said_where_it_is)
{
    EXPECT_THAT(with({R"(active = "/usr/bin/true")"}).errors,
                ElementsAre("8:10: router[0].hooks.active: found \"/usr/bin/true\"; allowed is a list of 1 to 64, each a text: "
                            "the absolute path of a program, then its arguments, without a shell; put it in [ ]"));
    EXPECT_THAT(with({"active = []"}).errors,
                ElementsAre("8:10: router[0].hooks.active: found 0 entries; allowed are 1 to 64"));
    EXPECT_THAT(with({R"(active = ["notify.sh"])"}).errors,
                ElementsAre("8:11: router[0].hooks.active[0]: found \"notify.sh\"; a program is run without a shell and is not "
                            "searched for; allowed is an absolute path"));
    EXPECT_THAT(with({R"(active = ["/a", 5])"}).errors,
                ElementsAre("8:17: router[0].hooks.active[1]: found 5; allowed is a text: the absolute path of a program, then "
                            "its arguments, without a shell"));
    EXPECT_THAT(with({"active = [\"/a\", \"" + std::string(4097, 'x') + "\"]"}).errors,
                ElementsAre("8:17: router[0].hooks.active[1]: found a text of 4097 bytes; allowed are 4096 bytes, and no NUL "
                            "among them"));
    EXPECT_THAT(with({R"(aktive = ["/a"])"}).errors,
                ElementsAre("8:1: router[0].hooks.aktive: is not a key of [router.hooks]; did you mean \"active\"?"));
    EXPECT_THAT(with({R"(backup = ["/b"])", R"(timeout = "0s")"}).errors,
                ElementsAre("9:11: router[0].hooks.timeout: found \"0s\"; allowed is a duration from 1s to 10m"));
    EXPECT_THAT(
        with({R"(backup = ["b"])", R"(user = "haproxi")"}).errors,
        ElementsAre("8:11: router[0].hooks.backup[0]: found \"b\"; a program is run without a shell and is not searched "
                    "for; allowed is an absolute path",
                    "9:8: router[0].hooks.user: \"haproxi\" is no user of this machine"));
}

TEST(hooks, program_that_is_not_there_is_a_warning_and_one_that_others_can_change_an_error)
{
    EXPECT_THAT(with({R"(backup = ["/nowhere"])", R"(fault = ["/nowhere", "again"])"}).warnings,
                ElementsAre("8:10: router[0].hooks.backup[0]: \"/nowhere\" cannot be run: No such file or directory"));
    EXPECT_THAT(with({R"(backup = ["/open"])"}).errors,
                ElementsAre("8:10: router[0].hooks.backup[0]: \"/open\" has mode 0777 for vipd"));
    EXPECT_THAT(with({R"(user = "haproxy")", R"(notify = ["/open"])"}).errors,
                ElementsAre("9:10: router[0].hooks.notify[0]: \"/open\" has mode 0777 for haproxy"));
}

TEST(hooks, command_line_in_one_text_is_recognised)
{
    EXPECT_THAT(with({R"(active = ["/nowhere restart nginx"])"}).warnings,
                ElementsAre("8:10: router[0].hooks.active[0]: \"/nowhere restart nginx\" cannot be run: No such file or "
                            "directory; each argument is a text of its own: [\"/usr/bin/systemctl\", \"restart\", "
                            "\"nginx.service\"]"));
}

TEST(hooks, table_without_a_program_is_warned_of)
{
    EXPECT_THAT(with({}).warnings, ElementsAre("7:1: router[0].hooks: has no effect: it names no program; add one, such as "
                                               "backup = [\"/path\"]"));
}

TEST(hooks, deadline_beyond_the_end_of_vipd_is_warned_of)
{
    EXPECT_THAT(with({R"(stopping = ["/s"])", R"(timeout = "61s")"}).warnings,
                ElementsAre("9:11: router[0].hooks.timeout: the end of vipd waits for 1m at most, and then ends what still "
                            "runs"));
    EXPECT_THAT(with({R"(active = ["/a"])", R"(timeout = "61s")"}).warnings, IsEmpty());
}

TEST(hooks, user_of_many_routers_is_looked_up_once)
{
    std::string text;
    for (int i = 1; i <= 5; ++i) {
        text += router_with({"name = \"r" + std::to_string(i) + "\"", "vrid = " + std::to_string(i), "[router.hooks]",
                             R"(backup = ["/b"])", R"(user = "haproxy")"});
    }
    int asked = 0;
    const auto count = [&](const std::string& user) {
        ++asked;
        return find_account(user);
    };
    const auto got = load(text, "f", {read_key, count, check_program});
    ASSERT_TRUE(std::holds_alternative<loaded>(got));
    EXPECT_EQ(std::get<loaded>(got).value.routers[4].hooks->runs_as->user, 188U);
    EXPECT_EQ(asked, 1);
}

TEST(hooks, users_and_programs_need_a_machine)
{
    const auto text = router_with({"[router.hooks]", R"(backup = ["/b"])", R"(user = "haproxy")"});
    const auto without = load(text, "f");
    ASSERT_TRUE(std::holds_alternative<std::vector<finding>>(without));
    EXPECT_EQ(std::get<std::vector<finding>>(without).at(0).text, "\"haproxy\" cannot be looked up here");
}

TEST(hooks, a_command_is_shown_as_it_would_be_typed)
{
    EXPECT_EQ((command{{"/a", "b", "two words", "", "it's"}}).to_string(), "/a b 'two words' '' 'it'\\''s'");
}

}  // namespace
}  // namespace vipd::config::test
