#pragma once

// The parts that topology.cpp reads a file with.

#include "tests/cloud/json_reader.hpp"
#include "tests/cloud/state.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::cloud {

std::optional<ip_prefix> read_prefix(json_reader& reader, std::string_view key, const std::string& text);
std::vector<ip_prefix> read_prefixes(json_reader& reader, std::string_view key);
std::vector<ip_address> read_addresses(json_reader& reader, std::string_view key);
tag_map read_tags(json_reader& reader);

// "vpcs", "subnets", "prefix_lists", "security_groups"
void read_networks(json_reader& root, cloud_state& state);
// "instance_types", "instances", "interfaces", "elastic_ips"
void read_machines(json_reader& root, cloud_state& state, time_point now);

}  // namespace vipd::cloud
