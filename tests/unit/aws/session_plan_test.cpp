#include "agent/aws/session_plan.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

using variables = std::map<std::string, std::string, std::less<>>;

session_plan plan(const session_settings& settings, variables v, const profile_settings& profile = {})
{
    return plan_session(settings, environment{std::move(v)}, profile);
}

TEST(session_plan, the_region_is_the_first_that_was_said)
{
    session_settings settings;
    settings.region = "from-settings";
    profile_settings profile;
    profile.region = "from-profile";
    variables v = {{"AWS_REGION", "from-region"}, {"AWS_DEFAULT_REGION", "from-default"}};
    EXPECT_EQ(plan(settings, v, profile).region, "from-settings");
    settings.region.clear();
    EXPECT_EQ(plan(settings, v, profile).region, "from-region");
    v.erase("AWS_REGION");
    EXPECT_EQ(plan(settings, v, profile).region, "from-default");
    v.clear();
    EXPECT_EQ(plan(settings, v, profile).region, "from-profile");
    EXPECT_EQ(plan(settings, v).region, "");
}

TEST(session_plan, the_endpoint_is_the_first_that_was_said_and_sts_has_its_own)
{
    session_settings settings;
    settings.endpoint = "https://settings";
    profile_settings profile;
    profile.ec2_endpoint_url = "https://profile";
    variables v = {{"AWS_ENDPOINT_URL_EC2", "https://ec2"}, {"AWS_ENDPOINT_URL", "https://all"}};
    EXPECT_EQ(plan(settings, v, profile).ec2.override_url, "https://settings");
    EXPECT_EQ(plan(settings, v, profile).sts.override_url, "https://all");
    settings.endpoint.reset();
    EXPECT_EQ(plan(settings, v, profile).ec2.override_url, "https://ec2");
    v.erase("AWS_ENDPOINT_URL_EC2");
    EXPECT_EQ(plan(settings, v, profile).ec2.override_url, "https://all");
    v.clear();
    EXPECT_EQ(plan(settings, v, profile).ec2.override_url, "https://profile");
    EXPECT_FALSE(plan(settings, v).ec2.override_url.has_value());
}

TEST(session_plan, configured_endpoints_can_be_ignored_except_our_own)
{
    session_settings settings;
    profile_settings profile;
    profile.ec2_endpoint_url = "https://profile";
    const variables v = {{"AWS_ENDPOINT_URL", "https://all"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}};
    EXPECT_FALSE(plan(settings, v, profile).ec2.override_url.has_value());
    settings.endpoint = "https://settings";
    EXPECT_EQ(plan(settings, v, profile).ec2.override_url, "https://settings");
}

TEST(session_plan, flags_of_the_environment_overrule_the_profile)
{
    profile_settings profile;
    profile.fips = true;
    EXPECT_TRUE(plan({}, {}, profile).ec2.fips);
    EXPECT_FALSE(plan({}, {{"AWS_USE_FIPS_ENDPOINT", "false"}}, profile).ec2.fips);
    EXPECT_TRUE(plan({}, {{"AWS_USE_DUALSTACK_ENDPOINT", "True"}}).sts.dual_stack);
    session_settings settings;
    settings.fips = true;
    EXPECT_TRUE(plan(settings, {{"AWS_USE_FIPS_ENDPOINT", "false"}}).ec2.fips);
}

std::string imds(const session_settings& settings, variables v, const profile_settings& profile = {})
{
    const auto origin = plan(settings, std::move(v), profile).imds;
    if (!origin) {
        return "error: " + origin.error().text;
    }
    return *origin ? to_string(**origin) : "off";
}

TEST(session_plan, imds_is_at_its_usual_address_unless_said_otherwise)
{
    session_settings settings;
    profile_settings profile;
    EXPECT_EQ(imds(settings, {}), "http://169.254.169.254");
    EXPECT_EQ(imds(settings, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6"}}), "http://[fd00:ec2::254]");
    profile.imds_endpoint_mode = "IPv6";
    EXPECT_EQ(imds(settings, {}, profile), "http://[fd00:ec2::254]");
    EXPECT_EQ(imds(settings, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4"}}, profile), "http://169.254.169.254");
    profile.imds_endpoint = "http://profile:1";
    EXPECT_EQ(imds(settings, {}, profile), "http://profile:1");
    EXPECT_EQ(imds(settings, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://env:2/"}}, profile), "http://env:2");
    settings.imds_endpoint = "http://[::1]:3";
    EXPECT_EQ(imds(settings, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://env:2/"}}), "http://[::1]:3");
    EXPECT_EQ(imds(settings, {{"AWS_EC2_METADATA_DISABLED", "TRUE"}}), "off");
}

TEST(session_plan, a_wrong_imds_setting_is_explained_with_who_said_it)
{
    EXPECT_NE(imds({}, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "v6"}}).find("allowed are IPv4 and IPv6"),
              std::string::npos);
    EXPECT_NE(imds({}, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://a/b"}}).find("AWS_EC2_METADATA_SERVICE_ENDPOINT: "),
              std::string::npos);
}

TEST(session_plan, files_that_cannot_be_used_do_not_matter_when_the_environment_has_keys)
{
    const result<profile_settings> broken = error{error_class::malformed, "/c:1: broken"};
    const environment with_keys{{{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "B"}}};
    EXPECT_TRUE(plan_session({}, with_keys, broken).credentials.has_value());
    EXPECT_EQ(plan_session({}, environment{}, broken).credentials.error().text, "/c:1: broken");
}

}  // namespace
}  // namespace vipd::aws
