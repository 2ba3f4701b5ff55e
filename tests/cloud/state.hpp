#pragma once

// What exists in the simulated account: one region of one account, its VPCs and what is in them. Plain data; the rules about it
// are in ec2_model.

#include "agent/aws/ids.hpp"
#include "common/ip.hpp"
#include "common/overloaded.hpp"
#include "common/strong_id.hpp"
#include "common/time.hpp"
#include "tests/cloud/instance_type.hpp"
#include "tests/cloud/networks.hpp"
#include "tests/cloud/versioned.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::cloud {

using aws::instance_id;
using aws::network_interface_id;
using aws::route_table_id;
using allocation_id = strong_id<struct allocation_tag>;  // eipalloc-...

// EC2's numbers for the states.
enum class instance_state : std::uint8_t {
    pending = 0,
    running = 16,
    shutting_down = 32,
    terminated = 48,
    stopping = 64,
    stopped = 80
};
std::string_view to_string(instance_state state);
std::optional<instance_state> parse_instance_state(std::string_view text);

struct instance {
    instance_id id;
    std::string name;  // for logs and for people; the tag Name
    instance_type_name type{"t3.micro"};
    instance_state state = instance_state::running;
    subnet_id subnet;
    std::string role;  // the instance profile's; empty when there is none
    tag_map tags;
    bool spot = false;
    // The host is in trouble: status checks fail, and an interface that is detached without force stays `detaching`.
    bool impaired = false;
};

enum class attachment_status : std::uint8_t { attaching, attached, detaching };
std::string_view to_string(attachment_status status);

struct attachment {
    std::string id;  // eni-attach-...; another one each time
    instance_id instance;
    unsigned device_index = 0;
    unsigned network_card_index = 0;
    attachment_status status = attachment_status::attached;
    bool delete_on_termination = false;
    wall_time since = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
    bool plugged = true;  // the guest has the device
};

struct network_interface {
    network_interface_id id;
    subnet_id subnet;
    std::string mac;                     // lower-case, colons
    std::vector<ip_address> addresses;   // IPv4, the primary one first
    std::vector<ip_address> addresses6;  // IPv6
    bool source_dest_check = true;
    std::optional<attachment> attached;
    std::string description;
    tag_map tags;
    std::vector<security_group_id> groups;
    bool requester_managed = false;  // another service of AWS has made it: only that may move it

    [[nodiscard]] const std::vector<ip_address>& addresses_of(ip_family family) const
    {
        return family == ip_family::v4 ? addresses : addresses6;
    }
    [[nodiscard]] std::vector<ip_address>& addresses_of(ip_family family)
    {
        return family == ip_family::v4 ? addresses : addresses6;
    }
    [[nodiscard]] bool has(const ip_address& address) const;
    // Of IPv4: the address that cannot be taken away.
    [[nodiscard]] bool is_primary(const ip_address& address) const
    {
        return !addresses.empty() && addresses.front() == address;
    }
    // "available", "attaching", "in-use" or "detaching"
    [[nodiscard]] std::string_view status() const;
};

struct elastic_ip {
    allocation_id id;
    ip_address public_address;
    std::string association;  // eipassoc-...; empty when it is nobody's
    network_interface_id interface;
    ip_address private_address;  // one of the interface's, with which it moves
    tag_map tags;

    [[nodiscard]] bool is_associated() const { return !association.empty(); }
};

using route_destination = std::variant<ip_prefix, prefix_list_id>;
std::string to_string(const route_destination& destination);

// "local", or the id of an interface, gateway, NAT gateway, ...: the prefix of the id tells the kind.
struct route_target {
    std::string id;

    [[nodiscard]] bool is_local() const { return id == "local"; }
    [[nodiscard]] bool is_interface() const { return id.starts_with("eni-"); }
    [[nodiscard]] network_interface_id interface() const { return network_interface_id{is_interface() ? id : std::string{}}; }
    friend bool operator==(const route_target&, const route_target&) = default;
};

enum class route_origin : std::uint8_t { create_route_table, create_route, propagation, advertisement };
std::string_view to_string(route_origin origin);  // "CreateRouteTable", "EnableVgwRoutePropagation", ...

struct route {
    route_destination destination;  // canonical
    route_target target;
    route_origin origin = route_origin::create_route;

    // What a gateway put there cannot be replaced; a static route of the same destination stands beside it and wins.
    [[nodiscard]] bool is_static() const
    {
        return origin == route_origin::create_route_table || origin == route_origin::create_route;
    }
};

struct route_table_association {
    std::string id;  // rtbassoc-...
    bool main = false;
    subnet_id subnet;     // one of the two, or neither for the main association
    std::string gateway;  // igw-..., for an edge table
};

struct route_table {
    route_table_id id;
    vpc_id vpc;
    std::vector<route_table_association> associations;
    std::vector<std::string> propagating_gateways;
    std::vector<route> routes;
    tag_map tags;

    [[nodiscard]] const route* static_route(const route_destination& destination) const;
    // An edge table: of what enters the VPC by a gateway.
    [[nodiscard]] bool is_of_gateway() const;
};

struct cloud_state {
    std::string region = "eu-west-1";
    std::string account = "123456789012";
    std::map<vpc_id, vpc> vpcs;
    std::map<subnet_id, subnet> subnets;
    std::map<prefix_list_id, prefix_list> prefix_lists;
    std::map<security_group_id, security_group> security_groups;
    std::map<instance_type_name, instance_type> instance_types = documented_instance_types();
    std::map<route_table_id, versioned<route_table>> tables;
    std::map<network_interface_id, versioned<network_interface>> interfaces;
    std::map<instance_id, versioned<instance>> instances;
    std::map<allocation_id, versioned<elastic_ip>> elastic_ips;
    unsigned routes_per_table_max = 50;  // for each family

    [[nodiscard]] std::string_view partition() const;  // "aws", "aws-cn", "aws-us-gov"
    [[nodiscard]] const subnet* find_subnet(const subnet_id& id) const;
    [[nodiscard]] vpc_id vpc_of(const network_interface& interface) const;
    // A type that is not in the table is like the smallest.
    [[nodiscard]] instance_type type_of(const instance& machine) const;
    // "arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-..."
    [[nodiscard]] std::string arn(std::string_view kind, std::string_view id) const;
};

// The state as one replica knows it: `as_of` is now for the primary and for every write.
struct replica {
    const cloud_state& state;
    time_point as_of = never;

    [[nodiscard]] const route_table* table(const route_table_id& id) const;
    [[nodiscard]] const network_interface* interface(const network_interface_id& id) const;
    [[nodiscard]] const instance* machine(const instance_id& id) const;
    // The interfaces of an instance, by device index.
    [[nodiscard]] std::vector<const network_interface*> interfaces_of(const instance_id& id) const;
    [[nodiscard]] const instance* machine_of(const network_interface& interface) const;
    [[nodiscard]] const network_interface* with_attachment(std::string_view attachment) const;
    // Whose an address of a subnet is.
    [[nodiscard]] const network_interface* holder(const subnet_id& where, const ip_address& address) const;

    [[nodiscard]] const elastic_ip* elastic(const allocation_id& id) const;
    [[nodiscard]] const elastic_ip* with_association(std::string_view association) const;
    [[nodiscard]] const elastic_ip* associated_with(const network_interface_id& id, const ip_address& private_address) const;

    // A target that cannot take traffic: gone, detached, or of an instance that does not run.
    [[nodiscard]] bool is_blackhole(const route_target& target) const;
};

// The value of the map's object as of a time, or null.
template <class Id, class T>
const T* find_as_of(const std::map<Id, versioned<T>>& objects, const Id& id, time_point when)
{
    const auto found = objects.find(id);
    return found == objects.end() ? nullptr : found->second.as_of(when);
}

}  // namespace vipd::cloud
