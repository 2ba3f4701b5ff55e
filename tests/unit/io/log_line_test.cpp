#include "agent/io/log_line.hpp"

#include <gtest/gtest.h>

#include <array>

namespace vipd::io {
namespace {

using namespace std::chrono_literals;

const wall_time at{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 3h + 12min + 45s + 123456us};
const std::array<log_field, 3> fields = {log_field{"router", "web"}, log_field{"text", "a \"b\"\n"}, log_field{"took_ms", 1.5}};
const log_record record{log_level::warning, "transition", fields};

TEST(log_line, a_terminal_gets_time_level_and_fields)
{
    EXPECT_EQ(
        log_line(record, at, {}),
        "2026-11-21T03:12:45.123456Z level=warning event=transition router=web text=\"a \\\"b\\\"\\x0a\" took_ms=1.500\n");
}

TEST(log_line, the_journal_gets_a_priority_and_no_time)
{
    EXPECT_EQ(log_line(record, at, {.for_journal = true}),
              "<4>level=warning event=transition router=web text=\"a \\\"b\\\"\\x0a\" took_ms=1.500\n");
}

TEST(log_line, json_is_one_object_on_one_line)
{
    EXPECT_EQ(log_line(record, at, {.format = config::log_format::json}),
              "{\"time\":\"2026-11-21T03:12:45.123456Z\",\"level\":\"warning\",\"event\":\"transition\",\"router\":\"web\","
              "\"text\":\"a \\\"b\\\"\\n\",\"took_ms\":1.5E0}\n");
}

TEST(log_line, json_stays_json_whatever_bytes_a_field_has)
{
    const std::array<log_field, 1> bad = {log_field{"text", "\xff\xfe"}};
    EXPECT_NE(log_line({log_level::info, "e", bad}, at, {.format = config::log_format::json}).find("\\ufffd"), 0U);
    EXPECT_EQ(log_line({log_level::info, "e", bad}, at, {.format = config::log_format::json}).find('\xff'), std::string::npos);
}

TEST(log_line, json_has_no_character_that_a_terminal_obeys)
{
    const std::array<log_field, 1> hostile = {log_field{"text", "\u009b2J \u00fc"}};
    EXPECT_NE(log_line({log_level::info, "e", hostile}, at, {.format = config::log_format::json}).find("\"\\u009b2J \u00fc\""),
              std::string::npos);
}

}  // namespace
}  // namespace vipd::io
