#include "agent/aws/xml.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

xml_verdict verdict(const std::string& text)
{
    pugi::xml_document document;
    return parse_xml(text, document);
}

std::string nested(unsigned depth)
{
    std::string text;
    for (unsigned i = 0; i < depth; ++i) {
        text += "<a>";
    }
    for (unsigned i = 0; i < depth; ++i) {
        text += "</a>";
    }
    return text;
}

TEST(xml, documents_like_those_of_ec2_are_readable)
{
    pugi::xml_document document;
    ASSERT_EQ(
        parse_xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"http://x/\"><a> b &amp; c </a><d/></R>\n", document),
        xml_verdict::readable);
    EXPECT_EQ(child_text(document.child("R"), "a"), "b & c");
    EXPECT_EQ(child_text(document.child("R"), "d"), "");
    EXPECT_EQ(child_text(document.child("R"), "none"), "");
}

TEST(xml, depth_is_bounded_whatever_comes)
{
    EXPECT_EQ(verdict(nested(xml_depth_max)), xml_verdict::readable);
    EXPECT_EQ(verdict(nested(xml_depth_max + 1)), xml_verdict::unreadable);
    EXPECT_EQ(verdict(nested(1'000'000)), xml_verdict::unreadable);
}

TEST(xml, closing_tags_in_comments_and_attributes_do_not_hide_depth)
{
    std::string text;
    for (unsigned i = 0; i < 100; ++i) {
        text += "<a x='</a>'><!-- </a> -->";
    }
    for (unsigned i = 0; i < 100; ++i) {
        text += "</a>";
    }
    EXPECT_EQ(verdict(text), xml_verdict::unreadable);
}

TEST(xml, element_count_is_bounded)
{
    std::string text = "<a>";
    for (unsigned i = 0; i < xml_elements_max; ++i) {
        text += "<b/>";
    }
    EXPECT_EQ(verdict(text + "</a>"), xml_verdict::too_many_elements);
}

TEST(xml, entities_beyond_the_predefined_are_not_expanded_and_declarations_are_refused)
{
    EXPECT_EQ(verdict("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"), xml_verdict::unreadable);
    pugi::xml_document document;
    ASSERT_EQ(parse_xml("<a><b>&lol;</b></a>", document), xml_verdict::readable);
    EXPECT_EQ(child_text(document.child("a"), "b"), "&lol;");
}

TEST(xml, every_cut_of_a_document_is_unreadable)
{
    const std::string whole = "<?xml version=\"1.0\"?><a x=\"1\"><b>text</b><c/></a>";
    ASSERT_EQ(verdict(whole), xml_verdict::readable);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_EQ(verdict(whole.substr(0, length)), xml_verdict::unreadable) << whole.substr(0, length);
    }
}

TEST(xml, what_is_no_xml_is_unreadable)
{
    for (const auto* text : {"", "hello", "{}", "<", "<>", "</a>", "<a></b>", "<a", "<a/><", "<![CDATA[x]]>", "\xff\xfe<\0a"}) {
        EXPECT_EQ(verdict(text), xml_verdict::unreadable) << text;
    }
}

}  // namespace
}  // namespace vipd::aws
