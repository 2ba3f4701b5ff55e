#include "tests/sim/account.hpp"

#include <fmt/format.h>

namespace vipd::sim {

namespace {

cloud::subnet_id subnet_of(unsigned zone)
{
    return cloud::subnet_id{fmt::format("subnet-{:017x}", zone + 1)};
}

void add_machine(cloud::cloud_state& state, std::size_t number, const cloud::instance_type_name& type, unsigned zone,
                 const ip_address& address, const std::string& interface, time_point now)
{
    cloud::instance i;
    i.id = instance_of(number);
    i.name = fmt::format("node-{}", number);
    i.type = type;
    i.subnet = subnet_of(zone);
    i.role = fmt::format("vipd-{}", number);
    cloud::network_interface e;
    e.id = cloud::network_interface_id{interface};
    e.subnet = i.subnet;
    e.mac = mac_of(number);
    // Every interface of EC2 has an IPv4 address.
    e.addresses = {*ip_address::parse(fmt::format("10.0.{}.{}", zone + 1, number + 10))};
    if (address.family() == ip_family::v6) {
        e.addresses6 = {address};
    }
    e.source_dest_check = false;
    e.attached = cloud::attachment{fmt::format("eni-attach-{:017x}", number + 1), i.id, 0};
    state.instances.emplace(i.id, cloud::versioned<cloud::instance>{now, i});
    state.interfaces.emplace(e.id, cloud::versioned<cloud::network_interface>{now, e});
}

void add_twin_vpc(cloud::cloud_state& state, const cluster_options& options, time_point now)
{
    const cloud::vpc_id vpc{"vpc-00000000000000002"};
    const cloud::subnet_id subnet{"subnet-00000000000000009"};
    state.vpcs.emplace(vpc, cloud::vpc{vpc, {*ip_prefix::parse("10.0.0.0/16")}, {}, {}});
    state.subnets.emplace(subnet, cloud::subnet{subnet, vpc, "eu-west-1a", {*ip_prefix::parse("10.0.1.0/24")}});
    cloud::network_interface e;
    e.id = cloud::network_interface_id{"eni-00000000000000000"};
    e.subnet = subnet;
    e.mac = "02:00:00:00:02:00";
    e.addresses = {options.secondary_ip(), cluster_options::floating_address(0)};
    state.interfaces.emplace(e.id, cloud::versioned<cloud::network_interface>{now, e});
}

}  // namespace

cloud::vpc_id the_vpc()
{
    return cloud::vpc_id{"vpc-00000000000000001"};
}

cloud::route_destination destination_of(const cluster_options& options, std::size_t router)
{
    if (router == 0 && options.by_prefix_list) {
        return cloud::prefix_list_id{cluster_options::prefix_list_id()};
    }
    return options.virtual_address(router);
}

std::string mac_of(std::size_t machine)
{
    return fmt::format("02:00:00:00:00:{:02x}", machine + 16);
}

std::string mac_of_floating()
{
    return "02:00:00:00:00:f0";
}

cloud::instance_id instance_of(std::size_t machine)
{
    return cloud::instance_id{fmt::format("i-{:017x}", machine + 1)};
}

std::string role_of(std::size_t machine)
{
    return fmt::format("role/vipd-{}", machine);
}

cloud::topology make_account(const cluster_options& options, time_point now)
{
    cloud::topology account;
    auto& state = account.state;
    const auto vpc = the_vpc();
    state.vpcs.emplace(
        vpc,
        cloud::vpc{vpc, {*ip_prefix::parse("10.0.0.0/16"), *ip_prefix::parse("2001:db8::/48")}, {}, "igw-00000000000000001"});
    for (unsigned zone = 0; zone < 2; ++zone) {
        const auto id = subnet_of(zone);
        state.subnets.emplace(id, cloud::subnet{id,
                                                vpc,
                                                zone == 0 ? "eu-west-1a" : "eu-west-1b",
                                                {*ip_prefix::parse(fmt::format("10.0.{}.0/24", zone + 1)),
                                                 *ip_prefix::parse(fmt::format("2001:db8:0:{:x}::/64", zone + 1))}});
    }
    // The smallest has the indices 0 and 1 alone.
    const bool has_more = options.has_spare_index || options.device_index.value_or(1) > 1;
    const cloud::instance_type_name type{has_more ? "t3.small" : "t3.micro"};
    for (std::size_t i = 0; i < options.machines.size(); ++i) {
        add_machine(state, i, type, options.machines[i].zone, options.address(i), options.interface_id(i), now);
    }
    const auto stranger = options.machines.size();
    add_machine(state, stranger, type, 0, *ip_address::parse("10.0.1.200"), options.interface_id(stranger), now);
    if (options.moves_elastic_ip) {
        cloud::elastic_ip elastic;
        elastic.id = cloud::allocation_id{cluster_options::allocation_id()};
        elastic.public_address = *ip_address::parse("203.0.113.10");
        state.elastic_ips.emplace(elastic.id, cloud::versioned<cloud::elastic_ip>{now, elastic});
    }
    if (options.moves_interface) {
        cloud::network_interface floating;
        floating.id = cloud::network_interface_id{cluster_options::floating_id()};
        floating.subnet = subnet_of(0);
        floating.mac = mac_of_floating();
        floating.addresses = {cluster_options::floating_address(0)};
        if (options.addresses_of_interface != floating_addresses::one) {
            floating.addresses.push_back(cluster_options::floating_address(1));
        }
        floating.tags.emplace("Name", "floating");
        state.interfaces.emplace(floating.id, cloud::versioned<cloud::network_interface>{now, floating});
        for (std::size_t place = 0; place < options.machines.size() * cluster_options::other_interfaces; ++place) {
            const auto machine = place / cluster_options::other_interfaces;
            cloud::network_interface other;
            other.id = cloud::network_interface_id{
                cluster_options::other_interface_id(machine, place % cluster_options::other_interfaces)};
            other.subnet = subnet_of(0);
            other.mac = fmt::format("02:00:00:00:01:{:02x}", place);
            other.addresses = {*ip_address::parse(fmt::format("10.0.1.{}", 160 + place))};
            state.interfaces.emplace(other.id, cloud::versioned<cloud::network_interface>{now, other});
        }
    }
    if (options.has_twin_vpc) {
        add_twin_vpc(state, options, now);
    }
    if (options.by_prefix_list) {
        const cloud::prefix_list_id id{cluster_options::prefix_list_id()};
        state.prefix_lists.emplace(id, cloud::prefix_list{id, "virtual-ips", {options.virtual_address()}});
    }
    for (std::size_t t = 0; t < options.tables; ++t) {
        cloud::route_table table;
        table.id = cloud::route_table_id{options.table_id(t)};
        table.vpc = vpc;
        table.tags.emplace("Name", fmt::format("private-{}", t));
        if (t == 0) {
            table.associations.push_back({"rtbassoc-00000000000000001", true, {}, {}});
        }
        if (options.routes_exist) {
            for (std::size_t router = 0; router < (t == 0 ? options.routers() : 1); ++router) {
                table.routes.push_back(
                    {destination_of(options, router), {options.interface_id(stranger)}, cloud::route_origin::create_route});
            }
        }
        state.tables.emplace(table.id, cloud::versioned<cloud::route_table>{now, table});
    }
    return account;
}

}  // namespace vipd::sim
