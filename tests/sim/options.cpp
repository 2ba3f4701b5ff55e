#include "tests/sim/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vipd::sim {

using namespace std::chrono_literals;

namespace {

template <class T, std::size_t N>
T pick(random_source& random, const std::array<T, N>& choices)
{
    return choices[random.below(N)];
}

std::size_t draw_size(random_source& random)
{
    const auto draw = random.unit();
    return draw < 0.7 ? 3 : (draw < 0.9 ? 2 : 5);
}

std::optional<auth_options> draw_auth(random_source& random)
{
    if (!random.chance(0.3)) {
        return std::nullopt;
    }
    using vrrp::hmac_mode;
    return auth_options{pick(random, std::array<hmac_mode, 4>{hmac_mode::enforce, hmac_mode::enforce, hmac_mode::permissive,
                                                              hmac_mode::receive_only}),
                        random.chance(0.7) ? vrrp::anti_replay::time : vrrp::anti_replay::monotonic,
                        random.chance(0.5) ? duration{5s} : duration{30s}};
}

void draw_machines(random_source& random, cluster_options& o)
{
    o.machines.resize(draw_size(random));
    const bool all_equal = random.chance(0.2);
    const bool clocks_differ = random.chance(0.2);
    for (auto& m : o.machines) {
        m.priority = all_equal ? 100 : static_cast<std::uint8_t>(1 + random.below(254));
        m.zone = static_cast<unsigned>(random.below(2));
        if (clocks_differ) {
            // A sequence that only grows goes by the monotonic clock, and by the time of day after a restart.
            const bool is_bound = o.auth && o.auth->against_replay == vrrp::anti_replay::monotonic;
            const auto drift_max = pick(random, std::array<std::int64_t, 3>{50, 500, is_bound ? 500 : 20'000});
            m.clock_drift_ppm = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * drift_max))) - drift_max;
            // Who signs with the time keeps it, within the window.
            m.wall_offset = o.auth ? random.between(-o.auth->window / 4, o.auth->window / 4) : random.between(-200s, 200s);
        }
        m.lacks_inbound_rule = random.chance(0.05);
    }
}

// By a generator of its own, so that what else a seed draws is the same with and without.
void draw_moves(random_source random, cluster_options& o)
{
    if (!random.chance(0.3)) {
        return;
    }
    o.moves_secondary_ip = random.chance(0.6);
    o.moves_elastic_ip = random.chance(0.4);
    o.moves_interface = random.chance(0.4);
    if (o.moves_more()) {
        for (auto& m : o.machines) {
            m.zone = 0;
        }
    }
}

// Likewise.
void draw_health(random_source random, cluster_options& o)
{
    o.notices = random.chance(0.05);
    o.tracks = random.chance(0.25);
    if (o.tracks) {
        o.tracker_weight = pick(random, std::array<std::optional<std::int16_t>, 3>{std::nullopt, -60, 40});
    }
}

// Likewise.
void draw_group(random_source random, cluster_options& o)
{
    o.sync_group = random.chance(0.08);
}

// Likewise.
void draw_destination(random_source random, cluster_options& o)
{
    o.by_prefix_list = random.chance(0.1);
}

// With this one the clusters of regression_seeds.txt are what they were.
constexpr std::uint64_t seed_of_shapes = 15;

// Likewise: in which shape it is that something is moved beside the routes.
void draw_shape(random_source random, cluster_options& o)
{
    if (!random.chance(0.6)) {
        return;
    }
    if (o.moves_secondary_ip && o.version == vrrp::version::v3 && random.chance(0.5)) {
        o.family = ip_family::v6;
    }
    if (o.moves_secondary_ip && o.moves_elastic_ip && o.family == ip_family::v4) {
        o.elastic_on_secondary = random.chance(0.7);
    }
    if (o.moves_interface) {
        using enum interface_choice;
        o.interface_match = pick(random, std::array{by_id, by_tag, by_address});
        o.addresses_of_interface =
            pick(random, std::array{floating_addresses::one, floating_addresses::two, floating_addresses::one_of_two});
        o.device_index = pick(random, std::array<std::optional<unsigned>, 3>{std::nullopt, 1, 2});
        o.force_after = pick(random, std::array<duration, 3>{10s, 3s, 25s});
    }
}

constexpr std::uint64_t seed_of_times = 1;
constexpr std::uint64_t seed_of_elections = 1;
constexpr std::uint64_t seed_of_changes = 2;

// Likewise: how long EC2 takes to move a thing, and its metadata service to tell of it.
void draw_times(random_source random, cluster_options& o)
{
    if (o.moves_more()) {
        o.move_time_max = pick(random, std::array<duration, 4>{0s, 500ms, 3s, 8s});
        o.imds_lag = pick(random, std::array<duration, 4>{0s, 0s, 1s, 5s});
        o.has_twin_vpc = o.family == ip_family::v4 && random.chance(0.3);
        o.has_spare_index = o.moves_interface && random.chance(0.3);
    }
}

// Likewise: what few clusters have of an election. The seeds of regression_seeds.txt have none of it.
void draw_elections(random_source random, cluster_options& o)
{
    if (random.chance(0.04)) {
        o.startup_delay = pick(random, std::array<duration, 3>{2s, 5s, 20s});
    }
    // A Backup of version 3 waits by the interval that it hears; one of version 2 hears no other than its own.
    if (random.chance(0.04) && o.version == vrrp::version::v3) {
        for (auto& m : o.machines) {
            m.advert_interval = pick(random, std::array<duration, 4>{200ms, 500ms, 1s, 2s});
        }
    }
    if (random.chance(0.04) && !o.sync_group) {
        o.address_owner = random.below(o.machines.size());
        o.machines[*o.address_owner].priority = vrrp::priority_owner;
    }
}

// Likewise: what reloads change of an election.
void draw_changes(random_source random, cluster_options& o)
{
    // Of version 2 every machine has to have the same interval at every moment.
    if (random.chance(0.06) && o.version == vrrp::version::v3) {
        o.later_interval = pick(random, std::array<duration, 5>{200ms, 500ms, 1s, 2s, 3s});
    }
}

// What is moved beside routes.
void add_moves(config::router& r, const cluster_options& o)
{
    if (o.moves_secondary_ip) {
        auto& secondary = r.secondary_ips.emplace_back();
        secondary.address = o.secondary_ip();
        secondary.interface = "ens5";
    }
    if (o.moves_elastic_ip) {
        auto& elastic = r.elastic_ips.emplace_back();
        elastic.allocation = aws::allocation_id{cluster_options::allocation_id()};
        elastic.interface = "ens5";
        if (o.elastic_on_secondary) {
            elastic.private_address = o.secondary_ip();
        }
    }
    if (o.moves_interface) {
        auto& floating = r.enis.emplace_back();
        switch (o.interface_match) {
            case interface_choice::by_id:
                floating.match.id = aws::network_interface_id{cluster_options::floating_id()};
                break;
            case interface_choice::by_tag:
                floating.match.tags = {{"Name", "float*"}};
                break;
            case interface_choice::by_address:
                floating.match.address = cluster_options::floating_address(0);
                break;
        }
        if (o.addresses_of_interface == floating_addresses::one_of_two) {
            floating.addresses = {cluster_options::floating_address(1)};
        }
        floating.device_index = o.device_index;
        floating.force_after = o.force_after;
    }
}

// An election, an address, and a route in the first table.
config::router plain_router(const cluster_options& o, std::size_t machine, std::size_t router)
{
    config::router r;
    r.name = cluster_options::router_name(router);
    r.vrid = cluster_options::vrid(router);
    r.version = o.version;
    r.priority = o.machines.at(machine).priority;
    r.interface = "ens5";
    for (std::size_t peer = 0; peer < o.machines.size(); ++peer) {
        if (peer != machine) {
            r.peers.push_back({o.address(peer), vrrp::ttl_sent});
        }
    }
    r.advert_interval = o.interval_of(machine);
    r.down_timer_adverts = o.down_timer_adverts;
    r.preempt = o.preempt;
    r.preempt_delay = o.preempt_delay;
    r.drain = o.drain;
    r.address_owner = o.address_owner == machine;
    r.startup_delay = r.address_owner ? duration::zero() : o.startup_delay;
    if (o.auth) {
        r.auth.hmac = vrrp::hmac_settings{o.auth->mode, o.auth->against_replay, o.auth->window, 1, {key_of(1)}};
    }
    const auto address = o.virtual_address(router);
    r.advertised_addresses = {address.address()};
    r.addresses.emplace_back().address = address;
    auto& route = r.routes.emplace_back();
    route.destination = router == 0 && o.by_prefix_list ? aws::route_destination::prefix_list(cluster_options::prefix_list_id())
                                                        : aws::route_destination::cidr(address);
    route.interface = "ens5";
    route.tables.ids.emplace_back(o.table_id(0));
    return r;
}

}  // namespace

vrrp::identified_secret key_of(std::uint8_t id)
{
    const std::string bytes(vrrp::hmac_secret::size_min, static_cast<char>(0x80U + id));
    return {id, *vrrp::hmac_secret::from_file(byte_view{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()})};
}

ip_address cluster_options::address(std::size_t machine) const
{
    const auto zone = machines.at(machine).zone;
    return family == ip_family::v4 ? *ip_address::parse(fmt::format("10.0.{}.{}", zone + 1, machine + 10))
                                   : *ip_address::parse(fmt::format("2001:db8:0:{:x}::{:x}", zone + 1, machine + 16));
}

ip_prefix cluster_options::virtual_address(std::size_t router) const
{
    if (family == ip_family::v4) {
        return ip_prefix::host(ip_address::v4(172, 16, static_cast<std::uint8_t>(router + 1), 100));
    }
    return ip_prefix::host(*ip_address::parse(fmt::format("2001:db8:ffff:{}::100", router)));
}

ip_address cluster_options::secondary_ip() const
{
    return *ip_address::parse(family == ip_family::v4 ? "10.0.1.150" : "2001:db8:0:1::150");
}

ip_address cluster_options::floating_address(std::size_t number)
{
    return *ip_address::parse(fmt::format("10.0.1.{}", 151 + number));
}

std::string cluster_options::interface_id(std::size_t machine) const
{
    return fmt::format("eni-{:017x}", machine + 1);
}

std::string cluster_options::other_interface_id(std::size_t machine, std::size_t number)
{
    return fmt::format("eni-{:017x}", 0xf2000 + 16 * machine + number);
}

std::string cluster_options::table_id(std::size_t table) const
{
    return fmt::format("rtb-{:017x}", table + 1);
}

config::configuration cluster_options::configuration(std::size_t machine) const
{
    config::configuration c;
    c.aws.region = "eu-west-1";
    c.notices = {.spot = notices, .rebalance = false, .scheduled_events = notices, .auto_scaling = notices};
    auto r = plain_router(*this, machine, 0);
    r.api_weight = api_weight;
    if (tracks) {
        r.trackers = {service_tracker("service", 8080)};
        r.trackers.front().weight = tracker_weight;
    }
    if (hooks) {
        auto& programs = r.hooks.emplace();
        programs.commands.fill({{"/hook"}});
        programs.notify.argv = {"/notify"};
    }
    // Replies of the virtual address leave by a table of their own.
    config::policy_entry policy;
    policy.table = 100;
    policy.rules.emplace_back().from = config::rule_prefix{virtual_address()};
    policy.rules.back().priority = 100;
    auto& reply = policy.routes.emplace_back();
    reply.family = family;
    reply.interface = "ens5";
    reply.source = virtual_address().address();
    r.policies = {policy};
    switch (auto& of_route = r.routes.front().tables; chosen) {
        case table_choice::by_id:
            for (std::size_t t = 1; t < tables; ++t) {
                of_route.ids.emplace_back(table_id(t));
            }
            break;
        case table_choice::whole_vpc:
            of_route = {};
            of_route.whole_vpc = true;
            break;
        case table_choice::by_tag:
            of_route = {};
            of_route.tags = {{"Name", "private-*"}};
            break;
    }
    add_moves(r, *this);
    c.routers = {r};
    if (sync_group) {
        c.routers.push_back(plain_router(*this, machine, 1));
        c.sync_groups = {{"all", {router_name(0), router_name(1)}}};
    }
    return c;
}

duration cluster_options::down_interval_max() const
{
    return interval_max() * (down_timer_adverts + 1);
}

config::tracker service_tracker(std::string name, std::uint16_t port)
{
    config::tracker t;
    t.name = std::move(name);
    t.what = {.target = config::tcp_check{ip_address::v4(127, 0, 0, 1), port},
              .interval = 500ms,
              .timeout = 300ms,
              .rise = 2,
              .fall = 2};
    return t;
}

duration cluster_options::interval_min() const
{
    auto least = later_interval > 0s ? std::min(later_interval, interval_of(0)) : interval_of(0);
    for (std::size_t i = 1; i < machines.size(); ++i) {
        least = std::min(least, interval_of(i));
    }
    return least;
}

duration cluster_options::interval_max() const
{
    auto most = std::max(later_interval, interval_of(0));
    for (std::size_t i = 1; i < machines.size(); ++i) {
        most = std::max(most, interval_of(i));
    }
    return most;
}

cluster_options draw_options(random_source& random)
{
    cluster_options o;
    o.auth = draw_auth(random);
    draw_machines(random, o);
    o.family = random.chance(0.1) ? ip_family::v6 : ip_family::v4;
    o.version = o.family == ip_family::v4 && random.chance(0.15) ? vrrp::version::v2 : vrrp::version::v3;
    o.advert_interval = o.version == vrrp::version::v2
                            ? pick(random, std::array<duration, 3>{1s, 1s, 2s})
                            : pick(random, std::array<duration, 8>{1s, 1s, 1s, 1s, 1s, 200ms, 500ms, 3s});
    o.down_timer_adverts = random.chance(0.2) ? 5 : 3;
    o.preempt = random.chance(0.8);
    o.preempt_delay = pick(random, std::array<duration, 5>{0s, 0s, 1s, 10s, 60s});
    o.drain = pick(random, std::array<duration, 3>{1s, 0s, 5s});
    o.api_weight = pick(random, std::array<std::int16_t, 6>{0, 0, 0, 0, -60, 40});
    o.tables = pick(random, std::array<std::size_t, 6>{1, 1, 1, 2, 3, 5});
    o.chosen = pick(random, std::array<table_choice, 4>{table_choice::by_id, table_choice::by_id, table_choice::whole_vpc,
                                                        table_choice::by_tag});
    o.routes_exist = random.chance(0.7);
    o.cloud_latency = random.between(5ms, 200ms);
    if (random.chance(0.3)) {
        o.stale_reads = 0.5 * random.unit();
        o.stale_reads_lag = pick(random, std::array<duration, 3>{500ms, 3s, 30s});
    }
    o.credential_lifetime = random.chance(0.2) ? duration{15min} : duration{6h};
    if (random.chance(0.2)) {
        o.network.loss = 0.05 * random.unit();
        o.network.duplicate = 0.05 * random.unit();
    }
    auto aside = random;
    draw_moves(random_source{~aside.next()}, o);
    draw_health(random_source{~aside.next()}, o);
    draw_group(random_source{~aside.next()}, o);
    draw_destination(random_source{~aside.next()}, o);
    draw_shape(random_source{aside.next() ^ seed_of_shapes}, o);
    draw_times(random_source{aside.next() ^ seed_of_times}, o);
    draw_elections(random_source{aside.next() ^ seed_of_elections}, o);
    draw_changes(random_source{aside.next() ^ seed_of_changes}, o);
    return o;
}

std::string cluster_options::to_string() const
{
    std::string text = fmt::format(
        "{} machines, IPv{}, VRRPv{}, A = {} ms, {} adverts, preempt {} after {} s, drain {} s, {} tables ({}), routes {}, "
        "EC2 {} ms, stale reads {:.2f} up to {} ms, credentials for {} min, loss {:.3f}, api_weight {}{}\n",
        machines.size(), family == ip_family::v4 ? 4 : 6, static_cast<unsigned>(version),
        std::chrono::round<std::chrono::milliseconds>(advert_interval).count(), down_timer_adverts, preempt,
        to_seconds(preempt_delay), to_seconds(drain), tables,
        chosen == table_choice::by_id ? "by id" : (chosen == table_choice::whole_vpc ? "all of the VPC" : "by tag"),
        routes_exist ? "exist" : "missing", std::chrono::round<std::chrono::milliseconds>(cloud_latency).count(), stale_reads,
        std::chrono::round<std::chrono::milliseconds>(stale_reads_lag).count(),
        std::chrono::duration_cast<std::chrono::minutes>(credential_lifetime).count(), network.loss, api_weight,
        auth ? fmt::format(", hmac {} ({}, {} s)", vrrp::to_string(auth->mode), vrrp::to_string(auth->against_replay),
                           to_seconds(auth->window))
             : "");
    text += by_prefix_list ? "  the routes are for a managed prefix list\n" : "";
    if (moves_more()) {
        text += fmt::format("  moved besides:{}{}{}{}\n", moves_secondary_ip ? " a secondary address" : "",
                            moves_elastic_ip ? " an Elastic IP" : "", elastic_on_secondary ? " of that address" : "",
                            moves_interface ? " an interface" : "");
        text += fmt::format("  a move takes up to {} s, and the metadata service lags {} s behind\n", to_seconds(move_time_max),
                            to_seconds(imds_lag));
    }
    if (moves_interface) {
        constexpr std::array choices = {"its id", "a tag", "an address"};
        constexpr std::array shapes = {"one address", "two addresses", "one address of its two"};
        text += fmt::format(
            "  the interface is found by {}, with {}, at {}, forced after {} s\n",
            choices.at(static_cast<std::size_t>(interface_match)), shapes.at(static_cast<std::size_t>(addresses_of_interface)),
            fmt::format("{}{}", device_index ? fmt::format("index {}", *device_index) : "whichever index is free",
                        has_spare_index ? ", of instances that have one more" : ""),
            to_seconds(force_after));
    }
    if (tracks) {
        text += tracker_weight ? fmt::format("  a service is tracked with weight {}\n", *tracker_weight)
                               : "  a service is tracked\n";
    }
    text += sync_group ? "  a second router is in a sync group with the first\n" : "";
    text += startup_delay > 0s ? fmt::format("  startup_delay {} s\n", to_seconds(startup_delay)) : "";
    text += later_interval > 0s ? fmt::format("  reloads give machines A = {} ms\n",
                                              std::chrono::round<std::chrono::milliseconds>(later_interval).count())
                                : "";
    text += notices ? "  machines ask what EC2 announces\n" : "";
    for (std::size_t i = 0; i < machines.size(); ++i) {
        const auto& m = machines[i];
        text += fmt::format("  machine {}: {} priority {}, zone {}, clock {:+d} ppm, wall {:+.0f} s, A = {} ms{}\n", i,
                            address(i).to_string(), m.priority, m.zone, m.clock_drift_ppm, to_seconds(m.wall_offset),
                            std::chrono::round<std::chrono::milliseconds>(interval_of(i)).count(),
                            m.lacks_inbound_rule ? ", no inbound rule for protocol 112" : "");
    }
    return text;
}

}  // namespace vipd::sim
