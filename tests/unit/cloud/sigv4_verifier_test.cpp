#include "tests/cloud/sigv4_verifier.hpp"

#include "tests/unit/cloud/cloud_fixture.hpp"

#include <gtest/gtest.h>

namespace vipd::cloud {

namespace {

// A request to EC2 as botocore 1.43 signs it, with and without a session token.
constexpr const char* body =
    "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-0123456789abcdef0&DestinationCidrBlock=198.51.100.10%2F32"
    "&NetworkInterfaceId=eni-0123456789abcdef0";
constexpr signature_scope scope{"eu-central-1", "ec2"};
const wall_time signed_at{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

access_key example_key(const std::string& token = "")
{
    return {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, "user/example", std::nullopt, {}, {}, {}};
}

aws::http_request botocore_request()
{
    return {"POST",
            "/",
            {{"Host", "ec2.eu-central-1.amazonaws.com"},
             {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
             {"X-Amz-Date", "20260101T000000Z"},
             {"Authorization",
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/ec2/aws4_request, "
              "SignedHeaders=content-type;host;x-amz-date, "
              "Signature=5d4e44d9edb369bdf03e568fd89486fa723f61f06a025350df69fdf2f007d870"}},
            body};
}

aws::http_request botocore_request_with_token()
{
    auto request = botocore_request();
    request.headers.push_back({"X-Amz-Security-Token", "SESSIONTOKENEXAMPLE"});
    request.headers[3].value =
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/ec2/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
        "Signature=0d13caa92c6e36b0f09f24eb2e1c67e0da6e92c04c75c6f39b6241d433894f4c";
    return request;
}

signature_verdict check(const aws::http_request& request, const access_key& key = example_key(), wall_time now = signed_at,
                        const signature_scope& where = scope)
{
    const key_ring keys{{key.id, key}};
    return verify_signature(request, where, keys, now).verdict;
}

}  // namespace

TEST(sigv4_verifier, accepts_what_botocore_signs)
{
    EXPECT_EQ(check(botocore_request()), signature_verdict::valid);
    EXPECT_EQ(check(botocore_request_with_token(), example_key("SESSIONTOKENEXAMPLE")), signature_verdict::valid);
}

TEST(sigv4_verifier, refuses_any_change_of_what_is_signed)
{
    const auto with = [](auto change) {
        auto request = botocore_request();
        change(request);
        return check(request);
    };
    EXPECT_EQ(with([](auto& r) { r.body.back() = '1'; }), signature_verdict::mismatch);
    EXPECT_EQ(with([](auto& r) { r.method = "GET"; }), signature_verdict::mismatch);
    EXPECT_EQ(with([](auto& r) { r.target = "/other"; }), signature_verdict::mismatch);
    EXPECT_EQ(with([](auto& r) { r.target = "/?a=b"; }), signature_verdict::mismatch);
    EXPECT_EQ(with([](auto& r) { r.headers[0].value = "elsewhere"; }), signature_verdict::mismatch);
    EXPECT_EQ(with([](auto& r) { r.headers[1].value = "text/plain"; }), signature_verdict::mismatch);
    EXPECT_EQ(with([](auto& r) { r.headers[2].value = "20260101T000001Z"; }), signature_verdict::mismatch);
    EXPECT_EQ(with([](auto& r) { r.headers[3].value.back() = '1'; }), signature_verdict::mismatch);
}

TEST(sigv4_verifier, ignores_headers_that_are_not_signed_and_blanks_around_values)
{
    auto request = botocore_request();
    request.headers.push_back({"User-Agent", "anything"});
    request.headers[1].value = "  application/x-www-form-urlencoded;   charset=utf-8 ";
    EXPECT_EQ(check(request), signature_verdict::valid);
}

TEST(sigv4_verifier, wants_every_amz_header_signed)
{
    auto request = botocore_request();
    request.headers.push_back({"X-Amz-Target", "something"});
    EXPECT_EQ(check(request), signature_verdict::unsigned_header);
}

TEST(sigv4_verifier, refuses_keys_and_tokens_it_did_not_give)
{
    auto other = example_key();
    other.secret = "another secret";
    EXPECT_EQ(check(botocore_request(), other), signature_verdict::mismatch);
    other.id = "AKIDOTHER";
    EXPECT_EQ(check(botocore_request(), other), signature_verdict::unknown_key);
    EXPECT_EQ(check(botocore_request(), example_key("SESSIONTOKENEXAMPLE")), signature_verdict::wrong_token);
    EXPECT_EQ(check(botocore_request_with_token(), example_key("ANOTHERTOKEN")), signature_verdict::wrong_token);
    EXPECT_EQ(check(botocore_request_with_token(), example_key()), signature_verdict::wrong_token);
}

TEST(sigv4_verifier, accepts_dates_within_fifteen_minutes_either_way)
{
    const auto at = [](duration off) { return check(botocore_request(), example_key(), signed_at + off); };
    EXPECT_EQ(at(signature_window), signature_verdict::valid);
    EXPECT_EQ(at(-signature_window), signature_verdict::valid);
    EXPECT_EQ(at(signature_window + std::chrono::seconds{1}), signature_verdict::wrong_date);
    EXPECT_EQ(at(-signature_window - std::chrono::seconds{1}), signature_verdict::wrong_date);
}

TEST(sigv4_verifier, refuses_another_region_service_or_day)
{
    EXPECT_EQ(check(botocore_request(), example_key(), signed_at, {"eu-west-1", "ec2"}), signature_verdict::wrong_scope);
    EXPECT_EQ(check(botocore_request(), example_key(), signed_at, {"eu-central-1", "sts"}), signature_verdict::wrong_scope);
    auto request = botocore_request();
    request.headers[2].value = "20251231T235959Z";
    EXPECT_EQ(check(request), signature_verdict::wrong_scope);
}

TEST(sigv4_verifier, refuses_temporary_keys_after_their_end)
{
    auto key = example_key();
    key.expires = signed_at + std::chrono::minutes{5};
    EXPECT_EQ(check(botocore_request(), key, signed_at + std::chrono::minutes{4}), signature_verdict::valid);
    EXPECT_EQ(check(botocore_request(), key, signed_at + std::chrono::minutes{5}), signature_verdict::expired_key);
}

TEST(sigv4_verifier, survives_headers_that_are_none)
{
    for (const auto* header :
         {"", "Basic QWxhZGRpbg==", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential", "AWS4-HMAC-SHA256 a=b",
          "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00"}) {
        auto request = botocore_request();
        request.headers[3].value = header;
        EXPECT_EQ(check(request), signature_verdict::malformed) << header;
    }
    for (const auto* date : {"", "20260101", "2026-01-01T00:00:00Z", "20261301T000000Z", "20260101T250000Z", "32420316T125630Z",
                             "-0010101T000000Z"}) {
        auto request = botocore_request();
        request.headers[2].value = date;
        EXPECT_EQ(check(request), signature_verdict::malformed) << date;
    }
    auto request = botocore_request();
    request.headers.pop_back();
    EXPECT_EQ(check(request), signature_verdict::missing);
}

TEST(sigv4_verifier, words_each_refusal_as_ec2_does)
{
    const auto error_of = [](signature_verdict verdict) {
        signature_check outcome;
        outcome.verdict = verdict;
        const auto refusal = signature_error(outcome, scope);
        return refusal ? std::to_string(http_status(refusal->code)) + " " + refusal->code : std::string("none");
    };
    EXPECT_EQ(error_of(signature_verdict::valid), "none");
    EXPECT_EQ(error_of(signature_verdict::missing), "403 MissingAuthenticationToken");
    EXPECT_EQ(error_of(signature_verdict::malformed), "400 IncompleteSignature");
    EXPECT_EQ(error_of(signature_verdict::unknown_key), "401 AuthFailure");
    EXPECT_EQ(error_of(signature_verdict::wrong_token), "401 AuthFailure");
    EXPECT_EQ(error_of(signature_verdict::expired_key), "400 RequestExpired");
    EXPECT_EQ(error_of(signature_verdict::wrong_date), "400 RequestExpired");
    EXPECT_EQ(error_of(signature_verdict::wrong_scope), "403 SignatureDoesNotMatch");
    EXPECT_EQ(error_of(signature_verdict::mismatch), "403 SignatureDoesNotMatch");
}

}  // namespace vipd::cloud
