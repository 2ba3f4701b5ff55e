#include "agent/aws/ec2_error.hpp"

#include "agent/aws/text.hpp"
#include "agent/aws/xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vipd::aws {

namespace {

template <std::size_t Count>
bool is_one_of(std::string_view code, const std::array<std::string_view, Count>& codes)
{
    return std::ranges::find(codes, code) != codes.end();
}

// Exact matches: quota codes end in "LimitExceeded" too, and repeating those only makes it worse.
constexpr std::array<std::string_view, 15> throttle_codes = {"RequestLimitExceeded",
                                                             "EC2ThrottledException",
                                                             "Throttling",
                                                             "ThrottlingException",
                                                             "ThrottledException",
                                                             "RequestThrottled",
                                                             "RequestThrottledException",
                                                             "SlowDown",
                                                             "TooManyRequestsException",
                                                             "BandwidthLimitExceeded",
                                                             "LimitExceededException",
                                                             "ProvisionedThroughputExceededException",
                                                             "TransactionInProgressException",
                                                             "PriorRequestNotComplete",
                                                             "Throttling.User"};

constexpr std::array<std::string_view, 10> transient_codes = {
    "InternalError", "InternalFailure", "InternalServerError",     "ServerInternal", "ServiceUnavailable",
    "Unavailable",   "RetryableError",  "RequestTimeoutException", "RequestTimeout", "ServiceUnavailableException"};

constexpr std::array<std::string_view, 13> credential_codes = {"ExpiredToken",
                                                               "ExpiredTokenException",
                                                               "RequestExpired",
                                                               "InvalidSecurity.RequestHasExpired",
                                                               "RequestInTheFuture",
                                                               "RequestTimeTooSkewed",
                                                               "SignatureDoesNotMatch",
                                                               "InvalidSignatureException",
                                                               "InvalidClientTokenId",
                                                               "InvalidAccessKeyId",
                                                               "UnrecognizedClientException",
                                                               "IncompleteSignature",
                                                               "MissingAuthenticationToken"};

constexpr std::array<std::string_view, 8> clock_codes = {"AuthFailure",
                                                         "InvalidSecurity.RequestHasExpired",
                                                         "InvalidSignatureException",
                                                         "RequestExpired",
                                                         "RequestInTheFuture",
                                                         "RequestTimeTooSkewed",
                                                         "SignatureDoesNotMatch",
                                                         "AccessDeniedException"};

constexpr std::array<std::string_view, 3> policy_codes = {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"};

constexpr std::array<std::string_view, 5> consistency_codes = {"IncorrectState", "IncorrectInstanceState", "InvalidState",
                                                               "DependencyViolation", "InvalidNetworkInterface.InUse"};

// EC2 says AuthFailure of a key that it does not know, with status 401, and of good credentials that may not do this: "You do
// not have permission to access the specified resource.", with status 400, of an Elastic IP of another account.
ec2_error_class class_of_auth_failure(unsigned status, std::string_view message)
{
    const bool is_bad_key = status == 401 || message.find("not able to validate") != std::string_view::npos;
    return is_bad_key ? ec2_error_class::credentials : ec2_error_class::denied;
}

ec2_error_class class_of_status(unsigned status, bool mutating)
{
    if (status == 401) {
        return ec2_error_class::credentials;
    }
    if (status == 403) {
        return ec2_error_class::denied;
    }
    if (status == 429) {
        return ec2_error_class::throttled;
    }
    if (status >= 500 || status == 408) {
        return ec2_error_class::transient;
    }
    if (status >= 400) {
        return ec2_error_class::invalid;
    }
    // Neither an error nor the one success that EC2 knows: somebody else answered.
    return mutating ? ec2_error_class::unknown_outcome : ec2_error_class::transient;
}

// A route that does not exist is reported as InvalidParameterValue with this text (seen on EC2 and copied by its emulators),
// and as InvalidRoute.NotFound in the API reference.
bool says_route_missing(std::string_view code, std::string_view message)
{
    return code == "InvalidRoute.NotFound" ||
           (code == "InvalidParameterValue" && message.find("There is no route defined") != std::string_view::npos);
}

// What was asked rests on a reading of the world that is no longer true.
bool says_outdated(const ec2_call& call, std::string_view code, std::string_view message)
{
    const auto says = [&](std::string_view text) { return message.find(text) != std::string_view::npos; };
    if (std::holds_alternative<detach_network_interface>(call) || std::holds_alternative<keep_on_termination>(call)) {
        return code == "InvalidAttachmentID.NotFound" || code == "IncorrectState";
    }
    if (std::holds_alternative<attach_network_interface>(call)) {
        // The API reference has both for an interface that is in use.
        return code == "InvalidNetworkInterface.InUse" ||
               (code == "InvalidParameterValue" && says("in use") && !says("device index"));
    }
    if (std::holds_alternative<assign_ipv6_address>(call)) {
        return code == "Resource.AlreadyAssigned" || code == "InvalidIPAddress.InUse" ||
               (code == "InvalidParameterValue" && (says("already assigned") || says("in use")));
    }
    return std::holds_alternative<unassign_ipv6_address>(call) &&
           (code == "InvalidIPAddress.NotFound" || (code == "InvalidParameterValue" && says("not assigned")));
}

// The address that it is for may have been assigned a moment ago, and EC2 not know of it everywhere. It is no promise of EC2's
// in which words it says so.
bool says_address_missing(const ec2_call& call, std::string_view code)
{
    const auto* const associate = std::get_if<associate_address>(&call);
    return associate != nullptr && associate->private_address && code == "InvalidParameterValue";
}

}  // namespace

bool may_blame_clock(std::string_view code)
{
    return is_one_of(code, clock_codes);
}

bool may_blame_session(std::string_view code)
{
    return is_one_of(code, policy_codes);
}

ec2_error_class classify_error(const ec2_call& call, unsigned status, std::string_view code, std::string_view message)
{
    if (code.empty()) {
        return class_of_status(status, is_mutating(call));
    }
    if (code == "DryRunOperation") {
        return ec2_error_class::dry_run_ok;
    }
    if (is_one_of(code, throttle_codes)) {
        return ec2_error_class::throttled;
    }
    if (is_one_of(code, transient_codes)) {
        return ec2_error_class::transient;
    }
    if (code == "AuthFailure") {
        return class_of_auth_failure(status, message);
    }
    if (is_one_of(code, credential_codes)) {
        return ec2_error_class::credentials;
    }
    if (is_one_of(code, policy_codes) || code == "OptInRequired") {
        return ec2_error_class::denied;
    }
    if (std::holds_alternative<replace_route>(call) && says_route_missing(code, message)) {
        return ec2_error_class::route_missing;
    }
    if (std::holds_alternative<create_route>(call) && code == "RouteAlreadyExists") {
        return ec2_error_class::route_exists;
    }
    if (std::holds_alternative<attach_network_interface>(call) && code == "InvalidParameterValue" &&
        message.find("already has an interface attached at device index") != std::string_view::npos) {
        return ec2_error_class::index_taken;
    }
    if (says_outdated(call, code, message)) {
        return ec2_error_class::outdated;
    }
    if (is_one_of(code, consistency_codes) || code.ends_with(".NotFound") || says_address_missing(call, code)) {
        return ec2_error_class::consistency;
    }
    return status >= 500 ? ec2_error_class::transient : ec2_error_class::invalid;
}

std::string clean_message(std::string_view message)
{
    constexpr std::string_view start = "Encoded authorization failure message:";
    const auto found = message.find(start);
    if (found == std::string_view::npos) {
        return clean_text(trim(message), 300);
    }
    std::string kept{message.substr(0, found)};
    auto rest = trim(message.substr(found + start.size()));
    rest.remove_prefix(std::min(rest.find_first_of(" \t\r\n"), rest.size()));
    kept.append(rest);
    return clean_text(trim(kept), 300);
}

ec2_error read_error(const ec2_call& call, unsigned status, const pugi::xml_node& root)
{
    // <Response><Errors><Error>, and <ErrorResponse><Error> as other services of AWS spell it.
    auto node = root.child("Errors").child("Error");
    node = node ? node : root.child("Error");
    auto code = child_text(node, "Code");
    for (const std::string_view side : {"Client.", "Server."}) {
        if (code.starts_with(side)) {
            code.remove_prefix(side.size());
        }
    }
    if (!is_plain_id(code)) {
        code = {};
    }
    ec2_error e;
    e.kind = classify_error(call, status, code, child_text(node, "Message"));
    e.code = code.empty() ? fmt::format("http_{}", status) : std::string{code};
    e.message = code.empty() ? fmt::format("status {} without an error code of EC2", status)
                             : clean_message(child_text(node, "Message"));
    for (const char* name : {"RequestID", "RequestId", "requestId"}) {
        const auto id = child_text(root, name);
        if (is_plain_id(id)) {
            e.request = request_id{std::string{id}};
            break;
        }
    }
    return e;
}

}  // namespace vipd::aws
