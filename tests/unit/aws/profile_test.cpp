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
    const auto credentials_file = ini(credentials_text);
    const auto config_file = ini(config_text);
    return read_profile({credentials_file, config_file}, name);
}

TEST(aws_profile, names_take_a_prefix_in_the_config_file_only)
{
    EXPECT_FALSE(profile("[profile x]\n", "[x]\n", "x").exists);
    EXPECT_TRUE(profile("[x]\n", "", "x").exists);
    EXPECT_TRUE(profile("", "[profile x]\n", "x").exists);
    EXPECT_EQ(profile("", "[default]\nregion = a\n[profile default]\nregion = b\n").region, "b");
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

}  // namespace
}  // namespace vipd::aws
