#include "agent/aws/role_document.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

TEST(role_document, the_form_of_imds_is_read)
{
    const auto keys = parse_role_document(
        R"({"Code":"Success","LastUpdated":"x","Type":"AWS-HMAC","AccessKeyId":"A","SecretAccessKey":"S/+=","Token":"T",)"
        R"("Expiration":"2026-01-01T00:00:00Z"})",
        "IMDS");
    EXPECT_EQ(keys.value(), (credentials{"A", "S/+=", "T", std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}}));
}

TEST(role_document, a_code_that_is_not_success_is_said_with_its_message)
{
    const auto keys =
        parse_role_document(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"})", "IMDS");
    EXPECT_EQ(keys.error().kind, error_class::unavailable);
    EXPECT_EQ(keys.error().text, "IMDS gave no credentials: AssumeRoleUnauthorizedAccess EC2 cannot assume the role");
}

TEST(role_document, anything_else_is_an_error_that_repeats_nothing)
{
    for (const auto* body :
         {"", "hunter2", "{\"hunter2\"", "[\"hunter2\"]", "{}", R"({"AccessKeyId":"A","SecretAccessKey":"hunter2"})",
          R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Token":""})",
          R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Token":7})",
          R"({"AccessKeyId":"A\r\n","SecretAccessKey":"hunter2","Token":"T"})",
          R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Token":"T","Expiration":"soon"})"}) {
        const auto keys = parse_role_document(body, "IMDS");
        ASSERT_TRUE(keys.has_error()) << body;
        EXPECT_EQ(keys.error().text.find("hunter2"), std::string::npos);
    }
}

TEST(role_document, nesting_is_bounded)
{
    EXPECT_TRUE(parse_role_document(std::string(60'000, '['), "IMDS").has_error());
    EXPECT_TRUE(parse_role_document("{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}", "IMDS").has_error());
}

}  // namespace
}  // namespace vipd::aws
