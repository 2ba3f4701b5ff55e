#include "common/duration_text.hpp"

#include "common/random.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace vipd {

namespace {

using namespace std::chrono_literals;

TEST(duration_text, every_unit_is_read)
{
    const std::vector<std::pair<std::string, duration>> cases = {
        {"0s", 0ns},        {"7ns", 7ns},     {"10us", 10us},   {"200ms", 200ms},           {"60s", 60s},
        {"1m", 1min},       {"1h", 1h},       {"8760h", 8760h}, {"1.5s", 1500ms},           {"0.5us", 500ns},
        {"1.5h", 90min},    {"0.25m", 15s},   {"007s", 7s},     {"1.000000000000000s", 1s}, {"40.95s", 40950ms},
        {"0.000001s", 1us}, {"0.1ms", 100us},
    };
    for (const auto& [text, expected] : cases) {
        const auto parsed = parse_duration(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().text;
        EXPECT_EQ(*parsed, expected) << text;
    }
}

TEST(duration_text, what_is_not_a_duration_is_malformed)
{
    for (const std::string text :
         {"",     "s",    "5",  "1.5",  "5 s",   " 5s",  "5s ",  "-5s",   "+5s",    ".5s",   "5.s",           "5.5.5s",
          "5S",   "5sec", "1d", "1e3s", "0x10s", "1,5s", "5s\n", "1h30m", "five s", "0.5ns", "1.0000000001s", "0.00000000001s",
          "infs", "nan"}) {
        const auto parsed = parse_duration(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind, error_class::malformed) << text;
    }
}

TEST(duration_text, more_than_a_year_is_out_of_range_and_never_overflows)
{
    for (const std::string text :
         {"8761h", "8760.5h", "31536001s", "99999999999999999999999999h", "18446744073709551616ns", "31536000000000001us"}) {
        const auto parsed = parse_duration(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind, error_class::out_of_range) << text;
    }
    EXPECT_EQ(parse_duration("8761h").error().text, "'8761h' is too long; the longest duration is 8760h");
}

TEST(duration_text, a_refusal_says_what_was_found_and_what_is_allowed)
{
    EXPECT_EQ(parse_duration("200").error().text,
              "'200' is not a duration: it has no unit; allowed is a number with the unit ns, us, ms, s, m or h and no space, "
              "such as "
              "200ms, 1.5s or 1h");
    EXPECT_NE(parse_duration("200 ms").error().text.find("' ms' is not a unit"), std::string::npos);
}

TEST(duration_text, a_refusal_quotes_a_bounded_part_of_the_text)
{
    EXPECT_LT(parse_duration(std::string(100'000, 'x')).error().text.size(), 300U);
    EXPECT_LT(parse_duration("1" + std::string(100'000, 'x')).error().text.size(), 300U);
    EXPECT_LT(parse_duration(std::string(100'000, '9') + "s").error().text.size(), 300U);
}

TEST(duration_text, a_duration_is_written_in_the_unit_people_would_choose)
{
    const std::vector<std::pair<duration, std::string>> cases = {
        {0ns, "0s"},
        {1ns, "1ns"},
        {1500ns, "1.5us"},
        {200ms, "200ms"},
        {414062500ns, "414.0625ms"},
        {1s, "1s"},
        {40950ms, "40.95s"},
        {59s, "59s"},
        {60s, "1m"},
        {90s, "90s"},
        {3600s, "1h"},
        {5400s, "90m"},
        {163636718750ns, "163.63671875s"},
        {-1500ms, "-1.5s"},
        {100010us, "100.01ms"},
    };
    for (const auto& [value, expected] : cases) {
        EXPECT_EQ(format_duration(value), expected);
    }
    EXPECT_EQ(format_duration(duration::min()), "-9223372036.854775808s");
}

TEST(duration_text, what_is_written_is_read_back_exactly)
{
    random_source random{1};
    for (int i = 0; i < 20'000; ++i) {
        const duration longest{static_cast<duration::rep>(1 + random.below(std::uint64_t{1} << (1 + random.below(54))))};
        const duration value = random.between(0ns, longest);
        const auto parsed = parse_duration(format_duration(value));
        ASSERT_TRUE(parsed) << format_duration(value);
        ASSERT_EQ(*parsed, value) << format_duration(value);
    }
    EXPECT_EQ(*parse_duration(format_duration(duration_text_max)), duration_text_max);
}

}  // namespace

}  // namespace vipd
