#include "agent/config/document.hpp"

#include "agent/config/text.hpp"
#include "tests/unit/config/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vipd::config::test {
namespace {

std::string refusal(std::string_view text)
{
    const auto got = outcome_of(text);
    return got.errors.size() == 1 ? got.errors.front() : std::to_string(got.errors.size()) + " errors";
}

TEST(document, a_syntax_error_is_one_finding_at_its_place)
{
    EXPECT_EQ(refusal("# c\na = \"open\n"), "2:5: is not valid TOML: the next token is not a valid string");
    EXPECT_EQ(refusal("a = 1 2\n"), "1:7: is not valid TOML: invalid line format: expected newline, but got '2'");
    EXPECT_EQ(refusal("a = 1\nb = 2\na = 3\n"), "3:5: is not valid TOML: value (\"a\") already exists");
    EXPECT_EQ(refusal("[a]\n[b]\n[a]\n"), "3:1: is not valid TOML: table (\"a\") already exists");
    EXPECT_EQ(refusal("a =\n"),
              "1:4: is not valid TOML: missing value after key-value separator '=': expected value, but got nothing");
    EXPECT_EQ(refusal("[[a]\n"), "1:1: is not valid TOML: an invalid key appeared");
    EXPECT_EQ(refusal("\xef\xbb\xbf"
                      "a = x\n"),
              "1:8: is not valid TOML: bad format: unknown value appeared");
    EXPECT_EQ(refusal("a = 08\n"), "1:5: is not valid TOML: bad integer: leading zero");
}

TEST(document, every_value_and_key_knows_its_place)
{
    const std::string_view text =
        "\xef\xbb\xbf"
        "a.b = 1\n\"\xc3\xa4\" = { c = [ 2, \"x\" ], 'd' = 3 }\r\n[[e]]\n\t[e.f]\n\tg = true\n";
    const auto parsed = parse_document(text);
    ASSERT_TRUE(std::holds_alternative<node>(parsed));
    const line_index lines{text};
    std::vector<std::string> seen;
    const auto walk = [&](const auto& self, const node& at, const std::string& path) -> void {
        const auto where = lines.at(at.offset);
        seen.push_back(path + " " + std::to_string(where.line) + ":" + std::to_string(where.column));
        if (const auto* const members = at.as_table()) {
            for (const auto& m : *members) {
                const auto key = lines.at(m.offset);
                self(self, m.value, path + "/" + m.key + "@" + std::to_string(key.line) + ":" + std::to_string(key.column));
            }
        }
        if (const auto* const elements = at.as_list()) {
            for (const auto& element : *elements) {
                self(self, element, path + "/-");
            }
        }
    };
    walk(walk, std::get<node>(parsed), "");
    EXPECT_THAT(seen, testing::Contains("/\xc3\xa4@2:1/c@2:9 2:13"));
    EXPECT_THAT(seen, testing::Contains("/\xc3\xa4@2:1/c@2:9/- 2:15"));
    EXPECT_THAT(seen, testing::Contains("/\xc3\xa4@2:1/c@2:9/- 2:18"));
    EXPECT_THAT(seen, testing::Contains("/\xc3\xa4@2:1/d@2:25 2:31"));
    EXPECT_THAT(seen, testing::Contains("/e@3:1/-/f@4:2/g@5:2 5:6"));
    EXPECT_THAT(seen, testing::Contains("/a@1:1/b@1:3 1:7"));
}

TEST(document, what_would_be_costly_to_read_is_refused_unread)
{
    EXPECT_EQ(refusal(std::string(text_size_max + 1, '\n')), "1:1: found 1048577 bytes; allowed are 1048576 at most");
    EXPECT_EQ(refusal("\na = " + std::string(100, '[')), "2:21: nested more than 16 levels deep; no key of vipd is that deep");
    EXPECT_EQ(refusal("a" + std::string(20, '.')), "1:18: nested more than 16 levels deep; no key of vipd is that deep");
    EXPECT_EQ(refusal("\n\n# " + std::string(9000, 'x')),
              "3:1: a line of more than 8192 bytes; break it: a list may have a line for each of its elements");
}

TEST(document, what_is_not_utf8_is_refused_unread)
{
    EXPECT_EQ(refusal("a = 1\nb = '\xd9\xd6'\n"), "2:6: found the byte 0xd9, which is not UTF-8; save the file as UTF-8");
    EXPECT_EQ(refusal("# latin1: \xe4\n"), "1:11: found the byte 0xe4, which is not UTF-8; save the file as UTF-8");
    for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3"}) {
        EXPECT_EQ(find_invalid_utf8(bad), 0U);
    }
    EXPECT_EQ(find_invalid_utf8("a\xc3\xa4\xe2\x82\xac\xed\x9f\xbf\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"), std::string_view::npos);
    EXPECT_EQ(find_invalid_utf8("ab\xff"), 2U);
}

TEST(document, brackets_and_dots_in_texts_and_comments_are_not_depth)
{
    const std::string deep(40, '[');
    const std::string text = "a = \"" + deep + "\\\"" + deep + "\" # " + deep + "\nb = '" + deep + "'\nc = \"\"\"\n" + deep +
                             "\n\"\n\"\"\"\nd = '''" + deep + "\n'''\ne = \"" + std::string(40, '.') + "\"\n";
    EXPECT_TRUE(std::holds_alternative<node>(parse_document(text)));
}

TEST(text, the_nearest_word_is_found_and_strangers_have_none)
{
    const std::vector<std::string_view> words = {"priority", "preempt", "preempt_delay", "peers"};
    EXPECT_EQ(nearest("prioritty", words), "priority");
    EXPECT_EQ(nearest("peer", words), "peers");
    EXPECT_EQ(nearest("preemptdelay", words), "preempt_delay");
    EXPECT_EQ(nearest("virtual_ipaddress", words), "");
    EXPECT_EQ(nearest(std::string(100000, 'x'), words), "");
}

TEST(text, what_is_shown_has_no_control_characters_and_an_end)
{
    EXPECT_EQ(printable("a\x1b[31m\nb\x7f"), "a\\x1b[31m\\x0ab\\x7f");
    EXPECT_EQ(printable("abcdef", 3), "abc...");
    EXPECT_EQ(printable("ab\xc3\xa4", 3), "ab...");
    EXPECT_EQ(in_quotes("\xc3\xa4"), "\"\xc3\xa4\"");
}

}  // namespace
}  // namespace vipd::config::test
