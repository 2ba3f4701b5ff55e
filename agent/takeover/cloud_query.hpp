#pragma once

// What is asked of EC2 again and again, as values that can be compared: two routers that want to know the same share one read.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ids.hpp"
#include "common/ip.hpp"

#include <compare>
#include <optional>
#include <string>
#include <variant>
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

// Which network interfaces: by id, or by an address that they have or by tags, in a VPC where it is known.
struct interface_query {
    std::optional<aws::network_interface_id> id;
    std::optional<ip_address> address;
    std::optional<aws::vpc_id> vpc;
    std::vector<aws::tag_filter> tags;
    friend auto operator<=>(const interface_query&, const interface_query&) = default;
};

struct elastic_ip_query {
    aws::allocation_id allocation;
    friend auto operator<=>(const elastic_ip_query&, const elastic_ip_query&) = default;
};

using cloud_query = std::variant<table_query, interface_query, elastic_ip_query>;

// The call that asks for one page; an empty token for the first.
aws::ec2_call describe_call(const cloud_query& query, const std::string& next_token, unsigned results_max);

// For people: "vpc-1 with tag Role=private", "eni-1", "10.0.1.100 in vpc-1".
std::string describe_query(const cloud_query& query);

}  // namespace vipd::takeover
