#pragma once

// What an account's networks are made of, as far as nobody moves it: VPCs, subnets, prefix lists, security groups. Plain data.

#include "agent/aws/ids.hpp"
#include "common/ip.hpp"
#include "common/strong_id.hpp"
#include "tests/cloud/tag_map.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd::cloud {

using aws::vpc_id;
using prefix_list_id = strong_id<struct prefix_list_id_tag>;        // pl-...
using security_group_id = strong_id<struct security_group_id_tag>;  // sg-...
using subnet_id = strong_id<struct subnet_tag>;                     // subnet-...

struct vpc {
    vpc_id id;
    std::vector<ip_prefix> cidrs;  // IPv4 and IPv6
    tag_map tags;
    std::string internet_gateway{};  // igw-...; empty: none is attached, and no Elastic IP can be used
};

struct subnet {
    subnet_id id;
    vpc_id vpc;
    std::string zone;              // "eu-west-1a"
    std::vector<ip_prefix> cidrs;  // the IPv4 one first
    tag_map tags{};

    [[nodiscard]] bool contains(const ip_address& address) const;
    // The first four addresses of an IPv4 range and its last one are EC2's own.
    [[nodiscard]] bool is_reserved(const ip_address& address) const;
};

// "eu-west-1b" -> "euw1-az2". AWS shuffles the numbers for each account; this account got them in order.
std::string zone_id(std::string_view region, std::string_view zone);

struct prefix_list {
    prefix_list_id id;
    std::string name;
    std::vector<ip_prefix> entries;
};

struct security_group_rule {
    std::string protocol;  // "tcp", "112"; "-1" is all of them
    std::optional<std::pair<unsigned, unsigned>> ports;
    std::vector<ip_prefix> cidrs;
    std::vector<security_group_id> groups;
    std::string description;
    std::vector<prefix_list_id> prefix_lists = {};
};

struct security_group {
    security_group_id id;
    vpc_id vpc;
    std::string name;
    std::string description;
    std::vector<security_group_rule> inbound;
    std::vector<security_group_rule> outbound;
    tag_map tags;
};

}  // namespace vipd::cloud
