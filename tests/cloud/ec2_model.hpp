#pragma once

// EC2's rules about the state: what a describe returns, what a change needs, how long what it begins takes to come about, and
// how EC2 words a refusal. Who asks, how often and over which wire is decided before (simulated_cloud).
//
// A route changes at once. An interface is attached or detached, and a secondary address goes from one interface to another,
// when its time has come: handle_timeout() carries out what is due, next_wakeup() says when that is.

#include "common/bounded_queue.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "tests/cloud/api_error.hpp"
#include "tests/cloud/delay.hpp"
#include "tests/cloud/ec2_request.hpp"
#include "tests/cloud/state.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vipd::cloud {

template <class T>
struct page {
    std::vector<const T*> items;  // by id; valid until the next change
    std::string next_token;       // empty on the last page
};

// What permission to carry a call out is asked on; valid until the next change.
struct resource {
    std::string_view kind;  // as in an ARN: "route-table"
    std::string id;
    const tag_map* tags = nullptr;
    vpc_id vpc{};  // of what has the condition key ec2:Vpc: a route table, a network interface
};
using resources = std::vector<resource>;

// How long what a call begins takes to come about.
struct move_times {
    delay attach;
    delay detach;
    delay reassign;
};

// When a change is made, and what the faults make of how it goes on.
struct occasion {
    instant now;
    std::optional<duration> takes;  // in place of the model's own time
    bool stuck = false;             // a detach does not come to an end unless it is forced
};

// What a hypervisor does: a device appears at an instance or leaves it, an address becomes an interface's or is not any longer.
struct movement {
    enum class subject : std::uint8_t { interface, address, elastic_ip };

    time_point at;
    subject what = subject::interface;
    bool arrived = false;
    network_interface_id interface;
    std::string mac;
    instance_id instance;  // empty: the interface is attached to none
    std::string node;      // that instance's name
    unsigned device_index = 0;
    std::string address;  // the private one, or the Elastic IP
};
std::string_view to_string(movement::subject what);

// What a call answers beside its success.
struct attached_interface {
    std::string attachment;
    unsigned network_card_index = 0;
};
struct assigned_addresses {
    network_interface_id interface;
    std::vector<ip_address> addresses;
};
struct unassigned_addresses {
    network_interface_id interface;
    std::vector<ip_address> addresses;
};
struct associated_address {
    std::string association;
};

class ec2_model {
public:
    explicit ec2_model(cloud_state state, std::uint64_t seed = 1) : state_(std::move(state)), random_(seed) {}

    [[nodiscard]] const cloud_state& state() const { return state_; }
    [[nodiscard]] replica primary() const { return {state_}; }
    // What a replica that lags until `when` knows.
    [[nodiscard]] replica as_of(time_point when) const { return {state_, when}; }

    // --- the API ---
    [[nodiscard]] static api_result<page<route_table>> list(const describe_route_tables& call, const replica& from);
    [[nodiscard]] static api_result<page<network_interface>> list(const describe_network_interfaces& call, const replica& from);
    [[nodiscard]] static api_result<page<instance>> list(const describe_instances& call, const replica& from);
    [[nodiscard]] static api_result<page<instance>> list(const describe_instance_status& call, const replica& from);
    [[nodiscard]] static api_result<page<instance_type>> list(const describe_instance_types& call, const replica& from);
    [[nodiscard]] static api_result<page<elastic_ip>> list(const describe_addresses& call, const replica& from);
    [[nodiscard]] static api_result<page<security_group>> list(const describe_security_groups& call, const replica& from);
    [[nodiscard]] static api_result<page<subnet>> list(const describe_subnets& call, const replica& from);
    [[nodiscard]] static api_result<page<vpc>> list(const describe_vpcs& call, const replica& from);

    // What the call is about. Asked before permissions, which depend on it; an error when something does not exist.
    [[nodiscard]] api_result<resources> named(const change_route& call) const;
    [[nodiscard]] api_result<resources> named(const set_source_dest_check& call) const;
    [[nodiscard]] api_result<resources> named(const set_delete_on_termination& call) const;
    [[nodiscard]] api_result<resources> named(const attach_interface& call) const;
    [[nodiscard]] api_result<resources> named(const detach_interface& call) const;
    [[nodiscard]] api_result<resources> named(const assign_addresses& call) const;
    [[nodiscard]] api_result<resources> named(const unassign_addresses& call) const;
    [[nodiscard]] api_result<resources> named(const associate_address& call) const;
    [[nodiscard]] api_result<resources> named(const disassociate_address& call) const;

    api_result<void> apply(const occasion& when, const change_route& call);
    api_result<void> apply(const occasion& when, const set_source_dest_check& call);
    api_result<void> apply(const occasion& when, const set_delete_on_termination& call);
    api_result<attached_interface> apply(const occasion& when, const attach_interface& call);
    api_result<void> apply(const occasion& when, const detach_interface& call);
    api_result<assigned_addresses> apply(const occasion& when, const assign_addresses& call);
    api_result<unassigned_addresses> apply(const occasion& when, const unassign_addresses& call);
    api_result<associated_address> apply(const occasion& when, const associate_address& call);
    api_result<void> apply(const occasion& when, const disassociate_address& call);

    // --- time ---
    void handle_timeout(time_point now);
    [[nodiscard]] wakeup next_wakeup() const;
    // When the last of what has begun will have come about; never when nothing is under way.
    [[nodiscard]] time_point settled_at() const { return pending_.empty() ? never : pending_.rbegin()->first; }
    void set_times(const move_times& times) { times_ = times; }
    [[nodiscard]] const move_times& times() const { return times_; }
    // The oldest movement not yet taken; of those that nobody takes, the latest 65,536 are kept.
    std::optional<movement> poll_movement();

    // --- what happens without the API: an operator's hand, hardware, another account ---
    // Termination deletes the interfaces that are to end with the instance and detaches the others.
    bool set_instance_state(time_point now, const instance_id& id, instance_state state);
    bool set_impaired(time_point now, const instance_id& id, bool impaired);
    // At once, whatever the rules say. An empty instance detaches.
    bool attach(time_point now, const network_interface_id& id, const instance_id& to, unsigned device_index);
    bool remove_interface(time_point now, const network_interface_id& id);
    // Gives a secondary address to an interface, from whoever of its subnet has it; an empty interface only takes it away from
    // the one that has it. False when there is no such interface, and for a primary address.
    bool put_address(time_point now, const ip_address& address, const network_interface_id& to);
    // An empty interface disassociates.
    bool put_elastic_ip(time_point now, const allocation_id& id, const network_interface_id& to,
                        std::optional<ip_address> private_address);
    bool add_table(time_point now, route_table table);
    bool remove_table(time_point now, const route_table_id& id);
    // Adds or replaces, whatever the rules say.
    bool put_route(time_point now, const route_table_id& table, const route& value);
    bool remove_route(time_point now, const route_table_id& table, const route_destination& destination);

private:
    // --- routes ---
    api_result<void> replace(time_point now, const route_table& table, const change_route& call);
    api_result<void> create(time_point now, const route_table& table, const change_route& call);
    api_result<void> remove(time_point now, const route_table& table, const change_route& call);
    [[nodiscard]] api_result<route_target> check_target(const change_route& call, const route_table& table) const;
    [[nodiscard]] api_result<void> check_destination(const change_route& call, const route_target& target,
                                                     const route_table& table) const;

    // --- interfaces ---
    struct attach_ends {
        network_interface_id interface;
        std::string attachment;
    };
    struct detach_ends {
        network_interface_id interface;
        std::string attachment;
    };
    struct address_moves {
        network_interface_id to;
        ip_address address;
    };
    using transition = std::variant<attach_ends, detach_ends, address_moves>;

    [[nodiscard]] api_result<resources> named_interface(const network_interface_id& id) const;
    [[nodiscard]] api_result<void> check_place(const network_interface& interface, const instance& machine) const;
    [[nodiscard]] api_result<void> check_room(const network_interface& interface, const instance& machine,
                                              const attach_interface& call) const;
    void begin(const occasion& when, const delay& usual, transition what);
    void carry_out(time_point at, const attach_ends& what);
    void carry_out(time_point at, const detach_ends& what);
    void carry_out(time_point at, const address_moves& what);
    void end_detaching(time_point now, const instance_id& id);

    // --- addresses ---
    [[nodiscard]] api_result<void> check_address(const assign_addresses& call, const network_interface& interface,
                                                 const ip_address& address) const;
    [[nodiscard]] api_result<void> check_address_room(const network_interface& interface, ip_family family,
                                                      std::size_t more) const;
    [[nodiscard]] api_result<std::vector<ip_address>> choose_addresses(const assign_addresses& call,
                                                                       const network_interface& interface) const;
    void take_address(time_point at, const network_interface_id& from, const ip_address& address);
    void move_address(time_point at, const network_interface_id& to, const ip_address& address);
    [[nodiscard]] api_result<const network_interface*> target_of(const associate_address& call) const;
    void disassociate(time_point at, const elastic_ip& address);

    // --- every change goes through these, which note what has moved ---
    void put(time_point at, network_interface changed);
    void put(time_point at, elastic_ip changed);
    [[nodiscard]] movement describe(time_point at, const network_interface& interface, bool arrived) const;
    void note(movement what) { movements_.push_dropping_oldest(std::move(what)); }
    std::string new_id(std::string_view prefix);

    cloud_state state_;
    random_source random_;
    move_times times_;
    std::multimap<time_point, transition> pending_;  // equal times in the order of their beginning
    bounded_queue<movement> movements_{65'536};
};

}  // namespace vipd::cloud
