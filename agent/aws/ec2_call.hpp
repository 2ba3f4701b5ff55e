#pragma once

// The EC2 calls that vipd makes, as values, and their form on the wire (ec2Query, API version 2016-11-15).

#include "agent/aws/ids.hpp"
#include "common/ip.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::aws {

// What a route is for: an address range, or a managed prefix list ("pl-...").
struct route_destination {
    std::variant<ip_prefix, std::string> value;

    // EC2 stores CIDRs in canonical form; so does this.
    static route_destination cidr(const ip_prefix& prefix) { return {prefix.canonical()}; }
    static route_destination prefix_list(std::string id) { return {std::move(id)}; }

    [[nodiscard]] std::string to_string() const;
    friend auto operator<=>(const route_destination&, const route_destination&) = default;
};

struct tag_filter {
    std::string key;
    std::string value;  // with EC2's wildcards * and ?
    friend auto operator<=>(const tag_filter&, const tag_filter&) = default;
};

// Tables by id, or all that match every filter. Exactly the tables wanted, `vpc` and `tags` combined when both are there.
struct describe_route_tables {
    // Filter "route-table-id", so that one unknown id does not fail the call; at most 200, EC2's limit for a filter.
    std::vector<route_table_id> ids;
    std::optional<vpc_id> vpc;
    std::vector<tag_filter> tags;
    std::string next_token;
    unsigned results_max = 100;  // 5..100 (smaller pages when an answer was too large)
};

struct replace_route {
    route_table_id table;
    route_destination destination;
    network_interface_id target;
    bool dry_run = false;
};

struct create_route {
    route_table_id table;
    route_destination destination;
    network_interface_id target;
    bool dry_run = false;
};

// Interfaces that match all that is given; one call names at most 200 ids.
struct describe_network_interfaces {
    std::vector<network_interface_id> ids;
    std::optional<ip_address> address;  // that they have, as primary or secondary
    std::optional<vpc_id> vpc;
    std::vector<tag_filter> tags;
    std::string next_token;
    unsigned results_max = 100;  // 5..1000
};

// Elastic IPs. EC2 does not page them.
struct describe_addresses {
    std::vector<allocation_id> ids;
};

struct describe_vpcs {
    std::vector<vpc_id> ids;
};

// All subnets of a VPC.
struct describe_subnets {
    vpc_id vpc;
};

struct describe_security_groups {
    std::vector<security_group_id> ids;  // at most 200
};

// How many interfaces and addresses an instance of that type takes: "t3.micro".
struct describe_instance_types {
    std::string type;
};

// Source/destination check off.
struct disable_source_dest_check {
    network_interface_id interface;
    bool dry_run = false;
};

// At network card 0. Not idempotent: after a lost reply only a read tells.
struct attach_network_interface {
    network_interface_id interface;
    instance_id instance;
    unsigned device_index = 1;
    bool dry_run = false;
};

// EC2 answers at once and detaches later. An attachment id names one attachment for ever, so this can never detach what
// somebody has attached again in the meantime.
struct detach_network_interface {
    attachment_id attachment;
    bool force = false;  // without the instance's consent: for one that has failed
    bool dry_run = false;
};

// DeleteOnTermination off: the interface outlives the instance that it is attached to.
struct keep_on_termination {
    network_interface_id interface;
    attachment_id attachment;
    bool dry_run = false;
};

// A secondary IPv4 address, taken from another interface if it is there. EC2 has no dry run of it.
struct assign_private_ip_address {
    network_interface_id interface;
    ip_address address;
};

// An IPv6 address has to be unassigned from where it is before it can be assigned. EC2 has no dry run of either.
struct assign_ipv6_address {
    network_interface_id interface;
    ip_address address;
};
struct unassign_ipv6_address {
    network_interface_id interface;
    ip_address address;
};

// An Elastic IP, taken from where it is.
struct associate_address {
    allocation_id allocation;
    network_interface_id interface;
    std::optional<ip_address> private_address;  // none: the interface's primary one
    bool dry_run = false;
};

using ec2_call =
    std::variant<describe_route_tables, replace_route, create_route, describe_network_interfaces, disable_source_dest_check,
                 describe_addresses, attach_network_interface, detach_network_interface, keep_on_termination,
                 assign_private_ip_address, assign_ipv6_address, unassign_ipv6_address, associate_address, describe_vpcs,
                 describe_subnets, describe_security_groups, describe_instance_types>;

// "DescribeRouteTables", ... as EC2 and IAM spell it.
std::string_view action_name(const ec2_call& call);

// Whether it only asks.
bool is_describe(const ec2_call& call);

// Whether the call changes something (a dry run does not). Only such calls need a permit, an epoch and a token of the budget.
bool is_mutating(const ec2_call& call);

// The same call as a question whether it would be allowed: it says DryRun in the body that is signed, and changes nothing.
// Empty for what only asks, and where EC2 has no dry run.
std::optional<ec2_call> dry_run_of(const ec2_call& call);

// "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-..."; every byte outside A-Za-z0-9-_.~ percent-encoded.
std::string encode_form(const ec2_call& call);

}  // namespace vipd::aws
