#include "agent/aws/http_message.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

TEST(http_message, host_header_names_the_port_only_when_it_is_not_the_schemes_own)
{
    EXPECT_EQ(host_header({true, "ec2.eu-west-1.amazonaws.com", 443}), "ec2.eu-west-1.amazonaws.com");
    EXPECT_EQ(host_header({true, "localhost", 8443}), "localhost:8443");
    EXPECT_EQ(host_header({false, "169.254.169.254", 80}), "169.254.169.254");
    EXPECT_EQ(host_header({false, "169.254.169.254", 443}), "169.254.169.254:443");
    EXPECT_EQ(host_header({true, "localhost", 80}), "localhost:80");
}

TEST(http_message, an_ipv6_host_is_in_brackets)
{
    EXPECT_EQ(host_header({false, "fd00:ec2::254", 80}), "[fd00:ec2::254]");
    EXPECT_EQ(host_header({true, "fd00::1", 8443}), "[fd00::1]:8443");
    EXPECT_EQ(to_string(http_origin{false, "fd00:ec2::254", 80}), "http://[fd00:ec2::254]");
}

TEST(http_message, an_origin_reads_like_its_url)
{
    EXPECT_EQ(to_string(http_origin{true, "ec2.eu-west-1.amazonaws.com", 8443}), "https://ec2.eu-west-1.amazonaws.com:8443");
}

TEST(http_message, headers_are_found_whatever_their_case)
{
    const std::vector<http_header> headers = {{"Date", "today"}, {"X-A", "1"}, {"x-a", "2"}};
    EXPECT_EQ(find_header(headers, "date"), "today");
    EXPECT_EQ(find_header(headers, "X-a"), "1");
    EXPECT_FALSE(find_header(headers, "age").has_value());
}

}  // namespace
}  // namespace vipd::aws
