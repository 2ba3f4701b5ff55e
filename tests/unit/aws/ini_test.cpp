#include "agent/aws/ini.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

ini_file ini(std::string_view text)
{
    return parse_ini(text, "file").value();
}

TEST(aws_ini, sections_keys_and_comments_are_read)
{
    const auto file =
        ini("# a comment\n"
            "; another\n"
            "\n"
            "[default]\r\n"
            "Region = eu-west-1 # inline\r\n"
            "secret=a#b;c\n"
            "  [profile   'my name'] ; comment\n"
            "[profile 'my name']\n"
            "empty =\n"
            "k = v = w\n");
    EXPECT_EQ(file.at("default").at("region"), "eu-west-1");
    EXPECT_EQ(file.at("default").at("secret"), "a#b;c");
    EXPECT_EQ(file.at("profile my name").at("k"), "v = w");
    EXPECT_EQ(file.at("profile my name").at("empty"), "");
}

TEST(aws_ini, sections_that_come_twice_are_merged_and_the_later_value_wins)
{
    const auto file = ini("[a]\nx = 1\ny = 1\n[b]\n[a]\ny = 2\n");
    EXPECT_EQ(file.at("a").at("x"), "1");
    EXPECT_EQ(file.at("a").at("y"), "2");
}

TEST(aws_ini, indented_lines_belong_to_the_key_above)
{
    const auto file = ini("[services s]\nec2 =\n  endpoint_url = https://a\n  other = 1\ns3 =\n\tendpoint_url = https://b\n");
    EXPECT_EQ(file.at("services s").at("ec2.endpoint_url"), "https://a");
    EXPECT_EQ(file.at("services s").at("s3.endpoint_url"), "https://b");
    EXPECT_FALSE(file.at("services s").contains("endpoint_url"));
}

TEST(aws_ini, what_is_not_ini_is_named_with_its_line)
{
    const auto text_of = [](std::string_view text) { return parse_ini(text, "/etc/aws").error().text; };
    EXPECT_EQ(text_of("key = 1\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[a]\n\nnonsense\n").substr(0, 11), "/etc/aws:3:");
    EXPECT_EQ(text_of("[a\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[]\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[a] b\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[a]\n= 1\n").substr(0, 11), "/etc/aws:2:");
}

TEST(aws_ini, an_error_never_repeats_the_line_since_it_may_hold_a_secret)
{
    EXPECT_EQ(parse_ini("[a]\nhunter2\n", "f").error().text.find("hunter2"), std::string::npos);
}

TEST(aws_ini, a_byte_order_mark_is_no_key)
{
    EXPECT_TRUE(ini("\xef\xbb\xbf[default]\n").contains("default"));
}

}  // namespace
}  // namespace vipd::aws
