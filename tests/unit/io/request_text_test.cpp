#include "agent/io/request_text.hpp"

#include <gtest/gtest.h>

namespace vipd::io {
namespace {

aws::http_request request()
{
    aws::http_request r;
    r.target = "/latest/meta-data/";
    r.headers = {{"Host", "169.254.169.254"}, {"X-aws-ec2-metadata-token", "abc=="}};
    return r;
}

TEST(request_text, a_get_has_no_length)
{
    EXPECT_EQ(request_text(request()),
              "GET /latest/meta-data/ HTTP/1.1\r\n"
              "Host: 169.254.169.254\r\n"
              "X-aws-ec2-metadata-token: abc==\r\n"
              "Connection: keep-alive\r\n\r\n");
}

TEST(request_text, anything_else_has_one_also_when_it_is_zero)
{
    auto r = request();
    r.method = "PUT";
    EXPECT_NE(request_text(r)->find("Content-Length: 0\r\n"), std::string::npos);
    r.method = "POST";
    r.body = "Action=DescribeRouteTables";
    EXPECT_TRUE(request_text(r)->ends_with("Content-Length: 26\r\nConnection: keep-alive\r\n\r\nAction=DescribeRouteTables"));
}

TEST(request_text, whatever_would_end_a_line_early_makes_it_no_request)
{
    for (const char bad : {'\r', '\n', '\0', '\t', '\x7f'}) {
        const std::string text = std::string{"a"} + bad + "b";
        auto r = request();
        r.headers.push_back({"X-Token", text});
        EXPECT_FALSE(request_text(r)) << int{bad};
        r = request();
        r.headers.push_back({text, "a"});
        EXPECT_FALSE(request_text(r)) << int{bad};
        r = request();
        r.target = "/" + text;
        EXPECT_FALSE(request_text(r)) << int{bad};
        r = request();
        r.method = text;
        EXPECT_FALSE(request_text(r)) << int{bad};
    }
}

TEST(request_text, spaces_belong_into_values_alone)
{
    auto r = request();
    r.headers.push_back({"Authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=b"});
    EXPECT_TRUE(request_text(r));
    r.target = "/a b";
    EXPECT_FALSE(request_text(r));
    r = request();
    r.headers.push_back({"X Token", "a"});
    EXPECT_FALSE(request_text(r));
    r = request();
    r.headers.push_back({"X:Token", "a"});
    EXPECT_FALSE(request_text(r));
    r = request();
    r.target = "http://elsewhere/";
    EXPECT_FALSE(request_text(r));
}

}  // namespace
}  // namespace vipd::io
