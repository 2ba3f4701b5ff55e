#include "agent/status/target.hpp"

#include "agent/status/http.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vipd::status {
namespace {

using path = std::vector<std::string>;

path path_of(std::string_view text)
{
    const auto parsed = parse_target(text);
    return parsed ? parsed->path : path{"refused: " + parsed.error().text};
}

TEST(target, is_split_at_slashes)
{
    EXPECT_EQ(path_of("/"), path{""});
    EXPECT_EQ(path_of("/v1/routers/web"), (path{"v1", "routers", "web"}));
    EXPECT_EQ(path_of("/v1/"), (path{"v1", ""}));
    EXPECT_EQ(path_of("//"), (path{"", ""}));
}

TEST(target, is_decoded_after_it_was_split)
{
    EXPECT_EQ(path_of("/v1/routers/a%2Fb%20c%25/plan"), (path{"v1", "routers", "a/b c%", "plan"}));
    EXPECT_EQ(path_of("/%C3%a4"), path{"\xC3\xA4"});
}

TEST(target, in_absolute_form_counts_from_the_path_on)
{
    EXPECT_EQ(path_of("http://node:9112/v1/status"), (path{"v1", "status"}));
    EXPECT_EQ(path_of("http://node"), path{""});
    EXPECT_EQ(path_of("http://node?x=1"), path{""});
}

TEST(target, has_decoded_parameters)
{
    const auto t = parse_target("/v1/events?after=12&&flag&a%26b=c%3Dd=e");
    ASSERT_TRUE(t);
    EXPECT_EQ(t->parameter("after"), "12");
    EXPECT_TRUE(t->has_parameter("flag"));
    EXPECT_EQ(t->parameter("flag"), "");
    EXPECT_EQ(t->parameter("a&b"), "c=d=e");
    EXPECT_FALSE(t->has_parameter("other"));
    EXPECT_EQ(t->parameter("other"), "");
}

TEST(target, that_is_not_well_formed_is_refused_with_the_reason)
{
    const std::string null_byte("/a\0b", 4);
    for (const std::string text : {"", "v1/status", "*", "/a b", "/a\tb", "/\xC3\xA4", "/a#b", "/%", "/%2", "/%zz", "/a%0ab",
                                   "/a%00", "/a%7F", "/../etc", "/a/./b", "/%2e%2E/x", "/x?a=%", "/x?%g=1"}) {
        const auto t = parse_target(text);
        ASSERT_FALSE(t) << text;
        EXPECT_EQ(t.error().kind, error_class::malformed) << text;
        EXPECT_FALSE(t.error().text.empty());
    }
    EXPECT_FALSE(parse_target(null_byte));
}

TEST(target, has_a_bound)
{
    EXPECT_TRUE(parse_target("/" + std::string(target_size_max - 1, 'a')));
    const auto t = parse_target("/" + std::string(target_size_max, 'a'));
    ASSERT_FALSE(t);
    EXPECT_EQ(t.error().kind, error_class::too_large);
}

}  // namespace
}  // namespace vipd::status
