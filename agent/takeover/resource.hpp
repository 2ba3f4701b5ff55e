#pragma once

// What can be moved in the cloud, where it was seen, and what the difference is: pure functions from one to the other. How
// often, when and whether a difference is acted upon is the register's decision (cloud_register.hpp).
//
// Each of these is at one place at a time, which is why it can be moved but never be at two nodes at once: a destination of one
// route table, an address, an Elastic IP, an interface.

#include "agent/aws/ec2_call.hpp"
#include "agent/aws/ec2_reply.hpp"
#include "agent/aws/ids.hpp"
#include "agent/status/snapshot.hpp"
#include "agent/takeover/cloud_query.hpp"
#include "agent/takeover/world.hpp"
#include "common/ip.hpp"
#include "common/time.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace vipd::takeover {

// A destination in a table, towards an interface.
struct route_in_table {
    aws::route_table_id table;
    aws::route_destination destination;
    aws::network_interface_id target;
    friend bool operator==(const route_in_table&, const route_in_table&) = default;
};

// A private address beside an interface's primary one, of its subnet.
struct secondary_address {
    ip_address address;
    aws::network_interface_id target;
    friend bool operator==(const secondary_address&, const secondary_address&) = default;
};

// A public address, mapped to a private address of an interface.
struct elastic_ip {
    aws::allocation_id allocation;
    aws::network_interface_id target;
    std::optional<ip_address> private_address;  // none: whichever is the interface's primary one
    friend bool operator==(const elastic_ip&, const elastic_ip&) = default;
};

// An interface, attached to an instance.
struct floating_interface {
    interface_query match;
    aws::instance_id instance;
    std::optional<unsigned> device_index;  // none: whichever is free
    duration force_after{};                // how long a detach may take before it is forced
    friend bool operator==(const floating_interface&, const floating_interface&) = default;
};

inline constexpr unsigned device_index_max = 15;

using resource = std::variant<route_in_table, secondary_address, elastic_ip, floating_interface>;

// What it is called in logs and status, and by what registers are told apart. `table` is empty but for routes.
struct resource_name {
    std::string thing;  // "172.16.1.100/32", "eipalloc-1", "eni-1", "vpc-1 with tag Name=floating"
    std::string table;

    [[nodiscard]] std::string for_people() const { return table.empty() ? thing : thing + " in " + table; }
    friend auto operator<=>(const resource_name&, const resource_name&) = default;
};
resource_name name_of(const resource& what);
status::resource_kind kind_of(const resource& what);
// Where it is wanted, for people: an interface, or an instance.
std::string target_of(const resource& what);
// With the names that were given to it in the account, as far as a view shows them; null when there is none.
std::string name_for_people(const resource& what, const query_view* view);

// Where a complete view shows it.
struct sighting {
    enum class place : std::uint8_t {
        here,       // where it is wanted, and it works
        elsewhere,  // at somebody else's, or in a state in which it has to be moved to work
        nowhere,    // free to be taken
        arriving,   // EC2 is bringing it here
        leaving,    // EC2 is taking it away from where it was
    };
    place where = place::nowhere;
    bool serves_nobody = false;  // nobody is there to be fought over it
    std::string owner;           // for people: "eni-...", "none", "eni-... (blackhole)"
    std::string taken_by;        // by what two that take it are told apart

    // What the next call needs: the interface that has the address, or that is moved, and its attachment.
    aws::network_interface_id interface;
    aws::attachment_id attachment;
    bool delete_on_termination = false;
    friend bool operator==(const sighting&, const sighting&) = default;
};

// Whether the view says anything of it at all: a view of tables is of the destinations that were looked for.
bool was_asked(const resource& what, const query_view& view);
// Where the view shows it; empty when the view says nothing of it.
std::optional<sighting> look_for(const resource& what, const query_view& view);
// Of a route; null when the table has none for the destination.
sighting sighting_of(const route_in_table& what, const aws::route* seen);

// Why a view that says nothing of it, or shows it nowhere, means that the configuration does not fit; empty when it may come.
std::string misfit(const resource& what, const query_view& view);
// Whether a view that says nothing of it has none at all, and not several of which it may be one.
bool is_absent(const resource& what, const query_view& view);

// The call that brings it here, or one step nearer; empty when nothing can be asked before it has been looked at (again).
// `seen` is empty before the first view.
std::optional<aws::ec2_call> next_call(const resource& what, const std::optional<sighting>& seen);
// A detach is asked for once more, by force.
std::optional<aws::ec2_call> forced_call(const resource& what, const sighting& seen);
// Whether it was seen at the interface that it is wanted at.
bool is_target(const resource& what, const sighting& seen);
// What has to be put right about one that is here.
std::optional<aws::ec2_call> amending_call(const resource& what, const sighting& seen);

// What an accepted call leads to.
enum class accepted_step : std::uint8_t {
    arrived,  // it is to be here
    freed,    // it is nowhere now: the next call can be made at once
    moving,   // EC2 goes on by itself: it has to be looked at
};
accepted_step step_of(const aws::ec2_call& call);
// Whether EC2 may allow the one although it refuses the other: another action, or another attachment that is detached.
bool is_another_step(const aws::ec2_call& a, const aws::ec2_call& b);

// One line for people on what becoming Active would change. The first character says what it is: '=' stays, '?' is not known
// yet, '+' is added, '~' is changed.
std::string plan_line(const resource& what, const sighting& seen);

// Who has a route, for people: "eni-...", "eni-... (blackhole)", "none".
std::string describe_owner(const aws::route* seen);

}  // namespace vipd::takeover
