// What is decided about a request on its arrival: who signed it, whether there is such a call, and whether the account has a
// token for it.

#include "tests/cloud/simulated_cloud.hpp"

namespace vipd::cloud {

namespace {

// EC2 and STS take their parameters from the query, the body, or both.
std::string form_text(const aws::http_request& request)
{
    const auto question = request.target.find('?');
    const auto query = question == std::string::npos ? std::string{} : request.target.substr(question + 1);
    return query.empty() || request.body.empty() ? query + request.body : query + "&" + request.body;
}

std::string joined(const std::vector<std::string>& texts)
{
    std::string out;
    for (const auto& text : texts) {
        out += (out.empty() ? "" : ",") + text;
    }
    return out;
}

exchange_record describe_request(const query_form& form)
{
    exchange_record record;
    record.action = form.peek("Action");
    record.table = form.peek("RouteTableId");
    for (const auto* name : {"DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"}) {
        record.destination += form.peek(name);
    }
    record.interface = form.peek("NetworkInterfaceId");
    record.dry_run = form.peek("DryRun") == "true";
    record.role = form.peek("RoleArn");
    return record;
}

}  // namespace

planned_reply simulated_cloud::handle_ec2(const instant& now, const aws::http_request& request, const request_source& source)
{
    handle_timeout(now);
    exchange one;
    one.service = cloud_service::ec2;
    query_form form(form_text(request));
    one.record = describe_request(form);
    if (!one.record.action.starts_with("Describe")) {
        complete_record(one.record, form);
    }
    one.record.request_id = new_request_id();
    auto who = source.instance.empty() ? instance_at(source.address) : source.instance;
    if (const auto refused = admit_ec2(now, request, one, who)) {
        refuse(one, *refused, http_status(refused->code));
    }
    one.record.node = node_name(who);
    return accept(now, std::move(one),
                  {"ec2:" + one.record.action, one.record.node, who.str(), one.record.table, one.record.interface});
}

// An attachment or an association stands for an interface, which is what people want to read.
void simulated_cloud::complete_record(exchange_record& record, const query_form& form) const
{
    record.instance = form.peek("InstanceId");
    record.allocation = form.peek("AllocationId");
    record.address = joined(form.peek_list("PrivateIpAddress")) + joined(form.peek_list("Ipv6Addresses"));
    if (record.address.empty()) {
        record.address = form.peek("PrivateIpAddress");
    }
    if (const auto attachment = form.peek("AttachmentId"); !attachment.empty()) {
        if (const auto* interface = model_.primary().with_attachment(attachment)) {
            record.interface = interface->id.str();
            record.instance = interface->attached->instance.str();
        }
    }
    if (const auto association = form.peek("AssociationId"); !association.empty()) {
        if (const auto* elastic = model_.primary().with_association(association)) {
            record.interface = elastic->interface.str();
            record.allocation = elastic->id.str();
        }
    }
}

planned_reply simulated_cloud::handle_sts(const instant& now, const aws::http_request& request, const request_source& source)
{
    handle_timeout(now);
    exchange one;
    one.service = cloud_service::sts;
    one.record = describe_request(query_form(form_text(request)));
    one.record.request_id = new_request_id();
    auto who = source.instance.empty() ? instance_at(source.address) : source.instance;
    if (const auto refused = admit_sts(now, request, one, who)) {
        refuse(one, *refused, http_status(refused->code));
    }
    one.record.node = node_name(who);
    return accept(now, std::move(one), {"sts:" + one.record.action, one.record.node, who.str(), ""});
}

std::optional<api_error> simulated_cloud::admit_ec2(const instant& now, const aws::http_request& request, exchange& one,
                                                    instance_id& who)
{
    const auto check = check_signature(now, request, one, who);
    if (const auto refused = signature_error(check, {model_.state().region, to_string(one.service)})) {
        return refused;
    }
    query_form form(form_text(request));
    auto call = parse_ec2_request(form);
    if (!call) {
        return call.error();
    }
    if (!buckets_.try_take(now.steady, throttle_bucket(*call))) {
        return api_error{"RequestLimitExceeded", "Request limit exceeded."};
    }
    one.call = std::move(*call);
    return std::nullopt;
}

std::optional<api_error> simulated_cloud::admit_sts(const instant& now, const aws::http_request& request, exchange& one,
                                                    instance_id& who)
{
    query_form form(form_text(request));
    auto call = parse_sts_request(form);
    one.record.signature = "unsigned";
    if (!call || needs_signature(*call)) {
        const auto check = check_signature(now, request, one, who);
        if (const auto refused = sts_signature_error(check, {model_.state().region, to_string(one.service)})) {
            return refused;
        }
    }
    if (!call) {
        return call.error();
    }
    one.call = std::move(*call);
    return std::nullopt;
}

signature_check simulated_cloud::check_signature(const instant& now, const aws::http_request& request, exchange& one,
                                                 instance_id& who)
{
    const signature_scope scope{model_.state().region, to_string(one.service)};
    auto check = verify_signature(request, scope, keys_, now.wall + clock_offset_, signing_keys_);
    one.record.signature = to_string(check.verdict);
    one.record.access_key_id = check.access_key_id;
    if (check.key != nullptr) {
        one.principal = check.key->principal;
        who = who.empty() ? check.key->issued_to : who;
    }
    return check;
}

}  // namespace vipd::cloud
