// Who may do what, how often, and what a dry run says.

#include "tests/unit/cloud/cloud_fixture.hpp"

namespace vipd::cloud {

using admission = cloud_test;

TEST_F(admission, a_wrong_signature_changes_nothing)
{
    auto request = signed_request(form("ReplaceRoute", route(table_a, interface_b)), operator_key(), now.wall);
    request.body.back() = '1';
    const auto reply = cloud.collect(now, cloud.handle_ec2(now, request, {}).id);
    EXPECT_EQ(reply.record.code, "SignatureDoesNotMatch");
    EXPECT_EQ(reply.record.status, 403U);
    EXPECT_EQ(owner(table_a), interface_a);
}

TEST_F(admission, the_clouds_own_clock_decides_about_dates)
{
    cloud.set_clock_offset(std::chrono::minutes{16});
    const auto reply = ask("DescribeRouteTables", {});
    EXPECT_EQ(reply.record.code, "RequestExpired");
    EXPECT_EQ(aws::find_header(reply.answer.head.headers, "date"), "Thu, 01 Jan 2026 00:16:00 GMT");
}

TEST_F(admission, a_policy_allows_by_action_and_by_table)
{
    cloud.policies()["user/operator"] = {{true, {"ec2:Describe*"}, {"*"}}, {true, {"ec2:ReplaceRoute"}, {table_a}}};
    EXPECT_EQ(verdict("DescribeRouteTables", {}), "200");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_b, interface_b)), "403 UnauthorizedOperation");
    EXPECT_EQ(verdict("CreateRoute", route(table_a, interface_b)), "403 UnauthorizedOperation");
}

TEST_F(admission, an_explicit_denial_wins)
{
    cloud.policies()["user/operator"] = {{true, {"*"}, {"*"}}, {false, {"ec2:ReplaceRoute"}, {table_a}}};
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "403 UnauthorizedOperation");
    EXPECT_EQ(owner(table_a), interface_a);
}

TEST_F(admission, a_refusal_carries_an_encoded_message)
{
    cloud.policies()["user/operator"] = {};
    const auto text = message("ReplaceRoute", route(table_a, interface_b));
    EXPECT_NE(text.find("is not authorized to perform: ec2:ReplaceRoute on resource: "
                        "arn:aws:ec2:eu-west-1:123456789012:route-table/rtb-0aaaaaaaaaaaaaaa2"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("Encoded authorization failure message: "), std::string::npos);
}

TEST_F(admission, a_dry_run_tells_permission_and_changes_nothing)
{
    auto dry = route(table_a, interface_b);
    dry.emplace_back("DryRun", "true");
    EXPECT_EQ(verdict("ReplaceRoute", dry), "412 DryRunOperation");
    EXPECT_EQ(owner(table_a), interface_a);
    EXPECT_EQ(verdict("DescribeRouteTables", {{"DryRun", "true"}}), "412 DryRunOperation");
    cloud.policies()["user/operator"] = {};
    EXPECT_EQ(verdict("ReplaceRoute", dry), "403 UnauthorizedOperation");
    dry[0].second = "rtb-0ccccccccccccccc1";
    EXPECT_EQ(verdict("ReplaceRoute", dry), "400 InvalidRouteTableID.NotFound");
}

TEST_F(admission, fifty_replacements_at_once_and_then_five_a_second)
{
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200") << i;
    }
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "503 RequestLimitExceeded");
    EXPECT_EQ(verdict("CreateRoute", route(table_b, interface_b)), "200") << "each action has a bucket of its own";
    pass(std::chrono::milliseconds{200});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "503 RequestLimitExceeded");
}

TEST_F(admission, buckets_have_the_documented_sizes)
{
    const auto size = [](const char* name) {
        const auto bucket = documented_bucket(name);
        return std::pair{bucket.capacity, bucket.refill_per_second};
    };
    EXPECT_EQ(size("DescribeRouteTables"), (std::pair{100.0, 20.0}));
    EXPECT_EQ(size("DescribeNetworkInterfaces"), (std::pair{100.0, 20.0}));
    EXPECT_EQ(size("DescribeNetworkInterfaces (unfiltered)"), (std::pair{50.0, 10.0}));
    EXPECT_EQ(size("ReplaceRoute"), (std::pair{50.0, 5.0}));
    EXPECT_EQ(size("DeleteRoute"), (std::pair{50.0, 5.0}));
    EXPECT_EQ(size("ModifyNetworkInterfaceAttribute"), (std::pair{100.0, 5.0}));
}

TEST_F(admission, an_unfiltered_describe_draws_from_the_smaller_bucket)
{
    cloud.buckets().set_level(now.steady, "DescribeNetworkInterfaces (unfiltered)", 0);
    EXPECT_EQ(verdict("DescribeNetworkInterfaces", {}), "503 RequestLimitExceeded");
    EXPECT_EQ(verdict("DescribeNetworkInterfaces", {{"MaxResults", "5"}}), "200");
}

TEST_F(admission, a_bucket_that_others_have_overdrawn_takes_longer_to_fill)
{
    cloud.buckets().set_level(now.steady, "ReplaceRoute", -10);
    pass(std::chrono::seconds{2});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "503 RequestLimitExceeded");
    pass(std::chrono::milliseconds{200});
    EXPECT_EQ(verdict("ReplaceRoute", route(table_a, interface_b)), "200");
}

TEST_F(admission, errors_have_their_own_root_and_spelling_of_the_id)
{
    const auto reply = ask("ReplaceRoutes", {});
    pugi::xml_document document;
    ASSERT_TRUE(document.load_string(reply.answer.head.body.c_str()));
    EXPECT_EQ(std::string(document.child("Response").child_value("RequestID")), reply.record.request_id);
    EXPECT_STREQ(document.child("Response").child("Errors").child("Error").child_value("Code"), "InvalidAction");
    EXPECT_EQ(aws::find_header(reply.answer.head.headers, "content-type"), "text/xml;charset=UTF-8");
}

}  // namespace vipd::cloud
