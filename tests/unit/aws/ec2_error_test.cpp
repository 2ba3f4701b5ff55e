#include "agent/aws/ec2_error.hpp"

#include <gtest/gtest.h>

namespace vipd::aws {
namespace {

const route_destination vip = route_destination::cidr(ip_prefix::parse("198.51.100.10/32").value());
const ec2_call replacing = replace_route{route_table_id{"rtb-1"}, vip, network_interface_id{"eni-1"}};
const ec2_call creating = create_route{route_table_id{"rtb-1"}, vip, network_interface_id{"eni-1"}};
const ec2_call describing = describe_route_tables{};

struct coded {
    const char* code;
    unsigned status;
    ec2_error_class expected;
};

TEST(ec2_error, codes_fall_into_their_classes_whatever_was_called)
{
    using c = ec2_error_class;
    const std::vector<coded> rows = {
        {"DryRunOperation", 412, c::dry_run_ok},
        {"RequestLimitExceeded", 503, c::throttled},
        {"EC2ThrottledException", 503, c::throttled},
        {"Throttling", 400, c::throttled},
        {"ThrottlingException", 400, c::throttled},
        {"SlowDown", 503, c::throttled},
        {"TooManyRequestsException", 400, c::throttled},
        {"BandwidthLimitExceeded", 400, c::throttled},
        {"LimitExceededException", 400, c::throttled},
        {"PriorRequestNotComplete", 400, c::throttled},
        {"RouteLimitExceeded", 400, c::invalid},
        {"AttachmentLimitExceeded", 400, c::invalid},
        {"PrivateIpAddressLimitExceeded", 400, c::invalid},
        {"InternalError", 500, c::transient},
        {"InternalFailure", 500, c::transient},
        {"ServerInternal", 500, c::transient},
        {"ServiceUnavailable", 503, c::transient},
        {"Unavailable", 503, c::transient},
        {"RequestTimeout", 400, c::transient},
        {"RetryableError", 400, c::transient},
        {"SomethingNewAndBroken", 500, c::transient},
        {"AuthFailure", 401, c::credentials},
        {"AuthFailure", 400, c::denied},
        {"RequestExpired", 400, c::credentials},
        {"ExpiredToken", 400, c::credentials},
        {"ExpiredTokenException", 400, c::credentials},
        {"InvalidClientTokenId", 403, c::credentials},
        {"UnrecognizedClientException", 400, c::credentials},
        {"SignatureDoesNotMatch", 403, c::credentials},
        {"InvalidSecurity.RequestHasExpired", 400, c::credentials},
        {"UnauthorizedOperation", 403, c::denied},
        {"AccessDeniedException", 400, c::denied},
        {"OptInRequired", 401, c::denied},
        {"IncorrectState", 400, c::consistency},
        {"IncorrectInstanceState", 400, c::consistency},
        {"DependencyViolation", 400, c::consistency},
        {"InvalidRouteTableID.NotFound", 400, c::consistency},
        {"InvalidNetworkInterfaceID.NotFound", 400, c::consistency},
        {"InvalidRouteTableId.Malformed", 400, c::invalid},
        {"InvalidParameterValue", 400, c::invalid},
        {"InvalidParameterCombination", 400, c::invalid},
        {"OperationNotPermitted", 400, c::invalid},
        {"UnsupportedOperation", 400, c::invalid},
        {"InvalidAction", 400, c::invalid},
        {"NeverHeardOf", 400, c::invalid},
    };
    for (const auto& row : rows) {
        for (const auto* call : {&replacing, &creating, &describing}) {
            EXPECT_EQ(to_string(classify_error(*call, row.status, row.code, "")), to_string(row.expected)) << row.code;
        }
    }
}

TEST(ec2_error, credentials_that_are_good_and_may_not_do_this_are_no_bad_credentials)
{
    const ec2_call associating = associate_address{allocation_id{"eipalloc-1"}, network_interface_id{"eni-1"}, std::nullopt};
    constexpr const char* bad_key = "AWS was not able to validate the provided access credentials";
    constexpr const char* not_yours = "You do not have permission to access the specified resource.";
    using c = ec2_error_class;
    for (const auto* call : {&associating, &replacing, &describing}) {
        EXPECT_EQ(classify_error(*call, 401, "AuthFailure", bad_key), c::credentials);
        EXPECT_EQ(classify_error(*call, 401, "AuthFailure", ""), c::credentials);
        EXPECT_EQ(classify_error(*call, 400, "AuthFailure", bad_key), c::credentials);
        EXPECT_EQ(classify_error(*call, 400, "AuthFailure", not_yours), c::denied);
        EXPECT_EQ(classify_error(*call, 403, "AuthFailure", ""), c::denied);
    }
}

TEST(ec2_error, both_spellings_of_a_missing_route_say_so_to_replace_route_alone)
{
    constexpr const char* text =
        "There is no route defined for '198.51.100.10/32' in the route table. Use CreateRoute instead.";
    EXPECT_EQ(classify_error(replacing, 400, "InvalidParameterValue", text), ec2_error_class::route_missing);
    EXPECT_EQ(classify_error(replacing, 400, "InvalidRoute.NotFound", ""), ec2_error_class::route_missing);
    EXPECT_EQ(classify_error(creating, 400, "InvalidParameterValue", text), ec2_error_class::invalid);
    EXPECT_EQ(classify_error(replacing, 400, "InvalidParameterValue",
                             "route table rtb-1 and interface eni-1 belong to different networks"),
              ec2_error_class::invalid);
}

TEST(ec2_error, a_route_that_exists_says_so_to_create_route_alone)
{
    EXPECT_EQ(classify_error(creating, 400, "RouteAlreadyExists", ""), ec2_error_class::route_exists);
    EXPECT_EQ(classify_error(replacing, 400, "RouteAlreadyExists", ""), ec2_error_class::invalid);
}

TEST(ec2_error, a_call_that_rests_on_an_old_reading_says_so)
{
    const network_interface_id eni{"eni-1"};
    const auto address = ip_address::parse("2001:db8::64").value();
    const ec2_call attaching = attach_network_interface{eni, instance_id{"i-1"}};
    const ec2_call detaching = detach_network_interface{attachment_id{"eni-attach-1"}};
    const auto* in_use = "Instance 'i-1' already has an interface attached at device index '1'.";
    using c = ec2_error_class;
    EXPECT_EQ(classify_error(attaching, 400, "InvalidNetworkInterface.InUse", "Interface: [eni-1] in use."), c::outdated);
    EXPECT_EQ(classify_error(attaching, 400, "InvalidParameterValue", in_use), c::index_taken);
    EXPECT_EQ(classify_error(attaching, 400, "InvalidParameterValue", "Interface: [eni-1] in use."), c::outdated);
    EXPECT_EQ(classify_error(attaching, 400, "InvalidParameterValue", "The device index 1 is in use."), c::invalid);
    EXPECT_EQ(classify_error(attaching, 400, "InvalidParameterValue", "You may not attach it to another zone"), c::invalid);
    EXPECT_EQ(classify_error(attaching, 400, "IncorrectInstanceState", ""), c::consistency);
    EXPECT_EQ(classify_error(detaching, 400, "InvalidAttachmentID.NotFound", ""), c::outdated);
    EXPECT_EQ(classify_error(detaching, 400, "IncorrectState", ""), c::outdated);
    EXPECT_EQ(classify_error(detaching, 400, "OperationNotPermitted", ""), c::invalid);
    EXPECT_EQ(classify_error(replacing, 400, "IncorrectState", ""), c::consistency);
    EXPECT_EQ(classify_error(assign_ipv6_address{eni, address}, 400, "InvalidParameterValue",
                             "[2001:db8::64] is already assigned to another network interface"),
              c::outdated);
    EXPECT_EQ(classify_error(unassign_ipv6_address{eni, address}, 400, "InvalidParameterValue",
                             "Some of [2001:db8::64] are not assigned to interface eni-1"),
              c::outdated);
    EXPECT_EQ(classify_error(assign_private_ip_address{eni, address}, 400, "InvalidParameterValue", "already assigned"),
              c::invalid);
}

TEST(ec2_error, an_elastic_ip_that_is_refused_for_its_private_address_may_be_too_early)
{
    auto call = associate_address{allocation_id{"eipalloc-1"}, network_interface_id{"eni-1"}, ip_address::v4(10, 0, 1, 100)};
    EXPECT_EQ(classify_error(call, 400, "InvalidParameterValue", "whatever"), ec2_error_class::consistency);
    EXPECT_EQ(classify_error(call, 400, "Gateway.NotAttached", "whatever"), ec2_error_class::invalid);
    call.private_address.reset();
    EXPECT_EQ(classify_error(call, 400, "InvalidParameterValue", "whatever"), ec2_error_class::invalid);
}

TEST(ec2_error, without_a_code_the_status_decides)
{
    EXPECT_EQ(classify_error(replacing, 400, "", ""), ec2_error_class::invalid);
    EXPECT_EQ(classify_error(replacing, 401, "", ""), ec2_error_class::credentials);
    EXPECT_EQ(classify_error(replacing, 403, "", ""), ec2_error_class::denied);
    EXPECT_EQ(classify_error(replacing, 408, "", ""), ec2_error_class::transient);
    EXPECT_EQ(classify_error(replacing, 429, "", ""), ec2_error_class::throttled);
    for (const unsigned status : {500U, 502U, 503U, 504U, 599U}) {
        EXPECT_EQ(classify_error(replacing, status, "", ""), ec2_error_class::transient);
    }
    EXPECT_EQ(classify_error(replacing, 302, "", ""), ec2_error_class::unknown_outcome);
    EXPECT_EQ(classify_error(describing, 302, "", ""), ec2_error_class::transient);
}

ec2_error read(unsigned status, const char* body)
{
    pugi::xml_document document;
    document.load_string(body);
    return read_error(replacing, status, document.document_element());
}

TEST(ec2_error, the_side_in_front_of_a_code_is_dropped)
{
    EXPECT_EQ(read(400, "<Response><Errors><Error><Code>Client.RequestLimitExceeded</Code></Error></Errors></Response>").code,
              "RequestLimitExceeded");
    EXPECT_EQ(read(500, "<Response><Errors><Error><Code>Server.InternalError</Code></Error></Errors></Response>").kind,
              ec2_error_class::transient);
}

TEST(ec2_error, the_error_form_of_other_services_is_read_too)
{
    const auto e = read(403,
                        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>"
                        "<RequestId>r</RequestId></ErrorResponse>");
    EXPECT_EQ(e.kind, ec2_error_class::credentials);
    EXPECT_EQ(e.message, "m");
    EXPECT_EQ(e.request.str(), "r");
}

TEST(ec2_error, a_body_that_says_nothing_leaves_the_status_as_the_code)
{
    for (const auto* body :
         {"<html/>", "<Response/>", "<Response><Errors><Error><Code>a b</Code></Error></Errors></Response>"}) {
        const auto e = read(502, body);
        EXPECT_EQ(e.code, "http_502");
        EXPECT_EQ(e.kind, ec2_error_class::transient);
        EXPECT_FALSE(e.message.empty());
    }
}

TEST(ec2_error, messages_are_one_bounded_line)
{
    EXPECT_EQ(clean_message("  a\nb\x01 c "), "a b  c");
    EXPECT_EQ(clean_message(std::string(1000, 'x')).size(), 300U);
}

TEST(ec2_error, the_encoded_authorization_message_is_cut_out)
{
    const std::string blob(900, 'Z');
    EXPECT_EQ(clean_message("You are not authorized to perform this operation. User: arn:x is not authorized to perform: "
                            "ec2:ReplaceRoute. Encoded authorization failure message: " +
                            blob),
              "You are not authorized to perform this operation. User: arn:x is not authorized to perform: ec2:ReplaceRoute.");
    EXPECT_EQ(clean_message("Encoded authorization failure message: " + blob + " (more)"), "(more)");
}

TEST(ec2_error, only_codes_about_signatures_may_blame_the_clock)
{
    for (const auto* code : {"AuthFailure", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"}) {
        EXPECT_TRUE(may_blame_clock(code)) << code;
    }
    for (const auto* code : {"UnauthorizedOperation", "ExpiredToken", "InternalError", ""}) {
        EXPECT_FALSE(may_blame_clock(code)) << code;
    }
}

TEST(ec2_error, only_what_a_policy_denies_may_blame_the_session)
{
    for (const auto* code : {"UnauthorizedOperation", "AccessDenied"}) {
        EXPECT_TRUE(may_blame_session(code)) << code;
    }
    for (const auto* code : {"AuthFailure", "OptInRequired", "ExpiredToken", "http_403", ""}) {
        EXPECT_FALSE(may_blame_session(code)) << code;
    }
}

}  // namespace
}  // namespace vipd::aws
