#include "agent/aws/profile_chain.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

result<profile_chain> chain(std::string_view credentials_text, std::string_view config_text, std::string_view name = "default")
{
    const auto credentials_file = parse_ini(credentials_text, "credentials").value();
    const auto config_file = parse_ini(config_text, "config").value();
    return read_chain({credentials_file, config_file}, name);
}

result<std::optional<credentials>> keys(std::string_view credentials_text, std::string_view config_text,
                                        std::string_view name = "default")
{
    const auto credentials_file = parse_ini(credentials_text, "credentials").value();
    const auto config_file = parse_ini(config_text, "config").value();
    return read_keys({credentials_file, config_file}, name);
}

bool says(const result<profile_chain>& read, std::string_view text)
{
    return read.has_error() && read.error().text.find(text) != std::string::npos;
}

constexpr const char* key_pair = "aws_access_key_id = A\naws_secret_access_key = B\n";
const std::string default_keys = std::string{"[default]\n"} + key_pair;

// A profile "web" with this role_arn and these lines.
std::string role(const std::string& lines, const std::string& arn = "arn:aws:iam::111122223333:role/routes")
{
    return "[profile web]\nrole_arn = " + arn + "\n" + lines;
}

// --- keys ---

TEST(profile_chain, keys_in_the_credentials_file_go_first)
{
    constexpr const char* shared = "[default]\naws_access_key_id = A\naws_secret_access_key = B\naws_session_token = C\n";
    constexpr const char* config = "[default]\naws_access_key_id = X\naws_secret_access_key = Y\n";
    EXPECT_EQ(**keys(shared, config), (credentials{"A", "B", "C", {}}));
    EXPECT_EQ(chain(shared, config)->first, decltype(profile_chain::first){keys_in_profile{"default"}});
    EXPECT_TRUE(chain(shared, config)->roles.empty());
}

TEST(profile_chain, keys_in_the_config_file_serve_too)
{
    EXPECT_EQ(**keys("", "[profile x]\naws_access_key_id = X\naws_secret_access_key = Y\n", "x"),
              (credentials{"X", "Y", "", {}}));
}

TEST(profile_chain, half_a_key_pair_is_an_error_that_names_the_other_half)
{
    EXPECT_TRUE(says(chain("[default]\naws_access_key_id = A\n", ""), "no aws_secret_access_key"));
    EXPECT_TRUE(says(chain("", "[default]\naws_secret_access_key = A\n"), "no aws_access_key_id"));
    EXPECT_TRUE(says(chain("[default]\naws_access_key_id = A B\naws_secret_access_key = A\n", ""), "control characters"));
}

TEST(profile_chain, keys_go_before_a_process_that_could_make_some)
{
    EXPECT_TRUE(chain(default_keys, "[default]\ncredential_process = /bin/x\n").has_value());
}

TEST(profile_chain, a_profile_without_a_word_about_credentials_is_no_error)
{
    EXPECT_EQ(chain("", "[default]\nregion = eu-west-1\n").value(), profile_chain{});
    EXPECT_EQ(chain("", "").value(), profile_chain{});
}

// --- roles ---

TEST(profile_chain, a_role_with_a_source_profile_is_a_chain_of_two)
{
    const auto read = chain(default_keys,
                            role("source_profile = default\nexternal_id = our/secret:1\n"
                                 "role_session_name = node-a\nduration_seconds = 7200\n"),
                            "web");
    EXPECT_EQ(read->first, decltype(profile_chain::first){keys_in_profile{"default"}});
    const assumed_role expected{.profile = "web",
                                .role_arn = "arn:aws:iam::111122223333:role/routes",
                                .session_name = "node-a",
                                .external_id = "our/secret:1",
                                .duration_seconds = 7200};
    EXPECT_EQ(read->roles, std::vector{expected});
}

TEST(profile_chain, what_is_not_said_about_a_role_is_left_to_sts)
{
    const auto read = chain(default_keys, role("source_profile = default\n"), "web");
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(read->roles.at(0).session_name, "vipd");
    EXPECT_EQ(read->roles.at(0).external_id, "");
    EXPECT_EQ(read->roles.at(0).duration_seconds, 0U);
}

TEST(profile_chain, a_role_may_stand_in_the_credentials_file)
{
    const auto read = chain(default_keys + "[web]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n", "", "web");
    EXPECT_EQ(read->roles.at(0).role_arn, "arn:aws:iam::1:role/x");
}

TEST(profile_chain, a_source_is_named_as_aws_names_it)
{
    using place = named_source::place;
    const auto source = [](const std::string& name) {
        return std::get<named_source>(chain("", role("credential_source = " + name + "\n"), "web")->first);
    };
    EXPECT_EQ(source("Environment"), (named_source{place::environment, "web"}));
    EXPECT_EQ(source("Ec2InstanceMetadata"), (named_source{place::instance_role, "web"}));
    EXPECT_EQ(source("EcsContainer"), (named_source{place::container, "web"}));
    EXPECT_TRUE(says(chain("", role("credential_source = Ec2\n"), "web"),
                     "the profile \"web\" has credential_source = \"Ec2\"; allowed are Environment, Ec2InstanceMetadata"));
}

TEST(profile_chain, a_role_with_a_token_file_is_a_web_identity)
{
    const auto read = chain("", "[default]\nrole_arn = arn:x\nweb_identity_token_file = /t\nrole_session_name = me\n");
    EXPECT_EQ(std::get<web_identity_source>(read->first), (web_identity_source{"arn:x", "/t", "me"}));
    EXPECT_TRUE(read->roles.empty());
    const auto unnamed = chain("", "[default]\nrole_arn = arn:x\nweb_identity_token_file = /t\n");
    EXPECT_EQ(std::get<web_identity_source>(unnamed->first).session_name, "vipd");
    EXPECT_TRUE(says(chain("", "[default]\nweb_identity_token_file = /t\n"), "no role_arn"));
}

TEST(profile_chain, roles_are_assumed_from_the_source_upwards)
{
    const auto read = chain("",
                            "[profile a]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n"
                            "[profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = c\n"
                            "[profile c]\nrole_arn = arn:aws:iam::1:role/c\nweb_identity_token_file = /t\n",
                            "a");
    EXPECT_EQ(std::get<web_identity_source>(read->first).role_arn, "arn:aws:iam::1:role/c");
    ASSERT_EQ(read->roles.size(), 2U);
    EXPECT_EQ(read->roles[0].profile, "b");
    EXPECT_EQ(read->roles[1].profile, "a");
}

// --- the awkward cases ---

TEST(profile_chain, a_role_to_assume_is_never_replaced_by_the_keys_beside_it)
{
    const auto read =
        chain(default_keys + "[y]\n" + key_pair, "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n");
    EXPECT_EQ(read->first, decltype(profile_chain::first){keys_in_profile{"y"}});
    EXPECT_EQ(read->roles.size(), 1U);
}

TEST(profile_chain, a_source_profile_gives_its_keys_even_beside_a_role_and_so_may_be_the_profile_itself)
{
    const auto read = chain(default_keys, "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n");
    EXPECT_EQ(read->first, decltype(profile_chain::first){keys_in_profile{"default"}});
    EXPECT_EQ(read->roles.size(), 1U);
}

TEST(profile_chain, a_circle_is_refused_with_the_names_of_its_profiles)
{
    const auto read = chain("",
                            "[profile a]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n"
                            "[profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = a\n",
                            "a");
    EXPECT_EQ(read.error().kind, error_class::malformed);
    EXPECT_TRUE(says(read, "the profiles \"a\" -> \"b\" -> \"a\" name one another")) << read.error().text;
    EXPECT_TRUE(says(chain("", role("source_profile = web\n"), "web"), "\"web\" -> \"web\""));
}

TEST(profile_chain, four_roles_are_a_chain_and_five_are_too_many)
{
    std::string config = "[profile 0]\n" + std::string{key_pair};
    for (int i = 1; i <= 5; ++i) {
        config += "[profile " + std::to_string(i) +
                  "]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = " + std::to_string(i - 1) + "\n";
    }
    EXPECT_EQ(chain("", config, "4")->roles.size(), roles_max);
    const auto read = chain("", config, "5");
    EXPECT_EQ(read.error().kind, error_class::out_of_range);
    EXPECT_TRUE(says(read, "\"5\" -> \"4\" -> \"3\" -> \"2\" -> \"1\" are a chain of more than 4 roles")) << read.error().text;
}

TEST(profile_chain, a_source_profile_has_to_exist_and_to_have_credentials)
{
    EXPECT_TRUE(says(chain("", role("source_profile = base\n"), "web"),
                     "the profile \"web\" names the source_profile \"base\", which is in neither of the shared files"));
    EXPECT_TRUE(says(chain("", role("source_profile = base\n") + "[profile base]\nregion = x\n", "web"),
                     "the profile \"base\" is the source_profile of \"web\" and has no credentials"));
    EXPECT_TRUE(says(chain("[base]\naws_access_key_id = A\n", role("source_profile = base\n"), "web"),
                     "the profile \"base\" in the credentials file has aws_access_key_id and no aws_secret_access_key"));
    EXPECT_TRUE(says(chain("", role("source_profile = base\n") + "[profile base]\nsso_session = s\n", "web"),
                     "the profile \"base\" uses sso_session, which vipd does not support"));
}

TEST(profile_chain, what_is_half_said_or_said_twice_is_explained)
{
    EXPECT_TRUE(says(chain("", role(""), "web"), "does not say with whose credentials to assume it"));
    EXPECT_TRUE(says(chain("", role("source_profile = x\ncredential_source = Environment\n"), "web"), "name one of the two"));
    EXPECT_TRUE(says(chain("", "[default]\nsource_profile = x\n"), "has source_profile and no role_arn"));
    EXPECT_TRUE(says(chain("", "[default]\ncredential_source = Environment\n"), "has credential_source and no role_arn"));
}

TEST(profile_chain, ways_to_credentials_that_are_not_supported_are_refused_by_name)
{
    for (const auto* key : {"sso_session", "sso_start_url", "credential_process", "login_session"}) {
        const auto read = chain("", std::string{"[default]\n"} + key + " = x\n");
        EXPECT_EQ(read.error().kind, error_class::unsupported);
        EXPECT_TRUE(says(read, std::string{"uses "} + key + ", which vipd does not support")) << read.error().text;
    }
    const auto mfa = chain(default_keys, role("source_profile = default\nmfa_serial = arn:aws:iam::1:mfa/me\n"), "web");
    EXPECT_EQ(mfa.error().kind, error_class::unsupported);
    EXPECT_TRUE(says(mfa, "the profile \"web\" uses mfa_serial"));
}

TEST(profile_chain, what_sts_could_not_take_is_refused_with_what_is_allowed)
{
    const auto read = [](const std::string& line, const std::string& arn = "arn:aws:iam::1:role/x") {
        return chain(default_keys, role("source_profile = default\n" + line, arn), "web");
    };
    EXPECT_TRUE(says(read("", "routes"), "role_arn = \"routes\"; it has to be like arn:aws:iam::123456789012:role/NAME"));
    EXPECT_TRUE(says(read("", "arn:aws:iam::1:user/x"), "it has to be like"));
    for (const auto* text : {"899", "43201", "1h", "-900", "4294968196"}) {
        EXPECT_TRUE(says(read(std::string{"duration_seconds = "} + text + "\n"), "allowed are 900 to 43200")) << text;
    }
    EXPECT_TRUE(says(read("role_session_name = node a\n"), "role_session_name = \"node a\"; allowed are 2 to 64"));
    EXPECT_TRUE(says(read("role_session_name = x\n"), "allowed are 2 to 64"));
    const auto id = read("external_id = hunter2!\n");
    EXPECT_TRUE(says(id, "allowed are 2 to 1224"));
    EXPECT_FALSE(says(id, "hunter2"));
}

TEST(profile_chain, a_role_from_a_role_lasts_an_hour_at_most)
{
    const std::string two_hours = "duration_seconds = 7200\n";
    EXPECT_TRUE(chain(default_keys, role("source_profile = default\n" + two_hours), "web").has_value());
    EXPECT_TRUE(chain("", role("credential_source = Environment\n" + two_hours), "web").has_value());
    const auto read = chain("", role("credential_source = Ec2InstanceMetadata\n" + two_hours), "web");
    EXPECT_EQ(read.error().kind, error_class::out_of_range);
    EXPECT_TRUE(says(read, "the profile \"web\" has duration_seconds = 7200; a role that is assumed with another role's"))
        << read.error().text;
    EXPECT_TRUE(says(chain(default_keys,
                           role("source_profile = mid\n" + two_hours) +
                               "[profile mid]\nrole_arn = arn:aws:iam::1:role/m\nsource_profile = default\n",
                           "web"),
                     "can have 3600 at most"));
}

}  // namespace
}  // namespace vipd::aws
