#include "agent/aws/profile.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

ini_file ini(std::string_view text)
{
    return parse_ini(text, "file").value();
}

profile_settings profile(std::string_view credentials_text, std::string_view config_text, std::string_view name = "default")
{
    return read_profile(ini(credentials_text), ini(config_text), name).value();
}

TEST(aws_profile, sections_keys_and_comments_are_read)
{
    const auto file =
        ini("# a comment\n"
            "; another\n"
            "\n"
            "[default]\r\n"
            "Region = eu-west-1 # inline\r\n"
            "secret=a#b;c\n"
            "  [profile   'my name'] ; comment\n"
            "[profile 'my name']\n"
            "empty =\n"
            "k = v = w\n");
    EXPECT_EQ(file.at("default").at("region"), "eu-west-1");
    EXPECT_EQ(file.at("default").at("secret"), "a#b;c");
    EXPECT_EQ(file.at("profile my name").at("k"), "v = w");
    EXPECT_EQ(file.at("profile my name").at("empty"), "");
}

TEST(aws_profile, sections_that_come_twice_are_merged_and_the_later_value_wins)
{
    const auto file = ini("[a]\nx = 1\ny = 1\n[b]\n[a]\ny = 2\n");
    EXPECT_EQ(file.at("a").at("x"), "1");
    EXPECT_EQ(file.at("a").at("y"), "2");
}

TEST(aws_profile, indented_lines_belong_to_the_key_above)
{
    const auto file = ini("[services s]\nec2 =\n  endpoint_url = https://a\n  other = 1\ns3 =\n\tendpoint_url = https://b\n");
    EXPECT_EQ(file.at("services s").at("ec2.endpoint_url"), "https://a");
    EXPECT_EQ(file.at("services s").at("s3.endpoint_url"), "https://b");
    EXPECT_FALSE(file.at("services s").contains("endpoint_url"));
}

TEST(aws_profile, what_is_not_ini_is_named_with_its_line)
{
    const auto text_of = [](std::string_view text) { return parse_ini(text, "/etc/aws").error().text; };
    EXPECT_EQ(text_of("key = 1\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[a]\n\nnonsense\n").substr(0, 11), "/etc/aws:3:");
    EXPECT_EQ(text_of("[a\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[]\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[a] b\n").substr(0, 11), "/etc/aws:1:");
    EXPECT_EQ(text_of("[a]\n= 1\n").substr(0, 11), "/etc/aws:2:");
}

TEST(aws_profile, an_error_never_repeats_the_line_since_it_may_hold_a_secret)
{
    EXPECT_EQ(parse_ini("[a]\nhunter2\n", "f").error().text.find("hunter2"), std::string::npos);
}

TEST(aws_profile, keys_in_the_credentials_file_go_first)
{
    const auto p = profile("[default]\naws_access_key_id = A\naws_secret_access_key = B\naws_session_token = C\n",
                           "[default]\naws_access_key_id = X\naws_secret_access_key = Y\nregion = eu-west-1\n");
    ASSERT_TRUE(p.keys.has_value());
    EXPECT_EQ(*p.keys, (credentials{"A", "B", "C", {}}));
    EXPECT_EQ(p.region, "eu-west-1");
    EXPECT_TRUE(p.exists);
}

TEST(aws_profile, keys_in_the_config_file_serve_too)
{
    const auto p = profile("", "[profile x]\naws_access_key_id = X\naws_secret_access_key = Y\n", "x");
    EXPECT_EQ(p.keys, (credentials{"X", "Y", "", {}}));
}

TEST(aws_profile, names_take_a_prefix_in_the_config_file_only)
{
    EXPECT_FALSE(profile("[profile x]\n", "[x]\n", "x").exists);
    EXPECT_TRUE(profile("[x]\n", "", "x").exists);
    EXPECT_TRUE(profile("", "[profile x]\n", "x").exists);
    EXPECT_EQ(profile("", "[default]\nregion = a\n[profile default]\nregion = b\n").region, "b");
}

TEST(aws_profile, half_a_key_pair_is_an_error_that_names_the_other_half)
{
    const auto problem = read_profile(ini("[default]\naws_access_key_id = A\n"), {}, "default");
    ASSERT_TRUE(problem.has_error());
    EXPECT_NE(problem.error().text.find("no aws_secret_access_key"), std::string::npos);
    EXPECT_TRUE(read_profile({}, ini("[default]\naws_secret_access_key = A\n"), "default").has_error());
    EXPECT_TRUE(
        read_profile({}, ini("[default]\naws_access_key_id = A B\naws_secret_access_key = A\n"), "default").has_error());
}

TEST(aws_profile, ways_to_credentials_that_are_not_supported_are_refused_by_name)
{
    for (const auto* text :
         {"role_arn = arn:x\nsource_profile = y\n", "role_arn = arn:x\ncredential_source = Ec2InstanceMetadata\n",
          "role_arn = arn:x\n", "sso_session = s\n", "sso_start_url = https://x\n", "credential_process = /bin/x\n",
          "login_session = x\n"}) {
        const auto p = profile("", std::string{"[default]\n"} + text);
        EXPECT_NE(p.unsupported.find("does not support"), std::string::npos) << text;
        EXPECT_FALSE(p.keys.has_value());
    }
}

TEST(aws_profile, a_role_to_assume_is_never_replaced_by_the_keys_beside_it)
{
    const auto p = profile("[default]\naws_access_key_id = A\naws_secret_access_key = B\n",
                           "[default]\nrole_arn = arn:x\nsource_profile = y\n");
    EXPECT_FALSE(p.keys.has_value());
    EXPECT_FALSE(p.unsupported.empty());
}

TEST(aws_profile, keys_go_before_a_process_that_could_make_some)
{
    const auto p =
        profile("[default]\naws_access_key_id = A\naws_secret_access_key = B\n", "[default]\ncredential_process = /bin/x\n");
    EXPECT_TRUE(p.keys.has_value());
    EXPECT_TRUE(p.unsupported.empty());
}

TEST(aws_profile, a_role_with_a_token_file_is_a_web_identity)
{
    const auto p = profile("", "[default]\nrole_arn = arn:x\nweb_identity_token_file = /t\nrole_session_name = me\n");
    EXPECT_EQ(p.web_identity, (web_identity_source{"arn:x", "/t", "me"}));
    EXPECT_TRUE(p.unsupported.empty());
    EXPECT_EQ(profile("", "[default]\nrole_arn = arn:x\nweb_identity_token_file = /t\n").web_identity->session_name, "vipd");
}

TEST(aws_profile, the_services_section_goes_before_the_profiles_own_endpoint)
{
    constexpr const char* text =
        "[default]\nservices = s\nendpoint_url = https://general\n"
        "[services s]\nec2 =\n  endpoint_url = https://ec2\n";
    EXPECT_EQ(profile("", text).ec2_endpoint_url, "https://ec2");
    EXPECT_EQ(profile("", text).sts_endpoint_url, "https://general");
}

TEST(aws_profile, flags_and_imds_settings_are_read)
{
    const auto p = profile("",
                           "[default]\nuse_fips_endpoint = TRUE\nuse_dualstack_endpoint = false\n"
                           "ec2_metadata_service_endpoint_mode = IPv6\nec2_metadata_service_endpoint = http://a\n");
    EXPECT_TRUE(p.fips);
    EXPECT_FALSE(p.dual_stack);
    EXPECT_EQ(p.imds_endpoint_mode, "IPv6");
    EXPECT_EQ(p.imds_endpoint, "http://a");
}

TEST(aws_profile, a_byte_order_mark_is_no_key)
{
    EXPECT_TRUE(ini("\xef\xbb\xbf[default]\n").contains("default"));
}

}  // namespace
}  // namespace vipd::aws
