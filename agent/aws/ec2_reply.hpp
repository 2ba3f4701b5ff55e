#pragma once

// EC2's answers: XML in, values out, and errors sorted into what has to be done about them.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/http_message.hpp"
#include "agent/aws/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::aws {

enum class route_state : std::uint8_t { active, blackhole, filtered, unknown };

struct route {
    route_destination destination;
    network_interface_id interface;  // empty when the target is something else
    std::string target;              // whatever it is: "eni-...", "igw-...", "local", "nat-...", for people
    route_state state = route_state::unknown;
    bool propagated = false;  // origin is EnableVgwRoutePropagation or Advertisement: cannot be replaced, only overridden
};

struct route_table {
    route_table_id id;
    vpc_id vpc;
    std::string name;  // the tag Name, for people
    std::vector<route> routes;
    bool of_gateway = false;  // associated with an internet or virtual private gateway: an edge table
};

struct route_tables_page {
    std::vector<route_table> tables;
    std::string next_token;  // empty on the last page
};

enum class attachment_state : std::uint8_t { attaching, attached, detaching, detached, unknown };

struct interface_attachment {
    attachment_id id;
    instance_id instance;
    unsigned device_index = 0;
    attachment_state state = attachment_state::unknown;
    bool delete_on_termination = false;
};

struct network_interface {
    network_interface_id id;
    vpc_id vpc;
    subnet_id subnet;
    std::string availability_zone;
    std::string mac;
    std::string name;  // the tag Name, for people
    bool source_dest_check = true;
    std::optional<interface_attachment> attachment;
    std::vector<ip_address> addresses;  // private IPv4, the primary one first, then IPv6
    std::vector<security_group_id> groups = {};
    bool requester_managed = false;  // another service of AWS has made it, and nobody else may move it
};

struct network_interfaces_page {
    std::vector<network_interface> interfaces;
    std::string next_token;
};

struct elastic_address {
    allocation_id allocation;
    std::string public_ip;
    std::string name;
    network_interface_id interface;  // empty: it is not associated
    std::optional<ip_address> private_address;
};

struct elastic_addresses {
    std::vector<elastic_address> all;
};

struct vpc {
    vpc_id id;
    std::vector<ip_prefix> cidrs;  // those that are associated, IPv4 before IPv6
};

struct vpcs {
    std::vector<vpc> all;
};

struct subnet {
    subnet_id id;
    std::string availability_zone;
    std::vector<ip_prefix> cidrs;
};

struct subnets {
    std::vector<subnet> all;
};

struct security_group_rule {
    std::string protocol;  // "tcp", "112"; "-1" is every one
    std::vector<ip_prefix> cidrs;
    std::vector<security_group_id> groups;
    std::vector<std::string> prefix_lists;  // "pl-...", whose entries are not in the answer
};

struct security_group {
    security_group_id id;
    std::vector<security_group_rule> inbound;
    std::vector<security_group_rule> outbound;
};

struct security_groups {
    std::vector<security_group> all;
};

struct instance_type_limits {
    std::string type;
    unsigned interfaces_max = 0;
    unsigned ipv4_addresses_per_interface = 0;
    unsigned ipv6_addresses_per_interface = 0;
};

struct instance_types {
    std::vector<instance_type_limits> all;
};

struct done {};  // a mutating call that EC2 says has been carried out

// What the caller has to do about an error. The class follows from EC2's code, and from the HTTP status only without one.
enum class ec2_error_class : std::uint8_t {
    transient,        // 5xx, InternalError ...: again, with backoff
    throttled,        // RequestLimitExceeded ...: again, with a longer backoff
    credentials,      // expired or unknown credentials: fetch new ones, then again
    clock,            // the signature's time was refused and our clock is off by more than 4 minutes: correct it, then again
    consistency,      // *.NotFound right after a creation, IncorrectState: again for a short while
    route_missing,    // ReplaceRoute: there is none, CreateRoute instead
    route_exists,     // CreateRoute: there is one, ReplaceRoute instead
    outdated,         // it is not as it was when it was last read: attached meanwhile, detached already; read, then decide
    index_taken,      // AttachNetworkInterface: another interface has that device index
    denied,           // UnauthorizedOperation: a person has to change the policy; again, seldom
    invalid,          // quota, malformed, wrong VPC ...: a person has to change something; again, seldom
    dry_run_ok,       // DryRunOperation: it would have been allowed
    page_too_large,   // the answer exceeded the bound: ask for smaller pages
    unknown_outcome,  // sent, and no answer that can be read: read back before repeating
    not_sent,         // never left this node
};

std::string_view to_string(ec2_error_class c);

struct ec2_error {
    ec2_error_class kind = ec2_error_class::unknown_outcome;
    std::string code;     // EC2's, e.g. "UnauthorizedOperation"; or the transport's: "timeout", "http_503"
    std::string message;  // EC2's text, at most 300 bytes, an encoded authorization message cut out
    aws::request_id request;
};

struct ec2_reply {
    std::variant<done, route_tables_page, network_interfaces_page, elastic_addresses, vpcs, subnets, security_groups,
                 instance_types, ec2_error>
        value;
    aws::request_id request;
    std::optional<wall_time> server_date;  // the Date header, for clock-skew correction; absent when an Age header is there
};

// `call` is what was asked. Never fails: what cannot be read is an ec2_error with unknown_outcome (transient for a read).
ec2_reply decode_reply(const ec2_call& call, const http_result& result);

}  // namespace vipd::aws
