#pragma once

// One thing that is wanted on this node: a link that is up, an address, a route or a rule. What differs between them is here:
// when two are the same thing, what the kernel shows of one, and what it has to be asked to add or remove it.

#include "agent/config/config.hpp"
#include "agent/net/link.hpp"
#include "agent/net/link_table.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vipd::takeover {

struct policy_route {
    net::route value;  // without its link
    std::string interface;
    friend bool operator==(const policy_route&, const policy_route&) = default;
};

// An interface that is up. Nobody takes it down again.
struct raised_link {
    std::string interface;
    friend bool operator==(const raised_link&, const raised_link&) = default;
};

// In the order in which they are added: the kernel takes no route of a link that is down, a route may speak from an
// address, and a rule that leads to a table without its routes would send packets past it. They are removed the other way
// round.
using local_value = std::variant<raised_link, config::address_entry, policy_route, net::policy_rule>;

struct local_item {
    local_value value;
    bool always = false;  // and not only while Active
    friend bool operator==(const local_item&, const local_item&) = default;

    // 0 for a link or an address.
    [[nodiscard]] std::uint32_t table() const;
    // An address that is always there stays when it is no longer configured (see address_lifetime), and so does a link.
    [[nodiscard]] bool outlives_configuration() const
    {
        return std::holds_alternative<raised_link>(value) || (always && std::holds_alternative<config::address_entry>(value));
    }
};

// What a router wants, and what [[policy]] does.
std::vector<local_item> local_items(const config::router& router);
std::vector<local_item> local_items(const std::vector<config::policy_entry>& policies, bool always = true);

// What it takes in the kernel, however it fills that: a link, an address of an interface, a route of a table, a rule.
using local_place = std::variant<std::string, std::pair<ip_prefix, std::string>, net::route_key, net::policy_rule>;
local_place place_of(const local_value& value);
bool is_same_place(const local_value& a, const local_value& b);
// Whether the event is about the place, or about what decides whether it can be filled.
bool is_about(const net::kernel_event& event, const local_value& value);

enum class presence : std::uint8_t {
    absent,
    different,  // ours, and filled in another way
    here,
};

struct sight {
    presence found = presence::absent;
    // What has to come first before it can be added: an interface, a carrier, an address. Empty: nothing.
    std::string obstacle;
    // An address that another node has. Linux never tries one again that is permanent.
    bool is_duplicate = false;
};

// `source_comes`: the address that a route speaks from is added before it.
sight look(const local_value& value, const net::link_table& kernel, bool source_comes = false);

// What brings it here, or takes it away, when it was looked at as `found`.
net::kernel_change change_for(const local_value& value, bool wanted, presence found, const net::link_table& kernel);

// "172.16.1.100/32 on lo", "route default via 10.1.0.1 dev eth1 table 100", "rule 100 from 10.1.0.50/32 lookup 100"
std::string describe(const local_value& value);

}  // namespace vipd::takeover
