// VPCs, subnets, security groups and what instance types can hold, read from EC2's XML.

#include "agent/aws/ec2_entities.hpp"
#include "agent/aws/text.hpp"
#include "agent/aws/xml.hpp"

#include <charconv>
#include <utility>

namespace vipd::aws {

namespace {

template <class Id>
Id id_of(const pugi::xml_node& node, const char* name)
{
    const auto text = child_text(node, name);
    return is_plain_id(text) ? Id{std::string{text}} : Id{};
}

unsigned count_of(const pugi::xml_node& node, const char* name)
{
    const auto text = child_text(node, name);
    unsigned count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

// Those that are being taken away, or could not be added, are none of the network's.
void add_associated(std::vector<ip_prefix>& out, const pugi::xml_node& set, const char* cidr, const char* state)
{
    for (const auto& item : set.children("item")) {
        const auto prefix = ip_prefix::parse(child_text(item, cidr));
        if (prefix && child_text(item.child(state), "state") == "associated") {
            out.push_back(prefix->canonical());
        }
    }
}

void add_ranges(std::vector<ip_prefix>& out, const pugi::xml_node& set, const char* name)
{
    for (const auto& item : set.children("item")) {
        if (const auto prefix = ip_prefix::parse(child_text(item, name))) {
            out.push_back(prefix->canonical());
        }
    }
}

std::vector<security_group_rule> rules_of(const pugi::xml_node& set)
{
    std::vector<security_group_rule> rules;
    for (const auto& item : set.children("item")) {
        security_group_rule rule;
        rule.protocol = clean_text(child_text(item, "ipProtocol"), 16);
        add_ranges(rule.cidrs, item.child("ipRanges"), "cidrIp");
        add_ranges(rule.cidrs, item.child("ipv6Ranges"), "cidrIpv6");
        for (const auto& pair : item.child("groups").children("item")) {
            if (auto id = id_of<security_group_id>(pair, "groupId"); !id.empty()) {
                rule.groups.push_back(std::move(id));
            }
        }
        for (const auto& list : item.child("prefixListIds").children("item")) {
            rule.prefix_lists.push_back(clean_text(child_text(list, "prefixListId"), 64));
        }
        rules.push_back(std::move(rule));
    }
    return rules;
}

}  // namespace

std::optional<vpcs> read_vpcs(const pugi::xml_node& root)
{
    const auto set = root.child("vpcSet");
    if (!set) {
        return std::nullopt;
    }
    vpcs found;
    for (const auto& item : set.children("item")) {
        vpc one;
        one.id = id_of<vpc_id>(item, "vpcId");
        add_associated(one.cidrs, item.child("cidrBlockAssociationSet"), "cidrBlock", "cidrBlockState");
        add_associated(one.cidrs, item.child("ipv6CidrBlockAssociationSet"), "ipv6CidrBlock", "ipv6CidrBlockState");
        if (one.id.empty() || one.cidrs.empty()) {
            return std::nullopt;
        }
        found.all.push_back(std::move(one));
    }
    return found;
}

std::optional<subnets> read_subnets(const pugi::xml_node& root)
{
    const auto set = root.child("subnetSet");
    if (!set) {
        return std::nullopt;
    }
    subnets found;
    for (const auto& item : set.children("item")) {
        subnet one;
        one.id = id_of<subnet_id>(item, "subnetId");
        one.availability_zone = clean_text(child_text(item, "availabilityZone"), 64);
        if (const auto prefix = ip_prefix::parse(child_text(item, "cidrBlock"))) {
            one.cidrs.push_back(prefix->canonical());
        }
        add_associated(one.cidrs, item.child("ipv6CidrBlockAssociationSet"), "ipv6CidrBlock", "ipv6CidrBlockState");
        if (one.id.empty() || one.cidrs.empty()) {
            return std::nullopt;
        }
        found.all.push_back(std::move(one));
    }
    return found;
}

std::optional<security_groups> read_security_groups(const pugi::xml_node& root)
{
    const auto set = root.child("securityGroupInfo");
    if (!set) {
        return std::nullopt;
    }
    security_groups found;
    for (const auto& item : set.children("item")) {
        security_group one;
        one.id = id_of<security_group_id>(item, "groupId");
        one.inbound = rules_of(item.child("ipPermissions"));
        one.outbound = rules_of(item.child("ipPermissionsEgress"));
        if (one.id.empty()) {
            return std::nullopt;
        }
        found.all.push_back(std::move(one));
    }
    return found;
}

std::optional<instance_types> read_instance_types(const pugi::xml_node& root)
{
    const auto set = root.child("instanceTypeSet");
    if (!set) {
        return std::nullopt;
    }
    instance_types found;
    for (const auto& item : set.children("item")) {
        const auto info = item.child("networkInfo");
        instance_type_limits one;
        one.type = clean_text(child_text(item, "instanceType"), 64);
        one.interfaces_max = count_of(info, "maximumNetworkInterfaces");
        one.ipv4_addresses_per_interface = count_of(info, "ipv4AddressesPerInterface");
        one.ipv6_addresses_per_interface = count_of(info, "ipv6AddressesPerInterface");
        if (one.type.empty() || one.interfaces_max == 0) {
            return std::nullopt;
        }
        found.all.push_back(std::move(one));
    }
    return found;
}

}  // namespace vipd::aws
