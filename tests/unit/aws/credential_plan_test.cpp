#include "agent/aws/credential_plan.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

using variables = std::map<std::string, std::string, std::less<>>;

result<credential_plan> choose(variables v, const profile_settings& profile = {}, const std::string& profile_in_settings = {},
                               bool imds_disabled = false)
{
    const environment e{std::move(v)};
    return choose_credentials(e, choose_profile(profile_in_settings, e), profile, imds_disabled);
}

credential_source source(variables v, const profile_settings& profile = {}, const std::string& profile_in_settings = {})
{
    const auto plan = choose(std::move(v), profile, profile_in_settings);
    return plan ? source_of(*plan) : credential_source::none;
}

profile_settings with_keys()
{
    profile_settings p;
    p.exists = true;
    p.keys = credentials{"A", "B", "", {}};
    return p;
}

const variables all = {
    {"AWS_ACCESS_KEY_ID", "A"},
    {"AWS_SECRET_ACCESS_KEY", "B"},
    {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"},
    {"AWS_ROLE_ARN", "arn:x"},
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"},
};

TEST(credential_plan, the_first_source_that_is_configured_wins)
{
    auto v = all;
    EXPECT_EQ(source(v, with_keys()), credential_source::environment);
    v.erase("AWS_ACCESS_KEY_ID");
    v.erase("AWS_SECRET_ACCESS_KEY");
    EXPECT_EQ(source(v, with_keys()), credential_source::web_identity);
    v.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
    EXPECT_EQ(source(v, with_keys()), credential_source::profile);
    EXPECT_EQ(source(v), credential_source::container);
    v.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    EXPECT_EQ(source(v), credential_source::instance_role);
}

TEST(credential_plan, a_profile_named_in_the_configuration_goes_before_the_environment)
{
    EXPECT_EQ(source(all, with_keys(), "web"), credential_source::profile);
    profile_settings region_only;
    region_only.exists = true;
    EXPECT_EQ(source(all, region_only, "web"), credential_source::container);
}

TEST(credential_plan, half_of_a_pair_is_an_error_and_no_reason_to_go_on)
{
    EXPECT_TRUE(choose({{"AWS_ACCESS_KEY_ID", "A"}}).has_error());
    EXPECT_TRUE(choose({{"AWS_SECRET_ACCESS_KEY", "A"}}).has_error());
    EXPECT_TRUE(choose({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}}).has_error());
    EXPECT_EQ(source({{"AWS_ROLE_ARN", "arn:x"}}), credential_source::instance_role);
    EXPECT_EQ(source({{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", ""}}), credential_source::instance_role);
}

TEST(credential_plan, keys_of_the_environment_carry_their_token_and_end)
{
    auto v = all;
    v["AWS_SECURITY_TOKEN"] = "old-name";
    EXPECT_EQ(std::get<from_environment>(*choose(v)).keys.session_token, "old-name");
    v["AWS_SESSION_TOKEN"] = "T";
    v["AWS_CREDENTIAL_EXPIRATION"] = "2026-01-01T00:00:00Z";
    const auto keys = std::get<from_environment>(*choose(v)).keys;
    EXPECT_EQ(keys.session_token, "T");
    EXPECT_EQ(keys.expiration, wall_time{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}});
    v["AWS_SESSION_TOKEN"] = "a\r\nX: y";
    EXPECT_TRUE(choose(v).has_error());
}

TEST(credential_plan, a_profile_that_somebody_named_has_to_exist)
{
    EXPECT_TRUE(choose({}, {}, "web").has_error());
    EXPECT_TRUE(choose({{"AWS_PROFILE", "web"}}).has_error());
    EXPECT_TRUE(choose({{"AWS_DEFAULT_PROFILE", "web"}}).has_error());
    EXPECT_EQ(source({}), credential_source::instance_role);
}

TEST(credential_plan, a_profile_that_is_not_supported_stops_the_search)
{
    profile_settings p;
    p.exists = true;
    p.unsupported = "the profile uses sso_session, which vipd does not support";
    EXPECT_EQ(choose({}, p).error().text, p.unsupported);
}

TEST(credential_plan, without_imds_there_has_to_be_something_else)
{
    EXPECT_TRUE(choose({}, {}, {}, true).has_error());
    EXPECT_TRUE(choose({}, with_keys(), {}, true).has_value());
}

TEST(credential_plan, the_shared_files_are_in_the_home_directory_unless_said_otherwise)
{
    const auto in_home = shared_files_of(environment{{{"HOME", "/home/me"}}});
    EXPECT_EQ(in_home.credentials, "/home/me/.aws/credentials");
    EXPECT_EQ(in_home.config, "/home/me/.aws/config");
    const auto nowhere = shared_files_of(environment{});
    EXPECT_EQ(nowhere.credentials, "");
    EXPECT_EQ(nowhere.config, "");
    const auto named = shared_files_of(
        environment{{{"HOME", "/h"}, {"AWS_SHARED_CREDENTIALS_FILE", "/etc/c"}, {"AWS_CONFIG_FILE", "~/conf"}}});
    EXPECT_EQ(named.credentials, "/etc/c");
    EXPECT_EQ(named.config, "/h/conf");
}

TEST(credential_plan, profile_names_come_from_the_configuration_the_environment_or_are_default)
{
    const environment e{{{"AWS_PROFILE", "a"}, {"AWS_DEFAULT_PROFILE", "b"}}};
    EXPECT_EQ(choose_profile("x", e).name, "x");
    EXPECT_EQ(choose_profile("", e).name, "a");
    EXPECT_EQ(choose_profile("", environment{}).name, "default");
}

}  // namespace
}  // namespace vipd::aws
