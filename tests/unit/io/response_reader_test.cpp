#include "agent/io/response_reader.hpp"

#include "common/random.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vipd::io {
namespace {

using progress = response_reader::progress;

constexpr std::string_view plain_answer = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\nfine";
constexpr std::string_view chunked_answer =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n2;x=y\r\nne\r\n0\r\nX-Trailer: 1\r\n\r\n";
constexpr std::string_view empty_answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

byte_view bytes(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

progress read(response_reader& reader, std::string_view text)
{
    return reader.put(bytes(text));
}

TEST(response_reader, an_answer_with_a_length_is_read_whole)
{
    response_reader reader({});
    ASSERT_EQ(read(reader, plain_answer), progress::done);
    EXPECT_TRUE(reader.connection_is_reusable());
    const auto response = reader.take();
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body, "fine");
    EXPECT_EQ(aws::find_header(response.headers, "content-type"), "text/xml");
    EXPECT_TRUE(reader.connection_is_reusable());
}

TEST(response_reader, the_cut_between_two_reads_may_be_anywhere)
{
    for (const auto answer : {plain_answer, chunked_answer}) {
        for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
            response_reader reader({});
            auto reached = read(reader, answer.substr(0, cut));
            if (reached == progress::need_more) {
                reached = read(reader, answer.substr(cut));
            }
            ASSERT_EQ(reached, progress::done) << cut;
            ASSERT_EQ(reader.take().body, "fine") << cut;
        }
    }
}

TEST(response_reader, one_byte_at_a_time_is_enough)
{
    for (const auto answer : {plain_answer, chunked_answer, empty_answer}) {
        response_reader reader({});
        for (std::size_t i = 0; i + 1 < answer.size(); ++i) {
            ASSERT_EQ(read(reader, answer.substr(i, 1)), progress::need_more) << i;
        }
        EXPECT_EQ(read(reader, answer.substr(answer.size() - 1)), progress::done);
    }
}

TEST(response_reader, an_end_before_the_end_is_a_failure_at_every_byte)
{
    for (const auto answer : {plain_answer, chunked_answer}) {
        for (std::size_t cut = 0; cut < answer.size(); ++cut) {
            response_reader reader({});
            ASSERT_EQ(read(reader, answer.substr(0, cut)), progress::need_more) << cut;
            ASSERT_EQ(reader.end(), progress::failed) << cut;
            EXPECT_EQ(reader.problem().kind, error_class::malformed);
        }
    }
}

TEST(response_reader, without_a_length_the_end_is_the_end)
{
    response_reader reader({});
    EXPECT_EQ(read(reader, "HTTP/1.1 200 OK\r\n\r\nfine"), progress::need_more);
    EXPECT_EQ(reader.end(), progress::done);
    EXPECT_FALSE(reader.connection_is_reusable());
    EXPECT_EQ(reader.take().body, "fine");
}

TEST(response_reader, interim_answers_are_skipped_up_to_a_bound)
{
    response_reader reader({});
    EXPECT_EQ(read(reader, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), progress::need_more);
    EXPECT_EQ(read(reader, plain_answer), progress::done);
    response_reader patient({});
    auto reached = progress::need_more;
    for (int i = 0; i < 100 && reached == progress::need_more; ++i) {
        reached = read(patient, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    EXPECT_EQ(reached, progress::failed);
}

TEST(response_reader, what_follows_an_answer_makes_the_connection_unusable)
{
    response_reader reader({});
    EXPECT_EQ(read(reader, std::string{plain_answer} + "x"), progress::done);
    EXPECT_FALSE(reader.connection_is_reusable());
    response_reader closing({});
    EXPECT_EQ(read(closing, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), progress::done);
    EXPECT_FALSE(closing.connection_is_reusable());
    response_reader old({});
    EXPECT_EQ(read(old, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), progress::done);
    EXPECT_FALSE(old.connection_is_reusable());
}

TEST(response_reader, the_bounds_hold_whatever_is_sent)
{
    const response_reader::limits small{.head_bytes_max = 1024, .body_bytes_max = 1024};
    const auto fails_with_too_large = [&](std::string_view begin, std::string_view piece) {
        response_reader reader(small);
        auto reached = read(reader, begin);
        for (int i = 0; i < 1000 && reached == progress::need_more; ++i) {
            reached = read(reader, piece);
        }
        return reached == progress::failed && reader.problem().kind == error_class::too_large;
    };
    EXPECT_TRUE(fails_with_too_large("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", "x"));
    EXPECT_TRUE(fails_with_too_large("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nfine\r\n"));
    EXPECT_TRUE(fails_with_too_large("HTTP/1.1 200 OK\r\n\r\n", "endless"));
    EXPECT_TRUE(fails_with_too_large("HTTP/1.1 200 OK\r\n", "X-Header: x\r\n"));
    EXPECT_TRUE(fails_with_too_large("HTTP/1.1 200 OK\r\nX: ", "xxxxx"));
}

TEST(response_reader, what_is_not_http_is_told)
{
    for (const auto* text :
         {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "<xml/>\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
          "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
        response_reader reader({});
        EXPECT_EQ(read(reader, text), progress::failed) << text;
    }
}

TEST(response_reader, noise_in_an_answer_is_survived)
{
    random_source random(5);
    for (int round = 0; round < 5'000; ++round) {
        std::string text{random.chance(0.5) ? plain_answer : chunked_answer};
        for (std::uint64_t i = random.below(6); i > 0; --i) {
            text[random.below(text.size())] = static_cast<char>(random.next());
        }
        response_reader reader({.head_bytes_max = 512, .body_bytes_max = 512});
        if (read(reader, text) == progress::need_more) {
            reader.end();
        }
    }
}

}  // namespace
}  // namespace vipd::io
