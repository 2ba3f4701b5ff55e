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

enum class route_verb : std::uint8_t { replace, create, remove };

struct change_route {
    route_verb verb = route_verb::replace;
    route_table_id table;
    route_destination destination;
    route_target target;  // none for remove; an instance's id stands for its only interface
};

struct set_source_dest_check {
    network_interface_id interface;
    bool on = true;
};

struct ec2_request {
    std::string action;
    std::variant<describe_route_tables, describe_network_interfaces, describe_instances, describe_instance_status, change_route,
                 set_source_dest_check>
        call;
    bool dry_run = false;
};

api_result<ec2_request> parse_ec2_request(query_form& form);

// What permission to carry the request out is asked for: a table's or an interface's id, or "*".
std::string authorised_resource(const ec2_request& request);

// Which throttling bucket it draws from: the action's name, or "DescribeNetworkInterfaces (unfiltered)" and so on, for which
// EC2 has smaller ones.
std::string throttle_bucket(const ec2_request& request);

}  // namespace vipd::cloud
