#include "agent/aws/container.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

result<std::optional<container_source>> full(std::string url)
{
    return container_from(environment{{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", std::move(url)}}});
}

TEST(container, nothing_configured_is_no_source)
{
    EXPECT_FALSE(container_from(environment{}).value().has_value());
    EXPECT_FALSE(container_from(environment{{{"AWS_CONTAINER_AUTHORIZATION_TOKEN", "x"}}}).value().has_value());
}

TEST(container, a_relative_path_is_at_the_address_of_ecs)
{
    const auto source = container_from(environment{{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x"},
                                                    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://ignored/"}}})
                            .value()
                            .value();
    EXPECT_EQ(source.origin, (http_origin{false, "169.254.170.2", 80}));
    EXPECT_EQ(source.target, "/v2/credentials/x");
    EXPECT_TRUE(container_from(environment{{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "no-slash"}}}).has_error());
    EXPECT_TRUE(container_from(environment{{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/a b"}}}).has_error());
}

TEST(container, a_full_url_may_be_https_to_anywhere)
{
    const auto source = full("https://agent.example:8443/get?role=x").value().value();
    EXPECT_EQ(source.origin, (http_origin{true, "agent.example", 8443}));
    EXPECT_EQ(source.target, "/get?role=x");
    EXPECT_EQ(full("https://agent.example").value()->target, "/");
    EXPECT_EQ(full("https://agent.example?x=1").value()->target, "/?x=1");
}

TEST(container, plain_http_is_for_this_machine_and_the_two_agents_alone)
{
    for (const auto* url :
         {"http://localhost:1/x", "http://127.0.0.1/x", "http://127.9.9.9/x", "http://[::1]/x", "http://169.254.170.2/x",
          "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"}) {
        EXPECT_TRUE(full(url).has_value()) << url;
    }
    for (const auto* url :
         {"http://10.0.0.1/x", "http://agent.example/x", "http://169.254.169.254/x", "http://[fd00:ec2::254]/x",
          "http://localhost.evil/x", "http://127.0.0.1@evil/x", "ftp://localhost/x", "", "localhost/x"}) {
        const auto source = full(url);
        EXPECT_TRUE(source.has_error() || !source->has_value()) << url;
    }
}

TEST(container, a_token_file_goes_before_a_token)
{
    const auto source = container_from(environment{{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"},
                                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "T"},
                                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/f"}}})
                            .value()
                            .value();
    EXPECT_EQ(source.token_file, "/f");
    EXPECT_EQ(source.token, "");
}

TEST(container, a_token_with_a_line_end_is_refused)
{
    const container_source source{{false, "169.254.170.2", 80}, "/x", "", ""};
    EXPECT_TRUE(container_request(source, "a\r\nX-Evil: 1").has_error());
    EXPECT_TRUE(container_request(source, "a\x01").has_error());
    EXPECT_EQ(find_header(container_request(source, "Basic abc\n").value().request.headers, "authorization"), "Basic abc");
    EXPECT_FALSE(find_header(container_request(source, "").value().request.headers, "authorization").has_value());
}

TEST(container, answers_are_read_and_failures_are_named)
{
    http_result result;
    result.outcome = http_response{200, {}, R"({"AccessKeyId":"A","SecretAccessKey":"S","Token":"T"})"};
    EXPECT_EQ(read_container_answer(result).value().access_key_id, "A");
    result.outcome = http_response{403, {}, ""};
    EXPECT_EQ(read_container_answer(result).error().kind, error_class::denied);
    result.outcome = http_response{500, {}, ""};
    EXPECT_EQ(read_container_answer(result).error().kind, error_class::unavailable);
    result.outcome = http_failure{true, {error_class::timed_out, "slow"}};
    EXPECT_EQ(read_container_answer(result).error().text, "the container endpoint: slow");
}

}  // namespace
}  // namespace vipd::aws
