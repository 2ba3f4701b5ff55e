#include "agent/aws/credential_fetch.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
const sts_place sts{{true, "sts.eu-west-1.amazonaws.com", 443}, "eu-west-1"};

credential_plan chain_of(first_source first, std::vector<std::string> roles)
{
    credential_plan plan{.first = std::move(first)};
    for (auto& name : roles) {
        plan.roles.push_back({.profile = name, .role_arn = "arn:aws:iam::1:role/" + name});
    }
    return plan;
}

first_source keys_of(const std::string& id)
{
    return from_environment{{id, "secret-of-" + id, "", {}}};
}

credential_answer sts_gives(const std::string& id)
{
    http_result result;
    result.outcome =
        http_response{200,
                      {},
                      "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" + id +
                          "</AccessKeyId><SecretAccessKey>secret-of-" + id + "</SecretAccessKey><SessionToken>token-of-" + id +
                          "</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials>"
                          "</AssumeRoleResult></AssumeRoleResponse>"};
    return result;
}

const result<credentials>& outcome(const credential_step& step)
{
    return std::get<result<credentials>>(step);
}

http_request request_of(const credential_step& step)
{
    return std::get<http_exchange>(std::get<credential_question>(step)).request;
}

// Who signed it, provided that the signature is right.
std::string signer_of(const http_request& request)
{
    const auto claim = parse_authorization(find_header(request.headers, "authorization").value_or("")).value();
    const bool right = expected_signature(request, claim, "secret-of-" + claim.access_key_id).value() == claim.signature;
    return right ? claim.access_key_id : "somebody else";
}

TEST(credential_fetch, a_chain_without_roles_gives_what_its_source_gives)
{
    credential_fetch fetch{chain_of(keys_of("BASE"), {}), {}};
    EXPECT_EQ(outcome(fetch.begin(now))->access_key_id, "BASE");
}

TEST(credential_fetch, each_role_is_asked_for_with_the_credentials_before_it)
{
    credential_fetch fetch{chain_of(keys_of("BASE"), {"first", "second"}), sts};
    const auto first = request_of(fetch.begin(now));
    EXPECT_EQ(signer_of(first), "BASE");
    EXPECT_FALSE(find_header(first.headers, "x-amz-security-token").has_value());
    EXPECT_NE(first.body.find("role%2Ffirst&"), std::string::npos) << first.body;
    const auto second = request_of(fetch.handle(now, sts_gives("FIRST")));
    EXPECT_EQ(signer_of(second), "FIRST");
    EXPECT_EQ(find_header(second.headers, "x-amz-security-token"), "token-of-FIRST");
    EXPECT_NE(second.body.find("role%2Fsecond&"), std::string::npos) << second.body;
    const auto end = fetch.handle(now, sts_gives("SECOND"));
    EXPECT_EQ(outcome(end)->access_key_id, "SECOND");
    EXPECT_EQ(outcome(end)->expiration, now + std::chrono::hours{1});
}

TEST(credential_fetch, a_role_follows_a_source_that_has_to_be_asked)
{
    credential_fetch fetch{chain_of(from_instance_role{}, {"routes"}), sts};
    EXPECT_TRUE(std::holds_alternative<ask_imds>(std::get<credential_question>(fetch.begin(now))));
    fetch.handle(now, result<std::string>{"node"});
    const auto request = request_of(
        fetch.handle(now, result<std::string>{R"({"AccessKeyId":"NODE","SecretAccessKey":"secret-of-NODE","Token":"T"})"}));
    EXPECT_EQ(signer_of(request), "NODE");
    EXPECT_EQ(find_header(request.headers, "x-amz-security-token"), "T");
}

TEST(credential_fetch, what_fails_on_the_way_ends_it_and_says_whose_role_it_was_for)
{
    credential_fetch no_source{chain_of(from_instance_role{}, {"routes"}), sts};
    no_source.begin(now);
    const auto without = outcome(no_source.handle(now, result<std::string>{""})).error();
    EXPECT_EQ(without.kind, error_class::not_found);
    EXPECT_EQ(
        without.text.find("the profile \"routes\" has nothing to assume arn:aws:iam::1:role/routes with: the instance has "
                          "no role"),
        0U)
        << without.text;

    credential_fetch refused{chain_of(keys_of("BASE"), {"first", "second"}), sts};
    refused.begin(now);
    http_result failure;
    failure.outcome = http_failure{false, {error_class::unavailable, "connection refused"}};
    const auto down = outcome(refused.handle(now, failure)).error();
    EXPECT_EQ(down.kind, error_class::unavailable);
    EXPECT_EQ(down.text, "the profile \"first\" cannot assume arn:aws:iam::1:role/first: STS: connection refused");
}

}  // namespace
}  // namespace vipd::aws
