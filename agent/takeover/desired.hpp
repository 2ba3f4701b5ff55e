#pragma once

// What a router wants of the cloud while it is Active, resolved: interface names have become interface ids, "all of the VPC"
// has become a query.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ids.hpp"

#include <compare>
#include <optional>
#include <vector>

namespace vipd::takeover {

// Which route tables. By id, the set is fixed and a takeover needs no answer of EC2 to begin; otherwise it is what EC2 says
// matches, asked again each reconcile period.
struct table_query {
    std::vector<aws::route_table_id> ids;
    std::optional<aws::vpc_id> vpc;
    std::vector<aws::tag_filter> tags;

    [[nodiscard]] bool by_id() const { return !ids.empty(); }
    friend auto operator<=>(const table_query&, const table_query&) = default;
};

// One destination, in all tables of one query, towards one interface.
struct wanted_route {
    table_query query;
    aws::route_destination destination;
    aws::network_interface_id target;
    friend bool operator==(const wanted_route&, const wanted_route&) = default;
};

}  // namespace vipd::takeover
