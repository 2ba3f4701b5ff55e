#include "tests/cloud/hostile_body.hpp"

#include "tests/unit/cloud/cloud_fixture.hpp"

namespace vipd::cloud {

class hostile : public cloud_test {
protected:
    static constexpr std::size_t body_size_max = 4U << 20U;

    collected_reply ask_with(hostile_kind kind, std::uint64_t size = 0)
    {
        fault one;
        one.count = 1;
        one.effect = effects::hostile{kind, size};
        cloud.faults().add(one);
        return ask("DescribeRouteTables", {});
    }
    static std::optional<aws::http_response> response(const collected_reply& reply)
    {
        const auto outcome = reply.as_client_sees(std::chrono::seconds{3}, body_size_max);
        const auto* found = std::get_if<aws::http_response>(&outcome);
        return found == nullptr ? std::nullopt : std::optional{*found};
    }
    static error_class failure(const collected_reply& reply)
    {
        return std::get<aws::http_failure>(reply.as_client_sees(std::chrono::seconds{3}, body_size_max)).cause.kind;
    }
    static bool is_xml(const std::string& text)
    {
        pugi::xml_document document;
        return static_cast<bool>(document.load_string(text.c_str()));
    }
};

TEST_F(hostile, every_kind_has_a_name_that_reads_back)
{
    for (int number = 0; number <= static_cast<int>(hostile_kind::no_http); ++number) {
        const auto kind = static_cast<hostile_kind>(number);
        EXPECT_EQ(parse_hostile_kind(to_string(kind)), kind);
    }
    EXPECT_FALSE(parse_hostile_kind("friendly"));
}

TEST_F(hostile, truncated_ends_before_the_announced_end_and_cut_does_not)
{
    const auto truncated = ask_with(hostile_kind::truncated, 100);
    EXPECT_EQ(truncated.answer.head.body.size(), 100U);
    EXPECT_GT(*truncated.answer.announced_length, 1000U);
    EXPECT_EQ(failure(truncated), error_class::unavailable);
    const auto cut = response(ask_with(hostile_kind::cut, 100));
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->body.size(), 100U);
    EXPECT_FALSE(is_xml(cut->body));
}

TEST_F(hostile, large_and_endless_are_made_while_they_are_written)
{
    const auto large = ask_with(hostile_kind::large);
    EXPECT_NEAR(static_cast<double>(*large.answer.announced_length), 100.0 * (1U << 20U), 2000.0);
    EXPECT_LT(large.answer.head.body.size() + large.answer.filler.size() + large.answer.tail.size(), 4000U);
    EXPECT_EQ(failure(large), error_class::too_large);
    EXPECT_EQ(failure(ask_with(hostile_kind::endless)), error_class::too_large);
    const auto small = response(ask_with(hostile_kind::large, 100'000));
    ASSERT_TRUE(small);
    EXPECT_TRUE(is_xml(small->body));
    EXPECT_NEAR(static_cast<double>(small->body.size()), 100'000.0, 2000.0);
}

TEST_F(hostile, deep_opens_as_many_elements_as_asked_for)
{
    const auto deep = response(ask_with(hostile_kind::deep, 5000));
    ASSERT_TRUE(deep);
    EXPECT_GT(deep->body.size(), 5000U * 6);
    EXPECT_FALSE(is_xml(deep->body));
}

TEST_F(hostile, content_that_is_not_what_was_asked_for)
{
    EXPECT_NE(response(ask_with(hostile_kind::entity_bomb))->body.find("<!ENTITY e9"), std::string::npos);
    EXPECT_EQ(aws::find_header(response(ask_with(hostile_kind::wrong_type))->headers, "content-type"), "text/html");
    const auto redirect = response(ask_with(hostile_kind::redirect));
    EXPECT_EQ(redirect->status, 307U);
    EXPECT_EQ(aws::find_header(redirect->headers, "location"), "https://elsewhere.example/");
    EXPECT_EQ(response(ask_with(hostile_kind::garbage, 77))->body.size(), 77U);
    EXPECT_TRUE(is_xml(response(ask_with(hostile_kind::wrong_root))->body));
    EXPECT_EQ(response(ask_with(hostile_kind::empty))->body, "");
    EXPECT_NE(response(ask_with(hostile_kind::error_in_success))->body.find("<Code>InternalError</Code>"), std::string::npos);
    EXPECT_NE(response(ask_with(hostile_kind::invalid_utf8))->body.find("\xff\xfe"), std::string::npos);
}

TEST_F(hostile, odd_xml_and_duplicated_elements_are_well_formed)
{
    const auto odd = response(ask_with(hostile_kind::odd_xml))->body;
    EXPECT_TRUE(odd.starts_with("\xef\xbb\xbf"));
    EXPECT_TRUE(is_xml(odd));
    const auto twice = response(ask_with(hostile_kind::duplicated))->body;
    EXPECT_TRUE(is_xml(twice));
    pugi::xml_document document;
    document.load_string(twice.c_str());
    EXPECT_EQ(document.select_nodes("//routeTableSet/item[1]/routeTableId").size(), 2U);
}

TEST_F(hostile, what_is_no_http_is_written_raw)
{
    for (const auto kind : {hostile_kind::bad_chunks, hostile_kind::length_too_large, hostile_kind::informational_storm,
                            hostile_kind::huge_header, hostile_kind::no_http}) {
        const auto reply = ask_with(kind);
        EXPECT_TRUE(reply.answer.raw) << to_string(kind);
        EXPECT_FALSE(response(reply)) << to_string(kind);
    }
    EXPECT_GT(ask_with(hostile_kind::huge_header).answer.raw->size(), 1U << 20U);
}

}  // namespace vipd::cloud
