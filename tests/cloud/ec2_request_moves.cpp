// Parameters of the calls that change interfaces, addresses and Elastic IPs. Their names on the wire are not regular:
// PrivateIpAddress.N has no plural, Ipv6Addresses.N has one.

#include "tests/cloud/request_parsers.hpp"

#include <algorithm>

namespace vipd::cloud {

namespace {

api_error invalid_address(const std::string& text, std::string_view wire_name)
{
    return {"InvalidParameterValue",
            "Value (" + text + ") for parameter " + std::string(wire_name) + " is invalid. This is not a valid IP address."};
}

api_result<std::vector<ip_address>> parse_addresses(query_form& form, ip_family family)
{
    const bool v4 = family == ip_family::v4;
    std::vector<ip_address> addresses;
    for (const auto& text : form.list(v4 ? "PrivateIpAddress" : "Ipv6Addresses")) {
        const auto address = ip_address::parse(text);
        if (!address || address->family() != family) {
            return invalid_address(text, v4 ? "privateIpAddress" : "ipv6Addresses");
        }
        if (std::ranges::find(addresses, *address) != addresses.end()) {
            return api_error{"InvalidParameterValue", "Duplicate address " + text + " in the request."};
        }
        addresses.push_back(*address);
    }
    return addresses;
}

api_result<unsigned> parse_optional_count(query_form& form, const char* name, std::string_view wire_name)
{
    const auto text = form.text(name);
    return text ? parse_count(*text, wire_name) : api_result<unsigned>(0U);
}

}  // namespace

api_result<any_call> parse_modify_interface(query_form& form)
{
    const auto id = required_id(form, "NetworkInterfaceId", interface_form);
    if (!id) {
        return id.error();
    }
    const network_interface_id interface {
        *id
    };
    const auto check = form.boolean("SourceDestCheck.Value");
    const auto deleted = form.boolean("Attachment.DeleteOnTermination");
    const auto attachment = form.text("Attachment.AttachmentId");
    if (!check || !deleted) {
        return check ? deleted.error() : check.error();
    }
    if (*check && (*deleted || attachment)) {
        return api_error{"InvalidParameterCombination", "Only one attribute can be modified at a time."};
    }
    if (*check) {
        return any_call{set_source_dest_check{interface, **check}};
    }
    if (!attachment && !*deleted) {
        return missing("attribute; the model of EC2 knows SourceDestCheck and Attachment.DeleteOnTermination");
    }
    if (!attachment || !*deleted) {
        return missing(attachment ? "deleteOnTermination" : "attachmentId");
    }
    const auto form_of_id = parse_id(*attachment, attachment_form);
    if (!form_of_id) {
        return form_of_id.error();
    }
    return any_call{set_delete_on_termination{interface, *attachment, **deleted}};
}

api_result<any_call> parse_attach(query_form& form)
{
    const auto interface = required_id(form, "NetworkInterfaceId", interface_form);
    if (!interface) {
        return interface.error();
    }
    const auto instance = required_id(form, "InstanceId", instance_form);
    if (!instance) {
        return instance.error();
    }
    const auto index = form.text("DeviceIndex");
    if (!index) {
        return missing("deviceIndex");
    }
    const auto device = parse_count(*index, "deviceIndex");
    const auto card = parse_optional_count(form, "NetworkCardIndex", "networkCardIndex");
    if (!device || !card) {
        return device ? card.error() : device.error();
    }
    return any_call{attach_interface{network_interface_id{*interface}, instance_id{*instance}, *device, *card}};
}

api_result<any_call> parse_detach(query_form& form)
{
    const auto attachment = required_id(form, "AttachmentId", attachment_form);
    if (!attachment) {
        return attachment.error();
    }
    const auto force = form.boolean("Force");
    if (!force) {
        return force.error();
    }
    return any_call{detach_interface{*attachment, force->value_or(false)}};
}

api_result<any_call> parse_assign(query_form& form, ip_family family)
{
    const bool v4 = family == ip_family::v4;
    const auto id = required_id(form, "NetworkInterfaceId", interface_form);
    if (!id) {
        return id.error();
    }
    auto addresses = parse_addresses(form, family);
    if (!addresses) {
        return addresses.error();
    }
    const auto count = v4 ? parse_optional_count(form, "SecondaryPrivateIpAddressCount", "secondaryPrivateIpAddressCount")
                          : parse_optional_count(form, "Ipv6AddressCount", "ipv6AddressCount");
    if (!count) {
        return count.error();
    }
    // IPv6 knows no reassignment: there the parameter is not recognized.
    const auto allow = v4 ? form.boolean("AllowReassignment") : api_result<std::optional<bool>>(std::optional<bool>{});
    if (!allow) {
        return allow.error();
    }
    if (addresses->empty() == (*count == 0)) {
        const std::string what =
            v4 ? "privateIpAddress or secondaryPrivateIpAddressCount" : "ipv6Addresses or ipv6AddressCount";
        return addresses->empty() ? missing(what)
                                  : api_error{"InvalidParameterCombination", "The request must contain only one of " + what};
    }
    return any_call{assign_addresses{family, network_interface_id{*id}, std::move(*addresses), *count, allow->value_or(false)}};
}

api_result<any_call> parse_unassign(query_form& form, ip_family family)
{
    const auto id = required_id(form, "NetworkInterfaceId", interface_form);
    if (!id) {
        return id.error();
    }
    auto addresses = parse_addresses(form, family);
    if (!addresses) {
        return addresses.error();
    }
    if (addresses->empty()) {
        return missing(family == ip_family::v4 ? "privateIpAddress" : "ipv6Addresses");
    }
    return any_call{unassign_addresses{family, network_interface_id{*id}, std::move(*addresses)}};
}

api_result<any_call> parse_associate(query_form& form)
{
    const auto allocation = required_id(form, "AllocationId", allocation_form);
    if (!allocation) {
        return allocation.error();
    }
    associate_address call;
    call.allocation = allocation_id{*allocation};
    const auto interface = form.text("NetworkInterfaceId");
    const auto instance = form.text("InstanceId");
    if (interface.has_value() == instance.has_value()) {
        return interface ? api_error{"InvalidParameterCombination",
                                     "You may specify only one of networkInterfaceId and instanceId"}
                         : missing("networkInterfaceId or instanceId");
    }
    const auto target = interface ? parse_id(*interface, interface_form) : parse_id(*instance, instance_form);
    if (!target) {
        return target.error();
    }
    if (interface) {
        call.interface = network_interface_id{*target};
    } else {
        call.instance = instance_id{*target};
    }
    if (const auto text = form.text("PrivateIpAddress")) {
        const auto address = ip_address::parse(*text);
        if (!address || !address->is_v4()) {
            return invalid_address(*text, "privateIpAddress");
        }
        call.private_address = *address;
    }
    const auto allow = form.boolean("AllowReassociation");
    if (!allow) {
        return allow.error();
    }
    call.allow_reassociation = allow->value_or(true);
    return any_call{call};
}

api_result<any_call> parse_disassociate(query_form& form)
{
    const auto association = required_id(form, "AssociationId", association_form);
    if (!association) {
        return association.error();
    }
    return any_call{disassociate_address{*association}};
}

// The only describe without pages.
api_result<any_call> parse_describe_addresses(query_form& form)
{
    describe_addresses call;
    for (const auto& text : form.list("AllocationId")) {
        const auto id = parse_id(text, allocation_form);
        if (!id) {
            return id.error();
        }
        call.query.ids.push_back(*id);
    }
    for (const auto& text : form.list("PublicIp")) {
        const auto address = ip_address::parse(text);
        if (!address || !address->is_v4()) {
            return invalid_address(text, "publicIp");
        }
        call.public_addresses.push_back(*address);
    }
    call.query.filters = form.filters();
    return any_call{call};
}

}  // namespace vipd::cloud
