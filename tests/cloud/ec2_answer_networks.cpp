// VPCs, subnets, security groups and instance types.

#include "tests/cloud/ec2_answer.hpp"
#include "tests/cloud/ec2_xml.hpp"

#include <algorithm>

namespace vipd::cloud {

using namespace xml;

namespace {

std::string first_of_family(const std::vector<ip_prefix>& cidrs, ip_family family)
{
    const auto found = std::ranges::find(cidrs, family, &ip_prefix::family);
    return found == cidrs.end() ? std::string{} : found->to_string();
}

// <cidrBlockAssociationSet><item><cidrBlock/><cidrBlockState><state/>..., and the same for IPv6.
void add_cidrs(pugi::xml_node parent, const char* set_name, const char* item_name, const std::vector<ip_prefix>& cidrs,
               ip_family family, std::string_view owner)
{
    auto set = parent.append_child(set_name);
    unsigned number = 0;
    for (const auto& cidr : cidrs) {
        if (cidr.family() == family) {
            auto item = set.append_child("item");
            add(item, item_name, cidr.to_string());
            add(item, "associationId",
                std::string(owner.substr(0, owner.find('-'))) + "-cidr-assoc-" +
                    std::string(owner.substr(owner.find('-') + 1)) + std::to_string(number++));
            add(item.append_child((std::string(item_name) + "State").c_str()), "state", "associated");
        }
    }
}

// Addresses that nobody has, without the five that are EC2's.
std::uint64_t free_addresses(const subnet& one, const replica& from)
{
    const auto cidr = std::ranges::find(one.cidrs, ip_family::v4, &ip_prefix::family);
    if (cidr == one.cidrs.end()) {
        return 0;
    }
    std::uint64_t taken = 5;
    for (const auto& [id, versions] : from.state.interfaces) {
        const auto* interface = versions.as_of(from.as_of);
        taken += interface != nullptr && interface->subnet == one.id ? interface->addresses.size() : 0;
    }
    const auto all = std::uint64_t{1} << (32U - cidr->length());
    return all > taken ? all - taken : 0;
}

void add_subnet(pugi::xml_node set, const subnet& one, const replica& from)
{
    auto item = set.append_child("item");
    add(item, "subnetId", one.id.str());
    add(item, "subnetArn", from.state.arn("subnet", one.id.str()));
    add(item, "state", "available");
    add(item, "vpcId", one.vpc.str());
    add(item, "ownerId", from.state.account);
    add_unless_empty(item, "cidrBlock", first_of_family(one.cidrs, ip_family::v4));
    add_cidrs(item, "ipv6CidrBlockAssociationSet", "ipv6CidrBlock", one.cidrs, ip_family::v6, one.id.str());
    add(item, "availableIpAddressCount", std::to_string(free_addresses(one, from)));
    add(item, "availabilityZone", one.zone);
    add(item, "availabilityZoneId", zone_id(from.state.region, one.zone));
    add(item, "defaultForAz", "false");
    add(item, "mapPublicIpOnLaunch", "false");
    add(item, "assignIpv6AddressOnCreation", "false");
    add_tags(item, one.tags);
}

void add_vpc(pugi::xml_node set, const vpc& one, const replica& from)
{
    auto item = set.append_child("item");
    add(item, "vpcId", one.id.str());
    add(item, "ownerId", from.state.account);
    add(item, "state", "available");
    add_unless_empty(item, "cidrBlock", first_of_family(one.cidrs, ip_family::v4));
    add_cidrs(item, "cidrBlockAssociationSet", "cidrBlock", one.cidrs, ip_family::v4, one.id.str());
    add_cidrs(item, "ipv6CidrBlockAssociationSet", "ipv6CidrBlock", one.cidrs, ip_family::v6, one.id.str());
    add(item, "dhcpOptionsId", "default");
    add(item, "instanceTenancy", "default");
    add(item, "isDefault", "false");
    add_tags(item, one.tags);
}

void add_rules(pugi::xml_node parent, const char* name, const std::vector<security_group_rule>& rules, const replica& from)
{
    auto set = parent.append_child(name);
    for (const auto& rule : rules) {
        auto item = set.append_child("item");
        add(item, "ipProtocol", rule.protocol);
        if (rule.ports) {
            add(item, "fromPort", std::to_string(rule.ports->first));
            add(item, "toPort", std::to_string(rule.ports->second));
        }
        auto groups = item.append_child("groups");
        for (const auto& group : rule.groups) {
            auto pair = groups.append_child("item");
            add(pair, "userId", from.state.account);
            add(pair, "groupId", group.str());
            add_unless_empty(pair, "description", rule.description);
        }
        auto ranges = item.append_child("ipRanges");
        auto ranges6 = item.append_child("ipv6Ranges");
        for (const auto& cidr : rule.cidrs) {
            const bool v4 = cidr.family() == ip_family::v4;
            auto range = (v4 ? ranges : ranges6).append_child("item");
            add(range, v4 ? "cidrIp" : "cidrIpv6", cidr.to_string());
            add_unless_empty(range, "description", rule.description);
        }
        auto lists = item.append_child("prefixListIds");
        for (const auto& list : rule.prefix_lists) {
            add(lists.append_child("item"), "prefixListId", list.str());
        }
    }
}

void add_group(pugi::xml_node set, const security_group& group, const replica& from)
{
    auto item = set.append_child("item");
    add(item, "ownerId", from.state.account);
    add(item, "groupId", group.id.str());
    add(item, "groupName", group.name);
    add(item, "groupDescription", group.description);
    add(item, "vpcId", group.vpc.str());
    add_rules(item, "ipPermissions", group.inbound, from);
    add_rules(item, "ipPermissionsEgress", group.outbound, from);
    add_tags(item, group.tags);
}

void add_type(pugi::xml_node set, const instance_type& type)
{
    auto item = set.append_child("item");
    add(item, "instanceType", type.id.str());
    add(item, "currentGeneration", "true");
    auto info = item.append_child("networkInfo");
    add(info, "maximumNetworkInterfaces", std::to_string(type.interfaces_max));
    add(info, "maximumNetworkCards", std::to_string(type.network_cards));
    add(info, "defaultNetworkCardIndex", "0");
    auto cards = info.append_child("networkCards");
    for (unsigned index = 0; index < type.network_cards; ++index) {
        auto card = cards.append_child("item");
        add(card, "networkCardIndex", std::to_string(index));
        add(card, "maximumNetworkInterfaces", std::to_string(type.interfaces_max / type.network_cards));
    }
    add(info, "ipv4AddressesPerInterface", std::to_string(type.ipv4_addresses_per_interface));
    add(info, "ipv6AddressesPerInterface", std::to_string(type.ipv6_addresses_per_interface));
    add(info, "ipv6Supported", yes_or_no(type.ipv6_addresses_per_interface > 0));
}

}  // namespace

std::string answer_xml(std::string_view request_id, const page<vpc>& vpcs, const replica& from)
{
    const answer out("DescribeVpcs", request_id);
    auto set = out.root().append_child("vpcSet");
    for (const auto* one : vpcs.items) {
        add_vpc(set, *one, from);
    }
    add_unless_empty(out.root(), "nextToken", vpcs.next_token);
    return out.text();
}

std::string answer_xml(std::string_view request_id, const page<subnet>& subnets, const replica& from)
{
    const answer out("DescribeSubnets", request_id);
    auto set = out.root().append_child("subnetSet");
    for (const auto* one : subnets.items) {
        add_subnet(set, *one, from);
    }
    add_unless_empty(out.root(), "nextToken", subnets.next_token);
    return out.text();
}

std::string answer_xml(std::string_view request_id, const page<security_group>& groups, const replica& from)
{
    const answer out("DescribeSecurityGroups", request_id);
    auto set = out.root().append_child("securityGroupInfo");
    for (const auto* group : groups.items) {
        add_group(set, *group, from);
    }
    add_unless_empty(out.root(), "nextToken", groups.next_token);
    return out.text();
}

std::string answer_xml(std::string_view request_id, const page<instance_type>& types, const replica&)
{
    const answer out("DescribeInstanceTypes", request_id);
    auto set = out.root().append_child("instanceTypeSet");
    for (const auto* type : types.items) {
        add_type(set, *type);
    }
    add_unless_empty(out.root(), "nextToken", types.next_token);
    return out.text();
}

}  // namespace vipd::cloud
