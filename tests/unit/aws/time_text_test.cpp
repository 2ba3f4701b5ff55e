#include "agent/aws/time_text.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

constexpr wall_time new_year_2026 = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

TEST(time_text, http_dates_are_read)
{
    EXPECT_EQ(parse_http_date("Thu, 01 Jan 2026 00:00:00 GMT"), new_year_2026);
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
              wall_time{std::chrono::sys_days{std::chrono::year{1994} / 11 / 6}} + 8h + 49min + 37s);
}

TEST(time_text, other_spellings_of_a_date_say_nothing)
{
    for (const auto* text :
         {"", "Thu, 01 Jan 2026 00:00:00", "Thu, 01 Jan 2026 00:00:00 UTC", "Thursday, 01-Jan-26 00:00:00 GMT",
          "Thu Jan  1 00:00:00 2026", "Xyz, 01 Jan 2026 00:00:00 GMT", "Thu, 1 Jan 2026 00:00:00 GMT",
          "Thu, 32 Jan 2026 00:00:00 GMT", "Thu, 30 Feb 2026 00:00:00 GMT", "Thu, 01 Foo 2026 00:00:00 GMT",
          "Thu, 01 Jan 2026 24:00:00 GMT", "Thu, 01 Jan 2026 00:60:00 GMT", "Thu, 01 Jan 9999 00:00:00 GMT",
          "Thu, 01 Jan 1969 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT ", "Thu, 0x Jan 2026 00:00:00 GMT"}) {
        EXPECT_FALSE(parse_http_date(text).has_value()) << text;
    }
}

TEST(time_text, iso_times_are_read_with_fractions_and_offsets)
{
    EXPECT_EQ(parse_iso8601("2026-01-01T00:00:00Z"), new_year_2026);
    EXPECT_EQ(parse_iso8601("2026-01-01T00:00:00.123Z"), new_year_2026);
    EXPECT_EQ(parse_iso8601("2026-01-01T01:30:00+01:30"), new_year_2026);
    EXPECT_EQ(parse_iso8601("2025-12-31T19:00:00-05:00"), new_year_2026);
}

TEST(time_text, broken_iso_times_are_none)
{
    for (const auto* text : {"", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+01",
                             "2026-01-01T00:00:00Zx", "20260101T000000Z", "+026-01-01T00:00:00Z"}) {
        EXPECT_FALSE(parse_iso8601(text).has_value()) << text;
    }
}

TEST(time_text, what_is_written_is_read_back)
{
    for (const auto time : {new_year_2026, new_year_2026 + 12h + 34min + 56s, wall_time{} + 951782400s}) {
        EXPECT_EQ(parse_iso8601(format_iso8601(time)), time);
    }
    EXPECT_EQ(format_iso8601(new_year_2026 + 1s), "2026-01-01T00:00:01Z");
}

}  // namespace
}  // namespace vipd::aws
