#include "agent/io/request_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vipd::io {
namespace {

using progress = request_reader::progress;

constexpr std::uint32_t head_bytes_max = 1000;
constexpr std::string_view get = "GET /v1/status HTTP/1.1\r\nHost: x:9112\r\nAccept: text/html\r\nlast-event-id: 7\r\n\r\n";
constexpr std::string_view post = "POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody";
constexpr std::string_view chunked =
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2;a=b\r\nbo\r\n2\r\ndy\r\n0\r\nX-Trailer: "
    "1\r\n\r\n";
constexpr std::string_view no_chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
constexpr std::string_view begun_chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

progress read(request_reader& reader, std::string_view text)
{
    return reader.put({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// What whoever sends this, whole or byte for byte, is told; 0 when the answer is the request's.
unsigned refusal_of(std::string_view text)
{
    request_reader whole(head_bytes_max, false);
    const auto at_once = read(whole, text);
    request_reader slow(head_bytes_max, false);
    auto slowly = progress::need_more;
    for (std::size_t i = 0; i < text.size() && slowly == progress::need_more; ++i) {
        slowly = read(slow, text.substr(i, 1));
    }
    EXPECT_EQ(at_once, slowly) << text;
    EXPECT_NE(at_once, progress::need_more) << text;
    EXPECT_EQ(whole.problem().status, slow.problem().status) << text;
    EXPECT_EQ(whole.problem().text.empty(), at_once == progress::done);
    return whole.problem().status;
}

TEST(request_reader, a_request_is_read_with_what_the_responder_wants_of_it)
{
    request_reader reader(head_bytes_max, true);
    EXPECT_TRUE(reader.is_idle());
    ASSERT_EQ(read(reader, get), progress::done);
    const auto got = reader.take();
    EXPECT_EQ(got.request.method, "GET");
    EXPECT_EQ(got.request.target, "/v1/status");
    EXPECT_EQ(got.request.host, "x:9112");
    EXPECT_EQ(got.request.accept, "text/html");
    EXPECT_EQ(got.request.last_event_id, "7");
    EXPECT_EQ(got.request.body, "");
    EXPECT_TRUE(got.request.from_unix_socket);
    EXPECT_EQ(got.version, 11U);
    EXPECT_TRUE(got.keep_alive);
    EXPECT_TRUE(reader.is_idle());
}

TEST(request_reader, a_body_is_read_in_both_forms_and_at_any_cut)
{
    for (const auto text : {post, chunked}) {
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            request_reader reader(head_bytes_max, false);
            auto reached = read(reader, text.substr(0, cut));
            EXPECT_EQ(reader.is_idle(), cut == 0);
            if (reached == progress::need_more) {
                reached = read(reader, text.substr(cut));
            }
            ASSERT_EQ(reached, progress::done) << cut;
            const auto got = reader.take();
            ASSERT_EQ(got.request.body, "body") << cut;
            ASSERT_FALSE(got.keep_alive) << cut;
            ASSERT_TRUE(reader.is_idle()) << cut;
        }
    }
}

TEST(request_reader, one_byte_at_a_time_is_enough)
{
    for (const auto text : {get, post, chunked, no_chunks}) {
        EXPECT_EQ(refusal_of(text), 0U);
    }
}

TEST(request_reader, requests_that_follow_at_once_are_kept)
{
    request_reader reader(head_bytes_max, false);
    ASSERT_EQ(read(reader, std::string{chunked} + std::string{post} + "GET /thi"), progress::done);
    EXPECT_EQ(reader.take().version, 11U);
    ASSERT_FALSE(reader.is_idle());
    ASSERT_EQ(reader.put({}), progress::done);
    EXPECT_EQ(reader.take().version, 10U);
    ASSERT_FALSE(reader.is_idle());
    ASSERT_EQ(reader.put({}), progress::need_more);
    EXPECT_FALSE(reader.is_idle());
    ASSERT_EQ(read(reader, "rd HTTP/1.1\r\n\r\n"), progress::done);
    EXPECT_EQ(reader.take().request.target, "/third");
    EXPECT_TRUE(reader.is_idle());
}

TEST(request_reader, what_is_not_http_is_told)
{
    for (const std::string_view text : {"\x16\x03\x01 TLS?\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
                                        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nX\x01: 1\r\n\r\n"}) {
        EXPECT_EQ(refusal_of(text), 400U) << text;
    }
}

TEST(request_reader, a_request_whose_length_could_be_read_in_two_ways_is_refused)
{
    for (const std::string_view lengths :
         {"Content-Length: 1\r\nContent-Length: 2", "Content-Length: 4\r\nTransfer-Encoding: chunked",
          "Transfer-Encoding: chunked\r\nContent-Length: 4", "Content-Length: +4", "Content-Length: 4x"}) {
        EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\n" + std::string{lengths} + "\r\n\r\n4\r\nbody\r\n0\r\n\r\n"), 400U) << lengths;
    }
}

TEST(request_reader, the_head_is_bounded_as_a_whole)
{
    const auto request = [](std::size_t head_size) {
        std::string head = "GET /" + std::string(400, 'x') + " HTTP/1.1\r\nX-Header: ";
        head.append(head_size - head.size() - 4, 'x');
        return head + "\r\n\r\n";
    };
    EXPECT_EQ(refusal_of(request(head_bytes_max)), 0U);
    EXPECT_EQ(refusal_of(request(head_bytes_max + 1)), 431U);
    EXPECT_EQ(refusal_of("GET /" + std::string(head_bytes_max, 'x')), 431U);
}

TEST(request_reader, the_head_of_a_chunk_and_the_trailer_are_bounded_as_well)
{
    const std::string endless(head_bytes_max + 1, 'x');
    EXPECT_EQ(refusal_of(std::string{begun_chunks} + "1;" + endless), 431U);
    EXPECT_EQ(refusal_of(std::string{begun_chunks} + std::string(head_bytes_max + 1, '0')), 431U);
    EXPECT_EQ(refusal_of(std::string{begun_chunks} + "0\r\nX-Trailer: " + endless), 431U);
}

TEST(request_reader, the_body_is_bounded)
{
    const auto length = [](std::size_t size) {
        return "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'b');
    };
    EXPECT_EQ(refusal_of(length(status::request_body_size_max)), 0U);
    EXPECT_EQ(refusal_of(length(status::request_body_size_max + 1)), 413U);
    const std::string piece = "400\r\n" + std::string(0x400, 'b') + "\r\n";
    EXPECT_EQ(refusal_of(std::string{begun_chunks} + piece + piece + piece + piece + "0\r\n\r\n"), 0U);
    EXPECT_EQ(refusal_of(std::string{begun_chunks} + piece + piece + piece + piece + "1\r\nb\r\n0\r\n\r\n"), 413U);
}

}  // namespace
}  // namespace vipd::io
