#include "agent/status/text.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vipd::status {
namespace {

using namespace std::chrono_literals;

TEST(text, keeps_well_formed_utf8)
{
    const std::string text = "a \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80 \xEF\xBF\xBD";
    EXPECT_EQ(valid_utf8(text), text);
}

TEST(text, replaces_each_byte_that_is_not_utf8)
{
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(valid_utf8("a\xFFz"), "a" + bad + "z");
    EXPECT_EQ(valid_utf8("\xC3"), bad);                                // cut short
    EXPECT_EQ(valid_utf8("\x80"), bad);                                // a continuation alone
    EXPECT_EQ(valid_utf8("\xC0\xAF"), bad + bad);                      // overlong '/'
    EXPECT_EQ(valid_utf8("\xE0\x9F\xBF"), bad + bad + bad);            // overlong
    EXPECT_EQ(valid_utf8("\xED\xA0\x80"), bad + bad + bad);            // a surrogate
    EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), bad + bad + bad + bad);  // above U+10FFFF
    EXPECT_EQ(valid_utf8("\xF0\x8F\xBF\xBF"), bad + bad + bad + bad);  // overlong
    EXPECT_EQ(valid_utf8("\xF0\x9F\x98"), bad + bad + bad);
}

TEST(text, html_has_no_character_that_ends_text_or_an_attribute)
{
    EXPECT_EQ(html("<a href=\"x\" title='y'>&"), "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;");
}

TEST(text, html_shows_control_and_reordering_characters_as_replaced)
{
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(html(std::string_view("a\x00\x1b\x7f z", 6)), "a" + bad + bad + bad + " z");
    EXPECT_EQ(html("\xC2\x85"), bad);
    EXPECT_EQ(html("\xE2\x80\xAE"), bad);
    EXPECT_EQ(html("\xE2\x81\xA6"), bad);
    EXPECT_EQ(html("\xE2\x80\x93 \n\t"), "\xE2\x80\x93 \n\t");
}

TEST(text, percent_encoding_leaves_only_unreserved_characters)
{
    EXPECT_EQ(percent_encode("az-AZ.09_~"), "az-AZ.09_~");
    EXPECT_EQ(percent_encode("a/b c%\xC3\xA4\""), "a%2Fb%20c%25%C3%A4%22");
}

TEST(text, durations_read_as_one_says_them)
{
    EXPECT_EQ(human_duration(0ns), "0 ms");
    EXPECT_EQ(human_duration(120us), "0.12 ms");
    EXPECT_EQ(human_duration(722ms), "722 ms");
    EXPECT_EQ(human_duration(4200ms), "4.2 s");
    EXPECT_EQ(human_duration(59'990ms), "59.9 s");
    EXPECT_EQ(human_duration(60s), "1 min 0 s");
    EXPECT_EQ(human_duration(3605s), "1 h 0 min");
    EXPECT_EQ(human_duration(51h), "2 d 3 h");
    EXPECT_EQ(human_duration(-3s), "-3.0 s");
    EXPECT_EQ(human_duration(duration::min()).front(), '-');
}

TEST(text, times_are_written_in_utc_with_microseconds)
{
    EXPECT_EQ(format_utc(wall_time{}), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(format_utc(wall_time{1795230765s + 123456789ns}), "2026-11-21T03:12:45.123456Z");
    EXPECT_EQ(format_utc(wall_time{-1s}), "1969-12-31T23:59:59.000000Z");
}

}  // namespace
}  // namespace vipd::status
