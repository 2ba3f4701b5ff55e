#include "agent/aws/endpoint.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

endpoint_choice in(std::string region, bool fips = false, bool dual_stack = false, std::string service = "ec2")
{
    return {
        .region = std::move(region), .service = std::move(service), .override_url = {}, .fips = fips, .dual_stack = dual_stack};
}

std::string url(const endpoint_choice& choice)
{
    const auto origin = resolve_endpoint(choice);
    return origin ? to_string(*origin) : "refused: " + origin.error().text;
}

TEST(endpoint, every_partition_has_its_own_names)
{
    struct row {
        const char* region;
        const char* partition;
        const char* plain;
        const char* dual_stack;
    };
    const std::vector<row> rows = {
        {"eu-central-1", "aws", "https://ec2.eu-central-1.amazonaws.com", "https://ec2.eu-central-1.api.aws"},
        {"mx-central-1", "aws", "https://ec2.mx-central-1.amazonaws.com", "https://ec2.mx-central-1.api.aws"},
        {"cn-north-1", "aws-cn", "https://ec2.cn-north-1.amazonaws.com.cn",
         "https://ec2.cn-north-1.api.amazonwebservices.com.cn"},
        {"eusc-de-east-1", "aws-eusc", "https://ec2.eusc-de-east-1.amazonaws.eu",
         "https://ec2.eusc-de-east-1.api.amazonwebservices.eu"},
        {"us-gov-west-1", "aws-us-gov", "https://ec2.us-gov-west-1.amazonaws.com", "https://ec2.us-gov-west-1.api.aws"},
        {"us-iso-east-1", "aws-iso", "https://ec2.us-iso-east-1.c2s.ic.gov", "https://ec2.us-iso-east-1.api.aws.ic.gov"},
        {"us-isob-west-1", "aws-iso-b", "https://ec2.us-isob-west-1.sc2s.sgov.gov",
         "https://ec2.us-isob-west-1.api.aws.scloud"},
        {"eu-isoe-west-1", "aws-iso-e", "https://ec2.eu-isoe-west-1.cloud.adc-e.uk",
         "https://ec2.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
        {"us-isof-south-1", "aws-iso-f", "https://ec2.us-isof-south-1.csp.hci.ic.gov",
         "https://ec2.us-isof-south-1.api.aws.hci.ic.gov"},
        {"xx-moon-7", "aws", "https://ec2.xx-moon-7.amazonaws.com", "https://ec2.xx-moon-7.api.aws"},
        {"us-iso", "aws", "https://ec2.us-iso.amazonaws.com", "https://ec2.us-iso.api.aws"},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(partition_of(r.region), r.partition);
        EXPECT_EQ(url(in(r.region)), r.plain);
        EXPECT_EQ(url(in(r.region, false, true)), r.dual_stack);
    }
}

TEST(endpoint, fips_has_its_own_names_except_in_govcloud)
{
    EXPECT_EQ(url(in("us-east-1", true)), "https://ec2-fips.us-east-1.amazonaws.com");
    EXPECT_EQ(url(in("us-east-1", true, true)), "https://ec2-fips.us-east-1.api.aws");
    EXPECT_EQ(url(in("us-gov-east-1", true)), "https://ec2.us-gov-east-1.amazonaws.com");
    EXPECT_EQ(url(in("us-gov-east-1", true, true)), "https://ec2-fips.us-gov-east-1.api.aws");
}

TEST(endpoint, sts_is_asked_in_the_region)
{
    EXPECT_EQ(url(in("eu-west-1", false, false, "sts")), "https://sts.eu-west-1.amazonaws.com");
    EXPECT_EQ(url(in("cn-north-1", false, false, "sts")), "https://sts.cn-north-1.amazonaws.com.cn");
}

TEST(endpoint, an_override_is_used_as_it_stands)
{
    auto choice = in("eu-west-1");
    choice.override_url = "https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com:8443/";
    EXPECT_EQ(url(choice), "https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com:8443");
}

TEST(endpoint, an_override_with_fips_or_dual_stack_or_without_tls_is_refused)
{
    auto choice = in("eu-west-1", true);
    choice.override_url = "https://localhost:8443";
    EXPECT_NE(url(choice).find("together with FIPS"), std::string::npos);
    choice = in("eu-west-1", false, true);
    choice.override_url = "https://localhost:8443";
    EXPECT_NE(url(choice).find("together with dual-stack"), std::string::npos);
    choice = in("eu-west-1");
    choice.override_url = "http://localhost:8443";
    EXPECT_NE(url(choice).find("must start with https://"), std::string::npos);
}

TEST(endpoint, a_region_that_is_no_label_never_becomes_a_host)
{
    for (const auto* region : {"", "a.evil.example", "eu-west-1/", "-a", "a-", "EU-WEST-1", "a b", "user@x"}) {
        EXPECT_EQ(resolve_endpoint(in(region)).has_error(), true) << region;
    }
    EXPECT_TRUE(resolve_endpoint(in(std::string(64, 'a'))).has_error());
}

TEST(endpoint, origins_are_a_scheme_a_host_and_perhaps_a_port)
{
    struct row {
        const char* text;
        http_origin origin;
    };
    const std::vector<row> rows = {
        {"https://ec2.example", {true, "ec2.example", 443}},
        {"https://EC2.Example/", {true, "ec2.example", 443}},
        {"HTTPS://a:1", {true, "a", 1}},
        {"https://127.0.0.1:65535", {true, "127.0.0.1", 65535}},
        {"http://169.254.169.254", {false, "169.254.169.254", 80}},
        {"http://[fd00:EC2::254]", {false, "fd00:ec2::254", 80}},
        {"http://[fd00:ec2::254]:8080/", {false, "fd00:ec2::254", 8080}},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(parse_origin(r.text, true).value(), r.origin) << r.text;
    }
}

TEST(endpoint, anything_else_is_no_origin)
{
    for (const auto* text : {"",
                             "ec2.example",
                             "ftp://a",
                             "https://",
                             "https:///",
                             "https://a/b",
                             "https://a?b",
                             "https://a#b",
                             "https://u@a",
                             "https://u:p@a",
                             "https://a:0",
                             "https://a:65536",
                             "https://a:",
                             "https://a:+1",
                             "https://a:1x",
                             "https://[::1",
                             "https://::1",
                             "https://[1.2.3.4]",
                             "https://[fe80::1%25eth0]",
                             "https://1.2.3",
                             "https://256.1.1.1",
                             "https://1.2.3.4.5",
                             "https://a..b",
                             "https://.a",
                             "https://a.",
                             "https://-a",
                             "https://a b",
                             "https://a\r\nX: y",
                             "https://\xc3\xa9",
                             "https://[::1]x"}) {
        EXPECT_TRUE(parse_origin(text, true).has_error()) << text;
    }
    EXPECT_TRUE(parse_origin("http://a", false).has_error());
}

TEST(endpoint, a_password_in_a_url_is_not_repeated_in_the_error)
{
    for (const std::string url :
         {"https://AKIA:hunter2@host", "http://AKIA:hunter2@host:8080", "AKIA:hunter2@host", "https://AKIA:hunter2/?#@host/x",
          "https://AKIA:hunter2@", "https://[AKIA:hunter2@host", "HTTPS://AKIA@hunter2@host"}) {
        for (const bool fips : {false, true}) {
            auto choice = in("eu-west-1", fips);
            choice.override_url = url;
            const auto refused = resolve_endpoint(choice);
            ASSERT_TRUE(refused.has_error()) << url;
            EXPECT_EQ(refused.error().text.find("hunter2"), std::string::npos) << refused.error().text;
            EXPECT_EQ(refused.error().text.find("AKIA"), std::string::npos) << refused.error().text;
        }
        EXPECT_EQ(parse_origin(url, true).error().text.find("hunter2"), std::string::npos) << url;
    }
}

}  // namespace
}  // namespace vipd::aws
