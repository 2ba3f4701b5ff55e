// Secondary private addresses. IPv4 ones can be taken from another interface of the subnet; IPv6 ones have to be let go first.

#include "tests/cloud/ec2_model.hpp"

#include <algorithm>

namespace vipd::cloud {

namespace {

api_error invalid(std::string message)
{
    return {"InvalidParameterValue", std::move(message)};
}

// The next address; IPv4 and IPv6 alike.
ip_address successor(const ip_address& address)
{
    std::vector<std::uint8_t> bytes(address.bytes().begin(), address.bytes().end());
    for (auto byte = bytes.rbegin(); byte != bytes.rend() && ++*byte == 0; ++byte) {}
    return ip_address::from_bytes(bytes);
}

}  // namespace

api_result<resources> ec2_model::named(const assign_addresses& call) const
{
    return named_interface(call.interface);
}

api_result<resources> ec2_model::named(const unassign_addresses& call) const
{
    return named_interface(call.interface);
}

api_result<void> ec2_model::check_address(const assign_addresses& call, const network_interface& interface,
                                          const ip_address& address) const
{
    const auto text = address.to_string();
    const auto* where = state_.find_subnet(interface.subnet);
    if (where == nullptr || !where->contains(address)) {
        return invalid("Address " + text + " does not fall within the subnet's address range");
    }
    if (where->is_reserved(address)) {
        return invalid("Address " + text + " is in subnet's reserved address range");
    }
    const auto* holder = primary().holder(interface.subnet, address);
    if (holder == nullptr) {
        return {};
    }
    if (call.family == ip_family::v6) {
        return invalid("The IPv6 address " + text + " is already assigned to the network interface " + holder->id.str() +
                       ". It has to be unassigned there first.");
    }
    if (holder->is_primary(address)) {
        return invalid("The address " + text + " is the primary address of the network interface " + holder->id.str() +
                       " and cannot be reassigned.");
    }
    if (!call.allow_reassignment) {
        return invalid("Some of [" + text + "] have already been assigned to the network interface " + holder->id.str() +
                       "; reassignment was not allowed.");
    }
    return {};
}

api_result<void> ec2_model::check_address_room(const network_interface& interface, ip_family family, std::size_t more) const
{
    const auto* machine = primary().machine_of(interface);
    if (machine == nullptr) {
        return {};  // counted when it is attached
    }
    const auto type = state_.type_of(*machine);
    const auto room = family == ip_family::v4 ? type.ipv4_addresses_per_interface : type.ipv6_addresses_per_interface;
    if (interface.addresses_of(family).size() + more > room) {
        return api_error{"PrivateIpAddressLimitExceeded",
                         interface.id.str() + ": Number of private addresses will exceed limit."};
    }
    return {};
}

// The lowest that nobody has; EC2 draws them.
api_result<std::vector<ip_address>> ec2_model::choose_addresses(const assign_addresses& call,
                                                                const network_interface& interface) const
{
    std::vector<ip_address> chosen;
    const auto& cidrs = state_.find_subnet(interface.subnet)->cidrs;
    const auto cidr = std::ranges::find(cidrs, call.family, &ip_prefix::family);
    if (cidr == cidrs.end()) {
        return invalid("The subnet " + interface.subnet.str() + " has no CIDR block of this family");
    }
    constexpr unsigned looked_at_max = 65'536;
    auto candidate = cidr->canonical().address();
    for (unsigned i = 0; i < looked_at_max && cidr->contains(candidate) && chosen.size() < call.count; ++i) {
        if (i >= 4 && !state_.find_subnet(interface.subnet)->is_reserved(candidate) &&
            primary().holder(interface.subnet, candidate) == nullptr) {
            chosen.push_back(candidate);
        }
        candidate = successor(candidate);
    }
    if (chosen.size() < call.count) {
        return api_error{"InsufficientFreeAddressesInSubnet",
                         "The subnet " + interface.subnet.str() + " does not have enough free addresses for the request."};
    }
    return chosen;
}

api_result<assigned_addresses> ec2_model::apply(const occasion& when, const assign_addresses& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    const auto& interface = *primary().interface(call.interface);
    auto wanted = call.addresses;
    if (call.count > 0) {
        const auto chosen = choose_addresses(call, interface);
        if (!chosen) {
            return chosen.error();
        }
        wanted = *chosen;
    }
    std::vector<ip_address> absent;
    for (const auto& address : wanted) {
        // What it has already is no error, and is not counted.
        if (call.allow_reassignment && interface.has(address) && !interface.is_primary(address)) {
            continue;
        }
        if (const auto possible = check_address(call, interface, address); !possible) {
            return possible.error();
        }
        absent.push_back(address);
    }
    if (const auto fits = check_address_room(interface, call.family, absent.size()); !fits) {
        return fits.error();
    }
    const auto subnet = interface.subnet;
    for (const auto& address : absent) {
        if (primary().holder(subnet, address) == nullptr) {
            move_address(when.now.steady, call.interface, address);
        } else {
            begin(when, times_.reassign, address_moves{call.interface, address});
        }
    }
    return assigned_addresses{call.interface, std::move(wanted)};
}

api_result<unassigned_addresses> ec2_model::apply(const occasion& when, const unassign_addresses& call)
{
    if (const auto known = named(call); !known) {
        return known.error();
    }
    const auto& interface = *primary().interface(call.interface);
    for (const auto& address : call.addresses) {
        if (!interface.has(address)) {
            return invalid("Some of the specified addresses are not assigned to interface " + interface.id.str());
        }
        if (interface.is_primary(address)) {
            return invalid("The primary address " + address.to_string() + " of the network interface " + interface.id.str() +
                           " cannot be unassigned.");
        }
    }
    for (const auto& address : call.addresses) {
        take_address(when.now.steady, call.interface, address);
    }
    return unassigned_addresses{call.interface, call.addresses};
}

void ec2_model::carry_out(time_point at, const address_moves& what)
{
    if (const auto* interface = primary().interface(what.to)) {
        const auto* holder = primary().holder(interface->subnet, what.address);
        if (holder == nullptr || !holder->is_primary(what.address)) {
            move_address(at, what.to, what.address);
        }
    }
}

// An Elastic IP on it is nobody's any longer.
void ec2_model::take_address(time_point at, const network_interface_id& from, const ip_address& address)
{
    if (const auto* elastic = primary().associated_with(from, address)) {
        disassociate(at, *elastic);
    }
    auto changed = *primary().interface(from);
    std::erase(changed.addresses_of(address.family()), address);
    put(at, std::move(changed));
}

// An Elastic IP on it comes along.
void ec2_model::move_address(time_point at, const network_interface_id& to, const ip_address& address)
{
    const auto* holder = primary().holder(primary().interface(to)->subnet, address);
    if (holder != nullptr && holder->id == to) {
        return;
    }
    std::optional<elastic_ip> moved;
    if (holder != nullptr) {
        if (const auto* elastic = primary().associated_with(holder->id, address)) {
            moved = *elastic;
        }
        auto without = *holder;
        std::erase(without.addresses_of(address.family()), address);
        put(at, std::move(without));
    }
    auto with = *primary().interface(to);
    with.addresses_of(address.family()).push_back(address);
    put(at, std::move(with));
    if (moved) {
        moved->interface = to;
        put(at, std::move(*moved));
    }
}

bool ec2_model::put_address(time_point now, const ip_address& address, const network_interface_id& to)
{
    const auto is_in_the_way = [&](const network_interface* holder) {
        return holder != nullptr && holder->is_primary(address);
    };
    if (!to.empty()) {
        const auto* interface = primary().interface(to);
        if (interface == nullptr || is_in_the_way(primary().holder(interface->subnet, address))) {
            return false;
        }
        move_address(now, to, address);
        return true;
    }
    for (const auto& [id, versions] : state_.interfaces) {
        const auto* interface = versions.current();
        if (interface != nullptr && interface->has(address)) {
            if (interface->is_primary(address)) {
                return false;
            }
            take_address(now, id, address);
            return true;
        }
    }
    return false;
}

}  // namespace vipd::cloud
