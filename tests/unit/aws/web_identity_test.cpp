#include "agent/aws/web_identity.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

http_result answered(unsigned status, std::string body)
{
    http_result result;
    result.outcome = http_response{status, {}, std::move(body)};
    return result;
}

std::string success(const std::string& expiration)
{
    return "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A</AccessKeyId>"
           "<SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>" +
           expiration + "</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
}

TEST(web_identity, needs_file_and_role_and_has_a_session_name)
{
    EXPECT_FALSE(web_identity_from(environment{}).value().has_value());
    EXPECT_TRUE(web_identity_from(environment{{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}}}).has_error());
    const auto source = web_identity_from(environment{{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "arn:x"}}});
    EXPECT_EQ(source.value(), (web_identity_source{"arn:x", "/t", "vipd"}));
}

TEST(web_identity, the_answer_of_sts_is_read)
{
    const auto keys = read_assume_role_answer(answered(200, success("2026-01-01T00:00:00Z"))).value();
    EXPECT_EQ(keys.access_key_id, "A");
    EXPECT_EQ(keys.session_token, "T");
    EXPECT_EQ(keys.expiration, wall_time{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}});
}

TEST(web_identity, an_answer_without_usable_credentials_is_an_error)
{
    for (const auto& body :
         {std::string{}, std::string{"{}"}, std::string{"<AssumeRoleWithWebIdentityResponse/>"}, success("soon")}) {
        EXPECT_TRUE(read_assume_role_answer(answered(200, body)).has_error()) << body;
    }
}

TEST(web_identity, the_error_of_sts_is_passed_on_in_words)
{
    const auto refused = read_assume_role_answer(
        answered(400,
                 "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token expired</Message>"
                 "</Error></ErrorResponse>"));
    EXPECT_EQ(refused.error().kind, error_class::denied);
    EXPECT_EQ(refused.error().text, "STS refused AssumeRoleWithWebIdentity: ExpiredTokenException: Token expired");
    const auto busy = read_assume_role_answer(
        answered(400, "<ErrorResponse><Error><Code>IDPCommunicationError</Code><Message>m</Message></Error></ErrorResponse>"));
    EXPECT_EQ(busy.error().kind, error_class::unavailable);
    EXPECT_EQ(read_assume_role_answer(answered(503, "busy")).error().text, "STS answered with status 503");
}

}  // namespace
}  // namespace vipd::aws
