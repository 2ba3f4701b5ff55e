#pragma once

#include "agent/aws/ids.hpp"
#include "common/ip.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::aws {

// The largest instance types have 15 on a card, and a few cards.
inline constexpr std::size_t interfaces_max = 64;

// One network interface of this instance, as IMDS describes it.
struct instance_interface {
    std::string mac;  // lower-case, colons
    network_interface_id id;
    vpc_id vpc;
    std::string subnet;
    std::vector<ip_prefix> subnet_prefixes;  // subnet-ipv4-cidr-block, then subnet-ipv6-cidr-blocks
    std::vector<ip_address> addresses;       // local-ipv4s, the primary one first, then ipv6s

    friend bool operator==(const instance_interface&, const instance_interface&) = default;
};

// Who this node is. Asked from IMDS at every start, interfaces again when a link appears.
struct instance_identity {
    instance_id instance;
    std::string region;
    std::string availability_zone;
    std::string account;
    std::vector<instance_interface> interfaces;
    std::string instance_type = {};  // "t3.micro"; empty when nobody has said it

    friend bool operator==(const instance_identity&, const instance_identity&) = default;
};

enum class identity_source : std::uint8_t {
    imds,
    cache,  // what IMDS said earlier in this boot; it has not answered since the start
};

constexpr std::string_view to_string(identity_source source)
{
    return source == identity_source::imds ? "imds" : "cache";
}

}  // namespace vipd::aws
