#pragma once

#include "agent/aws/ids.hpp"
#include "common/ip.hpp"

#include <string>
#include <vector>

namespace vipd::aws {

// One network interface of this instance, as IMDS describes it.
struct instance_interface {
    std::string mac;  // lower-case, colons
    network_interface_id id;
    vpc_id vpc;
    std::string subnet;
    std::vector<ip_address> addresses;  // local-ipv4s, then ipv6s

    friend bool operator==(const instance_interface&, const instance_interface&) = default;
};

// Who this node is. Asked from IMDS once a boot, interfaces again when a link appears.
struct instance_identity {
    instance_id instance;
    std::string region;
    std::string availability_zone;
    std::string account;
    std::vector<instance_interface> interfaces;

    friend bool operator==(const instance_identity&, const instance_identity&) = default;
};

}  // namespace vipd::aws
