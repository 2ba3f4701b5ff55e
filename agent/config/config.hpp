#pragma once

// A configuration that has been checked, as plain values: whoever holds one need not check again. Defaults stand here and
// nowhere else; what is allowed stands in config/keys.cpp.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ids.hpp"
#include "agent/config/hooks.hpp"
#include "agent/config/track.hpp"
#include "agent/net/policy.hpp"
#include "agent/vrrp/admission.hpp"
#include "agent/vrrp/authentication.hpp"
#include "agent/vrrp/types.hpp"
#include "common/ip.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vipd::config {

// How old what EC2 has said may become while Active: status warns of what is older, and so does the alert
// VipdResourceNotConfirmed. A read is late by a tenth of its period at most.
inline constexpr duration confirmed_age_expected = std::chrono::seconds{60};
inline constexpr duration reconcile_period_expected =
    std::chrono::floor<std::chrono::seconds>(confirmed_age_expected * 10 / 11);

// [aws]
struct aws_section {
    std::string region;                        // empty: environment, profile, IMDS
    std::optional<std::string> endpoint;       // https URL
    std::optional<std::string> imds_endpoint;  // http URL
    std::string ca_bundle;                     // file with the CAs to trust instead of the system's; empty: the system's
    std::string profile;
    bool use_fips_endpoint = false;
    bool use_dualstack_endpoint = false;
    unsigned connections = 16;                               // 2..256: EC2 calls under way at once
    duration reconcile_period = std::chrono::seconds{10};    // 1 s..1 h
    std::string identity_cache = "/run/vipd/identity.json";  // empty: none
    friend bool operator==(const aws_section&, const aws_section&) = default;
};

struct tcp_listener {
    ip_address address;
    std::uint16_t port = 9112;
    friend bool operator==(const tcp_listener&, const tcp_listener&) = default;
};

// [http]
struct http_section {
    std::vector<tcp_listener> listen = {{ip_address::v4(127, 0, 0, 1), 9112}};
    std::string socket = "/run/vipd/vipd.sock";
    friend bool operator==(const http_section&, const http_section&) = default;
};

// [log]
enum class log_format : std::uint8_t { logfmt, json };
struct log_section {
    log_format format = log_format::logfmt;
    bool debug = false;
    friend bool operator==(const log_section&, const log_section&) = default;
};

// [notices]: what EC2 announces about this instance, and what makes it hand over
struct notices_section {
    bool spot = true;
    bool rebalance = false;
    bool scheduled_events = true;
    bool auto_scaling = true;
    duration lead = std::chrono::minutes{2};  // before a scheduled event begins
    friend bool operator==(const notices_section&, const notices_section&) = default;
};

enum class address_lifetime : std::uint8_t {
    while_active,  // "active"
    always,        // "always": on every node, from the start until the stop of the machine
};

// [[router.address]]
struct address_entry {
    ip_prefix address;
    std::string interface = "lo";
    address_lifetime when = address_lifetime::while_active;
    std::string label = {};  // IPv4; empty: the interface's name
    net::route_scope scope = net::route_scope::global;
    bool nodad = true;                    // IPv6
    std::optional<bool> deprecated = {};  // IPv6; not given: a /128 is
    friend bool operator==(const address_entry&, const address_entry&) = default;
};

// [router.route.tables]: exactly one of ids or vpc/tags
struct table_selection {
    std::vector<aws::route_table_id> ids;
    bool whole_vpc = false;             // { vpc = true }: every table of the VPC of the target interface
    std::vector<aws::tag_filter> tags;  // of that VPC
    friend bool operator==(const table_selection&, const table_selection&) = default;
};

// [[router.route]]
struct route_entry {
    aws::route_destination destination;
    table_selection tables;
    // The target: the interface id behind `interface` (found by MAC in IMDS), or one that is named.
    std::string interface;                                  // default: the router's
    std::optional<aws::network_interface_id> interface_id;  // "eni-..."
    // source_dest_check = "disable": switched off when it is found on; "warn" only says so.
    bool disable_source_dest_check = false;
    friend bool operator==(const route_entry&, const route_entry&) = default;
};

// [[router.secondary_ip]]
struct secondary_ip_entry {
    ip_address address;
    std::string interface;                                  // that has it: default the router's
    std::optional<aws::network_interface_id> interface_id;  // "eni-..."
    friend bool operator==(const secondary_ip_entry&, const secondary_ip_entry&) = default;
};

// [[router.elastic_ip]]
struct elastic_ip_entry {
    aws::allocation_id allocation;
    std::string interface;  // that it is mapped to: default the router's
    std::optional<aws::network_interface_id> interface_id;
    std::optional<ip_address> private_address;  // of that interface; none: its primary one
    friend bool operator==(const elastic_ip_entry&, const elastic_ip_entry&) = default;
};

// match of [[router.eni]]: exactly one of the three
struct interface_match {
    std::optional<aws::network_interface_id> id;
    std::optional<ip_address> address;
    std::vector<aws::tag_filter> tags;
    friend bool operator==(const interface_match&, const interface_match&) = default;
};

// Beyond what amazon-ec2-net-utils uses for interfaces, 10000 to 11999, both as tables and as priorities of rules.
inline constexpr unsigned floating_table_base = 112'000;
inline constexpr unsigned floating_rule_priority = 12'112;

// [[router.eni]]
struct eni_entry {
    interface_match match;
    std::optional<unsigned> device_index;  // none: whichever is free
    duration force_after = std::chrono::seconds{10};
    // What the node has of it while Active: the link up, its addresses, and a table of its own with rules that send replies
    // back through it.
    bool configure = true;
    std::vector<ip_address> addresses;  // that the node has on it; none: all that EC2 gave it
    std::optional<unsigned> table;      // none: floating_table_base and the index of the link
    unsigned rule_priority = floating_rule_priority;
    friend bool operator==(const eni_entry&, const eni_entry&) = default;
};

// The prefix that a rule compares with.
struct rule_prefix {
    ip_prefix value;
    friend bool operator==(const rule_prefix&, const rule_prefix&) = default;
};

// Where a route of a policy leads; none: "default".
struct policy_destination {
    std::optional<ip_prefix> value;
    friend bool operator==(const policy_destination&, const policy_destination&) = default;
};

// An entry of rules in [[policy]] and [[router.policy]]. What it means to the kernel: config/policies.hpp.
struct policy_rule_entry {
    std::optional<rule_prefix> from;
    std::optional<rule_prefix> to;
    std::string iif;
    std::string oif;
    std::optional<unsigned> fwmark;
    std::optional<unsigned> fwmask;
    unsigned priority = 0;
    std::optional<ip_family> family;  // where nothing else says it
    friend bool operator==(const policy_rule_entry&, const policy_rule_entry&) = default;
};

// An entry of routes there
struct policy_route_entry {
    policy_destination to;
    std::optional<ip_address> via;
    std::string interface;
    std::optional<ip_address> source;
    std::optional<unsigned> metric;
    std::optional<unsigned> mtu;
    std::optional<net::route_scope> scope;
    bool onlink = false;
    net::route_kind kind = net::route_kind::unicast;
    std::optional<ip_family> family;
    friend bool operator==(const policy_route_entry&, const policy_route_entry&) = default;
};

// [[router.policy]]: while Active. [[policy]]: from the start, and kept when vipd ends, because what it routes is the node's
// own traffic and not the virtual address's: a node whose agent is stopped or replaced goes on answering by the right
// interface.
struct policy_entry {
    unsigned table = 0;
    std::vector<policy_rule_entry> rules;
    std::vector<policy_route_entry> routes;
    friend bool operator==(const policy_entry&, const policy_entry&) = default;
};

// [router.announce]: gratuitous ARP and unsolicited neighbour advertisements, for networks that are not a VPC
struct announce_section {
    unsigned count = 5;                               // of a burst, for each address
    unsigned repeats = 1;                             // bursts after the first
    duration repeat_delay = std::chrono::seconds{5};  // between bursts
    friend bool operator==(const announce_section&, const announce_section&) = default;
};

// [router.auth]: one of the two, or none
struct authentication {
    std::optional<vrrp::simple_password> password;  // kind = "password"
    std::optional<vrrp::hmac_settings> hmac;        // kind = "hmac"
    friend bool operator==(const authentication&, const authentication&) = default;
};

// [[router]]
struct router {
    std::string name;
    std::uint8_t vrid = 1;
    vrrp::version version = vrrp::version::v3;
    std::uint8_t priority = 100;
    bool address_owner = false;
    // Empty until start: then the primary address of `interface`.
    std::optional<ip_address> source;
    std::string interface;
    std::vector<vrrp::peer_rule> peers;
    duration advert_interval = std::chrono::seconds{1};
    unsigned down_timer_adverts = 3;
    bool preempt = true;
    duration preempt_delay = std::chrono::seconds{60};
    duration startup_delay{};     // how much longer than one down interval it listens after the start
    std::int16_t api_weight = 0;  // added while the path to EC2 works when positive, while it is broken when negative
    vrrp::checksum_form checksum = vrrp::checksum_form::rfc5798;
    authentication auth;
    // What adverts list; default: the addresses of [[router.address]], then those of [[router.secondary_ip]], then the host
    // destinations of [[router.route]].
    std::vector<ip_address> advertised_addresses;
    // How long what is this node's while Active stays after Active was lost, unless a better advert comes first.
    duration drain = std::chrono::seconds{1};
    std::vector<address_entry> addresses;
    std::vector<route_entry> routes;
    std::vector<secondary_ip_entry> secondary_ips;
    std::vector<elastic_ip_entry> elastic_ips;
    std::vector<eni_entry> enis;
    std::vector<policy_entry> policies;
    std::optional<announce_section> announce;  // none: nothing is announced
    std::optional<hooks_section> hooks;        // none: no program is run
    std::vector<tracker> trackers;             // [[router.track]]

    // What this node has while it is Active, or always: a secondary address of an interface as well, for whoever sends to it
    // has to find it there.
    [[nodiscard]] std::vector<address_entry> addresses_on_node() const;
    // Whether EC2 has to be told who is Active: it takes that a moment, and until then traffic goes on to the last one.
    [[nodiscard]] bool moves_in_cloud() const
    {
        return !routes.empty() || !secondary_ips.empty() || !elastic_ips.empty() || !enis.empty();
    }
    friend bool operator==(const router&, const router&) = default;
};

// [[sync_group]]: these routers are Active together, or none of them is.
struct sync_group_entry {
    std::string name;
    std::vector<std::string> routers;
    friend bool operator==(const sync_group_entry&, const sync_group_entry&) = default;
};

struct configuration {
    aws_section aws;
    http_section http;
    log_section log;
    notices_section notices;
    bool realtime = false;
    std::vector<policy_entry> policies;
    std::vector<router> routers;
    std::vector<sync_group_entry> sync_groups;

    // A configuration without AWS resources never talks to AWS.
    [[nodiscard]] bool uses_aws() const
    {
        for (const auto& r : routers) {
            if (r.moves_in_cloud()) {
                return true;
            }
        }
        return false;
    }
    // Whether the kernel has to be told of addresses, rules, routes or links, which it takes from CAP_NET_ADMIN alone.
    [[nodiscard]] bool changes_network() const;

    friend bool operator==(const configuration&, const configuration&) = default;
};

}  // namespace vipd::config
