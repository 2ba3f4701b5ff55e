// [router.auth] kind = "hmac". The key of a file is 32 bytes that its name chooses (see file.hpp).

#include "tests/unit/config/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Lines 7 and 8 are [router.auth] and its kind.
outcome with(std::vector<std::string> lines, const std::vector<std::string>& router = {})
{
    lines.insert(lines.begin(), {"[router.auth]", R"(kind = "hmac")"});
    lines.insert(lines.begin(), router.begin(), router.end());
    return outcome_of(router_with(lines));
}

const std::string one_key = R"(keys = [{ id = 1, file = "/keys/1" }])";
const std::string two_keys = R"(keys = [{ id = 1, file = "/keys/1" }, { id = 9, file = "/keys/9" }])";

vrrp::hmac_settings settings(const outcome& got)
{
    EXPECT_THAT(got.errors, IsEmpty());
    return got.value.routers.empty() ? vrrp::hmac_settings{} : got.value.routers[0].auth.hmac.value_or(vrrp::hmac_settings{});
}

TEST(auth, one_key_is_enough)
{
    const auto got = with({one_key});
    const auto s = settings(got);
    EXPECT_THAT(got.warnings, IsEmpty());
    EXPECT_EQ(s.mode, vrrp::hmac_mode::enforce);
    EXPECT_EQ(s.against_replay, vrrp::anti_replay::time);
    EXPECT_EQ(s.window, 5s);
    EXPECT_EQ(s.active_key, 1);
    ASSERT_EQ(s.keys.size(), 1U);
    EXPECT_EQ(s.keys[0].id, 1);
    EXPECT_EQ(s.keys[0].secret, *read_key("/keys/1"));
    EXPECT_FALSE(got.value.routers[0].auth.password);
}

TEST(auth, everything_can_be_said)
{
    const auto s = settings(
        with({R"(mode = "receive-only")", R"(anti_replay = "time")", R"(window = "300s")", "active_key = 9", two_keys}));
    EXPECT_EQ(s.mode, vrrp::hmac_mode::receive_only);
    EXPECT_EQ(s.window, 300s);
    EXPECT_EQ(s.active_key, 9);
    EXPECT_EQ(s.keys.size(), 2U);
    EXPECT_EQ(settings(with({R"(mode = "permissive")", one_key})).mode, vrrp::hmac_mode::permissive);
    EXPECT_EQ(settings(with({R"(anti_replay = "monotonic")", one_key})).against_replay, vrrp::anti_replay::monotonic);
}

TEST(auth, the_window_follows_from_the_interval)
{
    EXPECT_EQ(settings(with({one_key}, {R"(advert_interval = "1.6s")"})).window, 5s);
    EXPECT_EQ(settings(with({one_key}, {R"(advert_interval = "10s")"})).window, 30s);
    EXPECT_EQ(settings(with({one_key}, {"version = 2", R"(advert_interval = "255s")"})).window, 300s);
}

TEST(auth, version_2_can_be_signed_too)
{
    const auto got = with({one_key}, {"version = 2"});
    EXPECT_TRUE(settings(got).active_key == 1);
    EXPECT_THAT(got.warnings, IsEmpty());
}

TEST(auth, another_key_in_the_same_file_is_another_configuration)
{
    EXPECT_EQ(with({one_key}).value, with({one_key}).value);
    EXPECT_NE(with({one_key}).value, with({R"(keys = [{ id = 1, file = "/keys/2" }])"}).value);
}

TEST(auth, what_is_wrong_is_said_where_it_is)
{
    EXPECT_THAT(
        with({}).errors,
        ElementsAre("7:1: router[0].auth.keys: is missing; allowed is a list of 1 to 16, each { id = N, file = \"...\" }"));
    EXPECT_THAT(with({"keys = []"}).errors, ElementsAre("9:8: router[0].auth.keys: found 0 entries; allowed are 1 to 16"));
    EXPECT_THAT(with({two_keys}).errors,
                ElementsAre("7:1: router[0].auth.active_key: is missing; allowed is a whole number from 1 to 255"));
    EXPECT_THAT(with({two_keys, "active_key = 2"}).errors,
                ElementsAre("10:14: router[0].auth.active_key: found 2, which is the id of none of the keys"));
    EXPECT_THAT(with({R"(keys = [{ id = 1, file = "/k/1" }, { id = 1, file = "/k/2" }])", "active_key = 1"}).errors,
                ElementsAre("9:43: router[0].auth.keys[1].id: found 1 a second time; give every key an id of its own"));
    EXPECT_THAT(with({R"(keys = [{ id = 0, file = "keys/1" }, { id = 256 }])"}).errors,
                ElementsAre("9:16: router[0].auth.keys[0].id: found 0; allowed is a whole number from 1 to 255",
                            "9:26: router[0].auth.keys[0].file: found \"keys/1\"; allowed is an absolute path",
                            "9:38: router[0].auth.keys[1].file: is missing; allowed is an absolute path",
                            "9:45: router[0].auth.keys[1].id: found 256; allowed is a whole number from 1 to 255"));
    EXPECT_THAT(with({one_key, R"(window = "301s")"}).errors,
                ElementsAre("10:10: router[0].auth.window: found \"301s\"; allowed is a duration from 1s to 5m"));
    EXPECT_THAT(with({one_key, R"(mode = "strict")"}).errors,
                ElementsAre("10:8: router[0].auth.mode: found \"strict\"; allowed is \"receive-only\", \"permissive\" or "
                            "\"enforce\""));
}

TEST(auth, a_key_file_that_is_wrong_is_an_error_of_the_configuration)
{
    EXPECT_THAT(with({R"(keys = [{ id = 1, file = "/keys/bad" }])"}).errors,
                ElementsAre("9:26: router[0].auth.keys[0].file: \"/keys/bad\" has mode 0644"));
}

TEST(auth, keys_of_the_other_kind_are_refused)
{
    EXPECT_THAT(with({one_key, R"(password = "geheim")"}).errors,
                ElementsAre("10:1: router[0].auth.password: has no meaning with kind = \"hmac\"; remove it"));
    const auto got = outcome_of(
        router_with({"version = 2", "[router.auth]", R"(kind = "password")", R"(password = "geheim")", R"(mode = "enforce")"}));
    EXPECT_THAT(got.errors, ElementsAre("11:1: router[0].auth.mode: has no meaning with kind = \"password\"; remove it"));
}

TEST(auth, a_window_without_time_is_warned_of)
{
    EXPECT_THAT(
        with({one_key, R"(anti_replay = "monotonic")", R"(window = "5s")"}).warnings,
        ElementsAre("11:10: router[0].auth.window: has no effect with anti_replay = \"monotonic\"; remove one of the two"));
}

TEST(auth, the_trailer_counts_among_the_bytes_of_an_advert)
{
    std::string list;
    for (unsigned i = 1; i <= 86; ++i) {
        list += (i > 1 ? ", \"2001:db8:1::" : "\"2001:db8:1::") + std::to_string(i) + "\"";
    }
    const std::vector<std::string> router = {R"(peers = ["2001:db8::2"])", "advertised_addresses = [" + list + "]"};
    EXPECT_THAT(outcome_of(router_with(router)).errors, IsEmpty());
    EXPECT_EQ(with({one_key}, router).errors.size(), 1U);
}

}  // namespace
}  // namespace vipd::config::test
