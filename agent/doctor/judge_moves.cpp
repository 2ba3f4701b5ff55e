#include "agent/doctor/judgements.hpp"
#include "agent/doctor/networks.hpp"
#include "agent/doctor/questions.hpp"
#include "common/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace vipd::doctor {

namespace {

std::string name_of_table(const aws::route_table& table)
{
    return table.name.empty() ? table.id.str() : fmt::format("{} ({})", table.id.str(), table.name);
}

// Findings of one router, one kind of thing after the other.
class move_judge {
public:
    move_judge(const evidence& known, const config::router& router, section& out) :
        known_(known), router_(router), all_(holdings_of(known)), out_(out)
    {}

    void judge(const takeover::wanted_route& route);
    void judge_source_dest_check(const aws::network_interface_id& id, bool may_disable);
    void judge(const takeover::secondary_address& address);
    void judge(const takeover::elastic_ip& elastic);
    void judge(const takeover::floating_interface& floating) { judge_interface(known_, router_, floating, all_, out_); }
    void judge(const takeover::route_in_table& /*one*/) {}

private:
    void judge_destination(const std::string& check, const ip_prefix& destination, const aws::network_interface& target);
    void judge_tables(const std::string& check, const takeover::wanted_route& route);
    void judge_table(const std::string& check, const takeover::wanted_route& route, const aws::route_table& table,
                     std::map<std::string, std::vector<std::string>>& owners);
    // Whether there is room, as far as is known; what stands against it has been said.
    [[nodiscard]] bool judge_address_room(const std::string& check, const takeover::secondary_address& address,
                                          const aws::network_interface& target);
    [[nodiscard]] bool comes_to(const ip_address& address, const aws::network_interface_id& target) const;

    const evidence& known_;
    const config::router& router_;
    const holdings all_;
    section& out_;
};

// --- routes ---

void move_judge::judge(const takeover::wanted_route& route)
{
    const auto check = "route " + route.destination.to_string();
    const auto target = known_.answers.interface(route.target);
    if (!target) {
        if (target.error().kind == error_class::not_found) {
            out_.fail(check, target.error().text, "put right interface_id in [[router.route]]");
        } else {
            out_.skip(check, target.error().text);
        }
        return;
    }
    if (const auto* const prefix = std::get_if<ip_prefix>(&route.destination.value)) {
        judge_destination(check, *prefix, *target);
    } else {
        out_.skip(check, "what is in a prefix list is not looked at",
                  "its entries have to lie outside of the VPC's CIDRs, or be whole subnets");
    }
    judge_tables(check, route);
}

void move_judge::judge_destination(const std::string& check, const ip_prefix& destination, const aws::network_interface& target)
{
    const auto vpcs = known_.answers.get<aws::vpcs>(aws::describe_vpcs{{target.vpc}});
    if (!vpcs || vpcs->all.empty()) {
        out_.skip(check,
                  fmt::format("whether it lies outside of {} is not known{}{}", target.vpc.str(), vpcs ? "" : ": ",
                              vpcs ? "" : vpcs.error().text),
                  vpcs ? std::string{} : std::string{remedy_of(vpcs.error())});
        return;
    }
    const auto& cidrs = vpcs->all.front().cidrs;
    const auto subnets = known_.answers.get<aws::subnets>(aws::describe_subnets{target.vpc});
    const auto vpc = fmt::format("{} ({})", target.vpc.str(), listed(cidrs));
    switch (place_of(destination, cidrs, subnets ? subnets->all : std::vector<aws::subnet>{})) {
        case place_of_destination::outside:
            out_.ok(check, fmt::format("outside of {}", vpc));
            break;
        case place_of_destination::whole_subnet:
            out_.ok(check, fmt::format("a whole subnet of {}, which may be led to an interface", vpc));
            break;
        case place_of_destination::whole_vpc:
            out_.warn(
                check,
                fmt::format("a whole CIDR of {}: everything that is sent to the VPC would go to {}", vpc, target.id.str()),
                "choose an address outside of the VPC");
            break;
        case place_of_destination::inside:
            if (!subnets) {
                out_.skip(check,
                          fmt::format("inside of {}; whether it is a whole subnet is not known: {}", vpc, subnets.error().text),
                          std::string{remedy_of(subnets.error())});
                break;
            }
            out_.fail(check, fmt::format("inside of {}, and no whole subnet: EC2 refuses such a route", vpc),
                      "choose an address outside of the VPC's CIDRs, or move it as [[router.secondary_ip]] of its subnet");
            break;
    }
}

void move_judge::judge_tables(const std::string& check, const takeover::wanted_route& route)
{
    const auto tables = tables_for(route.query, known_);
    const auto query = takeover::describe_query(route.query);
    if (!tables) {
        out_.skip(check, fmt::format("the route tables of {} are not known: {}", query, tables.error().text));
        return;
    }
    for (const auto& id : route.query.ids) {
        if (std::ranges::find(*tables, id, &aws::route_table::id) == tables->end()) {
            out_.fail(check, fmt::format("there is no route table {} in this account and region", id.str()),
                      "put right ids of tables in [[router.route]]");
        }
    }
    if (tables->empty() && !route.query.by_id()) {
        out_.fail(check, fmt::format("no route table is in {}", query), "put right tables in [[router.route]], or the tags");
    }
    std::map<std::string, std::vector<std::string>> owners;
    for (const auto& table : *tables) {
        judge_table(check, route, table, owners);
    }
    std::vector<std::string> parts;
    for (const auto& [owner, names] : owners) {
        parts.push_back(fmt::format("{} in {}", owner, fmt::join(names, ", ")));
    }
    if (!parts.empty()) {
        out_.ok(check, fmt::format("leads to {}", fmt::join(parts, "; to ")));
    }
}

void move_judge::judge_table(const std::string& check, const takeover::wanted_route& route, const aws::route_table& table,
                             std::map<std::string, std::vector<std::string>>& owners)
{
    const auto target = known_.answers.interface(route.target);
    if (target && table.vpc != target->vpc) {
        out_.fail(check,
                  fmt::format("{} is of {}, and {} of {}: EC2 refuses such a route", name_of_table(table), table.vpc.str(),
                              target->id.str(), target->vpc.str()),
                  "name tables of the interface's own VPC");
        return;
    }
    if (table.of_gateway) {
        out_.fail(
            check,
            fmt::format("{} is associated with a gateway, and can lead only to addresses of the VPC", name_of_table(table)),
            "name tables of subnets");
        return;
    }
    const auto seen = std::ranges::find_if(
        table.routes, [&](const aws::route& r) { return r.destination == route.destination && !r.propagated; });
    owners[takeover::describe_owner(seen == table.routes.end() ? nullptr : &*seen)].push_back(name_of_table(table));
}

void move_judge::judge_source_dest_check(const aws::network_interface_id& id, bool may_disable)
{
    const auto check = "source/destination check";
    const auto target = known_.answers.interface(id);
    if (!target) {
        return;  // said of the route
    }
    if (!target->source_dest_check) {
        out_.ok(check, fmt::format("off at {}", id.str()));
    } else if (may_disable) {
        out_.ok(check, fmt::format("on at {}; vipd switches it off", id.str()));
    } else {
        out_.fail(check, fmt::format("on at {}: EC2 drops what is routed there", id.str()),
                  fmt::format("source_dest_check = \"disable\" in [[router.route]], or `aws ec2 "
                              "modify-network-interface-attribute --network-interface-id {} --no-source-dest-check`",
                              id.str()));
    }
}

// --- addresses ---

void move_judge::judge(const takeover::secondary_address& address)
{
    const auto check = "secondary_ip " + address.address.to_string();
    const auto target = known_.answers.interface(address.target);
    if (!target) {
        out_.skip(check, target.error().text);
        return;
    }
    const auto subnets = known_.answers.get<aws::subnets>(aws::describe_subnets{target->vpc});
    if (!subnets) {
        out_.skip(check,
                  fmt::format("whether it is of the subnet of {} is not known: {}", target->id.str(), subnets.error().text),
                  std::string{remedy_of(subnets.error())});
    } else {
        const auto subnet = std::ranges::find(subnets->all, target->subnet, &aws::subnet::id);
        const bool known = subnet != subnets->all.end();
        if (known && find_covering(subnet->cidrs, ip_prefix::host(address.address)) == nullptr) {
            out_.fail(
                check,
                fmt::format("outside of the subnet of {}: {} ({})", target->id.str(), subnet->id.str(), listed(subnet->cidrs)),
                "choose an address of that subnet, or move an address outside of the VPC by [[router.route]]");
            return;
        }
    }
    const auto holders = known_.answers.interfaces_with(address.address, target->vpc);
    const auto* const holder = holders && !holders->empty() ? &holders->front() : nullptr;
    if (holder != nullptr && !holder->addresses.empty() && address.address.is_v4() &&
        holder->addresses.front() == address.address) {
        out_.fail(check, fmt::format("it is the primary address of {}, which cannot be moved", holder->id.str()),
                  "choose an address that no interface has as its primary one");
        return;
    }
    if (holder != nullptr && holder->subnet != target->subnet) {
        out_.fail(check, fmt::format("{} has it, in another subnet than {}", holder->id.str(), target->id.str()),
                  "the nodes that move it have to be in one subnet, and so in one zone");
        return;
    }
    if (!judge_address_room(check, address, *target)) {
        return;
    }
    out_.ok(check, holder == nullptr ? fmt::format("of the subnet of {}; no interface has it", target->id.str())
                                     : fmt::format("of the subnet of {}; {} has it", target->id.str(), holder->id.str()));
}

bool move_judge::judge_address_room(const std::string& check, const takeover::secondary_address& address,
                                    const aws::network_interface& target)
{
    const auto limit = limits_of_type(known_);
    if (!limit) {
        out_.skip(check, fmt::format("how many addresses the interface takes is not known: {}", limit.error().text),
                  std::string{remedy_of(limit.error())});
        return true;
    }
    const auto family = address.address.family();
    const auto has = static_cast<unsigned>(std::ranges::count(target.addresses, family, &ip_address::family));
    const auto max = family == ip_family::v4 ? limit->ipv4_addresses_per_interface : limit->ipv6_addresses_per_interface;
    const bool is_there = std::ranges::find(target.addresses, address.address) != target.addresses.end();
    const auto together = addresses_at(target, family, all_);
    if (is_there || together <= max) {
        return true;
    }
    if (has >= max) {
        out_.fail(
            check,
            fmt::format("{} has {} of the {} addresses that an interface of {} takes", target.id.str(), has, max, limit->type),
            "take an address away from it, or choose a larger instance type");
    } else {
        out_.fail(check,
                  fmt::format("{} has {} {} addresses, with all that [[router.secondary_ip]] moves there it would have {}, and "
                              "an interface of {} takes {}",
                              target.id.str(), has, family == ip_family::v4 ? "IPv4" : "IPv6", together, limit->type, max),
                  "move fewer addresses there, put some on another interface, or choose a larger instance type");
    }
    return false;
}

bool move_judge::comes_to(const ip_address& address, const aws::network_interface_id& target) const
{
    const auto found = all_.secondary_addresses.find(address);
    if (found != all_.secondary_addresses.end()) {
        return found->second == target;
    }
    // Of an entry that is not resolved it is said there.
    return std::ranges::any_of(known_.configuration->routers, [&](const config::router& r) {
        return std::ranges::find(r.secondary_ips, address, &config::secondary_ip_entry::address) != r.secondary_ips.end();
    });
}

void move_judge::judge(const takeover::elastic_ip& elastic)
{
    const auto check = "elastic_ip " + elastic.allocation.str();
    const auto found = known_.answers.get<aws::elastic_addresses>(aws::describe_addresses{{elastic.allocation}});
    if (!found) {
        out_.skip(check, found.error().text);
        return;
    }
    if (found->all.empty()) {
        out_.fail(check, "there is none in this account and region", "put right allocation in [[router.elastic_ip]]");
        return;
    }
    const auto& address = found->all.front();
    const auto target = known_.answers.interface(elastic.target);
    if (target && elastic.private_address && !comes_to(*elastic.private_address, elastic.target) &&
        std::ranges::find(target->addresses, *elastic.private_address) == target->addresses.end()) {
        out_.fail(check,
                  fmt::format("{}, to which it is to be mapped, is no address of {}", elastic.private_address->to_string(),
                              elastic.target.str()),
                  "put right private_address in [[router.elastic_ip]], or move it too with [[router.secondary_ip]]");
        return;
    }
    const auto where =
        address.interface.empty()
            ? std::string("mapped to nobody")
            : fmt::format("mapped to {} at {}", address.private_address ? address.private_address->to_string() : "-",
                          address.interface.str());
    // Of the interface's primary address the instance loses its own public address when this one comes, and a Backup that has
    // none cannot reach EC2 by the internet.
    const auto primary = target && !target->addresses.empty() ? std::optional{target->addresses.front()} : std::nullopt;
    if (primary && elastic.private_address.value_or(*primary) == *primary && known_.path && *known_.path &&
        (*known_.path)->local == *primary) {
        out_.warn(check,
                  fmt::format("{}, {}; it goes to the primary address of {}, by which this node reaches EC2", address.public_ip,
                              where, elastic.target.str()),
                  "EC2 takes the automatic public address away while it is here and gives another afterwards: give it a "
                  "private_address of its own ([[router.secondary_ip]]), or reach EC2 by a VPC endpoint or NAT");
        return;
    }
    out_.ok(check, fmt::format("{}, {}", address.public_ip, where));
}

}  // namespace

std::string_view remedy_of(const error& e)
{
    return e.kind == error_class::denied ? with_doctor_remedy : "";
}

result<aws::instance_type_limits> limits_of_type(const evidence& known)
{
    const auto* const who = known.identity();
    if (who == nullptr || who->instance_type.empty()) {
        return error{error_class::unavailable, "the metadata service has not said the instance's type"};
    }
    auto found = known.answers.get<aws::instance_types>(aws::describe_instance_types{who->instance_type});
    if (!found) {
        return found.error();
    }
    if (found->all.empty()) {
        return error{error_class::not_found, fmt::format("EC2 does not know {}", who->instance_type)};
    }
    return std::move(found->all.front());
}

void judge_moves(const evidence& known, const config::router& router, section& out)
{
    const auto resolved = known.resolve(router);
    for (const auto& missing : resolved.unresolved) {
        // Links follow the interfaces, which are judged below by what EC2 says of them.
        if (missing.kind == status::resource_kind::link) {
            continue;
        }
        const auto check = fmt::format("{} {}", to_string(missing.kind), missing.name);
        if (known.identity() == nullptr) {
            out.skip(check, "the metadata service has not said which interfaces this node has");
        } else {
            out.fail(check, missing.last_error, "put right the interface that the entry, or its router, names");
        }
    }
    move_judge judge{known, router, out};
    for (const auto& route : resolved.wanted.routes) {
        judge.judge(route);
    }
    for (const auto& [interface, may_disable] : resolved.wanted.disable_source_dest_check) {
        judge.judge_source_dest_check(interface, may_disable);
    }
    for (const auto& other : resolved.wanted.others) {
        std::visit([&](const auto& what) { judge.judge(what); }, other.what);
    }
}

}  // namespace vipd::doctor
