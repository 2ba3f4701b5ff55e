#include "agent/aws/sts.hpp"

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

TEST(sts, the_answer_of_sts_is_read)
{
    const auto keys = read_web_identity_answer(answered(200, success("2026-01-01T00:00:00Z"))).value();
    EXPECT_EQ(keys.access_key_id, "A");
    EXPECT_EQ(keys.session_token, "T");
    EXPECT_EQ(keys.expiration, wall_time{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}});
}

TEST(sts, an_answer_without_usable_credentials_is_an_error)
{
    for (const auto& body :
         {std::string{}, std::string{"{}"}, std::string{"<AssumeRoleWithWebIdentityResponse/>"}, success("soon")}) {
        EXPECT_TRUE(read_web_identity_answer(answered(200, body)).has_error()) << body;
    }
}

TEST(sts, the_error_of_sts_is_passed_on_in_words)
{
    const auto refused = read_web_identity_answer(
        answered(400,
                 "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token expired</Message>"
                 "</Error></ErrorResponse>"));
    EXPECT_EQ(refused.error().kind, error_class::denied);
    EXPECT_EQ(refused.error().text, "STS refused AssumeRoleWithWebIdentity: ExpiredTokenException: Token expired");
    const auto busy = read_web_identity_answer(
        answered(400, "<ErrorResponse><Error><Code>IDPCommunicationError</Code><Message>m</Message></Error></ErrorResponse>"));
    EXPECT_EQ(busy.error().kind, error_class::unavailable);
    EXPECT_EQ(read_web_identity_answer(answered(503, "busy")).error().text, "STS answered with status 503");
}

// --- AssumeRole ---

const sts_place place{{true, "sts.eu-west-1.amazonaws.com", 443}, "eu-west-1"};
const credentials source_keys{"AKIDSOURCE", "source-secret", "source-token", {}};
constexpr wall_time signed_at = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

assumed_role routes_role()
{
    return {.profile = "shared", .role_arn = "arn:aws:iam::111122223333:role/routes"};
}

TEST(sts, an_assume_role_request_is_signed_for_sts_in_the_region)
{
    const auto exchange = assume_role_request(routes_role(), place, source_keys, signed_at);
    EXPECT_EQ(exchange.origin, place.origin);
    EXPECT_EQ(exchange.request.body,
              "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Froutes&"
              "RoleSessionName=vipd");
    EXPECT_EQ(find_header(exchange.request.headers, "x-amz-security-token"), "source-token");
    const auto claim = parse_authorization(find_header(exchange.request.headers, "authorization").value_or("")).value();
    EXPECT_EQ(claim.access_key_id, "AKIDSOURCE");
    EXPECT_EQ(claim.region, "eu-west-1");
    EXPECT_EQ(claim.service, "sts");
    EXPECT_EQ(claim.date, "20260101");
    EXPECT_EQ(expected_signature(exchange.request, claim, "source-secret").value(), claim.signature);
}

TEST(sts, what_was_said_about_a_role_is_asked_for)
{
    auto role = routes_role();
    role.session_name = "node-a@home";
    role.external_id = "a/b:c";
    role.duration_seconds = 900;
    const auto body = assume_role_request(role, place, source_keys, signed_at).request.body;
    EXPECT_NE(body.find("&RoleSessionName=node-a%40home&ExternalId=a%2Fb%3Ac&DurationSeconds=900"), std::string::npos) << body;
}

TEST(sts, each_answer_is_read_under_its_own_name)
{
    const auto of_token = success("2026-01-01T00:00:00Z");
    auto of_role = of_token;
    for (auto at = of_role.find("WithWebIdentity"); at != std::string::npos; at = of_role.find("WithWebIdentity")) {
        of_role.erase(at, std::string_view{"WithWebIdentity"}.size());
    }
    EXPECT_EQ(read_assume_role_answer(routes_role(), answered(200, of_role))->access_key_id, "A");
    EXPECT_TRUE(read_assume_role_answer(routes_role(), answered(200, of_token)).has_error());
}

TEST(sts, a_refusal_says_which_profile_and_role_and_what_has_to_be_allowed_where)
{
    const auto refused = read_assume_role_answer(
        routes_role(), answered(403,
                                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:u is not "
                                "authorized</Message></Error></ErrorResponse>"));
    EXPECT_EQ(refused.error().kind, error_class::denied);
    EXPECT_EQ(
        refused.error().text,
        "the profile \"shared\" cannot assume arn:aws:iam::111122223333:role/routes: AccessDenied: User: arn:u is not "
        "authorized (the caller's policy has to allow sts:AssumeRole on the role, and the role's trust policy the caller, "
        "with this external_id if it asks for one)");
    const auto busy = read_assume_role_answer(routes_role(), answered(503, "busy"));
    EXPECT_EQ(busy.error().kind, error_class::unavailable);
    EXPECT_NE(busy.error().text.find("STS answered with status 503"), std::string::npos);
}

}  // namespace
}  // namespace vipd::aws
