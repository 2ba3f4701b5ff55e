#include "agent/aws/text.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

TEST(aws_text, percent_encoding_keeps_only_unreserved_characters)
{
    EXPECT_EQ(percent_encode("AZaz09-_.~"), "AZaz09-_.~");
    EXPECT_EQ(percent_encode("a b/c+d%e"), "a%20b%2Fc%2Bd%25e");
    EXPECT_EQ(percent_encode("\xff\n"), "%FF%0A");
    EXPECT_EQ(percent_encode_path("/a b/c"), "/a%20b/c");
}

TEST(aws_text, percent_decoding_leaves_broken_escapes_alone)
{
    EXPECT_EQ(percent_decode("a%20b%2f%2F"), "a b//");
    EXPECT_EQ(percent_decode("%"), "%");
    EXPECT_EQ(percent_decode("%4"), "%4");
    EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
}

TEST(aws_text, every_byte_survives_encoding_and_decoding)
{
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all.push_back(static_cast<char>(i));
    }
    EXPECT_EQ(percent_decode(percent_encode(all)), all);
}

TEST(aws_text, trim_takes_space_from_both_ends_only)
{
    EXPECT_EQ(trim(" \t a b \r\n"), "a b");
    EXPECT_EQ(trim(" \n "), "");
    EXPECT_EQ(trim(""), "");
}

TEST(aws_text, clean_text_makes_one_line_of_valid_utf8)
{
    EXPECT_EQ(clean_text("a\nb\tc\x7f", 100), "a b c ");
    EXPECT_EQ(clean_text("caf\xc3\xa9 \xe1\x88\xb4 \xf0\x9f\x98\x80", 100), "caf\xc3\xa9 \xe1\x88\xb4 \xf0\x9f\x98\x80");
    EXPECT_EQ(clean_text("\xff\xc0\x80\xed\xa0\x80\xf5", 100), "???????");
    EXPECT_EQ(clean_text("\xc2\x85x", 100), " x");
    EXPECT_EQ(clean_text("\xe1\x88", 100), "??");
}

TEST(aws_text, clean_text_never_cuts_a_character_in_two)
{
    EXPECT_EQ(clean_text("ab\xc3\xa9", 3), "ab");
    EXPECT_EQ(clean_text("ab\xc3\xa9", 4), "ab\xc3\xa9");
    EXPECT_EQ(clean_text("abc", 0), "");
}

TEST(aws_text, header_values_and_ids_have_no_space_and_no_line_end)
{
    EXPECT_TRUE(is_header_value("AQ==:/+"));
    EXPECT_FALSE(is_header_value(""));
    EXPECT_FALSE(is_header_value("a b"));
    EXPECT_FALSE(is_header_value("a\r\nX: y"));
    EXPECT_FALSE(is_header_value("\xc3\xa9"));
    EXPECT_TRUE(is_plain_id("eni-0123.a_B"));
    EXPECT_FALSE(is_plain_id(""));
    EXPECT_FALSE(is_plain_id("a/b"));
    EXPECT_FALSE(is_plain_id(std::string(129, 'a')));
}

}  // namespace
}  // namespace vipd::aws
