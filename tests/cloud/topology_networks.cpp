// What a topology says of networks.

#include "tests/cloud/topology_parts.hpp"

#include <boost/json.hpp>

#include <array>
#include <cstdint>
#include <utility>

namespace vipd::cloud {

namespace {

const ip_prefix any_ipv4{ip_address{}, 0};
const ip_prefix any_ipv6{ip_address::from_bytes(std::array<std::uint8_t, 16>{}), 0};

// {"protocol": "112", "cidrs": [...], "groups": ["sg-..."], "prefix_lists": ["pl-..."]}, for tcp and udp with "from_port" and
// "to_port"; all protocols when none is named.
std::vector<security_group_rule> read_rules(json_reader& group, std::string_view key)
{
    std::vector<security_group_rule> rules;
    for (auto& item : group.items(key)) {
        security_group_rule rule;
        rule.protocol = item.text("protocol", "-1");
        if (item.has("from_port")) {
            const auto first = static_cast<unsigned>(item.count("from_port", 0));
            rule.ports = std::pair{first, static_cast<unsigned>(item.count("to_port", first))};
        }
        rule.cidrs = read_prefixes(item, "cidrs");
        for (auto& id : item.texts("groups")) {
            rule.groups.emplace_back(std::move(id));
        }
        for (auto& id : item.texts("prefix_lists")) {
            rule.prefix_lists.emplace_back(std::move(id));
        }
        rule.description = item.text("description");
        if (rule.cidrs.empty() && rule.groups.empty() && rule.prefix_lists.empty()) {
            item.fail("", "needs cidrs, groups or prefix_lists");
        }
        item.finish();
        rules.push_back(std::move(rule));
    }
    return rules;
}

}  // namespace

std::optional<ip_prefix> read_prefix(json_reader& reader, std::string_view key, const std::string& text)
{
    const auto prefix = ip_prefix::parse(text);
    if (!prefix) {
        reader.fail(key, prefix.error().text);
        return std::nullopt;
    }
    return prefix->canonical();
}

std::vector<ip_prefix> read_prefixes(json_reader& reader, std::string_view key)
{
    std::vector<ip_prefix> out;
    for (const auto& text : reader.texts(key)) {
        if (const auto prefix = read_prefix(reader, key, text)) {
            out.push_back(*prefix);
        }
    }
    return out;
}

std::vector<ip_address> read_addresses(json_reader& reader, std::string_view key)
{
    std::vector<ip_address> out;
    for (const auto& text : reader.texts(key)) {
        if (const auto address = ip_address::parse(text)) {
            out.push_back(*address);
        } else {
            reader.fail(key, address.error().text);
        }
    }
    return out;
}

tag_map read_tags(json_reader& reader)
{
    tag_map tags;
    for (auto& [key, value] : reader.text_pairs("tags")) {
        tags[key] = value;
    }
    return tags;
}

void read_networks(json_reader& root, cloud_state& state)
{
    for (auto& item : root.items("vpcs")) {
        vpc one{vpc_id{item.required_text("id")}, read_prefixes(item, "cidrs"), read_tags(item), item.text("internet_gateway")};
        if (one.cidrs.empty()) {
            item.fail("cidrs", "needs at least one");
        }
        item.finish();
        state.vpcs[one.id] = std::move(one);
    }
    for (auto& item : root.items("subnets")) {
        subnet one{subnet_id{item.required_text("id")}, vpc_id{item.required_text("vpc")}, item.required_text("zone"),
                   read_prefixes(item, "cidrs"), read_tags(item)};
        if (!state.vpcs.contains(one.vpc)) {
            item.fail("vpc", "'" + one.vpc.str() + "' is not one of the VPCs");
        }
        item.finish();
        state.subnets[one.id] = std::move(one);
    }
    for (auto& item : root.items("prefix_lists")) {
        prefix_list one{prefix_list_id{item.required_text("id")}, item.text("name"), read_prefixes(item, "entries")};
        item.finish();
        state.prefix_lists[one.id] = std::move(one);
    }
    for (auto& item : root.items("security_groups")) {
        security_group one;
        one.id = security_group_id{item.required_text("id")};
        one.vpc = vpc_id{item.required_text("vpc")};
        one.name = item.text("name", one.id.str());
        one.description = item.text("description", one.name);
        one.tags = read_tags(item);
        one.inbound = read_rules(item, "inbound");
        // As EC2 makes them: out is allowed.
        one.outbound = item.has("outbound") ? read_rules(item, "outbound")
                                            : std::vector<security_group_rule>{{"-1", {}, {any_ipv4, any_ipv6}, {}, {}}};
        if (!state.vpcs.contains(one.vpc)) {
            item.fail("vpc", "'" + one.vpc.str() + "' is not one of the VPCs");
        }
        item.finish();
        state.security_groups[one.id] = std::move(one);
    }
}

}  // namespace vipd::cloud
