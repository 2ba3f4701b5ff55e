#pragma once

// What kind of cluster a schedule is about. Drawn from the seed as a whole before anything happens, and printed when something
// is wrong.

#include "agent/config/config.hpp"
#include "agent/vrrp/authentication.hpp"
#include "common/random.hpp"
#include "common/time.hpp"
#include "tests/sim/network.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vipd::sim {

enum class table_choice : std::uint8_t { by_id, whole_vpc, by_tag };
// How the interface that is moved is found.
enum class interface_choice : std::uint8_t { by_id, by_tag, by_address };
// What it has, and what of that a machine is to have: all, but where one of two is listed.
enum class floating_addresses : std::uint8_t { one, two, one_of_two };

struct machine_options {
    std::uint8_t priority = 100;
    unsigned zone = 0;
    std::int64_t clock_drift_ppm = 0;
    duration wall_offset{};
    // The security group has no rule that lets protocol 112 in: a peer is heard for ten minutes after it was spoken to.
    bool lacks_inbound_rule = false;
    duration advert_interval{};  // where machines differ in it; zero: that of all
};

struct auth_options {
    vrrp::hmac_mode mode = vrrp::hmac_mode::enforce;
    vrrp::anti_replay against_replay = vrrp::anti_replay::time;
    duration window = std::chrono::seconds{5};
};

// The key of this id, of which the machines and whoever forges know the same: nothing.
vrrp::identified_secret key_of(std::uint8_t id);

struct cluster_options {
    std::vector<machine_options> machines;  // 2..5
    ip_family family = ip_family::v4;
    vrrp::version version = vrrp::version::v3;
    duration advert_interval = std::chrono::seconds{1};
    duration later_interval{};  // what a reload gives machines instead, for a while; zero: none does
    unsigned down_timer_adverts = 3;
    bool preempt = true;
    duration preempt_delay{};
    duration drain = std::chrono::seconds{1};
    std::int16_t api_weight = 0;
    duration startup_delay{};  // of all but an owner
    // Has priority 255, and is Active as soon as it runs (RFC 9568 6.4.1).
    std::optional<std::size_t> address_owner;
    std::optional<auth_options> auth;
    std::size_t tables = 1;  // of the first router; the second has a route in the first of them
    table_choice chosen = table_choice::by_id;
    bool routes_exist = true;  // at the start, and lead nowhere in particular
    // The routes of the first router are for a managed prefix list, which holds its address.
    bool by_prefix_list = false;
    // What is moved beside the routes; all machines are in one subnet then.
    bool moves_secondary_ip = false;
    bool moves_elastic_ip = false;
    bool moves_interface = false;
    bool elastic_on_secondary = false;  // where both are moved: the Elastic IP belongs to the secondary address
    interface_choice interface_match = interface_choice::by_id;
    floating_addresses addresses_of_interface = floating_addresses::one;
    std::optional<unsigned> device_index;
    bool has_spare_index = false;  // instances of a type that has one more than what is moved needs
    duration force_after = std::chrono::seconds{10};
    duration move_time_max{};  // until an interface is attached or detached, a quarter of it until an address is reassigned
    duration imds_lag{};
    // Another VPC of the account has an interface with every address that is moved, and with an id before all others.
    bool has_twin_vpc = false;
    // Programs for every event. No seed draws them: their ends would change what a machine draws later.
    bool hooks = false;
    // Whether machines ask what EC2 announces. Few seeds draw that: the questions are most of what is simulated then.
    bool notices = false;
    // Whether a service of each machine is tracked, and with which weight; none: without it a machine takes no part.
    bool tracks = false;
    std::optional<std::int16_t> tracker_weight;
    // Whether there is a second router on the same machines, in one sync group with the first: its adverts go through a network
    // of its own, as far as faults know, and it moves an address and a route of its own.
    bool sync_group = false;
    duration cloud_latency = std::chrono::milliseconds{20};
    double stale_reads = 0.0;
    duration stale_reads_lag{};
    duration credential_lifetime = std::chrono::hours{6};
    path_quality network;

    [[nodiscard]] ip_address address(std::size_t machine) const;
    [[nodiscard]] std::size_t routers() const { return sync_group ? 2 : 1; }
    [[nodiscard]] static constexpr std::uint8_t vrid(std::size_t router) { return static_cast<std::uint8_t>(51 + router); }
    [[nodiscard]] static std::string router_name(std::size_t router) { return router == 0 ? "web" : "back"; }
    [[nodiscard]] ip_prefix virtual_address(std::size_t router = 0) const;
    // How many rules and routes follow it: one of each.
    [[nodiscard]] static constexpr std::size_t policy_parts() { return 2; }
    // Of the interface that is moved: the addresses that a machine is to have of it; and a route to its subnet, one beyond, and
    // a rule from each address.
    [[nodiscard]] std::size_t floating_address_count() const
    {
        return addresses_of_interface == floating_addresses::two ? 2 : 1;
    }
    [[nodiscard]] std::size_t floating_parts() const { return 2 + floating_address_count(); }
    [[nodiscard]] std::string interface_id(std::size_t machine) const;
    [[nodiscard]] std::string table_id(std::size_t table) const;
    [[nodiscard]] static std::string prefix_list_id() { return "pl-00000000000000001"; }
    [[nodiscard]] bool moves_more() const { return moves_secondary_ip || moves_elastic_ip || moves_interface; }
    // Whether an address is moved that is nobody's in between.
    [[nodiscard]] bool has_ipv6_gap() const { return moves_secondary_ip && family == ip_family::v6; }
    [[nodiscard]] ip_address secondary_ip() const;
    [[nodiscard]] static std::string allocation_id() { return "eipalloc-00000000000000001"; }
    [[nodiscard]] static std::string floating_id() { return "eni-0000000000000f10a"; }
    // The primary one, and one more.
    [[nodiscard]] static ip_address floating_address(std::size_t number);
    // Of a machine, where an interface is moved: what others may attach to it. With both it has no room left.
    [[nodiscard]] static std::string other_interface_id(std::size_t machine, std::size_t number);
    static constexpr std::size_t other_interfaces = 2;
    [[nodiscard]] config::configuration configuration(std::size_t machine) const;
    [[nodiscard]] duration interval_of(std::size_t machine) const
    {
        const auto own = machines.at(machine).advert_interval;
        return own > duration::zero() ? own : advert_interval;
    }
    [[nodiscard]] duration interval_min() const;
    [[nodiscard]] duration interval_max() const;
    // That of the defaults: what takes how long is told of clusters that have it.
    [[nodiscard]] bool has_usual_timing() const
    {
        return interval_min() == interval_max() && version == vrrp::version::v3 && advert_interval == std::chrono::seconds{1} &&
               down_timer_adverts == 3;
    }
    // The longest Active_Down_Interval of any machine (RFC 9568 6.1).
    [[nodiscard]] duration down_interval_max() const;
    [[nodiscard]] std::string to_string() const;
};

// What listens on this port of the machine itself.
config::tracker service_tracker(std::string name, std::uint16_t port);

cluster_options draw_options(random_source& random);

}  // namespace vipd::sim
