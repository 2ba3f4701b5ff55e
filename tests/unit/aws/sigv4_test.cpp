// Vectors: the "aws4_testsuite" cases that AWS publishes (each checked with botocore 1.29), and one for EC2 that was derived
// with botocore. tests/oracle compares many more, random ones.

#include "agent/aws/sigv4.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace vipd::aws {
namespace {

using namespace std::chrono_literals;

wall_time at(int year, unsigned month, unsigned day, std::chrono::seconds of_day = 0s)
{
    return std::chrono::sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}} + of_day;
}

const credentials example_keys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", {}};

// The suite's region, service, host and time.
std::string suite_authorization(http_request request, const credentials& keys = example_keys)
{
    request.headers.insert(request.headers.begin(), {"Host", "example.amazonaws.com"});
    sign(request, {"us-east-1", "service"}, keys, at(2015, 8, 30, 12h + 36min));
    return std::string{*find_header(request.headers, "authorization")};
}

http_request get(std::string target, std::vector<http_header> headers = {})
{
    return {"GET", std::move(target), std::move(headers), {}};
}

http_request post(std::vector<http_header> headers, std::string body = {})
{
    return {"POST", "/", std::move(headers), std::move(body)};
}

struct suite_case {
    const char* name;
    http_request request;
    const char* signed_headers;
    const char* signature;
};

TEST(sigv4, agrees_with_the_published_suite)
{
    const std::vector<suite_case> cases = {
        {"get-vanilla", get("/"), "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"post-vanilla", post({}), "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"get-vanilla-query-order-key-case", get("/?Param2=value2&Param1=value1"), "host;x-amz-date",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-query-order-value", get("/?Param1=value2&Param1=value1"), "host;x-amz-date",
         "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
        {"get-vanilla-query-unreserved", get("/?Param1=value1"), "host;x-amz-date",
         "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        {"get-vanilla-utf8-query", get("/?\xe1\x88\xb4=bar"), "host;x-amz-date",
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"get-header-key-duplicate", get("/", {{"My-Header1", "value2"}, {"my-header1", "value2"}, {"My-Header1", "value1"}}),
         "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        {"get-header-value-trim", get("/", {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
         "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        {"get-slash", get("//"), "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-slashes", get("//example//"), "host;x-amz-date",
         "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
        {"get-slash-dot-slash", get("/./"), "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-slash-pointless-dot", get("/./example"), "host;x-amz-date",
         "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
        {"get-relative", get("/example/.."), "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-relative-relative", get("/example1/example2/../.."), "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-utf8", get("/\xe1\x88\xb4"), "host;x-amz-date",
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"get-unreserved", get("/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"), "host;x-amz-date",
         "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        {"post-header-key-sort", post({{"My-Header1", "value1"}}), "host;my-header1;x-amz-date",
         "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
        {"post-x-www-form-urlencoded", post({{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1"),
         "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(suite_authorization(c.request),
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
                      std::string{c.signed_headers} + ", Signature=" + c.signature)
            << c.name;
    }
}

TEST(sigv4, the_published_case_with_a_session_token_agrees)
{
    auto keys = example_keys;
    keys.session_token =
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfPSPfIeoIYRqTflfKD8YUuwthAx7mS"
        "EI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo"
        "0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
    EXPECT_TRUE(suite_authorization(post({}), keys)
                    .ends_with("SignedHeaders=host;x-amz-date;x-amz-security-token, "
                               "Signature=477180a9025743d6b57cb455a42b7c3151da8d68cb486e4fb59c6044202d10f1"));
}

http_request replace_route_request()
{
    return {"POST",
            "/",
            {{"Host", "ec2.eu-central-1.amazonaws.com"}, {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
            "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-0123456789abcdef0&DestinationCidrBlock=198.51.100.10%2F32&"
            "NetworkInterfaceId=eni-0123456789abcdef0"};
}

TEST(sigv4, the_ec2_vector_agrees_at_every_step)
{
    auto request = replace_route_request();
    const signing_scope scope{"eu-central-1", "ec2"};
    EXPECT_EQ(sha256_hex(request.body), "aa82446912bd1dd4b57eb2415e0991bc0ff39794c054177d43210be2aaf3fe00");
    sign(request, scope, example_keys, at(2026, 1, 1));
    const auto canonical = canonical_request(request);
    EXPECT_EQ(sha256_hex(canonical), "e2ea0bda9316ccab6d105d61d77a2c1c07416f70b22a13991cbdd6b5b4cdb55d");
    EXPECT_EQ(string_to_sign(canonical, scope, at(2026, 1, 1)),
              "AWS4-HMAC-SHA256\n20260101T000000Z\n20260101/eu-central-1/ec2/aws4_request\n"
              "e2ea0bda9316ccab6d105d61d77a2c1c07416f70b22a13991cbdd6b5b4cdb55d");
    EXPECT_EQ(find_header(request.headers, "authorization"),
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/ec2/aws4_request, "
              "SignedHeaders=content-type;host;x-amz-date, "
              "Signature=5d4e44d9edb369bdf03e568fd89486fa723f61f06a025350df69fdf2f007d870");
}

TEST(sigv4, the_ec2_vector_with_a_token_agrees)
{
    auto request = replace_route_request();
    auto keys = example_keys;
    keys.session_token = "SESSIONTOKENEXAMPLE";
    sign(request, {"eu-central-1", "ec2"}, keys, at(2026, 1, 1));
    EXPECT_EQ(sha256_hex(canonical_request(request)), "7efffec05dd22c1e04bca9e635f0091e182c3ed300656167f5d9e00f8d9c5ed9");
    EXPECT_TRUE(find_header(request.headers, "authorization")
                    ->ends_with("Signature=0d13caa92c6e36b0f09f24eb2e1c67e0da6e92c04c75c6f39b6241d433894f4c"));
}

TEST(sigv4, headers_that_a_proxy_may_change_are_not_signed)
{
    auto request = replace_route_request();
    auto with_extras = request;
    for (const auto* name : {"Connection", "expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
                             "Transfer-Encoding", "Upgrade", "User-Agent", "X-Amzn-Trace-Id"}) {
        with_extras.headers.push_back({name, "x"});
    }
    sign(request, {"eu-central-1", "ec2"}, example_keys, at(2026, 1, 1));
    sign(with_extras, {"eu-central-1", "ec2"}, example_keys, at(2026, 1, 1));
    EXPECT_EQ(find_header(request.headers, "authorization"), find_header(with_extras.headers, "authorization"));
}

TEST(sigv4, signing_again_replaces_what_the_first_time_added)
{
    auto request = replace_route_request();
    auto temporary = example_keys;
    temporary.session_token = "OLD";
    sign(request, {"eu-central-1", "ec2"}, temporary, at(2025, 5, 5));
    sign(request, {"eu-central-1", "ec2"}, example_keys, at(2026, 1, 1));
    auto once = replace_route_request();
    sign(once, {"eu-central-1", "ec2"}, example_keys, at(2026, 1, 1));
    EXPECT_EQ(request.headers, once.headers);
}

TEST(sigv4, a_signer_that_keeps_its_key_signs_as_a_fresh_one_does)
{
    signer kept;
    auto other = example_keys;
    other.secret_access_key = "another";
    struct step {
        credentials keys;
        signing_scope scope;
        wall_time time;
    };
    // Each step changes one thing that the derived key depends on, or nothing.
    const std::vector<step> steps = {
        {example_keys, {"eu-central-1", "ec2"}, at(2026, 1, 1)},
        {example_keys, {"eu-central-1", "ec2"}, at(2026, 1, 1, 1h)},
        {example_keys, {"eu-central-1", "ec2"}, at(2026, 1, 2)},
        {other, {"eu-central-1", "ec2"}, at(2026, 1, 2)},
        {other, {"eu-west-1", "ec2"}, at(2026, 1, 2)},
        {other, {"eu-west-1", "sts"}, at(2026, 1, 2)},
        {example_keys, {"eu-central-1", "ec2"}, at(2026, 1, 1, 23h)},
    };
    for (const auto& s : steps) {
        auto by_kept = replace_route_request();
        auto by_fresh = replace_route_request();
        kept.sign(by_kept, s.scope, s.keys, s.time);
        sign(by_fresh, s.scope, s.keys, s.time);
        EXPECT_EQ(by_kept.headers, by_fresh.headers);
    }
}

TEST(sigv4, dates_are_written_without_separators)
{
    EXPECT_EQ(format_amz_date(at(2026, 1, 1)), "20260101T000000Z");
    EXPECT_EQ(format_amz_date(at(2024, 2, 29, 23h + 59min + 58s) + 999ms), "20240229T235958Z");
    EXPECT_EQ(format_amz_date(at(1970, 1, 1)), "19700101T000000Z");
}

// --- the other side ---

http_request signed_request(const credentials& keys = example_keys)
{
    auto request = replace_route_request();
    sign(request, {"eu-central-1", "ec2"}, keys, at(2026, 1, 1));
    return request;
}

authorization claim_of(const http_request& request)
{
    return parse_authorization(*find_header(request.headers, "authorization")).value();
}

TEST(sigv4, the_other_side_comes_to_the_same_signature)
{
    auto keys = example_keys;
    keys.session_token = "TOKEN";
    const auto request = signed_request(keys);
    const auto claim = claim_of(request);
    EXPECT_EQ(claim.access_key_id, "AKIDEXAMPLE");
    EXPECT_EQ(claim.date, "20260101");
    EXPECT_EQ(claim.region, "eu-central-1");
    EXPECT_EQ(claim.service, "ec2");
    EXPECT_EQ(claim.signed_headers, (std::vector<std::string>{"content-type", "host", "x-amz-date", "x-amz-security-token"}));
    EXPECT_EQ(expected_signature(request, claim, keys.secret_access_key).value(), claim.signature);
}

TEST(sigv4, any_change_to_what_was_signed_gives_another_signature)
{
    const auto request = signed_request();
    const auto claim = claim_of(request);
    auto body = request;
    body.body += "&DryRun=true";
    auto method = request;
    method.method = "GET";
    auto target = request;
    target.target = "/?x=1";
    auto header = request;
    header.headers[1].value = "text/plain";
    for (const auto& changed : {body, method, target, header}) {
        EXPECT_NE(expected_signature(changed, claim, example_keys.secret_access_key).value(), claim.signature);
    }
    EXPECT_NE(expected_signature(request, claim, "guess").value(), claim.signature);
}

TEST(sigv4, headers_added_on_the_way_do_not_matter_unless_they_are_amazons)
{
    auto request = signed_request();
    const auto claim = claim_of(request);
    request.headers.push_back({"Via", "1.1 proxy"});
    EXPECT_EQ(expected_signature(request, claim, example_keys.secret_access_key).value(), claim.signature);
    request.headers.push_back({"X-Amz-Target", "y"});
    EXPECT_FALSE(expected_signature(request, claim, example_keys.secret_access_key).has_value());
}

TEST(sigv4, a_claim_that_cannot_be_true_is_an_error)
{
    const auto request = signed_request();
    auto without_host = claim_of(request);
    std::erase(without_host.signed_headers, "host");
    EXPECT_FALSE(expected_signature(request, without_host, "s").has_value());
    auto more = claim_of(request);
    more.signed_headers.emplace_back("x-not-there");
    EXPECT_FALSE(expected_signature(request, more, "s").has_value());
    auto other_day = claim_of(request);
    other_day.date = "20260102";
    EXPECT_FALSE(expected_signature(request, other_day, "s").has_value());
    auto without_date = request;
    std::erase_if(without_date.headers, [](const http_header& h) { return h.name == "X-Amz-Date"; });
    EXPECT_FALSE(expected_signature(without_date, claim_of(request), "s").has_value());
}

TEST(sigv4, authorization_headers_are_read_strictly)
{
    const std::string good = "AWS4-HMAC-SHA256 Credential=A/20260101/r/s/aws4_request,SignedHeaders=host,Signature=00";
    EXPECT_TRUE(parse_authorization(good).has_value());
    for (const std::string bad :
         {"", "Basic abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=A/20260101/r/s/aws4_request,SignedHeaders=host",
          "AWS4-HMAC-SHA256 Credential=A/20260101/r/aws4_request,SignedHeaders=host,Signature=00",
          "AWS4-HMAC-SHA256 Credential=A/20260101/r/s/t/aws4_request,SignedHeaders=host,Signature=00",
          "AWS4-HMAC-SHA256 Credential=A/20260101/r/s/aws5_request,SignedHeaders=host,Signature=00",
          "AWS4-HMAC-SHA256 Credential=/20260101/r/s/aws4_request,SignedHeaders=host,Signature=00",
          "AWS4-HMAC-SHA256 Credential=A/20260101/r/s/aws4_request,SignedHeaders=host,Signature=00,Other=1"}) {
        EXPECT_FALSE(parse_authorization(bad).has_value()) << bad;
    }
}

}  // namespace
}  // namespace vipd::aws
