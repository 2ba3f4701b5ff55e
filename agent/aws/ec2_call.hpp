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

struct describe_network_interfaces {
    std::vector<network_interface_id> ids;
    std::string next_token;
};

// Source/destination check off: the only attribute that vipd changes on an interface.
struct disable_source_dest_check {
    network_interface_id interface;
};

using ec2_call =
    std::variant<describe_route_tables, replace_route, create_route, describe_network_interfaces, disable_source_dest_check>;

// "DescribeRouteTables", ... as EC2 and IAM spell it.
std::string_view action_name(const ec2_call& call);

// Whether the call changes something (a dry run does not). Only such calls need a permit, an epoch and a token of the budget.
bool is_mutating(const ec2_call& call);

// "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-..."; every byte outside A-Za-z0-9-_.~ percent-encoded.
std::string encode_form(const ec2_call& call);

}  // namespace vipd::aws
