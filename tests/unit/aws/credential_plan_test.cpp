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
    p.chain = profile_chain{.first = keys_in_profile{"default"}, .roles = {}};
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
    EXPECT_EQ(std::get<from_environment>(choose(v)->first).keys.session_token, "old-name");
    v["AWS_SESSION_TOKEN"] = "T";
    v["AWS_CREDENTIAL_EXPIRATION"] = "2026-01-01T00:00:00Z";
    const auto keys = std::get<from_environment>(choose(v)->first).keys;
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
    p.chain = error{error_class::unsupported, "the profile uses sso_session, which vipd does not support"};
    EXPECT_EQ(choose({}, p).error(), p.chain.error());
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

TEST(credential_plan, a_token_in_the_environment_needs_its_role_and_has_a_session_name)
{
    const variables v = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "arn:x"}};
    EXPECT_EQ(std::get<web_identity_source>(choose(v)->first), (web_identity_source{"arn:x", "/t", "vipd"}));
    auto named = v;
    named["AWS_ROLE_SESSION_NAME"] = "me";
    EXPECT_EQ(std::get<web_identity_source>(choose(named)->first).session_name, "me");
}

// --- a profile that assumes a role ---

profile_settings with_role(named_source::place place)
{
    profile_settings p;
    p.exists = true;
    p.chain = profile_chain{.first = named_source{place, "shared"}, .roles = {{.profile = "shared", .role_arn = "arn:role"}}};
    return p;
}

TEST(credential_plan, a_role_is_assumed_with_what_the_profile_names)
{
    using place = named_source::place;
    const auto plan_for = [](place where) { return choose(all, with_role(where), "shared"); };
    EXPECT_TRUE(std::holds_alternative<from_environment>(plan_for(place::environment)->first));
    EXPECT_TRUE(std::holds_alternative<container_source>(plan_for(place::container)->first));
    const auto plan = plan_for(place::instance_role);
    EXPECT_TRUE(std::holds_alternative<from_instance_role>(plan->first));
    EXPECT_EQ(plan->roles.size(), 1U);
    EXPECT_EQ(source_of(*plan), credential_source::assumed_role);
    EXPECT_EQ(role_arn_of(*plan), "arn:role");
    EXPECT_TRUE(needs_imds(*plan));
    EXPECT_TRUE(needs_sts(*plan));
}

TEST(credential_plan, a_named_source_that_has_nothing_is_an_error_and_no_reason_to_go_on)
{
    using place = named_source::place;
    const auto environment_empty = choose({}, with_role(place::environment)).error();
    EXPECT_EQ(environment_empty.kind, error_class::not_found);
    EXPECT_NE(environment_empty.text.find("AWS_ACCESS_KEY_ID"), std::string::npos) << environment_empty.text;
    const auto no_container = choose({}, with_role(place::container)).error();
    EXPECT_NE(no_container.text.find("AWS_CONTAINER_CREDENTIALS_FULL_URI"), std::string::npos) << no_container.text;
    const auto no_imds = choose({}, with_role(place::instance_role), {}, true).error();
    EXPECT_NE(no_imds.text.find("AWS_EC2_METADATA_DISABLED"), std::string::npos) << no_imds.text;
    for (const auto& problem : {environment_empty, no_container, no_imds}) {
        EXPECT_NE(problem.text.find("\"shared\""), std::string::npos) << problem.text;
    }
    EXPECT_TRUE(choose({{"AWS_ACCESS_KEY_ID", "A"}}, with_role(place::environment), "shared").has_error()) << "half a pair";
}

TEST(credential_plan, only_what_is_needed_is_waited_for)
{
    EXPECT_FALSE(needs_sts(*choose({}, with_keys())));
    EXPECT_FALSE(needs_imds(*choose({}, with_keys())));
    EXPECT_TRUE(needs_imds(*choose({})));
    const auto token = choose({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "arn:x"}});
    EXPECT_TRUE(needs_sts(*token));
    EXPECT_EQ(role_arn_of(*token), "arn:x");
}

}  // namespace
}  // namespace vipd::aws
