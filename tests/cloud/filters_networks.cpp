// Filters of what nobody moves: VPCs, subnets, security groups, instance types.

#include "tests/cloud/filter_fields.hpp"

#include <algorithm>

namespace vipd::cloud {

namespace {

using values = filter_values;

values cidrs_of_family(const std::vector<ip_prefix>& cidrs, ip_family family)
{
    return collect(cidrs, [&](const ip_prefix& cidr) { return cidr.family() == family ? cidr.to_string() : std::string{}; });
}

const field_table<vpc>& vpc_fields()
{
    static const field_table<vpc> fields{
        // Of the VPC's first range only, as EC2 has it.
        {"cidr",
         [](const vpc& v, const replica&) {
             auto all = cidrs_of_family(v.cidrs, ip_family::v4);
             all.resize(std::min<std::size_t>(1, all.size()));
             return all;
         }},
        {"cidr-block-association.cidr-block",
         [](const vpc& v, const replica&) { return cidrs_of_family(v.cidrs, ip_family::v4); }},
        {"ipv6-cidr-block-association.ipv6-cidr-block",
         [](const vpc& v, const replica&) { return cidrs_of_family(v.cidrs, ip_family::v6); }},
        {"owner-id", [](const vpc&, const replica& from) { return values{from.state.account}; }},
        {"state", [](const vpc&, const replica&) { return values{"available"}; }},
        {"vpc-id", [](const vpc& v, const replica&) { return values{v.id.str()}; }},
    };
    return fields;
}

const field_table<subnet>& subnet_fields()
{
    static const field_table<subnet> fields{
        {"availability-zone", [](const subnet& s, const replica&) { return values{s.zone}; }},
        {"availability-zone-id",
         [](const subnet& s, const replica& from) { return values{zone_id(from.state.region, s.zone)}; }},
        {"cidr-block", [](const subnet& s, const replica&) { return cidrs_of_family(s.cidrs, ip_family::v4); }},
        {"ipv6-cidr-block-association.ipv6-cidr-block",
         [](const subnet& s, const replica&) { return cidrs_of_family(s.cidrs, ip_family::v6); }},
        {"owner-id", [](const subnet&, const replica& from) { return values{from.state.account}; }},
        {"state", [](const subnet&, const replica&) { return values{"available"}; }},
        {"subnet-id", [](const subnet& s, const replica&) { return values{s.id.str()}; }},
        {"vpc-id", [](const subnet& s, const replica&) { return values{s.vpc.str()}; }},
    };
    return fields;
}

template <class F>
auto of_inbound(F values_of)
{
    return [values_of](const security_group& g, const replica&) {
        values found;
        for (const auto& rule : g.inbound) {
            for (auto& value : values_of(rule)) {
                found.push_back(std::move(value));
            }
        }
        return found;
    };
}

const field_table<security_group>& security_group_fields()
{
    using group = security_group;
    static const field_table<group> fields{
        {"description", [](const group& g, const replica&) { return values{g.description}; }},
        {"group-id", [](const group& g, const replica&) { return values{g.id.str()}; }},
        {"group-name", [](const group& g, const replica&) { return values{g.name}; }},
        {"ip-permission.cidr",
         of_inbound([](const security_group_rule& r) { return cidrs_of_family(r.cidrs, ip_family::v4); })},
        {"ip-permission.group-id", of_inbound([](const security_group_rule& r) {
             return collect(r.groups, [](const security_group_id& id) { return id.str(); });
         })},
        {"ip-permission.ipv6-cidr",
         of_inbound([](const security_group_rule& r) { return cidrs_of_family(r.cidrs, ip_family::v6); })},
        {"ip-permission.prefix-list-id", of_inbound([](const security_group_rule& r) {
             return collect(r.prefix_lists, [](const prefix_list_id& id) { return id.str(); });
         })},
        {"ip-permission.protocol", of_inbound([](const security_group_rule& r) { return values{r.protocol}; })},
        {"owner-id", [](const group&, const replica& from) { return values{from.state.account}; }},
        {"vpc-id", [](const group& g, const replica&) { return values{g.vpc.str()}; }},
    };
    return fields;
}

const field_table<instance_type>& instance_type_fields()
{
    static const field_table<instance_type> fields{
        {"instance-type", [](const instance_type& t, const replica&) { return values{t.id.str()}; }},
        {"network-info.maximum-network-interfaces",
         [](const instance_type& t, const replica&) { return values{std::to_string(t.interfaces_max)}; }},
        {"network-info.ipv4-addresses-per-interface",
         [](const instance_type& t, const replica&) { return values{std::to_string(t.ipv4_addresses_per_interface)}; }},
        {"network-info.ipv6-addresses-per-interface",
         [](const instance_type& t, const replica&) { return values{std::to_string(t.ipv6_addresses_per_interface)}; }},
    };
    return fields;
}

}  // namespace

api_result<bool> matches(const std::vector<filter>& filters, const vpc& one, const replica& from)
{
    return match_all(filters, vpc_fields(), one, from);
}

api_result<bool> matches(const std::vector<filter>& filters, const subnet& one, const replica& from)
{
    return match_all(filters, subnet_fields(), one, from);
}

api_result<bool> matches(const std::vector<filter>& filters, const security_group& group, const replica& from)
{
    return match_all(filters, security_group_fields(), group, from);
}

api_result<bool> matches(const std::vector<filter>& filters, const instance_type& type, const replica& from)
{
    return match_all(filters, instance_type_fields(), type, from);
}

}  // namespace vipd::cloud
