#include "common/log.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

namespace vipd {

namespace {

using namespace std::chrono_literals;

std::string line(std::initializer_list<log_field> fields)
{
    return format_log_line({log_level::info, "e", {fields.begin(), fields.size()}});
}

TEST(log, a_line_is_an_event_and_its_fields)
{
    EXPECT_EQ(line({}), "event=e");
    EXPECT_EQ(line({{"router", "haproxy"}, {"count", 3}, {"ok", true}, {"ratio", 0.25}, {"took_ms", 1500us}}),
              "event=e router=haproxy count=3 ok=true ratio=0.250 took_ms=1.500");
    EXPECT_EQ(line({{"low", std::numeric_limits<std::int64_t>::min()}, {"byte", std::uint8_t{200}}}),
              "event=e low=-9223372036854775808 byte=200");
}

TEST(log, text_that_could_be_taken_for_something_else_is_quoted)
{
    EXPECT_EQ(line({{"t", ""}}), "event=e t=\"\"");
    EXPECT_EQ(line({{"t", "two words"}}), "event=e t=\"two words\"");
    EXPECT_EQ(line({{"t", "a=b"}}), "event=e t=\"a=b\"");
    EXPECT_EQ(line({{"t", "a\"b\\c"}}), "event=e t=\"a\\\"b\\\\c\"");
    EXPECT_EQ(line({{"t", std::string("\x1b[2J\r\nevent=forged\x7f\0", 20)}}),
              "event=e t=\"\\x1b[2J\\x0d\\x0aevent=forged\\x7f\\x00\"");
    EXPECT_EQ(line({{"t", "Zürich"}}), "event=e t=Zürich");
    EXPECT_EQ(line({{"t", "\u009b2J\u0080\u009f\u00a0"}}), "event=e t=\"\\xc2\\x9b2J\\xc2\\x80\\xc2\\x9f\u00a0\"");
}

TEST(log, no_line_has_a_control_character_or_is_endless_whatever_it_is_given)
{
    std::string hostile(100'000, '\0');
    for (std::size_t i = 0; i < hostile.size(); ++i) {
        hostile[i] = static_cast<char>(i % 256);
    }
    const auto text = line({{"a", hostile}, {"b", hostile}, {"c", hostile}});
    EXPECT_LE(text.size(), 2003U);
    EXPECT_TRUE(std::string_view(text).ends_with("..."));
    for (const char c : text) {
        EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
    }
}

TEST(log, a_sink_is_given_level_event_and_fields)
{
    struct recorder : log_sink {
        std::vector<std::string> lines;
        void write(const log_record& record) override
        {
            lines.push_back(std::string(to_string(record.level)) + " " + format_log_line(record));
        }
    };
    recorder sink;
    sink.debug("a", {});
    sink.info("b", {{"k", 1}});
    sink.warning("c", {});
    sink.error("d", {});
    EXPECT_EQ(sink.lines, (std::vector<std::string>{"debug event=a", "info event=b k=1", "warning event=c", "error event=d"}));
}

}  // namespace

}  // namespace vipd
