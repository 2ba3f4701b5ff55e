#include "agent/aws/imds.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1h};
const http_origin origin{false, "169.254.169.254", 80};

http_result answered(unsigned status, std::string body, std::vector<http_header> headers = {})
{
    http_result result;
    result.outcome = http_response{status, std::move(headers), std::move(body)};
    return result;
}

http_result refused()
{
    http_result result;
    result.outcome = http_failure{false, {error_class::unavailable, "connection refused"}};
    return result;
}

// A client that has its token.
imds_client with_token(std::vector<http_header> headers = {})
{
    imds_client client{origin};
    client.get("/first");
    client.poll_request(start);
    client.handle(start, answered(200, "TOKEN", std::move(headers)));
    client.poll_request(start);
    client.handle(start, answered(200, "x"));
    client.poll_answer();
    return client;
}

TEST(imds, a_token_comes_first_and_questions_follow_one_at_a_time)
{
    imds_client client{origin};
    EXPECT_FALSE(client.poll_request(start).has_value());
    const auto first = client.get("/a");
    const auto second = client.get("/b");
    const auto put = client.poll_request(start);
    ASSERT_TRUE(put.has_value());
    EXPECT_EQ(put->request.method, "PUT");
    EXPECT_EQ(put->request.target, "/latest/api/token");
    EXPECT_EQ(find_header(put->request.headers, "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
    EXPECT_FALSE(find_header(put->request.headers, "x-forwarded-for").has_value());
    EXPECT_FALSE(client.poll_request(start).has_value()) << "one exchange at a time";
    client.handle(start, answered(200, "TOKEN\n"));
    EXPECT_FALSE(client.poll_answer().has_value());

    const auto get = client.poll_request(start);
    EXPECT_EQ(get->request.method, "GET");
    EXPECT_EQ(get->request.target, "/a");
    EXPECT_EQ(find_header(get->request.headers, "x-aws-ec2-metadata-token"), "TOKEN");
    client.handle(start, answered(200, "body"));
    const auto answer = client.poll_answer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->ticket, first);
    EXPECT_EQ(answer->body.value(), "body");
    EXPECT_EQ(client.poll_request(start)->request.target, "/b");
    client.handle(start, answered(404, ""));
    const auto absent = client.poll_answer();
    EXPECT_EQ(absent->ticket, second);
    EXPECT_EQ(absent->body.error().kind, error_class::not_found);
}

TEST(imds, a_token_is_renewed_before_its_end)
{
    auto client = with_token();
    client.get("/a");
    EXPECT_EQ(client.poll_request(start + 21600s - 61s)->request.method, "GET");
    client = with_token();
    client.get("/a");
    EXPECT_EQ(client.poll_request(start + 21600s - 60s)->request.method, "PUT");
}

TEST(imds, a_shorter_life_that_imds_grants_is_heeded_and_nonsense_is_not)
{
    auto client = with_token({{"x-aws-ec2-metadata-token-ttl-seconds", "300"}});
    client.get("/a");
    EXPECT_EQ(client.poll_request(start + 240s)->request.method, "PUT");
    for (const auto* life : {"", "x", "-5", "99999999999999999999", "300s"}) {
        client = with_token({{"x-aws-ec2-metadata-token-ttl-seconds", life}});
        client.get("/a");
        EXPECT_EQ(client.poll_request(start + 240s)->request.method, "GET") << life;
    }
    client = with_token({{"x-aws-ec2-metadata-token-ttl-seconds", "0"}});
    client.get("/a");
    EXPECT_EQ(client.poll_request(start)->request.method, "GET") << "a token serves for a moment at least";
}

TEST(imds, a_401_renews_the_token_once)
{
    auto client = with_token();
    client.get("/a");
    client.poll_request(start);
    client.handle(start, answered(401, ""));
    EXPECT_FALSE(client.poll_answer().has_value());
    EXPECT_EQ(client.poll_request(start)->request.method, "PUT");
    client.handle(start, answered(200, "OTHER"));
    EXPECT_EQ(find_header(client.poll_request(start)->request.headers, "x-aws-ec2-metadata-token"), "OTHER");
    client.handle(start, answered(401, ""));
    EXPECT_EQ(client.poll_answer()->body.error().kind, error_class::denied);
}

TEST(imds, what_is_no_token_never_becomes_a_header)
{
    for (const auto& body : {std::string{}, std::string{"\n"}, std::string{"a b"}, std::string{"a\r\nX: y"},
                             std::string(1025, 'a'), std::string{"<html>no token</html>"}}) {
        imds_client client{origin};
        client.get("/a");
        client.poll_request(start);
        client.handle(start, answered(200, body));
        const auto answer = client.poll_answer();
        ASSERT_TRUE(answer.has_value()) << body;
        EXPECT_EQ(answer->body.error().kind, error_class::malformed);
    }
}

TEST(imds, a_failed_token_fails_the_question_in_front_and_the_next_one_tries_again)
{
    imds_client client{origin};
    const auto first = client.get("/a");
    client.get("/b");
    client.poll_request(start);
    client.handle(start, refused());
    const auto answer = client.poll_answer();
    EXPECT_EQ(answer->ticket, first);
    EXPECT_EQ(answer->body.error().kind, error_class::unavailable);
    EXPECT_NE(answer->body.error().text.find("hop limit"), std::string::npos);
    EXPECT_FALSE(client.poll_answer().has_value());
    EXPECT_EQ(client.poll_request(start)->request.method, "PUT");
}

TEST(imds, a_403_for_the_token_names_the_remedy)
{
    imds_client client{origin};
    client.get("/a");
    client.poll_request(start);
    client.handle(start, answered(403, ""));
    const auto answer = client.poll_answer();
    EXPECT_EQ(answer->body.error().kind, error_class::denied);
    EXPECT_NE(answer->body.error().text.find("HttpEndpoint=enabled"), std::string::npos);
}

TEST(imds, errors_name_the_path_that_was_asked)
{
    auto client = with_token();
    client.get("/latest/meta-data/x");
    client.poll_request(start);
    client.handle(start, answered(503, ""));
    const auto answer = client.poll_answer();
    EXPECT_EQ(answer->body.error().text, "http://169.254.169.254/latest/meta-data/x answered with status 503");
}

}  // namespace
}  // namespace vipd::aws
