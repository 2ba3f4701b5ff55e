#pragma once

// What a router wants of the cloud while it is Active, resolved: interface names have become interface ids, "all of the VPC"
// has become a query.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ids.hpp"
#include "agent/takeover/cloud_query.hpp"
#include "agent/takeover/resource.hpp"

#include <map>
#include <vector>

namespace vipd::takeover {

// One destination, in all tables of one query, towards one interface.
struct wanted_route {
    table_query query;
    aws::route_destination destination;
    aws::network_interface_id target;

    [[nodiscard]] route_in_table in(const aws::route_table_id& table) const { return {table, destination, target}; }
    friend bool operator==(const wanted_route&, const wanted_route&) = default;
};

// One thing, and the query that shows where it is.
struct wanted_resource {
    cloud_query query;
    resource what;
    friend bool operator==(const wanted_resource&, const wanted_resource&) = default;
};

// What one router wants.
struct desired {
    std::vector<wanted_route> routes;
    // Interfaces whose source/destination check has to be off, and whether vipd may switch it.
    std::map<aws::network_interface_id, bool> disable_source_dest_check;
    std::vector<wanted_resource> others = {};
    bool complete = true;  // false: something that is configured could not be resolved and is not among these
    friend bool operator==(const desired&, const desired&) = default;
};

}  // namespace vipd::takeover
