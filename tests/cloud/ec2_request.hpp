#pragma once

// The calls that the model understands, as values, read from their ec2Query form.

#include "tests/cloud/filters.hpp"
#include "tests/cloud/query_form.hpp"
#include "tests/cloud/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vipd::cloud {

// --- what changes nothing ---

struct describe_query {
    std::vector<std::string> ids;
    std::vector<filter> filters;
    std::optional<unsigned> results_max;
    std::string next_token;
};

struct describe_route_tables {
    describe_query query;
};
struct describe_network_interfaces {
    describe_query query;
};
struct describe_instances {
    describe_query query;
};
struct describe_instance_status {
    describe_query query;
    bool include_all = false;
};
struct describe_instance_types {
    describe_query query;
};
struct describe_addresses {
    describe_query query;
    std::vector<ip_address> public_addresses;
};
struct describe_security_groups {
    describe_query query;
};
struct describe_subnets {
    describe_query query;
};
struct describe_vpcs {
    describe_query query;
};

// --- routes ---

enum class route_verb : std::uint8_t { replace, create, remove };

struct change_route {
    route_verb verb = route_verb::replace;
    route_table_id table;
    route_destination destination;
    route_target target;  // none for remove; an instance's id stands for its only interface
};

// --- interfaces ---

struct set_source_dest_check {
    network_interface_id interface;
    bool on = true;
};

struct set_delete_on_termination {
    network_interface_id interface;
    std::string attachment;
    bool on = false;
};

struct attach_interface {
    network_interface_id interface;
    instance_id instance;
    unsigned device_index = 0;
    unsigned network_card_index = 0;
};

struct detach_interface {
    std::string attachment;
    bool force = false;
};

// --- addresses ---

struct assign_addresses {
    ip_family family = ip_family::v4;
    network_interface_id interface;
    std::vector<ip_address> addresses;
    unsigned count = 0;  // of addresses that EC2 is to choose, in place of `addresses`
    bool allow_reassignment = false;
};

struct unassign_addresses {
    ip_family family = ip_family::v4;
    network_interface_id interface;
    std::vector<ip_address> addresses;
};

struct associate_address {
    allocation_id allocation;
    network_interface_id interface;  // one of these two
    instance_id instance;
    std::optional<ip_address> private_address;
    bool allow_reassociation = true;
};

struct disassociate_address {
    std::string association;
};

struct ec2_request {
    std::string action;
    std::variant<describe_route_tables, describe_network_interfaces, describe_instances, describe_instance_status,
                 describe_instance_types, describe_addresses, describe_security_groups, describe_subnets, describe_vpcs,
                 change_route, set_source_dest_check, set_delete_on_termination, attach_interface, detach_interface,
                 assign_addresses, unassign_addresses, associate_address, disassociate_address>
        call;
    bool dry_run = false;
};

api_result<ec2_request> parse_ec2_request(query_form& form);

// Which throttling bucket it draws from: the action's name, or "DescribeNetworkInterfaces (unfiltered)" and so on, for which
// EC2 has smaller ones.
std::string throttle_bucket(const ec2_request& request);

}  // namespace vipd::cloud
