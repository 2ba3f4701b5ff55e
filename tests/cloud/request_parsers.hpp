#pragma once

// The parts that ec2_request.cpp is made of: what parameters look like in general, and each group of calls.

#include "tests/cloud/ec2_request.hpp"

#include <string>
#include <string_view>

namespace vipd::cloud {

using any_call = decltype(ec2_request::call);

api_error missing(std::string_view parameter);

// What an id of a kind looks like, and what EC2 calls one that does not look like it.
struct id_form {
    std::string_view prefix;
    std::string_view malformed_code;
};
inline constexpr id_form table_form{"rtb-", "InvalidRouteTableId.Malformed"};
inline constexpr id_form interface_form{"eni-", "InvalidNetworkInterfaceId.Malformed"};
inline constexpr id_form instance_form{"i-", "InvalidInstanceID.Malformed"};
inline constexpr id_form attachment_form{"eni-attach-", "InvalidNetworkInterfaceAttachmentId.Malformed"};
inline constexpr id_form allocation_form{"eipalloc-", "InvalidAllocationID.Malformed"};
inline constexpr id_form association_form{"eipassoc-", "InvalidAssociationID.Malformed"};
inline constexpr id_form group_form{"sg-", "InvalidGroupId.Malformed"};
inline constexpr id_form subnet_form{"subnet-", "InvalidSubnetID.Malformed"};
inline constexpr id_form vpc_form{"vpc-", "InvalidVpcID.Malformed"};

// The prefix and 8 or 17 hexadecimal digits.
api_result<std::string> parse_id(const std::string& text, const id_form& form);
api_result<std::string> required_id(query_form& form, std::string_view name, const id_form& shape);
// `wire_name` is how EC2 spells a parameter in its messages.
api_result<unsigned> parse_count(const std::string& text, std::string_view wire_name);

api_result<change_route> parse_change(query_form& form, route_verb verb);
api_result<any_call> parse_modify_interface(query_form& form);
api_result<any_call> parse_attach(query_form& form);
api_result<any_call> parse_detach(query_form& form);
api_result<any_call> parse_assign(query_form& form, ip_family family);
api_result<any_call> parse_unassign(query_form& form, ip_family family);
api_result<any_call> parse_associate(query_form& form);
api_result<any_call> parse_disassociate(query_form& form);
api_result<any_call> parse_describe_addresses(query_form& form);

}  // namespace vipd::cloud
